package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// UnsafeError says that a file or folder is not what we left there: others could read or write it, or it is no plain file.
// Nothing was read from it and nothing was changed.
type UnsafeError struct {
	Path    string
	Problem string // such as "is readable by other users"
	Fix     string // a command to paste that mends or shows it
}

// Error gives the path and what is wrong with it.
func (e *UnsafeError) Error() string { return e.Path + " " + e.Problem }

func unsafeFile(path, problem string) *UnsafeError {
	return &UnsafeError{path, problem, showCommand(path)}
}

// NotPlain is the error for a path that open(2) refused for what is there: a link, a folder, a socket.
func NotPlain(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return unsafeFile(path, typeProblem(info.Mode()))
}

// typeProblem names what is there in place of a plain file.
func typeProblem(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case m.IsDir():
		return "is a folder"
	case m&fs.ModeNamedPipe != 0:
		return "is a named pipe"
	case m&fs.ModeSocket != 0:
		return "is a socket"
	default:
		return "is not a plain file"
	}
}

// quote makes a path fit for pasting into a shell.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%,") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// MakeFolder makes folder and what is missing above it, each with mode 0700 whatever the umask. Folders that exist keep
// their mode; but folder itself must be ours and not writable by others, else the error is an *UnsafeError.
func MakeFolder(folder string) error {
	if err := makeMissing(folder); err != nil {
		return err
	}
	return checkFolder(folder)
}

func makeMissing(folder string) error {
	err := os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		parent := filepath.Dir(folder)
		if parent == folder {
			return err
		}
		if err := makeMissing(parent); err != nil {
			return err
		}
		err = os.Mkdir(folder, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(folder, 0o700); err != nil { // a umask such as 0277 takes our own rights away
		return err
	}
	return syncFolder(filepath.Dir(folder)) // else a power cut after the first login takes the folder with all in it
}
