package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWriteAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	for _, data := range [][]byte{[]byte("first"), {}, bytes.Repeat([]byte("x"), 200<<10), []byte("short")} {
		if err := Write(path, data); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path, 1<<20); err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d bytes, %v; want %d", len(got), err, len(data))
		}
	}
	onlyFile(t, path)
}

func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("folder has %v, %v", entries, err)
	}
}

func TestReadHasALimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	Write(path, []byte("12345"))
	if _, err := Read(path, 5); err != nil {
		t.Error(err)
	}
	var u *UnsafeError
	if _, err := Read(path, 4); !errors.As(err, &u) {
		t.Errorf("error %v", err)
	}
	if _, err := Read(path+".missing", 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestPreparedFileHasItsRoomAndIsUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	p, err := Prepare(path, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	name := p.temp.Name()
	before, err := os.Stat(name)
	if err != nil || before.Size() != 100_000 || filepath.Dir(name) != filepath.Dir(path) || !isTemp(filepath.Base(name)) {
		t.Fatalf("%v, %v", before, err)
	}
	if err := p.Commit([]byte("data")); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || after.Size() != 4 {
		t.Errorf("%v, %v", after, err)
	}
	p.Abort() // nothing is left to remove
	onlyFile(t, path)
}

func TestCommitWithMoreThanWasPrepared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	p, err := Prepare(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("more"), 1000)
	if err := p.Commit(data); err != nil {
		t.Fatal(err)
	}
	if got, _ := Read(path, 1<<20); !bytes.Equal(got, data) {
		t.Error("other content")
	}
}

func TestAbort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	Write(path, []byte("old"))
	p, err := Prepare(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	p.Abort()
	p.Abort()
	onlyFile(t, path)
	if got, _ := Read(path, 10); string(got) != "old" {
		t.Errorf("content %q", got)
	}
}

// The prepared file went away (a cleaner, another user's hand): Commit makes another.
func TestCommitTriesAgainWithANewTempFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	p, err := Prepare(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(p.temp.Name()); err != nil {
		t.Skip("this system does not remove open files")
	}
	if err := p.Commit([]byte("data")); err != nil {
		t.Fatal(err)
	}
	if got, _ := Read(path, 10); string(got) != "data" {
		t.Errorf("content %q", got)
	}
	onlyFile(t, path)
}

func TestCommitTriesAgainAfterEachFailingStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	p, err := Prepare(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	p.temp.Close() // every call on it fails now
	if err := p.Commit([]byte("data")); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, path)
}

func TestGivesUpInTheEnd(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	if err := Write(filepath.Join(folder, "a"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := Prepare(filepath.Join(folder, "a"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestSweepRemovesOldTempFilesOnly(t *testing.T) {
	folder := t.TempDir()
	old := time.Now().Add(-2 * staleAfter)
	stale, young := ".a.ses.tmp-"+hex8(uint32(os.Getpid()))+"89abcdef", ".b.ses.tmp-"+hex8(uint32(os.Getpid()))+"89abcdef"
	kept := []string{young, "a.ses", ".a.tmp-0123456789abcdeX", ".a.tmp-0123", "a.tmp-0123456789abcdef", ".tmp-0123456789abcdef", ".folder.tmp-0123456789abcdef"}
	for _, name := range append(kept, stale) {
		path := filepath.Join(folder, name)
		if strings.HasPrefix(name, ".folder") {
			os.Mkdir(path, 0o700)
		} else {
			os.WriteFile(path, nil, 0o600)
		}
		if name != young {
			os.Chtimes(path, old, old)
		}
	}
	if err := Sweep(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, stale)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stale file: %v", err)
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestRemoveAndRename(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	Write(path, []byte("data"))
	if err := Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Remove(path+"2"), Remove(path+"2")); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

// Property: while writers replace a file, a reader finds one of their versions, whole.
func TestReadersFindWholeVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	version := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 10_000*(i+1)) }
	if err := Write(path, version(0)); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for range 25 {
				if err := Write(path, version(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		got, err := Read(path, 1<<20)
		if err != nil || len(got) == 0 || !bytes.Equal(got, version(int(got[0]-'a'))) {
			t.Errorf("%d bytes, %v", len(got), err)
			break
		}
	}
	writers.Wait()
	onlyFile(t, path)
}
