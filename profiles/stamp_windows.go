package profiles

import (
	"os"
	"syscall"
)

func stamp(path string) (FileStamp, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return FileStamp{}, err
	}
	// No access right is asked for: reading attributes needs none, and a file that another program holds open for
	// itself can still be identified.
	const share = syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE
	h, err := syscall.CreateFile(name, 0, share, nil, syscall.OPEN_EXISTING, syscall.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return FileStamp{}, err
	}
	defer syscall.CloseHandle(h)
	return handleStamp(path, h)
}

// StampFile identifies the state of an opened file. path is the name that Stamp will be asked for later.
func StampFile(path string, f *os.File) (FileStamp, error) {
	return handleStamp(path, syscall.Handle(f.Fd()))
}

func handleStamp(path string, h syscall.Handle) (FileStamp, error) {
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(h, &info); err != nil {
		return FileStamp{}, err
	}
	return FileStamp{
		Path:   path,
		Device: uint64(info.VolumeSerialNumber),
		Inode:  uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
		Size:   int64(info.FileSizeHigh)<<32 | int64(info.FileSizeLow),
		MTime:  info.LastWriteTime.Nanoseconds(),
	}, nil
}
