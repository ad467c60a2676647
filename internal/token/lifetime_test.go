package token

import (
	"testing"
	"time"
)

var issued = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAdvise(t *testing.T) {
	hour := Lifetime{Issued: issued, Expires: issued.Add(time.Hour), Boot: 100 * time.Second}
	short := Lifetime{Issued: issued, Expires: issued.Add(6 * time.Minute)}
	tokens, aws := Terms{Fallback: DefaultTokenTTL}, Terms{Fallback: DefaultAWSTTL}
	atLeast := func(d time.Duration) Terms { return Terms{Fallback: DefaultTokenTTL, MinTTL: d} }
	first := Terms{Fallback: DefaultAWSTTL, RenewFirst: true}
	tried := func(after time.Duration) Terms { return Terms{Fallback: DefaultTokenTTL, Tried: issued.Add(after)} }
	day := 24 * time.Hour
	for _, c := range []struct {
		name  string
		life  Lifetime
		after time.Duration // by the wall clock
		boot  time.Duration
		terms Terms
		want  Advice
	}{
		{"fresh", hour, 0, 100 * time.Second, tokens, HandOut},
		{"exactly enough", hour, 55 * time.Minute, 0, tokens, HandOut},
		{"just too little", hour, 55*time.Minute + 1, 0, tokens, RenewBehind},
		{"the last nanosecond", hour, time.Hour - 1, 0, tokens, RenewBehind},
		{"over", hour, time.Hour, 0, tokens, Renew},
		{"long over", hour, 100 * time.Hour, 0, tokens, Renew},
		{"short life: a third", short, 4 * time.Minute, 0, tokens, HandOut},
		{"short life: under a third", short, 4*time.Minute + 1, 0, tokens, RenewBehind},
		{"aws needs more", hour, 45 * time.Minute, 0, aws, RenewBehind},
		{"aws of a short life: a third", short, 4 * time.Minute, 0, aws, HandOut},

		{"caller asks for more", hour, 20 * time.Minute, 0, atLeast(50 * time.Minute), RenewBehind},
		{"caller asks for less", hour, 59 * time.Minute, 0, atLeast(time.Second), HandOut},
		{"caller asks for all of it", hour, 0, 0, atLeast(time.Hour), HandOut},
		{"caller asks for more than there ever was", hour, 0, 0, atLeast(time.Hour + 1), Unmeetable},
		{"the same, expired", hour, 2 * time.Hour, 0, atLeast(time.Hour + 1), Unmeetable},

		{"renew first", hour, 45 * time.Minute, 0, first, RenewFirst},
		{"renew first, enough left", hour, 44 * time.Minute, 0, first, HandOut},
		{"renew first, of a short life", short, 5 * time.Minute, 0, first, RenewBehind},
		{"renew first, of just 45 minutes", Lifetime{Issued: issued, Expires: issued.Add(LongLife)}, 40 * time.Minute, 0, first, RenewBehind},
		{"renew first, expired", hour, time.Hour, 0, first, Renew},

		{"due, tried just now", hour, 57 * time.Minute, 0, tried(57 * time.Minute), HandOut},
		{"due, tried within a tenth of the life", hour, 57 * time.Minute, 0, tried(51*time.Minute + 1), HandOut},
		{"due, tried a tenth of the life ago", hour, 57 * time.Minute, 0, tried(51 * time.Minute), RenewBehind},
		{"due, tried within ten seconds", Lifetime{Issued: issued, Expires: issued.Add(time.Minute)}, 50 * time.Second, 0, tried(41 * time.Second), HandOut},
		{"due, tried ten seconds ago", Lifetime{Issued: issued, Expires: issued.Add(time.Minute)}, 50 * time.Second, 0, tried(40 * time.Second), RenewBehind},
		{"due, tried in the future", hour, 57 * time.Minute, 0, tried(58 * time.Minute), RenewBehind},
		{"expired, tried just now", hour, time.Hour, 0, tried(time.Hour), Renew},
		{"issued while waited for", hour, 30 * time.Minute, 0, Terms{MinTTL: 50 * time.Minute, Since: issued}, HandOut},
		{"issued before the wait", hour, 30 * time.Minute, 0, Terms{MinTTL: 50 * time.Minute, Since: issued.Add(1)}, RenewBehind},
		{"issued while waited for, over", hour, time.Hour, 0, Terms{MinTTL: 50 * time.Minute, Since: issued}, Renew},

		{"wall clock a day back, boot clock says over", hour, -day, 100*time.Second + 2*time.Hour, tokens, Renew},
		{"wall clock a day back, boot clock says good", hour, -day, 110 * time.Second, tokens, HandOut},
		{"wall clock a day back, boot clock says due", hour, -day, 100*time.Second + 56*time.Minute, tokens, RenewBehind},
		{"wall clock a day ahead", hour, day, 101 * time.Second, tokens, Renew},
		{"slept for an hour, wall clock stood still", hour, 0, 100*time.Second + time.Hour, tokens, Renew},
		{"another boot", hour, time.Minute, 50 * time.Second, tokens, HandOut},
		{"another boot, over", hour, time.Hour, 50 * time.Second, tokens, Renew},
		{"no boot clock", hour, time.Minute, 0, tokens, HandOut},
		{"1970", hour, -56 * 365 * day, 100 * time.Second, tokens, HandOut},
		{"1970, boot clock says over", hour, -56 * 365 * day, 100*time.Second + time.Hour, tokens, Renew},
		{"2038", hour, 13 * 365 * day, 100 * time.Second, tokens, Renew},
		{"issued in 1970", Lifetime{Issued: time.Unix(0, 0), Expires: time.Unix(3600, 0)}, 0, 0, tokens, Renew},
		{"issued after 2038", Lifetime{Issued: issued.Add(13 * 365 * day), Expires: issued.Add(13*365*day + time.Hour)}, 13 * 365 * day, 0, tokens, HandOut},

		{"clock a day ahead at issue, same boot", skewed(hour, -day), time.Minute, 160 * time.Second, tokens, HandOut},
		{"the same, another boot and right now", skewed(hour, -day), 30*time.Minute - day, 50 * time.Second, tokens, HandOut},
		{"the same, another boot, right now, and over", skewed(hour, -day), 2*time.Hour - day, 50 * time.Second, tokens, Renew},
		{"the same, another boot and still ahead: either clock may say so", skewed(hour, -day), time.Minute, 50 * time.Second, tokens, Renew},
		{"clock a day behind at issue, another boot and right now", skewed(hour, day), day, 50 * time.Second, tokens, Renew},
		{"clock half a minute ahead is none", skewed(hour, -30*time.Second), time.Hour - 1, 50 * time.Second, tokens, RenewBehind},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := Instant{Wall: issued.Add(c.after), Boot: c.boot}
			if got := c.terms.Advise(c.life, now); got != c.want {
				t.Errorf("advice %d, want %d", got, c.want)
			}
		})
	}
}

// skewed is l, issued while the server's clock was by that much ahead of ours.
func skewed(l Lifetime, by time.Duration) Lifetime {
	l.Skew = by
	return l
}

func TestExitCodes(t *testing.T) {
	want := map[Kind]int{Failure: 1, Usage: 2, LoginNeeded: 3, Refused: 4, Unavailable: 5, BadProfile: 6, Interrupted: 130}
	for kind, code := range want {
		if kind.ExitCode() != code {
			t.Errorf("kind %d has exit code %d, want %d", kind, kind.ExitCode(), code)
		}
	}
}
