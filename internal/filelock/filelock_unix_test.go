//go:build unix

package filelock

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
)

func TestLockFileIsPrivate(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277} {
		func() {
			path := lockFile(t)
			defer syscall.Umask(syscall.Umask(mask))
			for range 2 { // the second time the file is there
				Unlock(mustLock(t, path))
			}
			for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
					t.Errorf("umask %o: %s: %v", mask, name, err)
				}
			}
		}()
	}
}

func TestUnsafeLockFileIsRefused(t *testing.T) {
	folder := t.TempDir()
	target := filepath.Join(folder, "target")
	os.WriteFile(target, nil, 0o600)
	for name, make := range map[string]func(path string) error{
		"link":   func(p string) error { return os.Symlink(target, p) },
		"fifo":   func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"folder": func(p string) error { return os.Mkdir(p, 0o700) },
		"open":   func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o666)) },
	} {
		path := filepath.Join(folder, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		_, lockErr := Lock(context.Background(), path)
		_, _, tryErr := Try(path)
		for call, err := range map[string]error{"lock": lockErr, "try": tryErr, "wait": new(Waiters).Wait(context.Background(), path)} {
			var u *atomicfile.UnsafeError
			if !errors.As(err, &u) || u.Path != path {
				t.Errorf("%s of %s: %v", call, name, err)
			}
		}
	}
}

// H13: a child such as a browser, which may live for days, must not hold the lock.
func TestChildDoesNotHoldTheLock(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); child.Wait() }()
	f.Close() // not Unlock: that would take it from the child, too
	g, ok, err := Try(path)
	if !ok || err != nil {
		t.Fatalf("the child has the lock: %v, %v", ok, err)
	}
	Unlock(g)
}

func TestCopyOfTheDescriptorKeepsTheLock(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	dup := os.NewFile(uintptr(fd), path)
	defer dup.Close()
	f.Close()
	if _, ok, err := Try(path); ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	if err := Inherited(dup, path); err != nil {
		t.Errorf("the copy: %v", err)
	}
}
