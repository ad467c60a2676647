// Package atomicfile reads and replaces private files so that a reader, a crash, or a full disk finds the old or the new
// content whole.
//
// It guarantees: temp file in the same folder, fsync, rename, fsync of the folder; files of mode 0600 in folders of mode
// 0700, whatever the umask; and that a file which others could have written or read is refused, not used. It never follows
// a link at the target, never waits for a FIFO, never changes the mode of a folder that it did not make, and never leaves
// a temp file behind on an error that it saw.
// Safe for many processes on one machine; not on network file systems. Two writers of one path need a lock: the last wins.
package atomicfile

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// attempts is how many temp files a Commit tries before it gives up.
const attempts = 5

// staleAfter is the age at which a temp file has surely lost its process, whatever its pid says: no writer of ours lives for
// an hour.
const staleAfter = time.Hour

// Pending is a temp file that has its room on the disk already. Not safe for concurrent use.
type Pending struct {
	path string
	temp *os.File // nil once it was renamed or removed
}

// Prepare makes the temp file that Commit will rename to path: size bytes, padded, and synced, so that a full disk, a
// quota, or a read-only folder shows now. The folder must exist.
func Prepare(path string, size int) (*Pending, error) {
	if err := replaceable(path); err != nil {
		return nil, err
	}
	temp, err := createTemp(path)
	if err != nil {
		return nil, err
	}
	p := &Pending{path, temp}
	if _, err := temp.WriteAt(padding(size), 0); err != nil {
		p.Abort()
		return nil, err
	}
	if err := temp.Sync(); err != nil {
		p.Abort()
		return nil, err
	}
	return p, nil
}

// Commit puts data in place of the target's content, mode 0600, and returns when that is durable. It tries again with a new
// temp file up to five times in all. After an error the target is the old version or, where only the sync of the folder
// failed, the new one; it is never anything else. p is used up either way.
func (p *Pending) Commit(data []byte) error {
	defer p.Abort()
	var err error
	for range attempts {
		if err = p.commit(data); err == nil {
			return nil
		}
		// A new temp file, never the same again: after a failed fsync the kernel may have dropped the dirty pages and
		// marked them clean, so that a second fsync of the same file would report a success that is none.
		p.Abort()
		if final(err) {
			break
		}
	}
	return err
}

// commit is one try. What a crash (kill or power cut) at each step leaves:
func (p *Pending) commit(data []byte) (err error) {
	if err := replaceable(p.path); err != nil {
		return err
	}
	if p.temp == nil {
		// Crash here: the target is the old version; at most an empty temp file stays, which Sweep removes.
		if p.temp, err = createTemp(p.path); err != nil {
			return err
		}
	}
	// Crash here: the target is old, the temp file is partly written. Nobody reads a temp file.
	if _, err := p.temp.WriteAt(data, 0); err != nil {
		return err
	}
	// Takes the padding away. Crash here: as above.
	if err := p.temp.Truncate(int64(len(data))); err != nil {
		return err
	}
	// Before the rename, else a power cut could keep the rename (metadata) and lose the bytes: an empty target.
	if err := p.temp.Sync(); err != nil {
		return err
	}
	// Windows does not rename a file that is open without FILE_SHARE_DELETE; Unix does not mind. A failed close after a
	// good fsync loses nothing, but it tells of a sick disk: another try.
	name := p.temp.Name()
	if err := p.temp.Close(); err != nil {
		return err
	}
	// The one step that readers see: before it the old version, after it the new. Kill after it: nothing is lost. Power cut
	// after it: old or new, each whole, since the new bytes were synced before.
	if err := rename(name, p.path); err != nil {
		return err
	}
	p.temp = nil
	// Makes the rename itself durable. Only after this may the caller act on the new version being there for good.
	return syncFolder(filepath.Dir(p.path))
}

// Abort removes the temp file, if there is one left. It is idempotent.
func (p *Pending) Abort() {
	if p.temp == nil {
		return
	}
	p.temp.Close()
	os.Remove(p.temp.Name())
	p.temp = nil
}

// Write replaces path with data, mode 0600, durably: Commit without a Prepare.
func Write(path string, data []byte) error { return (&Pending{path: path}).Commit(data) }

// Remove deletes path durably. A path that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// Rename moves a file to another name in the same folder, durably. It replaces what is there under that name.
func Rename(from, to string) error {
	if err := rename(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// Sweep removes the temp files of this package in folder whose processes were killed: their pid is nobody's any more, or they
// are older than an hour. Where a pid means another process (a container that shares the folder) a file may go that is
// still written; its Commit then makes another.
func Sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !isTemp(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err == nil && (time.Since(info.ModTime()) > staleAfter || !alive(pidOf(e.Name()))) {
			os.Remove(filepath.Join(folder, e.Name()))
		}
	}
	return nil
}

// replaceable refuses a target that is not a plain file: what somebody put there on purpose is not ours to sever.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return unsafeFile(path, typeProblem(info.Mode()))
	}
	return nil
}

// final reports an error that another temp file cannot mend.
func final(err error) bool {
	var u *UnsafeError
	return errors.As(err, &u)
}

const tempMark = ".tmp-"

func createTemp(path string) (*os.File, error) {
	folder, base := filepath.Split(path)
	for {
		name := folder + "." + base + tempMark + hex8(uint32(os.Getpid())) + hex8(rand.Uint32())
		f, err := openTemp(name)
		if errors.Is(err, fs.ErrExist) {
			continue // somebody has that name: 2^32 others are left
		}
		return f, err
	}
}

func hex8(n uint32) string {
	s := strconv.FormatUint(uint64(n), 16)
	return strings.Repeat("0", 8-len(s)) + s
}

// pidOf is the process that made a temp file of that name.
func pidOf(name string) int {
	pid, _ := strconv.ParseUint(name[strings.LastIndex(name, tempMark)+len(tempMark):][:8], 16, 32)
	return int(pid)
}

// isTemp recognises the names that createTemp gives.
func isTemp(name string) bool {
	i := strings.LastIndex(name, tempMark)
	if i < 2 || name[0] != '.' {
		return false
	}
	suffix := name[i+len(tempMark):]
	return len(suffix) == 16 && strings.Trim(suffix, "0123456789abcdef") == ""
}

// padding does not compress, so that a compressing file system must find real room for it, too.
func padding(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}
