package awscreds_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds/registries"
	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/sts"
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

func newWorld(t *testing.T, change ...func(*sandbox.Config)) *world {
	t.Helper()
	config := sandbox.DefaultConfig()
	for _, c := range change {
		c(&config)
	}
	s, err := sandbox.New(config)
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
		IdentityPoolID: ready.IdentityPoolID, IdentityFlow: "enhanced", EndpointURL: ready.Endpoint, IdentityEndpointURL: ready.Endpoint, STSEndpointURL: ready.Endpoint,
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
	p := awscreds.New(awscreds.Options{Source: w.source(), Now: w.now, Ask: registries.All(), HTTP: func(profiles.Profile) awscreds.HTTPClient { return web }})
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

// way is a way to AWS other than the enhanced flow.
func (w *world) way(flow, role string) {
	w.profile.IdentityFlow, w.profile.RoleARN = flow, role
	if flow == "web-identity" {
		w.profile.IdentityPoolID = ""
	}
}

const role, longRole, shutRole = "arn:aws:iam::123456789012:role/SandboxAuthenticated", "arn:aws:iam::123456789012:role/Long", "arn:aws:iam::123456789012:role/Shut"

// roles are the default role, one for two hours, and one that trusts nobody.
func roles(c *sandbox.Config) {
	c.Roles = append(c.Roles, sts.Role{ARN: longRole, MaxSeconds: 7200}, sts.Role{ARN: shutRole, Audiences: []string{}})
}

func TestBasicFlow(t *testing.T) {
	w := newWorld(t, roles)
	w.way("basic", longRole)
	w.profile.SessionDuration = 2 * time.Hour
	c := w.must()
	if total := c.Lifetime.Total(); total < 2*time.Hour-time.Minute || total > 2*time.Hour || c.AccountID != "123456789012" {
		t.Errorf("life %s, account %s", total, c.AccountID)
	}
	w.must()
	w.requests("GetId", 1)
	w.requests("GetOpenIdToken", 1)
	w.requests("AssumeRoleWithWebIdentity", 1)
	w.requests("GetCredentialsForIdentity", 0)
	w.pass(110 * time.Minute)
	w.must()
	w.requests("GetTokensFromRefreshToken", 1) // the ID token below had ended
	w.requests("GetId", 1)
	w.requests("AssumeRoleWithWebIdentity", 2)
}

// STS alone, with tokens of each issuer form.
func TestWebIdentity(t *testing.T) {
	for _, issuer := range []string{"", "ORIGINAL", "UPDATED"} {
		w := newWorld(t, func(c *sandbox.Config) { c.UserPool.Issuer = issuer })
		w.way("web-identity", role)
		w.profile.SessionDuration = 15 * time.Minute
		if total := w.must().Lifetime.Total(); total < 14*time.Minute || total > 15*time.Minute {
			t.Errorf("%s: life %s", issuer, total)
		}
		w.requests("AssumeRoleWithWebIdentity", 1)
		w.requests("GetId", 0)
		w.way("enhanced", "")
		w.profile.IdentityPoolID = w.sandbox.Ready().IdentityPoolID
		w.must() // the Logins key is the same for both issuers
	}
}

// The enhanced flow gives a role that the token lists, and says which one it does not.
func TestCustomRole(t *testing.T) {
	w := newWorld(t, roles, func(c *sandbox.Config) { c.UserPool.Users[1].Roles = []string{longRole} })
	own := w.must()
	w.profile.RoleARN = longRole
	c := w.must()
	if c.AccessKeyID == own.AccessKeyID || c.AccountID != "123456789012" {
		t.Errorf("%+v", c)
	}
	w.profile.RoleARN = shutRole
	_, err := w.retrieve()
	if token.KindOf(err) != token.Refused || !strings.Contains(err.Error(), "does not let this user take "+shutRole) {
		t.Errorf("got %v", err)
	}
}

func TestSTSFailures(t *testing.T) {
	refuse := func(code, message string) sandbox.Fault {
		return sandbox.Fault{Kind: "error", Code: code, Message: message}
	}
	for _, c := range []struct {
		name, flow, role string
		duration         time.Duration
		fault            sandbox.Fault
		kind             token.Kind
		words, hint      string
	}{
		{"role that trusts nobody", "web-identity", shutRole, 0, sandbox.Fault{}, token.Refused, "STS does not let this user take " + shutRole + " (Not authorized to perform sts:AssumeRoleWithWebIdentity)", "let that role trust app client 1example"},
		{"the same behind an identity pool", "basic", shutRole, 0, sandbox.Fault{}, token.Refused, "STS does not let this user take " + shutRole, "let that role trust identity pool eu-central-1:"},
		{"longer than the role lasts", "web-identity", role, 2 * time.Hour, sandbox.Fault{}, token.BadProfile, "does not give this role for 2h", "cognito_session_duration"},
		{"unknown provider", "web-identity", role, 0, refuse("InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://x"), token.BadProfile, "does not take this user pool's tokens", "with audience 1example"},
		{"region", "web-identity", role, 0, refuse("RegionDisabledException", "STS is not activated in this region"), token.BadProfile, "not active in this region", "set region"},
		{"claims", "web-identity", role, 0, refuse("IDPRejectedClaim", "no"), token.Refused, "rejected what the token says", "administrator"},
		{"throttled", "web-identity", role, 0, refuse("Throttling", "Rate exceeded"), token.Unavailable, "STS is busy", "try again"},
		{"down", "web-identity", role, 0, sandbox.Fault{Kind: "html-502"}, token.Unavailable, "STS has a fault (HTTP 502)", "try again"},
		{"gone", "web-identity", role, 0, sandbox.Fault{Kind: "drop-before"}, token.Unavailable, "STS cannot be reached", "check the network"},
		{"repeated token", "web-identity", role, 0, refuse("ValidationError", "Value '"+echoed+"' at 'webIdentityToken' is wrong"), token.BadProfile, "STS refused the request (Value '[redacted]'", "cognito_role_arn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, roles)
			w.way(c.flow, c.role)
			w.profile.SessionDuration = c.duration
			if c.fault.Kind != "" {
				c.fault.Operation, c.fault.Count = "AssumeRoleWithWebIdentity", -1
				if err := w.sandbox.SetFault(c.fault); err != nil {
					t.Fatal(err)
				}
			}
			_, err := w.retrieve()
			var e *token.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Message, c.words) || !strings.Contains(e.Hint(), c.hint) || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("got %q with hint %q, kind %d; want %q with %q, kind %d", err, e.Hint(), e.Kind, c.words, c.hint, c.kind)
			}
		})
	}
}

