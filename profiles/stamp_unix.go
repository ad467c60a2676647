//go:build unix

package profiles

import (
	"os"
	"syscall"
)

func stamp(path string) (FileStamp, error) {
	var st syscall.Stat_t
	for {
		err := syscall.Stat(path, &st)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return FileStamp{}, err
		}
		return statStamp(path, &st), nil
	}
}

// StampFile identifies the state of an opened file. path is the name that Stamp will be asked for later.
func StampFile(path string, f *os.File) (FileStamp, error) {
	info, err := f.Stat()
	if err != nil {
		return FileStamp{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return FileStamp{}, syscall.EINVAL
	}
	return statStamp(path, st), nil
}

func statStamp(path string, st *syscall.Stat_t) FileStamp {
	m, c := times(st)
	return FileStamp{
		Path:   path,
		Device: uint64(st.Dev),
		Inode:  uint64(st.Ino),
		Size:   st.Size,
		MTime:  m,
		CTime:  c,
	}
}
