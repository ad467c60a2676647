// Package awscreds turns an ID token into temporary AWS credentials: by an identity pool's enhanced or basic flow, or by STS
// alone (AssumeRoleWithWebIdentity). It and registries, below it, are the only importers of the SDK's services for that.
//
// It guarantees one exchange for however many callers, under the session's lock, and that credentials are kept before they
// are handed out. It never asks a person and never looks for other credentials.
package awscreds

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// HTTPClient carries the requests; *transport.Transport is one.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// Options builds a Provider. Source, HTTP, and Now are required.
type Options struct {
	Source *tokensource.Source
	HTTP   func(profiles.Profile) HTTPClient
	Now    func() token.Instant
	// Region is where STS is asked for profiles without a region; "" means the sign-in's.
	Region string
	// Ask has the services that give tokens for AWS credentials. What is nil in it cannot be derived.
	Ask Registries
}

// Provider gives AWS credentials for a target. Safe for concurrent use.
type Provider struct{ o Options }

// New builds a Provider; nothing is read or sent.
func New(o Options) *Provider { return &Provider{o} }

// Retrieve returns credentials that are good enough, exchanging an ID token where it must. Errors carry a token.Kind.
func (p *Provider) Retrieve(ctx context.Context, t tokensource.Target, w tokensource.Want) (token.AWSCredentials, error) {
	g, err := p.Goal(t.Profile)
	if err != nil {
		return token.AWSCredentials{}, err
	}
	kept, err := p.o.Source.Acquire(ctx, t, g, w)
	if err != nil {
		return token.AWSCredentials{}, err
	}
	c, _ := find(kept, g.record)
	return c.AWS, nil
}

// Goal is the renewal of one profile's AWS credentials, for Retrieve and for the worker.
func (p *Provider) Goal(profile profiles.Profile) (Goal, error) {
	record := RecordKey(profile)
	if record == "" {
		return Goal{}, &token.Error{
			Kind:    token.BadProfile,
			Message: "no identity pool and no role is set, so there are no AWS credentials",
			Next:    "cognito-credhelper configure --profile " + profiles.ShellWord(profile.Name) + " --identity-pool-id REGION:UUID",
		}
	}
	return Goal{p, profile, record}, nil
}

// Goal implements tokensource.Goal.
type Goal struct {
	provider *Provider
	profile  profiles.Profile
	record   string
}

var _ tokensource.Goal = Goal{}

// Work names the exchange in the session's record of attempts.
func (g Goal) Work() string { return "exchange " + g.record }

// Fallback is the least remaining life that SDKs are given by default.
func (g Goal) Fallback() time.Duration { return token.DefaultAWSTTL }

// Find looks the credentials up in the session.
func (g Goal) Find(s *tokencache.Session) (token.Lifetime, bool) {
	c, ok := find(s, g.record)
	return c.AWS.Lifetime, ok
}

func find(s *tokencache.Session, record string) (tokencache.Credentials, bool) {
	for _, c := range s.Hot.Credentials {
		if c.Record == record {
			return c, true
		}
	}
	return tokencache.Credentials{}, false
}

// idTokenLeft is the life that an ID token must still have to be exchanged; with less it is renewed first.
const idTokenLeft = 2 * time.Minute

// Renew exchanges the session's ID token. The refresh that may go before is durable before the exchange begins.
func (g Goal) Renew(ctx context.Context, r *tokensource.Renewal) error {
	before := r.Session().Hot.Tokens.ID.Value
	id, err := r.IDToken(ctx, idTokenLeft)
	if err != nil {
		return err
	}
	err = g.attempt(ctx, r, id)
	var expired expiredToken
	if !errors.As(err, &expired) || !id.Equal(before) {
		return err
	}
	// Expired for the service only: this machine's clock was moved since the token came. A new one lives by the new time.
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	return g.attempt(ctx, r, r.Session().Hot.Tokens.ID.Value)
}

func (g Goal) attempt(ctx context.Context, r *tokensource.Renewal, id token.Secret) error {
	return r.Attempt(ctx, g.Work(), func(ctx context.Context) error {
		aws, err := g.provider.exchange(ctx, g.profile, id, r)
		if err == nil {
			r.Keep(g.record, aws)
		}
		return err
	})
}

// RecordKey is the name under which the credentials of a profile are kept in its session: a hash over everything that
// decides what they are. Where STS is asked is not part of it: its credentials are the same everywhere in a partition. It is "" when the profile leads to no AWS credentials.
func RecordKey(p profiles.Profile) string {
	if p.IdentityFlow == "" {
		return ""
	}
	h := sha256.New()
	for _, field := range []string{
		"1", p.IdentityFlow, p.IdentityPoolID, p.RoleARN, p.RoleSessionName, p.SessionDuration.String(), p.LoginsKey, p.AccountID,
		p.IdentityEndpointURL, p.STSEndpointURL,
	} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		h.Write([]byte(field))
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}
