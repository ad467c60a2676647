package tokensource

import (
	"errors"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// kubectl runs its credential plugin six times for one command: a failure, of whatever class, is one request.
func TestSixRunsCauseOneAttempt(t *testing.T) {
	for code, kind := range map[string]token.Kind{
		"TooManyRequestsException": token.Unavailable, "UserNotConfirmedException": token.Refused,
		"ResourceNotFoundException": token.BadProfile, "UserNotFoundException": token.LoginNeeded,
	} {
		t.Run(code, func(t *testing.T) {
			w := newWorld(t)
			w.login()
			w.pass(2 * time.Hour)
			failure := fault(code, 400)
			var e *token.Error
			if errors.As(failure, &e) {
				e.Kind = kind
			}
			for range 6 {
				w.pool.refused = []error{failure}
				_, err := w.token()
				w.wantKind(err, kind, "cognito said "+code)
				w.pass(100 * time.Millisecond)
			}
			if len(w.pool.sent) != 1 {
				t.Errorf("%d requests", len(w.pool.sent))
			}
			w.pool.refused = nil
			w.login() // ends every wait
			w.pass(2 * time.Hour)
			w.mustToken()
		})
	}
}

// A fault of the configuration is forgotten as soon as the profile's files change, or after ten seconds.
func TestMendedConfigurationIsTriedAtOnce(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	wrong := fault("ResourceNotFoundException", 400)
	var e *token.Error
	if errors.As(wrong, &e) {
		e.Kind = token.BadProfile
	}
	ask := func(mtime int64) error {
		target := w.target()
		target.Profile.Consulted = []profiles.FileStamp{{Path: "/home/alice/.aws/config", Size: 100, MTime: mtime}}
		_, err := w.source().Token(t.Context(), target, Want{Use: token.UseAccess})
		return err
	}
	w.pool.refused = []error{wrong}
	w.wantKind(ask(1), token.BadProfile, "")
	w.wantKind(ask(1), token.BadProfile, "")
	w.pool.refused = []error{wrong}
	w.wantKind(ask(2), token.BadProfile, "") // changed, and still wrong
	w.pass(9 * time.Second)
	w.wantKind(ask(2), token.BadProfile, "")
	if len(w.pool.sent) != 2 {
		t.Errorf("%d requests", len(w.pool.sent))
	}
	w.pass(time.Second)
	if err := ask(2); err != nil {
		t.Error(err)
	}
}

// A renewal in the caller's own process leaves a mark, so that status can tell of it.
func TestRenewalWithoutAWorkerIsMarked(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	s := w.source()
	s.o.Worker = noWorker{}
	w.pool.before = func() {
		if a, ok := w.cache().LastAttempt(w.id(), workRefresh); !ok || !a.Attached || a.Outcome != tokencache.Running {
			t.Errorf("intent %+v", a)
		}
	}
	if _, err := get(s, w); err != nil {
		t.Fatal(err)
	}
	if a, ok := w.cache().LastAttempt(w.id(), workRefresh); !ok || !a.Attached || a.Outcome != tokencache.Done {
		t.Errorf("outcome %+v", a)
	}
}
