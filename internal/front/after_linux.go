package front

import (
	"time"

	"golang.org/x/sys/unix"
)

// after sleeps in the kernel. The runtime's own timers come with its poller, a thread and three descriptors, which a hundred
// waiters take down again in the very milliseconds in which they all wake up: a tenth of what they need then.
func after(d time.Duration, f func()) {
	go func() {
		left := unix.NsecToTimespec(int64(d))
		for unix.Nanosleep(&left, &left) == unix.EINTR {
		}
		f()
	}()
}
