//go:build unix

package plugin

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// watchEvery is how often a plugin looks whether its host is still there.
const watchEvery = time.Second

// parentGone gives a channel that is closed when the process that started this one has ended, however it ended: a process
// whose parent has died gets another. forget ends the watch. One that had died before is not seen: who adopts orphans may be
// a host, too, as the first process of a container is (see unheard).
func parentGone() (gone <-chan struct{}, forget func()) {
	host := os.Getppid()
	closed, stop := make(chan struct{}), make(chan struct{})
	go func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if os.Getppid() != host {
					close(closed)
					return
				}
			}
		}
	}()
	return closed, func() { close(stop) }
}

// unheard reports whether nobody is left who could read what is written to out: a pipe or a socket whose other end is closed.
// A file, a terminal, and whatever cannot be asked is heard.
func unheard(out *os.File) (yes bool) {
	raw, err := out.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		asked := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(asked, 0)
		for err == unix.EINTR {
			n, err = unix.Poll(asked, 0)
		}
		yes = err == nil && n == 1 && asked[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
	})
	return yes
}

// isPrivate reports whether only this user can enter the folder.
func isPrivate(folder string) bool {
	var at unix.Stat_t
	err := unix.Lstat(folder, &at)
	return err == nil && at.Mode&unix.S_IFMT == unix.S_IFDIR && at.Mode&0o077 == 0 && int(at.Uid) == os.Geteuid()
}
