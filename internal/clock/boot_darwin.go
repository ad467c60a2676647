package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot uses CLOCK_MONOTONIC_RAW, which on this platform goes on while the machine sleeps (CLOCK_UPTIME_RAW is the one
// that stops).
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
