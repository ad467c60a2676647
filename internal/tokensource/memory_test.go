package tokensource

import (
	"os"
	"sync"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// sourceInMemory is one for all who ask: its sessions are its own.
func (w *world) sourceInMemory() (*Source, Target) {
	s := w.source()
	s.o.Slots = keyslot.InMemory()
	s.o.Cache = tokencache.OpenInMemory(s.o.Slots)
	t := w.target()
	t.Profile.Store = StoreNone
	return s, t
}

// A session in memory is what one on a disk is: signed in to, renewed once for however many ask, held back after a failure, ended,
// and signed out of. Nothing of it is written.
func TestSessionInMemory(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	s, target := w.sourceInMemory()
	ctx, want := t.Context(), Want{Use: token.UseAccess}
	_, err := s.Token(ctx, target, want)
	w.wantKind(err, token.LoginNeeded, "nobody is signed in")
	done, err := s.Login(ctx, target, LoginOptions{})
	if err != nil || done.Slot != keyslot.None || done.User != "alice" {
		t.Fatalf("Login = %+v, %v", done, err)
	}
	for range 3 {
		w.pass(2 * w.pool.life)
		before := len(w.pool.sent)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if _, err := s.Token(ctx, target, want); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(w.pool.sent) - before; n != 1 {
			t.Errorf("%d renewals for 64 callers", n)
		}
	}
	if st, err := s.Status(target); err != nil || st.State != SignedIn || st.Slot != keyslot.None || st.Renewing != nil {
		t.Errorf("Status = %+v, %v", st, err)
	}

	w.pass(2 * w.pool.life)
	w.pool.refused = []error{fault("", 503), fault("", 503)}
	sent := len(w.pool.sent)
	for range 2 {
		_, err = s.Token(ctx, target, want)
		w.wantKind(err, token.Unavailable, "")
	}
	if n := len(w.pool.sent) - sent; n != 2 { // the same token again, at once
		t.Errorf("%d requests of two callers, of whom the second had to wait", n)
	}
	out, err := s.Logout(ctx, target, LogoutOptions{})
	if err != nil || out.User != "alice" || len(w.pool.revoked) != 1 {
		t.Errorf("Logout = %+v, %v; revoked %q", out, err, w.pool.revoked)
	}
	_, err = s.Token(ctx, target, want)
	w.wantKind(err, token.LoginNeeded, "nobody is signed in")
	if left, err := os.ReadDir(w.folder); err != nil || len(left) > 0 {
		t.Errorf("on disk: %v, %v", left, err)
	}
}
