//go:build unix

package prompt

import (
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// openDevice opens the controlling terminal. The descriptor is our own, so that its mode of waiting does not reach the
// shell's.
func openDevice() (*device, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return &device{f, f}, nil
}

// hush stops echoing; restore brings back the state that was found.
func hush(f *os.File) (restore func(), err error) {
	var before *term.State
	err = control(f, func(fd int) (err error) {
		if before, err = term.GetState(fd); err != nil {
			return err
		}
		return noEcho(fd)
	})
	if err != nil {
		return nil, err
	}
	return func() { control(f, func(fd int) error { return term.Restore(fd, before) }) }, nil
}

// noEcho keeps whole lines and the interrupt key, as a password prompt of the system does.
func noEcho(fd int) error {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	t.Lflag &^= unix.ECHO | unix.ECHONL
	t.Lflag |= unix.ICANON | unix.ISIG
	t.Iflag |= unix.ICRNL
	return unix.IoctlSetTermios(fd, setTermios, t)
}

// control lends the descriptor without os.File.Fd, which would make reads impossible to end.
func control(f *os.File, do func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := c.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// width is the terminal's width in columns; 0 when it does not say.
func width(f *os.File) (columns int) {
	_ = control(f, func(fd int) (err error) {
		columns, _, err = term.GetSize(fd)
		return err
	})
	return columns
}
