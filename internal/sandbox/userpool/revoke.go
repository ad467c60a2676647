package userpool

import (
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type revokeInput struct {
	Token        string
	ClientID     string `json:"ClientId"`
	ClientSecret string
}

// revokeToken succeeds for tokens that it doesn't know. The live token and the sign-in's first one end the family; one in
// between ends only itself.
func (p *Pool) revokeToken(_ wire.Call, in revokeInput) (any, error) {
	c, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if err := c.checkSecret(in.ClientSecret); err != nil {
		var e *wire.Error
		if errors.As(err, &e) {
			return nil, wire.Errorf("UnauthorizedException", "%s", e.Message)
		}
		return nil, err
	}
	if c.RevocationOff {
		return nil, wire.Errorf("UnsupportedOperationException", "Token revocation is not enabled for this client.")
	}
	if in.Token == "" {
		return nil, errInvalidParameter("Missing required parameter Token")
	}
	if strings.Count(in.Token, ".") == 2 {
		return nil, wire.Errorf("UnsupportedTokenTypeException", "Only refresh tokens can be revoked.")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.refresh[sha256.Sum256([]byte(in.Token))]
	switch {
	case t == nil:
	case t.family.client != c.ID:
		return nil, wire.Errorf("UnauthorizedException", "The token was issued to another client.")
	case t == t.family.newest || t == t.family.original:
		t.family.revoked = true
	default:
		t.revoked = true
	}
	return struct{}{}, nil
}

type accessTokenInput struct{ AccessToken string }

func (p *Pool) globalSignOut(call wire.Call, in accessTokenInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, err
	}
	p.revokeAll(u)
	return struct{}{}, nil
}

func (p *Pool) revokeAll(u *user) {
	for _, f := range p.families {
		if f.username == u.username {
			f.revoked = true
		}
	}
}

// bearer is the user of an access token. Call with the lock held.
func (p *Pool) bearer(call wire.Call, token string) (*user, error) {
	claims, err := jwt.Check(token, p.Issuer(call.Endpoint), p.clock.Now(), p.access)
	if errors.Is(err, jwt.ErrExpired) {
		return nil, errNotAuthorized("Access Token has expired")
	}
	if err != nil || claims.String("token_use") != "access" {
		return nil, errNotAuthorized("Invalid Access Token")
	}
	if !strings.Contains(" "+claims.String("scope")+" ", " aws.cognito.signin.user.admin ") {
		return nil, errNotAuthorized("Access Token does not have required scopes")
	}
	f := p.families[claims.String("origin_jti")]
	if f == nil || f.revoked {
		return nil, errNotAuthorized("Access Token has been revoked")
	}
	u := p.users[p.fold(f.username)]
	if u == nil {
		return nil, wire.Errorf("UserNotFoundException", "User does not exist.")
	}
	return u, u.mayGoOn()
}
