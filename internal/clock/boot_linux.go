package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot uses CLOCK_BOOTTIME: unlike CLOCK_MONOTONIC it goes on while the machine sleeps, as a token's life does.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
