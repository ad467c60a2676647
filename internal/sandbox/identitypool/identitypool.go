// Package identitypool is an Amazon Cognito identity pool in memory: a user pool's ID token in, temporary AWS keys out.
//
// It guarantees that every token is verified each time (signature, issuer, audience, expiry, and with server-side check
// also revocation), and that the keys it gives are known to the sandbox's STS. It never gives keys to guests.
package identitypool

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/sts"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// TargetPrefix is the service's part of the X-Amz-Target header.
const TargetPrefix = "AWSCognitoIdentityService."

// tokenIssuer is the iss of tokens from GetOpenIdToken; it is AWS's own, whatever the endpoint.
const tokenIssuer = "https://cognito-identity.amazonaws.com"

const openIDLifetime = 10 * time.Minute

// Config is one identity pool. Without an ID there is none.
type Config struct {
	// ID is "<region>:<uuid>".
	ID string `json:"id,omitempty"`
	// AuthenticatedRole is the ARN that signed-in users get.
	AuthenticatedRole string `json:"authenticated_role,omitempty"`
	// CredentialsSeconds is how long keys live; default 3600, as fixed by AWS.
	CredentialsSeconds int `json:"credentials_seconds,omitempty"`
	// LoginsKeys are accepted in Logins besides cognito-idp.<region>.amazonaws.com/<pool id>.
	LoginsKeys []string `json:"logins_keys,omitempty"`
	// IssuerAsLoginsKey accepts the token's issuer without its scheme too. At AWS that is the same string as the key above;
	// here it is not, and clients that build the key from iss (the Amplify libraries) need it.
	IssuerAsLoginsKey bool `json:"issuer_as_logins_key,omitempty"`
	// Clients are the app clients whose tokens are accepted; default all of the user pool.
	Clients []string `json:"clients,omitempty"`
	// ClassicFlow allows GetOpenIdToken.
	ClassicFlow bool `json:"allow_classic_flow,omitempty"`
	// ServerSideTokenCheck refuses tokens of revoked sign-ins and disabled users.
	ServerSideTokenCheck bool `json:"server_side_token_check,omitempty"`
}

// UserPool is the provider whose tokens the identity pool takes.
type UserPool interface {
	ID() string
	Region() string
	Issuer(endpoint string) string
	ClientIDs() []string
	VerifyToken(endpoint, token string) (jwt.Claims, error)
	Live(jwt.Claims) bool
}

// Pool is safe for concurrent use.
type Pool struct {
	config Config
	clock  *clock.Clock
	users  UserPool
	keys   *sts.Keys
	roles  []sts.Role
	key    *jwt.Key // signs open id tokens

	mu         sync.Mutex
	identities map[string]string // identity id → subject
}

// New makes a pool. A role that is not among roles takes its tokens without a word.
func New(c Config, clk *clock.Clock, users UserPool, keys *sts.Keys, roles []sts.Role, key *jwt.Key) (*Pool, error) {
	region, id, ok := strings.Cut(c.ID, ":")
	if !ok || region == "" || id == "" {
		return nil, fmt.Errorf("identity pool id %q is not <region>:<uuid>", c.ID)
	}
	if !strings.HasPrefix(c.AuthenticatedRole, "arn:") || !strings.Contains(c.AuthenticatedRole, ":role/") {
		return nil, fmt.Errorf("identity pool %s: authenticated_role %q is not the ARN of a role", c.ID, c.AuthenticatedRole)
	}
	if c.CredentialsSeconds < 0 {
		return nil, fmt.Errorf("identity pool %s: credentials_seconds is negative", c.ID)
	}
	if c.CredentialsSeconds == 0 {
		c.CredentialsSeconds = 3600
	}
	if c.Clients == nil {
		c.Clients = users.ClientIDs()
	}
	c.LoginsKeys = append(slices.Clone(c.LoginsKeys), "cognito-idp."+users.Region()+".amazonaws.com/"+users.ID())
	return &Pool{config: c, clock: clk, users: users, keys: keys, roles: roles, key: key, identities: map[string]string{}}, nil
}

// Operations are the operations by name.
func (p *Pool) Operations() map[string]wire.Operation {
	return map[string]wire.Operation{
		"GetId":                     wire.Decoded(p.getID),
		"GetCredentialsForIdentity": wire.Decoded(p.getCredentials),
		"GetOpenIdToken":            wire.Decoded(p.getOpenIDToken),
	}
}

// Issuer is the iss of the tokens of GetOpenIdToken.
func (p *Pool) Issuer(string) string { return tokenIssuer }

// VerifyToken checks a token of GetOpenIdToken. It gives jwt's errors.
func (p *Pool) VerifyToken(_, token string) (jwt.Claims, error) {
	return jwt.Check(token, tokenIssuer, p.clock.Now(), p.key)
}

func errNotAuthorized(format string, args ...any) error {
	return wire.Errorf("NotAuthorizedException", format, args...)
}

// login verifies the one token in Logins.
func (p *Pool) login(endpoint string, logins map[string]string) (jwt.Claims, error) {
	if len(logins) == 0 {
		return nil, errNotAuthorized("Unauthenticated access is not supported for this identity pool.")
	}
	if len(logins) > 1 {
		return nil, wire.Errorf("InvalidParameterException", "Please provide a single login for the user pool; the sandbox links no providers.")
	}
	for key, token := range logins {
		if !p.supports(endpoint, key) {
			return nil, errUnsupported()
		}
		return p.verify(endpoint, token)
	}
	return nil, errUnsupported()
}

func (p *Pool) supports(endpoint, loginsKey string) bool {
	_, issuer, _ := strings.Cut(p.users.Issuer(endpoint), "://")
	return slices.Contains(p.config.LoginsKeys, loginsKey) || p.config.IssuerAsLoginsKey && loginsKey == issuer
}

