package tokensource

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// cutPool is a fake pool whose refresh loses Cognito's answer when its context ends in between: Cognito has rotated, and
// nobody knows the new token.
type cutPool struct{ *fakePool }

func (p cutPool) SignIn(ctx context.Context, s cognito.SignIn, a challenge.Answerer) (cognito.Result, error) {
	return p.fakePool.SignIn(ctx, s, a)
}

func (p cutPool) Refresh(ctx context.Context, refresh token.Secret, device string) (cognito.Result, error) {
	got, err := p.fakePool.Refresh(ctx, refresh, device)
	if ctx.Err() != nil {
		return cognito.Result{}, fault("", 0)
	}
	return got, err
}

// noWorker is a platform, or a moment, where no process can be started.
type noWorker struct{}

func (noWorker) Start(*os.File, []byte) (func(context.Context) ([]byte, error), error) {
	return nil, errors.New("no process can be started")
}

// An interrupt between the request and its answer must not lose the session of an app client that rotates with no grace.
func TestInterruptDoesNotBreakOffARenewalInThisProcess(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * w.pool.life)
	ctx, interrupt := context.WithCancel(t.Context())
	w.pool.before = interrupt
	s := w.source()
	s.o.Client = func(Target) (Client, error) { return cutPool{w.pool}, nil }
	s.o.Worker = noWorker{}
	held, released := 0, 0
	s.o.Hold = func() func() { held++; return func() { released++ } }
	if _, err := s.Token(ctx, w.target(), Want{Use: token.UseAccess}); err != nil {
		t.Error(err)
	}
	if held != 1 || released != 1 {
		t.Errorf("signals held %d times, released %d times", held, released)
	}
	w.pool.before = nil
	w.pass(2 * w.pool.life)
	w.mustToken() // sends the refresh token that came with the interrupt
}

// Nor does a caller whose own time is over: in a process that serves many, one of them may be in a hurry.
func TestImpatienceDoesNotBreakOffARenewalInThisProcess(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * w.pool.life)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	w.pool.before = func() { <-ctx.Done() }
	s := w.source()
	s.o.Client = func(Target) (Client, error) { return cutPool{w.pool}, nil }
	if _, err := s.Token(ctx, w.target(), Want{Use: token.UseAccess}); err != nil {
		t.Error(err)
	}
	w.pool.before = nil
	w.pass(2 * w.pool.life)
	w.mustToken() // sends the refresh token that came too late for that caller
}

// Who was interrupted before does not begin, and lets the lock go.
func TestInterruptBeforeARenewalInThisProcess(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * w.pool.life)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := w.source().Token(ctx, w.target(), Want{Use: token.UseAccess}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(w.pool.sent) != 0 {
		t.Errorf("sent %q", w.pool.sent)
	}
	w.mustToken()
}

// A caller whose time is over while it waits for others is told to come again, and not that something is broken.
func TestTimeOverBetweenTwoLooks(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	err := pause(ctx, time.Minute)
	if token.KindOf(err) != token.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("kind %d, %v", token.KindOf(err), err)
	}
}
