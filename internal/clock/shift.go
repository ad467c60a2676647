//go:build !testclock

package clock

import "time"

// shifted is nothing outside tests: a program that people install has no way to be told another time.
func shifted() time.Duration { return 0 }
