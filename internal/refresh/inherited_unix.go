//go:build unix

package refresh

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
)

var errByHand = errors.New("this argument is for the program itself: it was started without its descriptors")

// inherited finds the answer pipe and the lock, and keeps both from further children.
func inherited() (answer, lock *os.File, err error) {
	for fd, kind := range map[int]uint32{detach.AnswerDescriptor: unix.S_IFIFO, detach.LockDescriptor: unix.S_IFREG} {
		// The numbers alone prove nothing: in a program that was started by hand, the runtime may have them.
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil || uint32(stat.Mode)&unix.S_IFMT != kind {
			return nil, nil, errByHand
		}
		unix.CloseOnExec(fd)
	}
	return os.NewFile(detach.AnswerDescriptor, "answer"), os.NewFile(detach.LockDescriptor, "lock"), nil
}

// Hold keeps the signals that a terminal or a host sends from ending the process until release is called.
func Hold() (release func()) {
	// A handler, not SIG_IGN: ignoring would be inherited by whatever this process starts.
	held := make(chan os.Signal, 8)
	signal.Notify(held, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	return func() { signal.Stop(held) }
}
