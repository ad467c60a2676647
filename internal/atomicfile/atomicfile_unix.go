//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Read returns the whole content of a private file with four system calls: open, fstat, read, close. It refuses, with an
// *UnsafeError, whatever is not a plain file of ours with one name, no rights for others, and at most limit bytes.
// It opens without blocking, so that a FIFO at the path cannot hang a caller.
func Read(path string, limit int64) ([]byte, error) {
	fd, err := retry(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	})
	if err != nil {
		return nil, openError(path, err)
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if _, err := retry(func() (int, error) { return 0, syscall.Fstat(fd, &st) }); err != nil {
		return nil, &os.PathError{Op: "fstat", Path: path, Err: err}
	}
	if err := checkPrivate(path, &st); err != nil {
		return nil, err
	}
	if st.Size > limit {
		return nil, unsafeFile(path, "is too large")
	}
	// One read is enough for a file that is only ever replaced; a short read goes on until the size that fstat told.
	data := make([]byte, st.Size)
	for n := 0; n < len(data); {
		m, err := retry(func() (int, error) { return syscall.Read(fd, data[n:]) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		}
		if m == 0 {
			return data[:n], nil
		}
		n += m
	}
	return data, nil
}

// CheckPrivate holds an open file to the same rules as Read, save the size.
func CheckPrivate(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return unsafeFile(f.Name(), "has no owner")
	}
	return checkPrivate(f.Name(), st)
}

func checkPrivate(path string, st *syscall.Stat_t) error {
	switch {
	case st.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return unsafeFile(path, typeProblem(fileMode(uint32(st.Mode))))
	case int(st.Uid) != os.Geteuid():
		return unsafeFile(path, "belongs to another user")
	case st.Nlink > 1: // 0 is a file that was replaced since it was opened: the old version, whole
		return unsafeFile(path, "has a second name (a hard link)")
	case st.Mode&0o077 != 0:
		return &UnsafeError{path, "can be reached by other users", "chmod 600 " + quote(path)}
	}
	return nil
}

// fileMode has the type bits that typeProblem tells apart.
func fileMode(mode uint32) fs.FileMode {
	switch mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		return fs.ModeDir
	case syscall.S_IFIFO:
		return fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		return fs.ModeSocket
	case syscall.S_IFLNK:
		return fs.ModeSymlink
	default:
		return fs.ModeIrregular
	}
}

// openError turns what open(2) says of links and sockets into the sentence that belongs to them.
func openError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.EMLINK): // FreeBSD says EMLINK for O_NOFOLLOW
		return unsafeFile(path, "is a symbolic link")
	case errors.Is(err, syscall.ENXIO):
		return unsafeFile(path, "is a socket")
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
}

func checkFolder(folder string) error {
	info, err := os.Stat(folder) // a link to a folder of ours is the user's choice
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return unsafeFile(folder, "is not a folder")
	case !ok || int(st.Uid) != os.Geteuid():
		return unsafeFile(folder, "belongs to another user")
	case info.Mode().Perm()&0o022 != 0:
		return &UnsafeError{folder, "can be written by other users", "chmod go-w " + quote(folder)}
	}
	return nil
}

func openTemp(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil { // a umask such as 0277 would take our own right to write the next time
		f.Close()
		os.Remove(name)
		return nil, err
	}
	return f, nil
}

// alive reports whether there is a process of that number; another user's counts too.
func alive(pid int) bool { return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func rename(from, to string) error { return os.Rename(from, to) }

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // this file system cannot sync a folder at all: there is nothing more to do
	}
	return err
}

// retry repeats a system call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}

func showCommand(path string) string { return "ls -ld " + quote(path) }
