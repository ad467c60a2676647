package tokensource

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Adopt makes the tokens that get gives the target's session, with the rules of a login: it asks before a live session is
// replaced, before get is called, and a failure changes nothing. sent is the refresh token that get sends, if it sends one;
// where Cognito gives no new one it is kept, and it is not revoked, since what came from it would end with it.
func (s *Source) Adopt(ctx context.Context, t Target, o LoginOptions, sent token.Secret, get func(context.Context) (cognito.Result, error)) (LoginResult, error) {
	client, err := s.o.Client(t)
	if err != nil {
		return LoginResult{}, err
	}
	spare := &sparing{Client: client, spare: sent}
	l := &login{Source: s, target: t, o: o, id: t.Identity().SessionID(), client: spare}
	unlock, err := l.alone()
	if err != nil {
		return LoginResult{}, err
	}
	defer unlock()
	if err := l.lookBefore(ctx); err != nil {
		return LoginResult{}, err
	}
	key, err := s.o.Slots.Create(ctx, keyslot.File)
	if err != nil {
		return LoginResult{}, err
	}
	got, err := get(ctx)
	if err != nil {
		return LoginResult{}, err
	}
	if got.Refresh.Empty() {
		got.Refresh = sent
	}
	if got.Refresh.Empty() {
		return LoginResult{}, &token.Error{Kind: token.Failure, Message: "the answer has no refresh token, so there is no session to save"}
	}
	result, err := l.keep(ctx, key, got)
	if spare.spared {
		result.Revoked, result.Warnings = false, nil
	}
	return result, err
}

// sparing is a client that never revokes one token.
type sparing struct {
	Client
	spare  token.Secret
	spared bool
}

var errSpared = errors.New("the token lives on in the new session")

// Revoke revokes every other token.
func (s *sparing) Revoke(ctx context.Context, refresh token.Secret) error {
	if !s.spare.Empty() && refresh.Equal(s.spare) {
		s.spared = true
		return errSpared
	}
	return s.Client.Revoke(ctx, refresh)
}
