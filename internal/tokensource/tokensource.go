// Package tokensource holds the one decision: what is kept and good, else renewed under the session's lock, else a person
// must sign in. It also signs in and out.
//
// It guarantees one renewal per expiry whatever the number of processes, that a new refresh token is durable before
// anybody sees what came with it, and that only a definite answer of Cognito's ends a session. It never asks a person by
// itself and never prints.
package tokensource

import (
	"context"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Client is what this package needs of Cognito.
type Client interface {
	SignIn(ctx context.Context, s cognito.SignIn, a challenge.Answerer) (cognito.Result, error)
	Refresh(ctx context.Context, refresh token.Secret, deviceKey string) (cognito.Result, error)
	Revoke(ctx context.Context, refresh token.Secret) error
	// SignOutEverywhere ends all sessions of the access token's user.
	SignOutEverywhere(ctx context.Context, access token.Secret) error
	// PreferSecretNext begins with the app client's second secret, where there are two.
	PreferSecretNext()
}

var _ Client = (*cognito.Client)(nil)

// Locks gives the session's lock where it was already taken for this process; ok is false where it was not. It is asked
// once for each acquisition and must be safe for concurrent use.
type Locks func(session string) (tx *tokencache.Tx, ok bool)

// Told gives the answer of a worker that was already started for this process and did this work on the session; ok is false
// where there was none. It gives an answer once and must be safe for concurrent use.
type Told func(session, work string) (reply []byte, ok bool)

// Options builds a Source. Cache, Slots, Client, and Now are required.
type Options struct {
	Cache *tokencache.Cache
	Slots *keyslot.Slots
	// Client builds the client for a target; it is called only when Cognito must be asked.
	Client func(Target) (Client, error)
	Now    func() token.Instant
	PID    int // of this process, for the record of attempts
	// Worker starts the detached process that renews; nil renews in this process.
	Worker Worker
	// Hold keeps signals from ending this process until release is called, for renewals in it; nil where nothing is to be
	// held.
	Hold func() (release func())
	// Inherited is the lock that the front took for us; nil when there is none.
	Inherited Locks
	// Told is what the worker said that the front started for us; nil when there is none.
	Told Told
	// Warn takes one sentence that a person should see; nil drops it.
	Warn func(sentence string)
	// LockWait is the longest that a call waits for another process which has the session's lock; 0 means as long as a
	// renewal may take.
	LockWait time.Duration
	// Began is when this call began, as the front saw it: outcomes recorded later than that are adopted. Zero means now.
	Began time.Time
}

// Source makes the decision. Safe for concurrent use.
type Source struct{ o Options }

// New builds a Source; nothing is read or written.
func New(o Options) *Source { return &Source{o} }

// client builds the client for a session. Which of two client secrets Cognito took is the session's to remember.
func (s *Source) client(t Target, c cold) (Client, error) {
	client, err := s.o.Client(t)
	if err == nil && c.SecretNext {
		client.PreferSecretNext()
	}
	return client, err
}

// Target is a session to work on: a profile, how it was selected, and another user's name where --username gave one.
type Target struct {
	Profile   profiles.Profile
	Selection profiles.Selection
	Username  string
}

// Identity is the session's identity. A name that --username gives to a profile that names nobody only answers a
// question, so that tools find the session without it.
func (t Target) Identity() tokencache.Identity {
	i := tokencache.Identity{
		Endpoint:   t.Profile.EndpointURL,
		Region:     t.Profile.SignInRegion,
		UserPoolID: t.Profile.UserPoolID,
		ClientID:   t.Profile.ClientID,
		Username:   t.Profile.Username,
	}
	if t.ownSession() {
		i.Username = t.Username
	}
	return i
}

// ownSession reports whether --username selects a session other than the profile's.
func (t Target) ownSession() bool {
	return t.Username != "" && t.Profile.Username != "" && t.Username != t.Profile.Username
}

// loginName is the name to sign in with; "" when a person must be asked.
func (t Target) loginName() string {
	if t.Username != "" {
		return t.Username
	}
	return t.Profile.Username
}

// Want says what is good enough.
type Want struct {
	Use        token.Use     // for tokens
	MinTTL     time.Duration // 0: the profile's or the default
	RenewFirst bool          // see protocol.Request
}

// Token returns a token that is good enough, renewing it where it must. Errors carry a token.Kind.
func (s *Source) Token(ctx context.Context, t Target, w Want) (token.Token, error) {
	kept, err := s.Acquire(ctx, t, tokens{w.Use}, w)
	if err != nil {
		return token.Token{}, err
	}
	return kept.Hot.Tokens.Get(w.Use), nil
}

// tokens is the goal of having the session's own tokens.
type tokens struct{ use token.Use }

func (g tokens) Work() string            { return workRefresh }
func (g tokens) Fallback() time.Duration { return token.DefaultTokenTTL }
func (g tokens) Find(s *tokencache.Session) (token.Lifetime, bool) {
	t := s.Hot.Tokens.Get(g.use)
	return t.Lifetime, !t.Value.Empty()
}

func (g tokens) Renew(ctx context.Context, r *Renewal) error { return r.Refresh(ctx) }