func errUnsupported() error {
	return errNotAuthorized("Token is not from a supported provider of this identity pool.")
}

func (p *Pool) verify(endpoint, token string) (jwt.Claims, error) {
	claims, err := p.users.VerifyToken(endpoint, token)
	var expired *jwt.ExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, errNotAuthorized("Invalid login token. Token expired: %d >= %d", expired.Now, expired.Expiry)
	case errors.Is(err, jwt.ErrMalformed):
		return nil, errNotAuthorized("Invalid login token. Not a valid OpenId Connect identity token.")
	case errors.Is(err, jwt.ErrIssuer):
		return nil, errNotAuthorized("Invalid login token. Issuer doesn't match providerName")
	case err != nil:
		return nil, errNotAuthorized("Invalid login token. Couldn't verify signed token.")
	case claims.String("aud") == "":
		return nil, errNotAuthorized("Invalid login token. Missing a required claim: aud")
	case claims.String("token_use") != "id":
		return nil, errNotAuthorized("Invalid login token. Not a valid OpenId Connect identity token.")
	case !slices.Contains(p.config.Clients, claims.String("aud")):
		return nil, errUnsupported()
	case p.config.ServerSideTokenCheck && !p.users.Live(claims):
		// Assumed: AWS documents the exception, not its sentence.
		return nil, errNotAuthorized("Invalid login token. Token is revoked.")
	}
	return claims, nil
}

// identityOf is stable per user, so that a cached id survives a restart of the sandbox.
func (p *Pool) identityOf(claims jwt.Claims) string {
	region, _, _ := strings.Cut(p.config.ID, ":")
	sum := sha256.Sum256([]byte(p.config.ID + "\x00" + claims.String("sub")))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%s:%x-%x-%x-%x-%x", region, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type getIDInput struct {
	AccountID      string `json:"AccountId"`
	IdentityPoolID string `json:"IdentityPoolId"`
	Logins         map[string]string
}

func (p *Pool) getID(call wire.Call, in getIDInput) (any, error) {
	if in.IdentityPoolID != p.config.ID {
		return nil, wire.Errorf("ResourceNotFoundException", "IdentityPool '%s' not found.", in.IdentityPoolID)
	}
	claims, err := p.login(call.Endpoint, in.Logins)
	if err != nil {
		return nil, err
	}
	id := p.identityOf(claims)
	p.remember(id, claims)
	return map[string]string{"IdentityId": id}, nil
}

func (p *Pool) remember(id string, claims jwt.Claims) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.identities[id] = claims.String("sub")
}

type identityInput struct {
	IdentityID    string `json:"IdentityId"`
	Logins        map[string]string
	CustomRoleArn string
}

// identify checks that an identity belongs to the login that comes with it.
func (p *Pool) identify(call wire.Call, in identityInput) (jwt.Claims, error) {
	claims, err := p.login(call.Endpoint, in.Logins)
	if err != nil {
		return nil, err
	}
	if in.IdentityID == p.identityOf(claims) {
		p.remember(in.IdentityID, claims)
		return claims, nil
	}
	p.mu.Lock()
	_, known := p.identities[in.IdentityID]
	p.mu.Unlock()
	if !known {
		return nil, wire.Errorf("ResourceNotFoundException", "Identity '%s' not found.", in.IdentityID)
	}
	return nil, errNotAuthorized("Logins don't match. Please include at least one valid login for this identity or identity pool.")
}

type credentials struct {
	AccessKeyID  string `json:"AccessKeyId"`
	SecretKey    string
	SessionToken string
	Expiration   float64 // seconds since 1970
}

type credentialsOutput struct {
	IdentityID  string `json:"IdentityId"`
	Credentials credentials
}

func (p *Pool) getCredentials(call wire.Call, in identityInput) (any, error) {
	claims, err := p.identify(call, in)
	if err != nil {
		return nil, err
	}
	role := p.config.AuthenticatedRole
	if in.CustomRoleArn != "" {
		if !slices.Contains(claims.Strings("cognito:roles"), in.CustomRoleArn) {
			return nil, errNotAuthorized("Custom role not allowed by the token.")
		}
		role = in.CustomRoleArn
	}
	if !p.trusted(role) {
		return nil, wire.Errorf("InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	}
	c := p.keys.Issue(role, "CognitoIdentityCredentials", time.Duration(p.config.CredentialsSeconds)*time.Second)
	return credentialsOutput{in.IdentityID, credentials{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, float64(c.Expiration.Unix())}}, nil
}

// trusted reports whether a role lets this pool's tokens assume it.
func (p *Pool) trusted(role string) bool {
	return !slices.ContainsFunc(p.roles, func(r sts.Role) bool { return r.ARN == role && !r.Trusts(p.config.ID) })
}

func (p *Pool) getOpenIDToken(call wire.Call, in identityInput) (any, error) {
	if _, err := p.identify(call, in); err != nil {
		return nil, err
	}
	if !p.config.ClassicFlow {
		return nil, wire.Errorf("InvalidParameterException", "Basic (classic) flow is not enabled, please use enhanced flow.")
	}
	now := p.clock.Now()
	token, err := p.key.Sign(map[string]any{
		"iss": tokenIssuer, "aud": p.config.ID, "sub": in.IdentityID, "iat": now.Unix(), "exp": now.Add(openIDLifetime).Unix(),
		"amr": []string{"authenticated", p.config.LoginsKeys[len(p.config.LoginsKeys)-1]},
	})
	if err != nil {
		return nil, err
	}
	return map[string]string{"IdentityId": in.IdentityID, "Token": token}, nil
}
