//go:build unix

package handover

import (
	"os"

	"golang.org/x/sys/unix"
)

const maxDescriptor = 1 << 20

// Inherit makes f survive exec and gives its number. f must not be closed before.
func Inherit(f *os.File) (int, error) {
	fd := f.Fd()
	_, err := unix.FcntlInt(fd, unix.F_SETFD, 0)
	return int(fd), err
}

// inherited reports whether fd is a regular file that came through exec. Descriptors that this process opened itself, such
// as those of the Go runtime, are close-on-exec: a forged number cannot make us take one of them over.
func inherited(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC != 0 {
		return false
	}
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG
}

func adopt(fd int, name string) *os.File {
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name)
}
