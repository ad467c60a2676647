// Package profileindex remembers, for the front, what a profile resolved to: no secret, and void at any change of the
// files that it came from.
//
// It guarantees that an answer is given only if every file that was consulted is still the same by device, inode, size,
// and times, and was older than two seconds when the answer was kept. It never reads an ini file. Many processes may
// read and write at once: files are replaced whole.
package profileindex

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Answer is what the front needs to know of a profile.
type Answer struct {
	SessionID string
	AWSRecord string        // key of the AWS credentials in the session; "" when the profile leads to none
	MinTTL    time.Duration // cognito_min_ttl; 0 when not set
}

const (
	// keep is how many files stay; the oldest go first.
	keep = 256
	// age is how old a file must be: a change in the same tick of a coarse clock would leave its times as they were.
	age = 2 * time.Second
	// tempAge is when a temp file is surely left over from a crash.
	tempAge = time.Hour
	// sizeLimit is far above any real index.
	sizeLimit = 64 << 10

	subfolder  = "index"
	filePrefix = "p-"
	fileSuffix = ".idx"
	tempPrefix = ".tmp-"
)

// Load returns the answer for the selected profile, where one is kept and still holds. credentials and config are the
// names of the default files (profiles.DefaultFiles).
func Load(folder string, s profiles.Selection, credentials, config string) (Answer, bool) {
	if s.Location != "" {
		return Answer{}, false
	}
	k := key{s.Name, credentials, config}
	data, ok := read(k.path(folder), sizeLimit)
	if !ok {
		return Answer{}, false
	}
	kept, ok := decode(data)
	if !ok || kept.key != k || !hold(kept.consulted) {
		return Answer{}, false
	}
	return kept.answer, true
}

// Save keeps the answer. consulted is Profile.Consulted. It does nothing where a file is younger than two seconds at now,
// where nothing was consulted, and for a selection with a location.
func Save(folder string, s profiles.Selection, credentials, config string, consulted []profiles.FileStamp, a Answer, now time.Time) error {
	if s.Location != "" || len(consulted) == 0 || !settled(consulted, now) {
		return nil
	}
	k := key{s.Name, credentials, config}
	data := encode(record{k, a, consulted})
	if len(data) > sizeLimit {
		return nil // Load would refuse it
	}
	return keepFile(k.path(folder), data)
}

// keepFile puts an index file in its place, and removes what is too many.
func keepFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := replace(path, data); err != nil {
		return err
	}
	tidy(filepath.Dir(path), path)
	return nil
}

// key is what an answer depends on besides the files' content.
type key struct{ name, credentials, config string }

func (k key) path(folder string) string {
	return fileOf(folder, filePrefix, k.name, k.credentials, k.config)
}

// fileOf names the index file of a kind for what decides it.
func fileOf(folder, prefix string, parts ...string) string {
	b := make([]byte, 0, 512) // on the stack, for names of usual length: growing there costs a warm answer six page faults
	for _, s := range parts {
		b = appendString(b, s)
	}
	sum := sha256.Sum256(b)
	return filepath.Join(folder, subfolder, prefix+hex(sum[:16])+fileSuffix)
}

// hex is encoding/hex without its import of fmt, which the front cannot afford.
func hex(b []byte) string {
	const digits = "0123456789abcdef"
	s := make([]byte, 0, 2*len(b))
	for _, c := range b {
		s = append(s, digits[c>>4], digits[c&15])
	}
	return string(s)
}

// read returns the content of an index file that only its owner, we, can have written. It is not package os's reading: that
// registers the file with the runtime's poller, which costs a warm answer four system calls.
func read(path string, limit int64) ([]byte, bool) {
	data, err := atomicfile.Read(path, limit)
	return data, err == nil
}

// hold reports whether every file is still as it was.
func hold(consulted []profiles.FileStamp) bool {
	for _, was := range consulted {
		is, err := profiles.Stamp(was.Path)
		if err != nil || is != was {
			return false
		}
	}
	return len(consulted) > 0
}

func settled(consulted []profiles.FileStamp, now time.Time) bool {
	limit := now.Add(-age).UnixNano()
	for _, s := range consulted {
		if !s.Absent && (s.MTime > limit || s.CTime > limit) {
			return false
		}
	}
	return true
}

// replace writes without fsync, unlike package atomicfile: an index that a power cut empties is noticed by its checksum
// and written anew.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// tidy removes the oldest files above the limit, and temp files of crashed processes. Its failures only leave more files.
// Age counts from the file that was just written: another clock than the file system's would take a temp file that
// somebody is writing for an old one.
func tidy(folder, written string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	latest, err := os.Stat(written)
	if err != nil {
		return
	}
	now := latest.ModTime()
	var kept []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		switch name := e.Name(); {
		case strings.HasPrefix(name, tempPrefix) && now.Sub(info.ModTime()) > tempAge:
			os.Remove(filepath.Join(folder, name))
		case (strings.HasPrefix(name, filePrefix) || strings.HasPrefix(name, hostsPrefix)) && strings.HasSuffix(name, fileSuffix):
			kept = append(kept, info)
		}
	}
	for len(kept) > keep {
		oldest := 0
		for i, info := range kept {
			if info.ModTime().Before(kept[oldest].ModTime()) {
				oldest = i
			}
		}
		os.Remove(filepath.Join(folder, kept[oldest].Name()))
		kept = append(kept[:oldest], kept[oldest+1:]...)
	}
}
