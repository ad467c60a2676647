// Package userpool is an Amazon Cognito user pool in memory: every flow and challenge of InitiateAuth, remembered devices,
// tokens, refresh with rotation, revocation, and the operations by which people get out of a dead end.
//
// It guarantees the server side of the protocol for real: it knows a password only as salt and verifier, checks every
// proof, code, hash, and token, and answers with AWS's own error names and sentences. Where nobody has published what AWS
// answers, the comment at the place says "assumed". It has its own arithmetic, and never imports the client's, so
// that an error in one cannot hide in the other. It never writes to disk.
package userpool

import (
	"crypto/cipher"
	"maps"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// TargetPrefix is the service's part of the X-Amz-Target header.
const TargetPrefix = "AWSCognitoIdentityProviderService."

// Pool is safe for concurrent use.
type Pool struct {
	config Config
	clock  *clock.Clock
	id     *jwt.Key
	access *jwt.Key
	seal   cipher.AEAD

	mu         sync.Mutex
	clients    map[string]*Client
	users      map[string]*user // by folded real user name
	usedBlocks map[string]time.Time
	sessions   map[digest]*challengeSession
	refresh    map[digest]*refreshToken
	families   map[string]*family // by origin_jti

	events        []TriggerEvent
	contexts      []RequestContext
	triggerErrors map[string]string
}

// New makes a pool. The two keys sign ID and access tokens.
func New(c Config, clk *clock.Clock, id, access *jwt.Key) (*Pool, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	seal, err := newSeal()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		config: c, clock: clk, id: id, access: access, seal: seal,
		clients: map[string]*Client{}, users: map[string]*user{}, usedBlocks: map[string]time.Time{},
		sessions: map[digest]*challengeSession{}, refresh: map[digest]*refreshToken{}, families: map[string]*family{},
		triggerErrors: map[string]string{},
	}
	maps.Copy(p.triggerErrors, c.Triggers)
	for i := range c.Clients {
		p.clients[c.Clients[i].ID] = &c.Clients[i]
	}
	for _, u := range c.Users {
		if err := p.addUser(u); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Operations are the operations by name.
func (p *Pool) Operations() map[string]wire.Operation {
	return map[string]wire.Operation{
		"InitiateAuth":              wire.Decoded(p.initiateAuth),
		"RespondToAuthChallenge":    wire.Decoded(p.respondToAuthChallenge),
		"GetTokensFromRefreshToken": wire.Decoded(p.getTokensFromRefreshToken),
		"RevokeToken":               wire.Decoded(p.revokeToken),
		"GlobalSignOut":             wire.Decoded(p.globalSignOut),
		"GetUser":                   wire.Decoded(p.getUser),
		"AssociateSoftwareToken":    wire.Decoded(p.associateSoftwareToken),
		"VerifySoftwareToken":       wire.Decoded(p.verifySoftwareToken),
		"SignUp":                    wire.Decoded(p.signUp),
		"ConfirmSignUp":             wire.Decoded(p.confirmSignUp),
		"ResendConfirmationCode":    wire.Decoded(p.resendConfirmationCode),
		"ForgotPassword":            wire.Decoded(p.forgotPassword),
		"ConfirmForgotPassword":     wire.Decoded(p.confirmForgotPassword),
		"ChangePassword":            wire.Decoded(p.changePassword),
		"SetUserMFAPreference":      wire.Decoded(p.setUserMFAPreference),
		"GetUserAuthFactors":        wire.Decoded(p.getUserAuthFactors),
		"ConfirmDevice":             wire.Decoded(p.confirmDevice),
		"UpdateDeviceStatus":        wire.Decoded(p.updateDeviceStatus),
		"GetDevice":                 wire.Decoded(p.getDevice),
		"ListDevices":               wire.Decoded(p.listDevices),
		"ForgetDevice":              wire.Decoded(p.forgetDevice),
	}
}

// SignedOperations are those that only an administrator may call. Whoever serves them checks that.
func (p *Pool) SignedOperations() map[string]wire.Operation {
	return map[string]wire.Operation{"AdminInitiateAuth": wire.Decoded(p.adminInitiateAuth)}
}

// ID is the pool's id.
func (p *Pool) ID() string { return p.config.ID }

// Region is the pool's region.
func (p *Pool) Region() string { return p.config.Region }

// ClientIDs are the ids of the app clients, in the order of the configuration.
func (p *Pool) ClientIDs() []string {
	var ids []string
	for _, c := range p.config.Clients {
		ids = append(ids, c.ID)
	}
	return ids
}

// Issuer is the iss of this pool's tokens.
func (p *Pool) Issuer(endpoint string) string {
	host := "cognito-idp." + p.config.Region + ".amazonaws.com/" + p.config.ID
	switch p.config.Issuer {
	case issuerOriginal:
		return "https://" + host
	case issuerUpdated:
		return "https://issuer-" + host
	default:
		return endpoint + "/" + p.config.ID
	}
}

// JWKS is the document at <issuer>/.well-known/jwks.json.
func (p *Pool) JWKS() any {
	return map[string]any{"keys": []any{p.id.JWK(), p.access.JWK()}}
}

// Discovery is the document at <issuer>/.well-known/openid-configuration.
func (p *Pool) Discovery(endpoint string) any {
	issuer := p.Issuer(endpoint)
	return map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/.well-known/jwks.json",
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code", "token"},
		"scopes_supported":                      []string{"openid", "email", "phone", "profile"},
		"subject_types_supported":               []string{"public"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	}
}

// client finds an app client.
func (p *Pool) client(id string) (*Client, error) {
	if id == "" {
		return nil, wire.Errorf("InvalidParameterException", "1 validation error detected: Value at 'clientId' failed to satisfy constraint: Member must not be null")
	}
	p.mu.Lock()
	c, ok := p.clients[id]
	p.mu.Unlock()
	if !ok {
		return nil, wire.Errorf("ResourceNotFoundException", "User pool client %s does not exist.", id)
	}
	return c, nil
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// snapshot copies attributes, for use after the lock is let go.
func snapshot(m map[string]string) map[string]string { return maps.Clone(m) }

func errNotAuthorized(message string) error {
	return wire.Errorf("NotAuthorizedException", "%s", message)
}

func errInvalidParameter(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

// errWrongPassword is the one sentence for every failed proof, so that nobody learns which part was wrong.
func errWrongPassword() error { return errNotAuthorized("Incorrect username or password.") }
