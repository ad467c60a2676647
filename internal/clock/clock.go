// Package clock reads the two clocks that decide whether something has expired.
//
// It guarantees that the wall clock is in UTC without a monotonic part, so that an Instant can be stored and compared
// between processes. It never waits and never decides anything. Safe for concurrent use.
package clock

import (
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Now reads both clocks. Boot counts the time asleep too; it is 0 on platforms without such a clock.
func Now() token.Instant {
	shift := shifted()
	return token.Instant{Wall: time.Now().UTC().Round(0).Add(shift), Boot: later(sinceBoot(), shift)}
}

// later moves the boot clock where there is one.
func later(boot, shift time.Duration) time.Duration {
	if boot == 0 {
		return 0
	}
	return boot + shift
}
