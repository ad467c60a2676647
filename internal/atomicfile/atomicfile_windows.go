package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Package syscall has no MoveFileEx; golang.org/x/sys/windows has it, but links fmt, which the front must not pay for.
var moveFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("MoveFileExW")

const (
	moveReplaceExisting = 1
	moveWriteThrough    = 8
	openReparsePoint    = 0x00200000
	sharingViolation    = syscall.Errno(32)
	shareAll            = syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE
)

// renameLimit bounds how long a rename waits for readers and virus scanners to close the target.
const renameLimit = 2 * time.Second

// Read returns the whole content of a private file. It refuses, with an *UnsafeError, whatever is not a plain file with one
// name and at most limit bytes. Rights on Windows come with the user's own profile folder and are not checked here.
// It shares everything, so that a writer may replace the file meanwhile.
func Read(path string, limit int64) ([]byte, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, shareAll, nil, syscall.OPEN_EXISTING, openReparsePoint|syscall.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(h), path)
	defer f.Close()
	if err := CheckPrivate(f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, unsafeFile(path, "is too large")
	}
	data := make([]byte, info.Size())
	n, err := f.ReadAt(data, 0)
	if n < len(data) && err != nil {
		return nil, err
	}
	return data[:n], nil
}

// CheckPrivate holds an open file to the same rules as Read, save the size.
func CheckPrivate(f *os.File) error {
	h := syscall.Handle(f.Fd())
	if kind, err := syscall.GetFileType(h); err != nil || kind != syscall.FILE_TYPE_DISK {
		return unsafeFile(f.Name(), "is not a plain file")
	}
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(h, &info); err != nil {
		return &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	switch {
	case info.FileAttributes&syscall.FILE_ATTRIBUTE_REPARSE_POINT != 0:
		return unsafeFile(f.Name(), typeProblem(fs.ModeSymlink))
	case info.FileAttributes&syscall.FILE_ATTRIBUTE_DIRECTORY != 0:
		return unsafeFile(f.Name(), typeProblem(fs.ModeDir))
	case info.NumberOfLinks > 1: // 0 is a file that was replaced since it was opened: the old version, whole
		return unsafeFile(f.Name(), "has a second name (a hard link)")
	}
	return nil
}

func checkFolder(folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return unsafeFile(folder, "is not a folder")
	}
	return nil
}

func openTemp(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// rename replaces the target and writes the change through to the disk: Windows cannot sync a folder. A reader or a virus
// scanner that has the target open for a moment makes it fail, so it tries again for a while.
func rename(from, to string) error {
	source, err := syscall.UTF16PtrFromString(from)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	target, err := syscall.UTF16PtrFromString(to)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	end := time.Now().Add(renameLimit)
	for pause := time.Millisecond; ; pause *= 2 {
		ok, _, err := moveFileEx.Call(uintptr(unsafe.Pointer(source)), uintptr(unsafe.Pointer(target)), moveReplaceExisting|moveWriteThrough)
		if ok != 0 {
			return nil
		}
		held := errors.Is(err, syscall.ERROR_ACCESS_DENIED) || errors.Is(err, sharingViolation)
		if !held || time.Now().Add(pause).After(end) {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
		time.Sleep(pause)
	}
}

// alive is true: numbers are given anew too soon there to tell anything, so that only age counts.
func alive(int) bool { return true }

func syncFolder(string) error { return nil } // MOVEFILE_WRITE_THROUGH did it

func showCommand(path string) string { return `dir /q "` + path + `"` }
