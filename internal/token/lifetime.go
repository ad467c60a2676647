package token

import "time"

// Instant is one reading of both clocks that decide expiry.
type Instant struct {
	Wall time.Time     // wall clock, UTC, no monotonic part
	Boot time.Duration // time since boot, sleep included; 0 when the platform has no such clock
}

// Lifetime is when something was issued, when it ends, and what the boot clock said at issue. Expires is in terms of the
// local wall clock (issue by the local clock plus the life that the server named), so that a wrong local clock does not
// shorten it.
type Lifetime struct {
	Issued  time.Time
	Expires time.Time
	Boot    time.Duration // Instant.Boot at issue; 0 unknown
}

// Total is the whole life.
func (l Lifetime) Total() time.Duration { return l.Expires.Sub(l.Issued) }

// Left is the remaining life, the shorter of what the two clocks say. The boot clock counts only where it is not below
// the stored value: below means another boot.
func (l Lifetime) Left(now Instant) time.Duration {
	left := l.Expires.Sub(now.Wall)
	if l.Boot > 0 && now.Boot >= l.Boot {
		left = min(left, l.Total()-(now.Boot-l.Boot))
	}
	return left
}

// The shortest remaining life that callers are given by default.
const (
	DefaultTokenTTL = 5 * time.Minute
	DefaultAWSTTL   = 16 * time.Minute // botocore renews from 15 minutes before the end
)

// Verdict says what to do with something that is stored.
type Verdict uint8

// The verdicts.
const (
	Expired Verdict = iota // of no use
	Due                    // good to hand out, but to be renewed
	Good                   // hand out
)

// Needed is the least remaining life to hand out without renewing: ttl, where a caller or the profile named one (above 0),
// else the default or a third of the life, whichever is less.
func (l Lifetime) Needed(ttl, fallback time.Duration) time.Duration {
	if ttl > 0 {
		return ttl
	}
	return min(fallback, l.Total()/3)
}

// Judge compares the remaining life with what is needed.
func (l Lifetime) Judge(now Instant, needed time.Duration) Verdict {
	switch left := l.Left(now); {
	case left <= 0:
		return Expired
	case left < needed:
		return Due
	default:
		return Good
	}
}
