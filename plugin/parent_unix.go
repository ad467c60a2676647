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
// whose parent has died gets another. forget ends the watch.
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

// isPrivate reports whether only this user can enter the folder.
func isPrivate(folder string) bool {
	var at unix.Stat_t
	err := unix.Lstat(folder, &at)
	return err == nil && at.Mode&unix.S_IFMT == unix.S_IFDIR && at.Mode&0o077 == 0 && int(at.Uid) == os.Geteuid()
}
