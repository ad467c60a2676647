package clock

import (
	"time"

	"golang.org/x/sys/windows"
)

// sinceBoot counts sleep and hibernation too, in steps of about 16 ms, which is fine for lives of minutes.
func sinceBoot() time.Duration { return windows.DurationSinceBoot() }
