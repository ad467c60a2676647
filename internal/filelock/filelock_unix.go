//go:build unix

package filelock

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
)

// open is a bare open(2): package os would register the file with its poller, for nothing. O_NONBLOCK keeps a FIFO from
// hanging us, O_CLOEXEC keeps children (a browser that lives for days) from holding the lock.
func open(path string, write bool) (*os.File, error) {
	if !write {
		return openFile(path, syscall.O_RDONLY)
	}
	for {
		f, err := openFile(path, syscall.O_RDWR)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		f, err = openFile(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_EXCL)
		if errors.Is(err, fs.ErrExist) {
			continue // somebody was faster: theirs is as good
		}
		if err != nil {
			return nil, err
		}
		if err := f.Chmod(0o600); err != nil { // a umask such as 0277 would lock us out the next time
			f.Close()
			return nil, err
		}
		return f, nil
	}
}

func openFile(path string, flags int) (*os.File, error) {
	flags |= syscall.O_CLOEXEC | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	for {
		fd, err := syscall.Open(path, flags, 0o600)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.ELOOP, syscall.EMLINK, syscall.EISDIR, syscall.ENXIO:
			return nil, atomicfile.NotPlain(path)
		case nil:
		default:
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		// Blocking again, so that os.NewFile leaves the poller alone and flock(2) waits as it should.
		if err := syscall.SetNonblock(fd, false); err != nil {
			syscall.Close(fd)
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

func tryLock(f *os.File) error { return try(f, syscall.LOCK_EX) }

func tryShared(f *os.File) error { return try(f, syscall.LOCK_SH) }

func try(f *os.File, how int) error {
	err := flock(f, how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}

// blockShared waits in the kernel.
func blockShared(f *os.File) error { return flock(f, syscall.LOCK_SH) }

func unlock(f *os.File) error { return flock(f, syscall.LOCK_UN) }

// flock repeats the call when a signal interrupted it; the runtime itself sends signals to its threads.
func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}
