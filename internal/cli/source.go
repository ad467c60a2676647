package cli

import (
	"context"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

// source gives adapters what profiles and sessions say. Safe for concurrent use where the program's parts are.
type source struct{ p *program }

var _ protocol.Source = (*source)(nil)

// Token returns a token of the session that r names.
func (s *source) Token(ctx context.Context, r protocol.Request) (token.Token, error) {
	return answer(s.p, r, func(t tokensource.Target, w tokensource.Want) (token.Token, error) {
		tokens, err := s.p.sessions()
		if err != nil {
			return token.Token{}, err
		}
		return tokens.Token(ctx, t, w)
	})
}

// AWSCredentials returns AWS credentials of the session that r names.
func (s *source) AWSCredentials(ctx context.Context, r protocol.Request) (token.AWSCredentials, error) {
	return answer(s.p, r, func(t tokensource.Target, w tokensource.Want) (token.AWSCredentials, error) {
		aws, err := s.p.aws()
		if err != nil {
			return token.AWSCredentials{}, err
		}
		return aws.Retrieve(ctx, t, w)
	})
}

// answer gets a credential for r, and keeps for the front how its profile resolved.
func answer[T any](p *program, r protocol.Request, get func(tokensource.Target, tokensource.Want) (T, error)) (T, error) {
	var none T
	profile, err := p.signInProfile(r.Profile)
	if err != nil {
		return none, err
	}
	t := tokensource.Target{Profile: profile, Selection: r.Profile, Username: r.Username}
	if inMemory(profile) && !p.ownMemory {
		return none, ofProfile(r.Profile, tokensource.NothingKept(t))
	}
	got, err := get(t, tokensource.Want{Use: r.Use, MinTTL: r.MinTTL, RenewFirst: r.RenewFirst})
	if err != nil {
		return none, ofProfile(r.Profile, err)
	}
	if indexed(r) && !inMemory(profile) {
		p.remember(r.Profile, profile)
	}
	return got, nil
}

// indexed reports whether the front may answer such a request by itself next time.
func indexed(r protocol.Request) bool {
	return r.Username == "" && r.Profile.Location == ""
}
