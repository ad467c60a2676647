package profiles

import (
	"errors"
	"io/fs"
	"syscall"
)

// Stamp identifies the present state of the file at path, links followed, or its absence. Any other failure, such as a
// folder that may not be searched, is an error.
func Stamp(path string) (FileStamp, error) {
	s, err := stamp(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return FileStamp{Path: path, Absent: true}, nil
	}
	return s, err
}
