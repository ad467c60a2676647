package tokensource

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// A definite no ends the session that it was said to, never the one that a restored backup put in its place meanwhile.
func TestNoTombstoneOverAnotherSession(t *testing.T) {
	w := newWorld(t)
	w.login()
	file := filepath.Join(w.folder, "sessions", w.target().Identity().SessionID()+".ses")
	older, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept := w.pool.current
	w.login()
	w.pass(2 * time.Hour)
	sent := w.pool.current
	w.pool.current = "another"
	w.pool.before = func() {
		if err := os.WriteFile(file, older, 0o600); err != nil {
			t.Error(err)
		}
	}
	_, err = w.token()
	w.wantKind(err, token.Unavailable, "the session was replaced")
	if st, err := w.source().Status(w.target()); err != nil || st.State != SignedIn {
		t.Errorf("status %+v, %v: a tombstone over a session that nobody refused", st, err)
	}
	w.pool.before, w.pool.current = nil, kept
	w.pass(time.Minute)
	w.mustToken()
	if got := w.pool.sent; len(got) != 2 || got[0] != sent || got[1] != kept {
		t.Errorf("sent %q, want %q", got, []string{sent, kept})
	}
}
