package userpool

import (
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type authenticationResult struct {
	AccessToken  string
	IDToken      string `json:"IdToken"`
	RefreshToken string `json:",omitempty"`
	ExpiresIn    int
	TokenType    string

	NewDeviceMetadata *newDeviceMetadata `json:",omitempty"`
}

// grant is everything that goes into a set of tokens, taken with the lock held and signed without it.
type grant struct {
	id, access map[string]any // claims, without iss
	refresh    string
	expiresIn  int
	device     *newDeviceMetadata
}

// newGrant begins a family of refresh tokens: a sign-in. Call with the lock held.
func (p *Pool) newGrant(in *signIn) *grant {
	f := p.newFamily(in.client, in.user)
	device := p.bind(in, f)
	g := p.claims(in.client, in.user, f)
	g.refresh, g.device = p.addRefresh(f, nil), device
	return g
}

// claims makes the claims of a new pair of tokens. Call with the lock held.
func (p *Pool) claims(c *Client, u *user, f *family) *grant {
	now := p.clock.Now()
	shared := func(use string, lifetime int) map[string]any {
		m := map[string]any{
			"sub": u.sub, "token_use": use, "auth_time": f.authTime.Unix(), "iat": now.Unix(), "exp": now.Add(seconds(lifetime)).Unix(),
			"jti": wire.NewRequestID(), "origin_jti": f.originJTI, "event_id": f.eventID,
		}
		if len(u.groups) > 0 {
			m["cognito:groups"] = slices.Clone(u.groups)
		}
		return m
	}
	id := shared("id", c.IDTokenSeconds)
	id["aud"] = c.ID
	id["cognito:username"] = u.username
	if len(u.roles) > 0 {
		id["cognito:roles"] = slices.Clone(u.roles)
		id["cognito:preferred_role"] = u.roles[0]
	}
	for name, value := range u.attributes {
		id[name] = attributeClaim(name, value)
	}
	access := shared("access", c.AccessTokenSeconds)
	access["client_id"] = c.ID
	access["username"] = u.username
	if f.device != "" {
		access["device_key"] = f.device
	}
	access["scope"] = "aws.cognito.signin.user.admin"
	return &grant{id: id, access: access, expiresIn: c.AccessTokenSeconds}
}

// attributeClaim gives the two verified flags as JSON booleans, as AWS does; everything else stays a string.
func attributeClaim(name, value string) any {
	if strings.HasSuffix(name, "_verified") {
		return value == "true"
	}
	return value
}

func (p *Pool) sign(endpoint string, g *grant) (*authenticationResult, error) {
	g.id["iss"], g.access["iss"] = p.Issuer(endpoint), p.Issuer(endpoint)
	id, err := p.id.Sign(g.id)
	if err != nil {
		return nil, err
	}
	access, err := p.access.Sign(g.access)
	if err != nil {
		return nil, err
	}
	return &authenticationResult{AccessToken: access, IDToken: id, RefreshToken: g.refresh, ExpiresIn: g.expiresIn, TokenType: "Bearer",
		NewDeviceMetadata: g.device}, nil
}

// VerifyToken checks a token's signature, issuer, and expiry, whatever its use. It gives jwt's errors.
func (p *Pool) VerifyToken(endpoint, token string) (jwt.Claims, error) {
	return jwt.Check(token, p.Issuer(endpoint), p.clock.Now(), p.id, p.access)
}

// Live says whether the sign-in behind a token's claims is neither revoked nor its user gone or disabled.
func (p *Pool) Live(claims jwt.Claims) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.families[claims.String("origin_jti")]
	if f == nil || f.revoked {
		return false
	}
	u := p.users[p.fold(f.username)]
	return u != nil && !u.disabled
}
