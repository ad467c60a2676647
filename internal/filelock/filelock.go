// Package filelock locks a file between processes by the kernel: the lock ends with its holder, whatever ends that.
//
// It guarantees that a lock file is never deleted, that nobody goes on without the lock, and that a lock file is private:
// mode 0600, in folders that it makes with mode 0700. It never polls and never steals.
// Safe for many processes and goroutines on one machine; not on network file systems. A lock belongs to the open file, so
// that two goroutines of one process keep each other out, too.
package filelock

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
)

// ErrHeld says that another process has the lock.
var ErrHeld = errors.New("another process has the lock")

// ErrOtherFile says that an inherited descriptor is not the lock file that it should be.
var ErrOtherFile = errors.New("the descriptor is not the lock file")

// Lock opens path (created 0600 when it is missing) and waits for the exclusive lock until ctx ends; then the error is
// ctx's. Unlock lets the lock go; so does the end of the process.
func Lock(ctx context.Context, path string) (*os.File, error) { return new(Waiters).Lock(ctx, path) }

// Try does not wait: ok is false when another process has the lock.
func Try(path string) (f *os.File, ok bool, err error) {
	for {
		if f, err = openLock(path); err != nil {
			return nil, false, err
		}
		switch err := tryLock(f); {
		case err == nil && current(f, path):
			return f, true, nil
		case err == nil:
			f.Close()
		case errors.Is(err, ErrHeld):
			f.Close()
			return nil, false, nil
		default:
			f.Close()
			return nil, false, lockError(path, err)
		}
	}
}

// current reports whether f is still the file at path. We never delete a lock file, but a person who cleans up might: the
// lock of a file that has lost its name keeps nobody out.
func current(f *os.File, path string) bool {
	here, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(here, there)
}

// Held reports whether somebody has the exclusive lock now. It makes no file and does not wait; for the moment of looking,
// a Try of somebody else's may fail.
func Held(path string) bool {
	f, err := openToWait(path)
	if err != nil {
		return false
	}
	defer f.Close() // which lets the shared lock go
	return errors.Is(tryShared(f), ErrHeld)
}

// Inherited takes over a lock that a parent process handed down as f. It fails with ErrOtherFile when f is not the lock
// file at path by device and inode, and with ErrHeld when somebody else has the lock.
func Inherited(f *os.File, path string) error {
	there, err := os.Lstat(path)
	if err != nil {
		return err
	}
	here, err := f.Stat()
	if err != nil {
		return lockError(path, err)
	}
	if !os.SameFile(here, there) {
		return lockError(path, ErrOtherFile)
	}
	// Succeeds at once when this very open file has the lock already, which is what a hand-over means.
	if err := tryLock(f); err != nil {
		return lockError(path, err)
	}
	return nil
}

// Unlock lets the lock go, also where another process has a copy of the descriptor, and closes f.
func Unlock(f *os.File) error {
	err := unlock(f)
	return errors.Join(err, f.Close())
}

// openLock opens a private lock file for writing, and makes it and its folder when they are missing.
func openLock(path string) (*os.File, error) {
	f, err := open(path, true)
	if errors.Is(err, fs.ErrNotExist) {
		if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
			return nil, err
		}
		f, err = open(path, true)
	}
	return checked(f, err)
}

// openToWait opens for reading only: on a read-only file system a caller can still wait for a holder that was there before.
func openToWait(path string) (*os.File, error) { return checked(open(path, false)) }

func checked(f *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	if err := atomicfile.CheckPrivate(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func lockError(path string, err error) error {
	return &os.PathError{Op: "lock", Path: path, Err: err}
}
