package tokensource

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// LogoutResult says what a logout did.
type LogoutResult struct {
	NothingThere bool
	User         string
	RevokeErr    error // the session is forgotten, but Cognito was not told
}

// Logout revokes the refresh token, then forgets the session, also when revoking failed. What stays is the device that
// Cognito remembers this computer by, so that the user's next login need not prove a second factor again: to have that
// forgotten is another request (ForgetDevice). A damaged session file is set aside: its token cannot be read, so it cannot
// be revoked.
func (s *Source) Logout(ctx context.Context, t Target) (LogoutResult, error) {
	locked, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	tx, err := s.o.Cache.Lock(locked, t.Identity().SessionID())
	if err != nil {
		return LogoutResult{}, err
	}
	defer tx.Unlock()
	session, plain, err := tx.Load()
	var damaged *tokencache.DamagedError
	switch {
	case errors.Is(err, tokencache.ErrNoSession):
		return LogoutResult{NothingThere: true}, nil
	case errors.As(err, &damaged):
		return LogoutResult{RevokeErr: err}, tx.Forget() // which sets it aside
	case err != nil:
		return LogoutResult{}, err
	}
	var c cold
	if err := c.decode(plain); err != nil {
		return LogoutResult{RevokeErr: err}, tx.Forget()
	}
	if loggedOut(session.Hot.Dead) {
		return LogoutResult{NothingThere: true}, nil
	}
	res := LogoutResult{User: c.User}
	if session.Hot.Dead == nil {
		res.RevokeErr = s.revoke(ctx, t, c)
	}
	return res, s.forget(tx, c)
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
