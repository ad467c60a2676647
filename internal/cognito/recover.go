package cognito

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	maxWrong = 3               // answers to one challenge
	maxSkew  = 3 * time.Minute // of the clocks, before it is worth a word
)

// recover decides what becomes of a sign-in after an error: the same challenge again, a fresh start with what was typed, or
// the end.
func (l *login) recover(ctx context.Context, at step, err error) (step, error) {
	e := answered(err)
	switch {
	case l.last != nil && errors.Is(err, challenge.ErrNoAnswer):
		// A prepared answer was wrong, and there is nobody to ask for another: that it was wrong is what matters.
		return step{}, l.last
	case l.forgetDevice(at, err):
		return l.start(ctx)
	case e.Operation != opRespond && e.Operation != opVerify && e.Operation != opAssociate:
		return step{}, err
	case e.is("CodeMismatch", "EnableSoftwareTokenMFA"):
		return l.again(ctx, at, err, "the code was wrong", false)
	case e.is("ExpiredCode") && e.says("already been used"):
		return l.again(ctx, at, err, "the code was used before: wait for the next one", false)
	case e.is("ExpiredCode"):
		return l.again(ctx, at, err, "the code has expired", true)
	case e.is("InvalidPassword", "PasswordHistoryPolicyViolation") && at.name == newPasswordRequired:
		return l.again(ctx, at, err, messageOf(err), false)
	case closed(e):
		return l.restart(ctx, at, err)
	case e.is("NotAuthorized") && e.says("incorrect username or password") && (at.name == customChallenge || at.name == webAuthn):
		return step{}, &token.Error{Kind: token.Refused, Message: "the answer was wrong: Cognito ended the sign-in", Next: l.c.loginCommand(), Err: e}
	default:
		return step{}, err
	}
}

// closed reports whether Cognito no longer knows the challenge: its time is over, or an answer used it up.
func closed(e *Error) bool {
	return e.is("NotAuthorized") && (e.says("invalid session") || e.says("session is expired") || e.says("session can only be used once"))
}

// again has the challenge's question asked once more, at most maxWrong times in all.
func (l *login) again(ctx context.Context, at step, err error, why string, fresh bool) (step, error) {
	l.wrong[at.name]++
	l.last, l.lastAt = err, at.name
	l.note = why
	l.forgetOnce()
	delete(l.typed, newPasswordName)
	if l.wrong[at.name] >= maxWrong {
		return step{}, l.exhausted(at.name, err)
	}
	if fresh {
		return l.restart(ctx, at, err)
	}
	return at, nil
}

func (l *login) exhausted(name string, err error) error {
	e := &token.Error{Kind: token.Refused, Message: messageOf(err), Next: l.c.loginCommand(), Err: answered(err)}
	if name != newPasswordRequired {
		e.Message = "the code was wrong three times"
	}
	return e
}

// restart signs in anew with what was typed: once because time ran out, and once for each wrong answer, after which Cognito
// may have closed the challenge. A code from an app that Cognito did not look at still counts; one that was delivered
// belongs to the sign-in that is over.
func (l *login) restart(ctx context.Context, at step, err error) (step, error) {
	allowed := 1
	for _, n := range l.wrong {
		allowed += n
	}
	if l.restarts++; l.restarts > allowed {
		return step{}, err
	}
	if at.name != totp && l.forgetOnce() {
		l.note = startedAnew(at.name)
	}
	return l.start(ctx)
}

// startedAnew says why a question is asked again that Cognito did not find fault with.
func startedAnew(name string) string {
	switch name {
	case mfaSetup:
		return "the sign-in was started anew, with a new secret for the app"
	case customChallenge, webAuthn:
		return "the sign-in was started anew"
	default:
		return "the sign-in was started anew: use the newest code"
	}
}

// withClock adds a word about the clock where that may be why a password is refused: its signature has a timestamp.
func (c *Client) withClock(err error, x *exchange) error {
	var e *token.Error
	if x.date.IsZero() || !errors.As(err, &e) || !answered(err).says("incorrect username or password") {
		return err
	}
	skew := c.o.Now().Wall.Sub(x.date).Abs()
	if skew < maxSkew {
		return err
	}
	with := *e
	with.Next = "this computer's clock is " + strconv.Itoa(int(skew.Minutes())) + " minutes off: set it, then: " + c.loginCommand()
	return &with
}

func messageOf(err error) string {
	var e *token.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
