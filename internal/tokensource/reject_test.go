package tokensource

import (
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

func (w *world) reject(value string) {
	w.t.Helper()
	if err := w.source().Reject(w.t.Context(), w.target(), sha256.Sum256([]byte(value))); err != nil {
		w.t.Fatal(err)
	}
}

func TestARejectedTokenIsRenewed(t *testing.T) {
	w := newWorld(t)
	w.login()
	first := w.mustToken()
	w.reject(first)
	second := w.mustToken()
	if second == first || len(w.pool.sent) != 1 {
		t.Fatalf("%s, then %s, after %d refreshes", first, second, len(w.pool.sent))
	}
	if again := w.mustToken(); again != second || len(w.pool.sent) != 1 {
		t.Errorf("the renewed token was renewed again: %s after %d refreshes", again, len(w.pool.sent))
	}
}

// A host that refuses everything: one refresh in 30 s, and until then the token that still serves the others.
func TestAHostThatRefusesEverything(t *testing.T) {
	w := newWorld(t)
	w.login()
	given := map[string]bool{}
	for second := range 95 {
		got := w.mustToken()
		given[got] = true
		w.reject(got)
		w.pass(time.Second)
		if limit := second/30 + 1; len(w.pool.sent) > limit {
			t.Fatalf("%d refreshes after %d s", len(w.pool.sent), second)
		}
	}
	if len(w.pool.sent) != 4 || len(given) != 5 {
		t.Errorf("%d refreshes, %d tokens in 95 s", len(w.pool.sent), len(given))
	}
	st, err := w.source().Status(w.target())
	if err != nil || st.State != SignedIn {
		t.Errorf("the session is %+v, %v", st, err)
	}
}

func TestOnlyAPresentTokenIsRejected(t *testing.T) {
	w := newWorld(t)
	w.reject("nobody is signed in")
	w.login()
	first := w.mustToken()
	w.reject("somebody-else")
	w.reject("refresh-0")
	if again := w.mustToken(); again != first || len(w.pool.sent) != 0 {
		t.Errorf("%s, then %s after %d refreshes", first, again, len(w.pool.sent))
	}
	// The ID token was refused: the access token stays as good as it was.
	id, err := w.source().Token(t.Context(), w.target(), Want{Use: token.UseID})
	if err != nil {
		t.Fatal(err)
	}
	w.reject(id.Value.Reveal())
	if again := w.mustToken(); again != first || len(w.pool.sent) != 0 {
		t.Errorf("the access token was renewed for the ID token's sake: %s after %d refreshes", again, len(w.pool.sent))
	}
	renewed, err := w.source().Token(t.Context(), w.target(), Want{Use: token.UseID})
	if err != nil || renewed.Value.Equal(id.Value) {
		t.Errorf("%v %v", renewed, err)
	}
}

// No refresh is to be had: the token serves on, and neither is the session ended.
func TestARejectedTokenServesUntilThereIsAnother(t *testing.T) {
	w := newWorld(t)
	w.login()
	first := w.mustToken()
	w.reject(first)
	w.pool.refused = []error{fault("InternalErrorException", 500), fault("InternalErrorException", 500)}
	if got := w.mustToken(); got != first {
		t.Errorf("got %s", got)
	}
	w.pass(31 * time.Second)
	if got := w.mustToken(); got == first {
		t.Error("it was never renewed")
	}
}

func TestManyRejectAtOnce(t *testing.T) {
	w := newWorld(t)
	w.login()
	first := w.mustToken()
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			s := w.source()
			if err := s.Reject(t.Context(), w.target(), sha256.Sum256([]byte(first))); err != nil {
				t.Error(err)
			}
			got, err := s.Token(t.Context(), w.target(), Want{Use: token.UseAccess})
			if err != nil || got.Value.Reveal() == first {
				t.Errorf("%s %v", got.Value.Reveal(), err)
			}
		})
	}
	wg.Wait()
	if len(w.pool.sent) != 1 {
		t.Errorf("%d refreshes", len(w.pool.sent))
	}
}

func TestLetsForce(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	old := token.Lifetime{Issued: now.Add(-time.Hour)}
	sent := [8]byte{1}
	young := token.Lifetime{Issued: now.Add(-time.Second)}
	for _, c := range []struct {
		name string
		last tokencache.Attempt
		life token.Lifetime
		want bool
	}{
		{"long ago", tokencache.Attempt{Token: sent, Outcome: tokencache.Done, Started: now.Add(-time.Minute)}, old, true},
		{"it gave this very token", tokencache.Attempt{Token: sent, Outcome: tokencache.Done, Started: now.Add(-2 * time.Second)}, young, false},
		{"it gave another one", tokencache.Attempt{Token: sent, Outcome: tokencache.Done, Started: now.Add(-2 * time.Second)}, old, true},
		{"under way", tokencache.Attempt{Token: sent, Outcome: tokencache.Running, Started: now.Add(-2 * time.Second)}, young, true},
		{"failed just now", tokencache.Attempt{Token: sent, Outcome: tokencache.Transient, Started: now.Add(-2 * time.Second)}, old, false},
		{"exactly 30 s", tokencache.Attempt{Token: sent, Outcome: tokencache.Done, Started: now.Add(-30 * time.Second)}, token.Lifetime{Issued: now.Add(-29 * time.Second)}, true},
		{"a login just now", tokencache.Attempt{Outcome: tokencache.Done, Started: now.Add(-2 * time.Second)}, young, true},
		{"in the future", tokencache.Attempt{Token: sent, Outcome: tokencache.Done, Started: now.Add(time.Hour)}, token.Lifetime{Issued: now.Add(time.Hour)}, true},
	} {
		if got := c.last.LetsForce(c.life, now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
