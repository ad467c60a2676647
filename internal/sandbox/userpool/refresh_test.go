package userpool

import (
	"testing"
	"time"
)

// The grace ends at its last instant, and a grace of zero has none, even where the clock stands still between two requests.
func TestGraceBoundary(t *testing.T) {
	used := time.Unix(1000, 0)
	f := &family{}
	first := &refreshToken{family: f, usedAt: used}
	f.original, f.newest = first, &refreshToken{family: f, parent: first}
	for _, x := range []struct {
		after, grace time.Duration
		want         bool
	}{
		{0, 0, false},
		{0, time.Second, true},
		{time.Second - 1, time.Second, true},
		{time.Second, time.Second, false},
	} {
		if got := first.mayRefresh(used.Add(x.after), x.grace); got != x.want {
			t.Errorf("%v after the use, grace %v: %v", x.after, x.grace, got)
		}
	}
}
