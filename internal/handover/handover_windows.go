package handover

import (
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Handles are small numbers in practice; the bound keeps a forged one from being cut.
const maxDescriptor = 1<<31 - 1

// Inherit makes f's handle inheritable and gives its number. f must not be closed before.
func Inherit(f *os.File) (int, error) {
	h := windows.Handle(f.Fd())
	return int(h), windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT)
}

// inherited reports whether n is an inheritable handle of a file on disk. Handles that this process opened itself are not
// inheritable: a forged number cannot make us take one of them over.
func inherited(n int) bool {
	var flags uint32
	information := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetHandleInformation") // x/sys has only the setter
	done, _, _ := information.Call(uintptr(n), uintptr(unsafe.Pointer(&flags)))
	if done == 0 || flags&windows.HANDLE_FLAG_INHERIT == 0 {
		return false
	}
	kind, err := windows.GetFileType(windows.Handle(n))
	return err == nil && kind == windows.FILE_TYPE_DISK
}

func adopt(n int, name string) *os.File {
	h := windows.Handle(n)
	// The handle was just seen to be there; failing would only leave it inheritable.
	_ = windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	return os.NewFile(uintptr(h), name)
}

// Hold keeps b in a temp file that goes with its last handle, positioned at its start.
func Hold(folder string, b []byte) (*os.File, error) {
	f, err := os.CreateTemp(folder, "cognito-credhelper-*")
	if err != nil {
		return nil, err
	}
	name := f.Name()
	f.Close()
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE|windows.DELETE, windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if err != nil {
		os.Remove(name)
		return nil, err
	}
	held := os.NewFile(uintptr(h), name)
	_, err = held.Write(b)
	if err == nil {
		_, err = held.Seek(0, io.SeekStart)
	}
	if err != nil {
		held.Close()
		return nil, err
	}
	return held, nil
}
