// Package cognito is the user-pool client: sign-in flows, challenges, refresh, revocation. It is the only importer of the
// SDK's user-pool service.
//
// It guarantees that a sign-in is a bounded loop over challenges, that requests are unsigned and never look for AWS
// credentials, that a refresh is sent exactly once, and that errors carry a kind, a class, and no secret. It keeps
// nothing on disk.
package cognito

import (
	"context"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
)

const (
	callTimeout = 20 * time.Second // a whole operation, retries and answer included
	maxAttempts = 3                // of InitiateAuth; every other operation is sent once
	maxBackoff  = 2 * time.Second
)

// Options describes one app client.
type Options struct {
	Region           string
	UserPoolID       string
	ClientID         string
	ClientSecret     token.Secret
	ClientSecretNext token.Secret // tried once when Cognito does not accept ClientSecret
	Endpoint         string       // override, canonical; "" for AWS's own
	UseFIPS          *bool        // nil: on for us-gov-*, else off; does not count with an Endpoint
	UseDualStack     *bool        // nil: off; does not count with an Endpoint
	CABundle         string       // PEM file; "" for the system's bundle
	Profile          string       // for hints only
	Login            string       // the command that signs in, for hints; "": made of Profile
	Raw              bool         // only raw operations follow: the user pool need not be known
	Now              func() token.Instant
	// Observe is told about every call when it has ended; nil drops it. It must not block.
	Observe func(Call)
}

// Call is one call of the service, without parameters or tokens.
type Call struct {
	At        time.Time
	Operation string
	Region    string
	Status    int // HTTP; 0 without an answer
	Code      string
	RequestID string
	Took      time.Duration
}

// Device is a machine that Cognito remembers for a user.
type Device struct {
	Key, GroupKey string
	Password      token.Secret
	// Refused says that the user was asked and did not have it remembered: its refresh tokens need it, and it stands for no
	// second factor.
	Refused bool
}

// Client talks to one app client. Safe for concurrent use.
type Client struct {
	o       Options
	api     *cip.Client
	wire    *wire
	second  atomic.Bool          // ClientSecretNext goes first: Cognito refused the other one
	backoff retry.BackoffDelayer // between attempts of InitiateAuth
	skew    atomic.Int64         // nanoseconds by which the service's clock was ahead of ours in its last answer
}

// New checks the options and builds a client; it opens no connection and reads no file. Errors are of kind
// token.BadProfile.
func New(o Options) (*Client, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = func() token.Instant { return token.Instant{Wall: time.Now().UTC().Round(0)} }
	}
	c := &Client{o: o, wire: &wire{transport.New(o.CABundle)}, backoff: retry.NewExponentialJitterBackoff(maxBackoff)}
	c.api = cip.New(c.sdkOptions())
	return c, nil
}

// sdkOptions makes the SDK's client unsigned, single-shot, and free of everything that it would otherwise look up in files,
// the environment, or the metadata service.
func (c *Client) sdkOptions() cip.Options {
	s := cip.Options{
		Region:      c.o.Region,
		Credentials: aws.AnonymousCredentials{},
		HTTPClient:  c.wire,
		Retryer:     aws.NopRetryer{},
	}
	if c.o.Endpoint != "" {
		s.BaseEndpoint = aws.String(c.o.Endpoint)
		return s // the resolver refuses FIPS or dual stack together with an endpoint
	}
	if fips := c.o.UseFIPS; fips != nil && *fips || fips == nil && strings.HasPrefix(c.o.Region, "us-gov-") {
		// AWS GovCloud (US) has Cognito on FIPS endpoints only; the SDK does not switch by itself.
		s.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if dual := c.o.UseDualStack; dual != nil && *dual {
		s.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return s
}

// retried lets InitiateAuth, which nothing depends on yet, survive a short outage while a person waits.
func (c *Client) retried(o *cip.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = maxAttempts
		s.Backoff = c.backoff
		s.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(retryable)}
	})
}

// call runs one operation within the time limit and turns its error into ours. do gets a context whose exchange the wire
// fills in. secrets are what the request carried and no error may repeat.
func (c *Client) call(ctx context.Context, operation string, secrets []token.Secret, do func(context.Context) error) (*exchange, error) {
	x := &exchange{}
	began := c.o.Now()
	start := time.Now()
	within, cancel := context.WithTimeout(withExchange(ctx, x), callTimeout)
	defer cancel()
	err := do(within)
	if err != nil || !x.json {
		err = c.failure(ctx, operation, err, x, append(secrets, c.o.ClientSecret, c.o.ClientSecretNext))
	}
	if !x.date.IsZero() {
		c.skew.Store(int64(x.date.Sub(c.o.Now().Wall)))
	}
	c.observe(operation, began, time.Since(start), x, err)
	return x, err
}

// ServiceTime is the time by the service's clock, which holds signatures against it; ours where the two agree.
func (c *Client) ServiceTime() time.Time {
	now, skew := c.o.Now().Wall, time.Duration(c.skew.Load())
	if skew.Abs() <= token.MaxSkew {
		return now
	}
	return now.Add(skew)
}

// observe tells about a call that has ended.
func (c *Client) observe(operation string, began token.Instant, took time.Duration, x *exchange, err error) {
	if c.o.Observe == nil {
		return
	}
	c.o.Observe(Call{
		At: began.Wall, Operation: operation, Region: c.o.Region, Status: x.status, Code: answered(err).Code,
		RequestID: safetext.Line(x.requestID, 80), Took: took,
	})
}

func check(o Options) error {
	bad := func(message, key string) error {
		return &token.Error{Kind: token.BadProfile, Message: message, Next: "check " + key + in(o.Profile)}
	}
	switch {
	case !label(o.Region, "-"):
		return bad("the region "+quoted(o.Region)+" of the user pool is not a region's name", "cognito_region")
	case !(o.Raw && o.UserPoolID == "") && !poolID(o.UserPoolID):
		return bad("the user pool id "+quoted(o.UserPoolID)+" is not of the form REGION_NAME", "cognito_user_pool_id")
	case !label(o.ClientID, "+_-"):
		return bad("the app client id "+quoted(o.ClientID)+" is not an app client's id", "cognito_client_id")
	case o.Endpoint != "" && !endpoint(o.Endpoint):
		return bad("the endpoint "+quoted(o.Endpoint)+" is neither https nor a literal loopback address", "cognito_endpoint_url")
	}
	return nil
}

func quoted(s string) string { return `"` + safetext.Line(s, 80) + `"` }

func poolID(s string) bool {
	region, name, found := strings.Cut(s, "_")
	return found && label(region, "-") && label(name, "_")
}

// label reports whether s is of ASCII letters, digits, and the extra characters, and no longer than an identifier of
// Cognito's can be: the region becomes part of a host name, the others go into addresses and sentences.
func label(s, extra string) bool {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune(extra, r) {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// endpoint reports whether tokens may go there: by TLS, or not beyond this computer.
func endpoint(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}
