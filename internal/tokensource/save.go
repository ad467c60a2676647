package tokensource

import (
	"context"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Adopt makes the tokens that get gives the target's session, with the rules of a login: it asks before a live session is
// replaced, and makes sure that there is room, before get is called; a failure changes nothing here. sent is the refresh
// token that get sends, if it sends one; where Cognito gives no new one it is kept, and it is not revoked, since what came
// from it would end with it.
//
// What get gave is the caller's, too: when it cannot be kept it is not revoked, because with rotation nothing else is left
// of the session that sent belonged to.
func (s *Source) Adopt(ctx context.Context, t Target, o LoginOptions, sent token.Secret, get func(context.Context) (cognito.Result, error)) (LoginResult, error) {
	client, err := s.o.Client(t)
	if err != nil {
		return LoginResult{}, err
	}
	l := &login{Source: s, target: t, o: o, id: t.Identity().SessionID(), client: client, adopts: true, sent: sent}
	unlock, err := l.alone()
	if err != nil {
		return LoginResult{}, err
	}
	defer unlock()
	key, err := l.begin(ctx)
	if err != nil {
		return LoginResult{}, err
	}
	defer key.Wipe()
	if err := l.checkRoom(ctx); err != nil {
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
	return l.keep(ctx, key, got)
}
