package filelock

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// Package syscall has neither call; golang.org/x/sys/windows has them, but links fmt, which the front must not pay for.
var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx   = kernel32.NewProc("LockFileEx")
	unlockFileEx = kernel32.NewProc("UnlockFileEx")
)

const (
	failImmediately  = 1
	exclusiveLock    = 2
	lockViolation    = syscall.Errno(33)
	openReparsePoint = 0x00200000
)

// place is the locked byte: at offset 2^62, far behind the content, because a lock on Windows keeps others from reading the
// bytes that it covers.
func place() *syscall.Overlapped { return &syscall.Overlapped{OffsetHigh: 1 << 30} }

func open(path string, write bool) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	access, disposition := uint32(syscall.GENERIC_READ), uint32(syscall.OPEN_EXISTING)
	if write {
		access, disposition = syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.OPEN_ALWAYS
	}
	share := uint32(syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE)
	h, err := syscall.CreateFile(name, access, share, nil, disposition, openReparsePoint, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

func tryLock(f *os.File) error { return try(f, exclusiveLock) }

func tryShared(f *os.File) error { return try(f, 0) }

func try(f *os.File, flags uintptr) error {
	err := lock(f, flags|failImmediately)
	if errors.Is(err, lockViolation) || errors.Is(err, syscall.ERROR_IO_PENDING) {
		return ErrHeld
	}
	return err
}

// blockShared waits in the kernel.
func blockShared(f *os.File) error { return lock(f, 0) }

func lock(f *os.File, flags uintptr) error {
	if ok, _, err := lockFileEx.Call(f.Fd(), flags, 0, 1, 0, uintptr(unsafe.Pointer(place()))); ok == 0 {
		return err
	}
	return nil
}

func unlock(f *os.File) error {
	if ok, _, err := unlockFileEx.Call(f.Fd(), 0, 1, 0, uintptr(unsafe.Pointer(place()))); ok == 0 {
		return err
	}
	return nil
}
