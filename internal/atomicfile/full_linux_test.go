package atomicfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk mounts 256 KiB; it needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=256k,mode=700"); err != nil {
		t.Skip("mounting a small disk needs root: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func fill(t *testing.T, folder string) {
	t.Helper()
	f, err := os.Create(filepath.Join(folder, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func temps(t *testing.T, folder string) []string {
	t.Helper()
	m, err := filepath.Glob(filepath.Join(folder, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// H7: a full disk shows in Prepare; and what was prepared can be committed on a disk that has filled up since.
func TestFullDisk(t *testing.T) {
	folder := smallDisk(t)
	path := filepath.Join(folder, "a")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(path, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, folder)
	if _, err := Prepare(path, 64<<10); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("prepare on a full disk: %v", err)
	}
	if err := Write(path, bytes.Repeat([]byte("x"), 8192)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write on a full disk: %v", err)
	}
	if got, err := Read(path, 10); err != nil || string(got) != "old" {
		t.Errorf("after failures: %q, %v", got, err)
	}
	if m := temps(t, folder); len(m) != 1 {
		t.Errorf("temp files: %v, want the prepared one", m)
	}
	data := bytes.Repeat([]byte("new"), 20_000)
	if err := p.Commit(data); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path, 1<<20); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if m := temps(t, folder); len(m) != 0 {
		t.Errorf("left: %v", m)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	folder := smallDisk(t)
	path := filepath.Join(folder, "a")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(path, 10); !errors.Is(err, syscall.EROFS) {
		t.Errorf("prepare: %v", err)
	}
	if err := Write(path, nil); !errors.Is(err, syscall.EROFS) {
		t.Errorf("write: %v", err)
	}
	if got, err := Read(path, 10); err != nil || string(got) != "old" {
		t.Errorf("read: %q, %v", got, err)
	}
}
