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
	Skew    time.Duration // how far the server's clock was ahead of the local one at issue; 0 also where that is not known
}

// Total is the whole life.
func (l Lifetime) Total() time.Duration { return l.Expires.Sub(l.Issued) }

// MaxSkew is how far a server's clock may be from ours without meaning anything: answers take time, and dates are whole
// seconds.
const MaxSkew = time.Minute

// Left is the remaining life, the shorter of what the clocks say. The boot clock counts only where it is not below the
// stored value: below means another boot. Then nothing tells whether a wall clock that was ahead of the server's at issue
// has been set right since, so that the server's clock counts, too.
func (l Lifetime) Left(now Instant) time.Duration {
	left := l.Expires.Sub(now.Wall)
	switch {
	case l.Boot <= 0 || now.Boot <= 0:
	case now.Boot >= l.Boot:
		left = min(left, l.Total()-(now.Boot-l.Boot))
	case l.Skew < -MaxSkew:
		left += l.Skew
	}
	return left
}

// The shortest remaining life that callers are given by default.
const (
	DefaultTokenTTL = 5 * time.Minute
	DefaultAWSTTL   = 16 * time.Minute // botocore renews from 15 minutes before the end
)

// LongLife is the life above which a caller that asks at every use gains by a renewal before it is served.
const LongLife = 45 * time.Minute

// Terms say what a credential must offer to be handed out. They are the rules of expiry, for the front and for the complete
// program alike.
type Terms struct {
	MinTTL     time.Duration // the least remaining life that the caller or the profile named; 0 for the default
	Fallback   time.Duration // the default: DefaultTokenTTL or DefaultAWSTTL
	RenewFirst bool          // the caller rather waits for a renewal than takes a long-lived credential that is due
	// Since, where it is not zero, is when the caller began to wait: what was issued since then is handed out however little
	// life it has, because another renewal would give no more.
	Since time.Time
	// Tried is when a renewal of the credential last began; zero when that is not known.
	Tried time.Time
}

// Advice says what to do with a credential that is stored.
type Advice uint8

// The advice, from the worst to the best.
const (
	Renew       Advice = iota // expired: a renewal must be waited for
	Unmeetable                // more life was asked for than it had when it was new: no renewal helps
	RenewFirst                // it may be handed out, but only if no renewal is to be had
	RenewBehind               // it is to be handed out, and renewed behind the caller's back
	HandOut
)

// Usable reports whether the credential may be handed out.
func (a Advice) Usable() bool { return a >= RenewFirst }

// needed is the least remaining life to hand out without renewing: the one that was named, else the default or a third of
// the life, whichever is less.
func (t Terms) needed(l Lifetime) time.Duration {
	if t.MinTTL > 0 {
		return t.MinTTL
	}
	return min(t.Fallback, l.Total()/3)
}

// Advise compares a credential's life with the terms.
func (t Terms) Advise(l Lifetime, now Instant) Advice {
	left, needed := l.Left(now), t.needed(l)
	switch {
	case needed > l.Total():
		return Unmeetable
	case left <= 0:
		return Renew
	case left >= needed, !t.Since.IsZero() && !l.Issued.Before(t.Since), t.triedLately(l, now):
		return HandOut
	case t.RenewFirst && l.Total() > LongLife:
		return RenewFirst
	default:
		return RenewBehind
	}
}

// triedLately keeps renewals of what is due apart: at most one in ten seconds, or in a tenth of the life. A try in the
// future is none: the clock was wrong then, or is now.
func (t Terms) triedLately(l Lifetime, now Instant) bool {
	age := now.Wall.Sub(t.Tried)
	return !t.Tried.IsZero() && age >= 0 && age < max(10*time.Second, l.Total()/10)
}
