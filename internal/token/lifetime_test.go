package token

import (
	"testing"
	"time"
)

var issued = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	hour := Lifetime{Issued: issued, Expires: issued.Add(time.Hour), Boot: 100 * time.Second}
	short := Lifetime{Issued: issued, Expires: issued.Add(6 * time.Minute)}
	for _, c := range []struct {
		name     string
		life     Lifetime
		after    time.Duration // by the wall clock
		boot     time.Duration
		ttl      time.Duration
		fallback time.Duration
		want     Verdict
	}{
		{"fresh", hour, 0, 100 * time.Second, 0, DefaultTokenTTL, Good},
		{"exactly enough", hour, 55 * time.Minute, 0, 0, DefaultTokenTTL, Good},
		{"just too little", hour, 55*time.Minute + 1, 0, 0, DefaultTokenTTL, Due},
		{"over", hour, time.Hour, 0, 0, DefaultTokenTTL, Expired},
		{"long over", hour, 100 * time.Hour, 0, 0, DefaultTokenTTL, Expired},
		{"short life: a third", short, 3 * time.Minute, 0, 0, DefaultTokenTTL, Good},
		{"short life: under a third", short, 5 * time.Minute, 0, 0, DefaultTokenTTL, Due},
		{"aws needs more", hour, 45 * time.Minute, 0, 0, DefaultAWSTTL, Due},
		{"caller asks for more", hour, 20 * time.Minute, 0, 50 * time.Minute, DefaultTokenTTL, Due},
		{"caller asks for less", hour, 59 * time.Minute, 0, time.Second, DefaultTokenTTL, Good},
		{"wall clock was set back", hour, -24 * time.Hour, 100*time.Second + 2*time.Hour, 0, DefaultTokenTTL, Expired},
		{"another boot", hour, time.Minute, 50 * time.Second, 0, DefaultTokenTTL, Good},
		{"1970", hour, -56 * 365 * 24 * time.Hour, 100 * time.Second, 0, DefaultTokenTTL, Good},
		{"2039", hour, 13 * 365 * 24 * time.Hour, 100 * time.Second, 0, DefaultTokenTTL, Expired},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := Instant{Wall: issued.Add(c.after), Boot: c.boot}
			if got := c.life.Judge(now, c.life.Needed(c.ttl, c.fallback)); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	want := map[Kind]int{Failure: 1, Usage: 2, LoginNeeded: 3, Refused: 4, Unavailable: 5, BadProfile: 6, Interrupted: 130}
	for kind, code := range want {
		if kind.ExitCode() != code {
			t.Errorf("kind %d has exit code %d, want %d", kind, kind.ExitCode(), code)
		}
	}
}
