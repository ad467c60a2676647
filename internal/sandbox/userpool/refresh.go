package userpool

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// family is one sign-in and all refresh tokens that descend from it. Guarded by Pool.mu.
type family struct {
	client    string
	username  string
	originJTI string
	eventID   string
	authTime  time.Time
	expires   time.Time // of the first token; rotation never extends it
	device    string    // DEVICE_KEY that every refresh must carry; "" for none
	revoked   bool
	original  *refreshToken
	newest    *refreshToken
}

// refreshToken is one refresh token. Guarded by Pool.mu.
type refreshToken struct {
	family  *family
	parent  *refreshToken
	usedAt  time.Time // of the first refresh; zero before
	revoked bool
}

func (p *Pool) newFamily(c *Client, u *user) *family {
	now := p.clock.Now()
	f := &family{
		client: c.ID, username: u.username, originJTI: wire.NewRequestID(), eventID: wire.NewRequestID(),
		authTime: now, expires: now.Add(seconds(c.RefreshTokenSeconds)),
	}
	p.families[f.originJTI] = f
	return f
}

// addRefresh makes the newest token of a family and returns its string.
func (p *Pool) addRefresh(f *family, parent *refreshToken) string {
	t := &refreshToken{family: f, parent: parent}
	f.newest = t
	if f.original == nil {
		f.original = t
	}
	token := newRefreshString()
	p.refresh[sha256.Sum256([]byte(token))] = t
	return token
}

// newRefreshString looks like AWS's five-part JWE, so that a client that parses it as a JWT fails here too.
func newRefreshString() string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`))
	return strings.Join([]string{header, opaque(256), opaque(12), opaque(500), opaque(16)}, ".")
}

// mayRefresh is the fork rule: the newest token goes on; a token before it still answers within the grace after its
// first use; a token on an abandoned branch, or out of its grace, is reuse. Reuse doesn't end the family.
func (t *refreshToken) mayRefresh(now time.Time, grace time.Duration) bool {
	if t == t.family.newest {
		return true
	}
	for n := t.family.newest.parent; n != nil; n = n.parent {
		if n == t {
			return now.Sub(t.usedAt) < grace
		}
	}
	return false
}

// usable finds a refresh token and its user for a client and a device, or says why not. Call with the lock held.
func (p *Pool) usable(c *Client, token, device string) (*refreshToken, *user, error) {
	t := p.refresh[sha256.Sum256([]byte(token))]
	if t == nil || t.family.client != c.ID {
		return nil, nil, errNotAuthorized("Invalid Refresh Token.")
	}
	u := p.users[p.fold(t.family.username)]
	switch {
	case u == nil:
		return nil, nil, wire.Errorf("UserNotFoundException", "User does not exist.")
	case u.disabled:
		return nil, nil, errNotAuthorized("User is disabled.")
	case !t.family.carries(u, device):
		return nil, nil, errNotAuthorized("Invalid Refresh Token.")
	case t.revoked || t.family.revoked:
		return nil, nil, errNotAuthorized("Refresh Token has been revoked")
	case !p.clock.Now().Before(t.family.expires):
		return nil, nil, errNotAuthorized("Refresh Token has expired")
	}
	return t, u, u.mayGoOn()
}

// refreshTriggers runs what AWS runs on a refresh.
func (p *Pool) refreshTriggers(c *Client, u *user, metadata map[string]string) error {
	return p.fire("PreTokenGeneration", &signIn{client: c, user: u, username: u.username, metadata: metadata})
}

type getTokensInput struct {
	RefreshToken   string
	ClientID       string `json:"ClientId"`
	ClientSecret   string
	DeviceKey      string
	ClientMetadata map[string]string
}

func (p *Pool) getTokensFromRefreshToken(call wire.Call, in getTokensInput) (any, error) {
	c, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if err := c.checkSecret(in.ClientSecret); err != nil {
		return nil, err
	}
	if in.RefreshToken == "" {
		return nil, errInvalidParameter("Missing required parameter REFRESH_TOKEN")
	}
	p.mu.Lock()
	g, err := p.renew(c, in)
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	result, err := p.sign(call.Endpoint, g)
	if err != nil {
		return nil, err
	}
	return struct{ AuthenticationResult *authenticationResult }{result}, nil
}

// renew refreshes, and rotates where the client does. Call with the lock held, so that a token is used up exactly once.
func (p *Pool) renew(c *Client, in getTokensInput) (*grant, error) {
	t, u, err := p.usable(c, in.RefreshToken, in.DeviceKey)
	if err != nil {
		return nil, err
	}
	now := p.clock.Now()
	if c.Rotation && !t.mayRefresh(now, seconds(c.GraceSeconds)) {
		return nil, wire.Errorf("RefreshTokenReuseException", "Refresh token reuse detected")
	}
	if err := p.refreshTriggers(c, u, in.ClientMetadata); err != nil {
		return nil, err
	}
	if !c.Rotation {
		return p.claims(c, u, t.family), nil
	}
	if t.usedAt.IsZero() {
		t.usedAt = now
	}
	g := p.claims(c, u, t.family)
	g.refresh = p.addRefresh(t.family, t)
	return g, nil
}

// startRefresh is REFRESH_TOKEN_AUTH. A rotating client cannot have the flow, so it gets the sentence of a flow that is
// off. (Assumed: AWS says only that the two don't go together.)
func (p *Pool) startRefresh(s start) (any, error) {
	token, err := s.parameter("REFRESH_TOKEN")
	if err != nil {
		return nil, err
	}
	if s.client.Rotation || !s.client.allows("REFRESH_TOKEN_AUTH") {
		return nil, errInvalidParameter("REFRESH_TOKEN_AUTH flow not enabled for this client")
	}
	p.mu.Lock()
	g, err := func() (*grant, error) {
		t, u, err := p.usable(s.client, token, s.in.AuthParameters["DEVICE_KEY"])
		if err != nil {
			return nil, err
		}
		hash := s.in.AuthParameters["SECRET_HASH"]
		if err := s.client.checkSecretHash(hash, u.username, "SecretHash does not match for the client: "+s.client.ID); err != nil {
			return nil, err
		}
		if err := p.refreshTriggers(s.client, u, s.in.ClientMetadata); err != nil {
			return nil, err
		}
		return p.claims(s.client, u, t.family), nil
	}()
	p.mu.Unlock()
	return p.finish(s.call, outcome{grant: g}, err)
}
