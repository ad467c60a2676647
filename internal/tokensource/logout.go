package tokensource

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// LogoutResult says what a logout did.
type LogoutResult struct {
	NothingThere bool
	User         string
	RevokeErr    error // the session is forgotten, but Cognito was not told
	// Aside is where the file of a session went that could not be read; "" for none.
	Aside string
	// Until is when the last of what tools may have ends, where the session was not revoked; zero where that is not known.
	Until time.Time
}

// LogoutOptions says what else to do.
type LogoutOptions struct {
	// Force forgets a session, too, whose data key cannot be had now.
	Force bool
}

// Logout revokes the refresh token, then forgets the session, also when revoking failed. What stays is the device that
// Cognito remembers this computer by, so that the user's next login need not prove a second factor again: to have that
// forgotten is another request (ForgetDevice). The refresh token of a session file that is damaged, or whose data key is
// gone, cannot be read and so not be revoked: the file is set aside. Where the key may come back, nothing is changed, unless
// it is forced.
func (s *Source) Logout(ctx context.Context, t Target, o LogoutOptions) (LogoutResult, error) {
	locked, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	tx, err := s.o.Cache.Lock(locked, t.Identity().SessionID())
	if err != nil {
		return LogoutResult{}, err
	}
	defer tx.Unlock()
	session, plain, err := tx.Load()
	switch {
	case errors.Is(err, tokencache.ErrNoSession):
		return LogoutResult{NothingThere: true}, nil
	case err != nil:
		return s.logoutUnread(tx, t, o, err)
	}
	defer clear(plain)
	var c cold
	if err := c.decode(plain); err != nil {
		return LogoutResult{RevokeErr: err}, tx.Forget()
	}
	if loggedOut(session.Hot.Dead) {
		return LogoutResult{NothingThere: true}, nil
	}
	res := LogoutResult{User: c.User}
	if session.Hot.Dead == nil {
		if res.RevokeErr = s.revoke(ctx, t, c); res.RevokeErr != nil {
			res.Until = lastEnd(session.Hot)
		}
	}
	return res, s.forget(tx, c)
}

// logoutUnread is the logout of a session that cannot be read.
func (s *Source) logoutUnread(tx *tokencache.Tx, t Target, o LogoutOptions, cause error) (LogoutResult, error) {
	unavailable := errors.Is(cause, keyslot.ErrUnavailable)
	if token.KindOf(cause) != token.LoginNeeded && !unavailable {
		return LogoutResult{}, cause
	}
	if !o.Force && (unavailable || s.givenAnother(t, cause)) {
		message, _ := sentence(cause)
		return LogoutResult{}, &token.Error{
			Kind: token.Unavailable, Message: message + ", so the session cannot be revoked; nothing is forgotten",
			Next: "make the key available, or leave the session unrevoked and forget it: " + LogoutCommand(t) + " --force", Err: errors.Unwrap(cause),
		}
	}
	aside, err := tx.SetAside()
	if err == nil {
		err = tx.Forget() // what was spilled of it
	}
	return LogoutResult{RevokeErr: cause, Aside: aside}, err
}

// givenAnother reports whether the key is there and not with us: the caller gave another one.
func (s *Source) givenAnother(t Target, cause error) bool {
	slot, err := s.o.Cache.Slot(t.Identity().SessionID())
	return err == nil && slot == keyslot.Given && errors.Is(cause, tokencache.ErrOtherKey)
}

// lastEnd is when the last of what was handed out ends.
func lastEnd(h tokencache.Hot) time.Time {
	ends := []time.Time{h.Tokens.Access.Lifetime.Expires, h.Tokens.ID.Lifetime.Expires}
	for _, c := range h.Credentials {
		ends = append(ends, c.AWS.Lifetime.Expires)
	}
	return slices.MaxFunc(ends, time.Time.Compare)
}

// logoutReason is the tombstone of a session that was logged out, and stays only for its device's sake.
const logoutReason = "the session was logged out"

func loggedOut(d *tokencache.Death) bool { return d != nil && d.Reason == logoutReason }

// forget forgets all but a device that stands for a second factor, and whose it is.
func (s *Source) forget(tx *tokencache.Tx, c cold) error {
	if c.DevicePass.Empty() || c.DeviceNo {
		return tx.Forget()
	}
	left := cold{User: c.User, Subject: c.Subject, Typed: c.Typed}
	left.setDevice(c.device())
	plain, err := left.encode()
	if err == nil {
		err = tx.Reduce(tokencache.Hot{Dead: &tokencache.Death{Reason: logoutReason, At: s.o.Now().Wall}}, plain)
	}
	if err != nil {
		return tx.Forget() // a device is no reason to keep a session
	}
	return nil
}

// LogoutEverywhere ends all sessions of the signed-in user, on every machine, and then forgets this one. Where Cognito does not
// do that, nothing is changed here: only who is signed in can ask for it again.
func (s *Source) LogoutEverywhere(ctx context.Context, t Target) (LogoutResult, error) {
	kept, err := s.Acquire(ctx, t, tokens{token.UseAccess}, Want{Use: token.UseAccess, MinTTL: revokeWait})
	if err != nil {
		return LogoutResult{}, err
	}
	locked, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	tx, err := s.o.Cache.Lock(locked, kept.ID)
	if err != nil {
		return LogoutResult{}, err
	}
	defer tx.Unlock()
	session, plain, err := tx.Load()
	if err != nil {
		return LogoutResult{}, loginNeededFor(t, err)
	}
	var c cold
	if err := c.decode(plain); err != nil {
		return LogoutResult{}, err
	}
	client, err := s.client(t, c)
	if err != nil {
		return LogoutResult{}, err
	}
	if err := client.SignOutEverywhere(ctx, session.Hot.Tokens.Access.Value); err != nil {
		return LogoutResult{}, err
	}
	return LogoutResult{User: c.User}, s.forget(tx, c)
}

func (s *Source) revoke(ctx context.Context, t Target, c cold) error {
	client, err := s.client(t, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*revokeWait)
	defer cancel()
	return client.Revoke(ctx, c.Refresh)
}
