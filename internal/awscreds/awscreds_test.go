package awscreds_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// world is a sandbox, one state folder, and one clock that the sandbox follows.
type world struct {
	t       *testing.T
	sandbox *sandbox.Server
	folder  string
	profile profiles.Profile
	mu      sync.Mutex
	shift   time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := sandbox.New(sandbox.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ready := s.Ready()
	w := &world{t: t, sandbox: s, folder: t.TempDir(), profile: profiles.Profile{
		Name: "dev", UserPoolID: ready.UserPoolID, ClientID: ready.ClientID, SignInRegion: ready.Region, Username: "bob",
		IdentityPoolID: ready.IdentityPoolID, IdentityFlow: "enhanced", EndpointURL: ready.Endpoint, IdentityEndpointURL: ready.Endpoint,
	}}
	if _, err := w.source().Login(t.Context(), w.target(), tokensource.LoginOptions{Answers: password{}}); err != nil {
		t.Fatal(err)
	}
	s.ResetRequests()
	return w
}

// password answers for bob.
type password struct{}

func (password) Answer(context.Context, challenge.Question) (token.Secret, error) {
	return token.NewSecret(sandbox.DefaultConfig().UserPool.Users[1].Password), nil
}

func (w *world) now() token.Instant {
	w.mu.Lock()
	defer w.mu.Unlock()
	return token.Instant{Wall: time.Now().UTC().Round(0).Add(w.shift)}
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.shift += d
	w.mu.Unlock()
	w.sandbox.AdvanceWithDate(d)
}

func (w *world) target() tokensource.Target {
	return tokensource.Target{Profile: w.profile, Selection: profiles.Selection{Name: "dev", Named: true}}
}

func (w *world) source() *tokensource.Source {
	slots := keyslot.Open(w.folder)
	return tokensource.New(tokensource.Options{
		Cache: tokencache.Open(w.folder, slots), Slots: slots, Now: w.now,
		Client: func(t tokensource.Target) (tokensource.Client, error) {
			p := t.Profile
			return cognito.New(cognito.Options{Region: p.SignInRegion, UserPoolID: p.UserPoolID, ClientID: p.ClientID, Endpoint: p.EndpointURL, Now: w.now})
		},
	})
}

// retrieve is one process's call.
func (w *world) retrieve() (token.AWSCredentials, error) {
	web := transport.New("")
	defer web.CloseIdleConnections()
	p := awscreds.New(awscreds.Options{Source: w.source(), Now: w.now, HTTP: func(profiles.Profile) awscreds.HTTPClient { return web }})
	return p.Retrieve(w.t.Context(), w.target(), tokensource.Want{Use: token.UseID, RenewFirst: true})
}

func (w *world) must() token.AWSCredentials {
	w.t.Helper()
	got, err := w.retrieve()
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) requests(operation string, want int) {
	w.t.Helper()
	if got := w.sandbox.Requests()[operation]; got != want {
		w.t.Errorf("%d requests of %s, want %d", got, operation, want)
	}
}

func TestOneExchangeForManyCallers(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	got := make([]token.AWSCredentials, 20)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = w.retrieve(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, c := range got {
		if c.AccessKeyID == "" || c.AccessKeyID != got[0].AccessKeyID || c.SecretAccessKey.Empty() {
			t.Errorf("answers differ: %+v", c)
		}
	}
	w.requests("GetId", 1)
	w.requests("GetCredentialsForIdentity", 1)
	w.requests("GetTokensFromRefreshToken", 0)
}

// Near their end credentials are renewed before they are handed out; the ID token below them first, and the identity is
// kept.
func TestRenewal(t *testing.T) {
	w := newWorld(t)
	first := w.must()
	w.pass(30 * time.Minute)
	if c := w.must(); c.AccessKeyID != first.AccessKeyID {
		t.Error("good credentials were not kept")
	}
	w.pass(29 * time.Minute)
	second := w.must()
	if second.AccessKeyID == first.AccessKeyID {
		t.Error("credentials with a minute left were handed out")
	}
	w.requests("GetTokensFromRefreshToken", 1)
	w.requests("GetCredentialsForIdentity", 2)
	w.requests("GetId", 1)
	if left := second.Lifetime.Left(w.now()); left < 59*time.Minute || left > time.Hour {
		t.Errorf("the new ones live %s", left)
	}
}

// echoed stands for an ID token that the server repeats.
var echoed = strings.Repeat("eyJhbGciOiJSUzI1NiJ9.", 20)

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault sandbox.Fault
		kind  token.Kind
		words string
	}{
		{"refused provider", sandbox.Fault{Kind: "error", Code: "NotAuthorizedException", Message: "Token is not from a supported provider of this identity pool."}, token.BadProfile, "does not take this user pool's tokens"},
		{"refused", sandbox.Fault{Kind: "error", Code: "NotAuthorizedException", Message: "Access to Identity is forbidden."}, token.Refused, "gave no credentials"},
		{"no such pool", sandbox.Fault{Kind: "error", Code: "ResourceNotFoundException", Message: "IdentityPool 'x' not found."}, token.BadProfile, "does not exist"},
		{"hostile text", sandbox.Fault{Kind: "error", Code: "InvalidParameterException", Message: "a\x1b]0;x\x07b"}, token.BadProfile, "refused the request"},
		{"repeated token", sandbox.Fault{Kind: "error", Code: "InvalidParameterException", Message: "Value '{cognito-idp=" + echoed + "}' at 'logins' is not valid"}, token.BadProfile, "refused the request (Value '{[redacted]}' at 'logins'"},
		{"down", sandbox.Fault{Kind: "html-502"}, token.Unavailable, "identity pool"},
		{"throttled", sandbox.Fault{Kind: "throttle"}, token.Unavailable, "busy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.fault.Operation, c.fault.Count = "GetId", -1
			if err := w.sandbox.SetFault(c.fault); err != nil {
				t.Fatal(err)
			}
			_, err := w.retrieve()
			if token.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.words) || strings.ContainsAny(err.Error(), "\x1b\x07") || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("got %q (kind %d), want kind %d with %q", err, token.KindOf(err), c.kind, c.words)
			}
			w.sandbox.ClearFaults()
			if c.kind == token.BadProfile { // mended: asked again at once
				w.must()
			}
		})
	}
}

