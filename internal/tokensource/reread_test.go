package tokensource

import (
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Between a caller's look at what is kept and its getting the lock, another process renews: the caller must look again, and
// not renew what is fresh.
func TestLooksAgainUnderTheLock(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	s := w.source()
	s.o.Began = w.now // so that the clock is first read when what is kept was looked at
	other := ""
	s.o.Now = func() token.Instant {
		if other == "" {
			other = w.mustToken()
		}
		return w.clock()
	}
	got, err := s.Token(t.Context(), w.target(), Want{Use: token.UseAccess})
	if err != nil || got.Value.Reveal() != other || len(w.pool.sent) != 1 {
		t.Errorf("token %q, the other process got %q, %d requests, %v", got.Value.Reveal(), other, len(w.pool.sent), err)
	}
}