func TestBasicFlowSwitchedOff(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) { c.IdentityPool.ClassicFlow = false })
	w.way("basic", role)
	_, err := w.retrieve()
	if token.KindOf(err) != token.BadProfile || !strings.Contains(err.Error(), "does not allow the basic flow") {
		t.Errorf("got %v", err)
	}
}

// A token that has ended by the service's clock only is renewed once; where a new one has ended too, the clocks are compared.
func TestTokenExpiredForTheService(t *testing.T) {
	for _, flow := range []string{"enhanced", "basic", "web-identity"} {
		w := newWorld(t)
		w.way(flow, role)
		if flow == "enhanced" {
			w.profile.RoleARN = ""
		}
		w.sandbox.Advance(2 * time.Hour) // nobody told us
		w.must()
		w.requests("GetTokensFromRefreshToken", 1)
	}
	w := newWorld(t)
	w.way("web-identity", role)
	w.mu.Lock()
	w.shift = -2 * time.Hour // this machine's clock was set back
	w.mu.Unlock()
	if err := w.sandbox.SetFault(sandbox.Fault{Operation: "AssumeRoleWithWebIdentity", Count: -1, Kind: "error", Code: "ExpiredTokenException", Message: "Token expired: 2 >= 1"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.retrieve()
	var e *token.Error
	if !errors.As(err, &e) || e.Kind != token.Unavailable || e.Message != "STS says that the token has expired (Token expired: 2 >= 1)" || e.Next != "set this machine's clock, which is 2h behind, then try again" {
		t.Errorf("got %v, hint %q", err, e.Hint())
	}
	w.requests("GetTokensFromRefreshToken", 1)
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
		{"untrusted role", sandbox.Fault{Kind: "error", Code: "InvalidIdentityPoolConfigurationException", Message: "Check assigned IAM roles for this pool."}, token.BadProfile, "role does not let it in"},
		{"refused", sandbox.Fault{Kind: "error", Code: "NotAuthorizedException", Message: "Access to Identity is forbidden."}, token.Refused, "gave no credentials"},
		{"no such pool", sandbox.Fault{Kind: "error", Code: "ResourceNotFoundException", Message: "IdentityPool 'x' not found."}, token.BadProfile, "does not exist"},
		{"hostile text", sandbox.Fault{Kind: "error", Code: "InvalidParameterException", Message: "a\x1b]0;x\x07b"}, token.BadProfile, "refused the request"},
		{"repeated token", sandbox.Fault{Kind: "error", Code: "InvalidParameterException", Message: "Value '{cognito-idp=" + echoed + "}' at 'logins' is not valid"}, token.BadProfile, "refused the request (Value '{[redacted]}' at 'logins'"},
		{"down", sandbox.Fault{Kind: "html-502"}, token.Unavailable, "identity pool"},
		{"throttled", sandbox.Fault{Kind: "throttle"}, token.Unavailable, "busy"},
		{"unknown code", sandbox.Fault{Kind: "error", Code: "NewException", Message: "something new"}, token.Unavailable, "refused GetId (NewException: something new)"},
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
			if c.kind == token.BadProfile { // mended: asked again soon
				w.pass(10 * time.Second)
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
		func(p *profiles.Profile) { p.IdentityFlow = "basic" },
		func(p *profiles.Profile) { p.RoleSessionName = "ci" },
		func(p *profiles.Profile) { p.SessionDuration = time.Hour },
		func(p *profiles.Profile) { p.STSEndpointURL = "https://x" },
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

// derive is one process's call for a bound host.
func (w *world) derive(kind, user, at string) (awscreds.Derived, error) {
	w.t.Helper()
	web := transport.New("")
	defer web.CloseIdleConnections()
	p := awscreds.New(awscreds.Options{Source: w.source(), Now: w.now, Ask: registries.All(), HTTP: func(profiles.Profile) awscreds.HTTPClient { return web }})
	h, err := profiles.ParseHost(at)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Derive(w.t.Context(), w.target(), profiles.Binding{Host: h.Name, Kind: kind, User: user}, h, tokensource.Want{})
}

// What a service gives is asked for once and kept; the services check the signature.
func TestDerived(t *testing.T) {
	const registry, artifacts = "123456789012.dkr.ecr.eu-central-1.amazonaws.com", "my-domain-123456789012.d.codeartifact.eu-central-1.amazonaws.com"
	w := newWorld(t)
	w.profile.Services = map[string]string{"ecr": w.profile.EndpointURL, "codeartifact": w.profile.EndpointURL}
	for _, c := range []struct {
		kind, at, name string
		life           time.Duration
	}{
		{"ecr", registry, "AWS", 12 * time.Hour},
		{"codeartifact", artifacts + "/pypi/x/simple/", "aws", time.Hour},
	} {
		w.sandbox.ResetRequests()
		one, err := w.derive(c.kind, "", c.at)
		if err != nil {
			t.Fatal(err)
		}
		if total := one.Lifetime.Total(); one.Username != c.name || one.Secret.Empty() || total > c.life || total < c.life-time.Minute {
			t.Errorf("%s: %s, life %s", c.kind, one.Username, total)
		}
		if again, err := w.derive(c.kind, "", c.at); err != nil || !again.Secret.Equal(one.Secret) {
			t.Errorf("%s: not kept: %v", c.kind, err)
		}
		w.requests("GetAuthorizationToken", 1)
	}
	w.requests("GetCredentialsForIdentity", 0) // the first one's were good for the second, too
	st, err := w.source().Status(w.target())
	if err != nil || len(st.AWS) != 1 {
		t.Errorf("status lists %v (%v)", st.AWS, err)
	}
	w.sandbox.ResetRequests()
	w.pass(13 * time.Hour)
	if _, err := w.derive("ecr", "", registry); err != nil {
		t.Error(err)
	}
	w.requests("GetTokensFromRefreshToken", 1)
	w.requests("GetCredentialsForIdentity", 1)
	w.requests("GetAuthorizationToken", 2) // the SDK signs by a clock that is 13 hours off now, learns of it, and asks again
}

func TestDerivedFailures(t *testing.T) {
	const registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
	for _, c := range []struct {
		name, kind, at string
		fault          sandbox.Fault
		kindOf         token.Kind
		words          string
	}{
		{"not allowed", "ecr", registry, sandbox.Fault{Kind: "error", Status: 400, Code: "AccessDeniedException", Message: "User: x is not authorized"}, token.Refused, "ecr does not let the profile's role have a token (User: x is not authorized)"},
		{"down", "ecr", registry, sandbox.Fault{Kind: "html-502"}, token.Unavailable, "ecr has a fault (HTTP 502)"},
		{"clock", "ecr", registry, sandbox.Fault{Kind: "error", Status: 403, Code: "InvalidSignatureException", Message: "Signature expired"}, token.Unavailable, "ecr says that the token has expired (Signature expired)"},
		{"no such domain", "codeartifact", "d-123456789012.d.codeartifact.eu-central-1.amazonaws.com", sandbox.Fault{Kind: "error", Status: 404, Code: "ResourceNotFoundException", Message: "Domain not found."}, token.BadProfile, "codeartifact knows nothing of d-123456789012"},
		{"no domain in the name", "codeartifact", "packages.example.com", sandbox.Fault{Kind: "slow"}, token.BadProfile, "does not begin with a domain"},
		{"no path", "codecommit", "git-codecommit.eu-central-1.amazonaws.com", sandbox.Fault{Kind: "slow"}, token.BadProfile, "which repository"},
		{"no cluster", "eks", "x.gr7.eu-central-1.eks.amazonaws.com", sandbox.Fault{Kind: "slow"}, token.BadProfile, "which cluster"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.profile.Services = map[string]string{"ecr": w.profile.EndpointURL, "codeartifact": w.profile.EndpointURL}
			c.fault.Operation, c.fault.Count = "GetAuthorizationToken", -1
			if err := w.sandbox.SetFault(c.fault); err != nil {
				t.Fatal(err)
			}
			_, err := w.derive(c.kind, "", c.at)
			if token.KindOf(err) != c.kindOf || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v (kind %d), want %q", err, token.KindOf(err), c.words)
			}
		})
	}
}

// A presigned question to STS, which answers it for the cluster that was signed and for no other.
func TestEKS(t *testing.T) {
	w := newWorld(t)
	got, err := w.derive("eks", "blue", "0123456789.gr7.eu-central-1.eks.amazonaws.com")
	if err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(got.Secret.Reveal(), "k8s-aws-v1.")
	link, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || got.Lifetime.Total() != 14*time.Minute {
		t.Fatalf("%v, life %s", err, got.Lifetime.Total())
	}
	for cluster, want := range map[string]int{"blue": 200, "green": 403} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", string(link), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("x-k8s-aws-id", cluster)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("cluster %s: %s", cluster, res.Status)
		}
	}
}