// While the identity pool is down, credentials that still live are handed out.
func TestStillValidBeatsFresh(t *testing.T) {
	w := newWorld(t)
	first := w.must()
	w.pass(50 * time.Minute)
	if err := w.sandbox.SetFault(sandbox.Fault{Operation: "*", Kind: "html-502", Count: -1}); err != nil {
		t.Fatal(err)
	}
	if c := w.must(); c.AccessKeyID != first.AccessKeyID {
		t.Error("not the credentials that still live")
	}
}

func TestNoWayToAWS(t *testing.T) {
	w := newWorld(t)
	w.profile.IdentityPoolID, w.profile.IdentityFlow = "", ""
	_, err := w.retrieve()
	var e *token.Error
	if !errors.As(err, &e) || e.Kind != token.BadProfile || !strings.Contains(e.Hint(), "cognito-credhelper configure --profile dev --identity-pool-id") {
		t.Errorf("got %v, hint %q", err, e.Hint())
	}
	w.requests("*", 0)
}

// The key of a record changes with everything that decides what the credentials are, and with nothing else.
func TestRecordKey(t *testing.T) {
	base := profiles.Profile{IdentityFlow: "enhanced", IdentityPoolID: "eu-central-1:a"}
	same := base
	same.Name, same.MinTTL, same.Region = "other", time.Hour, "us-east-1"
	if awscreds.RecordKey(base) != awscreds.RecordKey(same) {
		t.Error("profiles that agree do not share their credentials")
	}
	seen := map[string]bool{awscreds.RecordKey(base): true}
	for _, change := range []func(*profiles.Profile){
		func(p *profiles.Profile) { p.IdentityPoolID = "eu-central-1:b" },
		func(p *profiles.Profile) { p.RoleARN = "arn:aws:iam::1:role/x" },
		func(p *profiles.Profile) { p.LoginsKey = "x" },
		func(p *profiles.Profile) { p.AccountID = "1" },
		func(p *profiles.Profile) { p.IdentityEndpointURL = "https://x" },
	} {
		p := base
		change(&p)
		if key := awscreds.RecordKey(p); seen[key] {
			t.Errorf("two ways share the key %s", key)
		} else {
			seen[key] = true
		}
	}
}
