// Package plugintest has the contract of package plugin as tests, for any implementation, in process or over the wire.
//
// It guarantees that what passes keeps the contract of the interfaces' comments, as far as tests can see it. It never asks
// anybody and needs no network: what an implementation needs, the caller prepares.
package plugintest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Subject is an implementation, and what the suite must know of it.
type Subject struct {
	Provider plugin.Provider
	// Selection names a profile that nobody is signed in to when the suite begins, with a way to AWS credentials.
	Selection plugin.Selection
	// Missing names a profile that does not exist.
	Missing plugin.Selection
	// Bound is a URL of a host that the profile binds; Unbound is one that no profile binds.
	Bound, Unbound string
	// Answer gives the right answer to a question of the login.
	Answer func(t testing.TB, q plugin.Question) string
	// User is who is signed in then.
	User string
	// Expire ends the tokens' life, and Renewals says how often they have been renewed so far; nil leaves out what needs it.
	Expire   func(t testing.TB)
	Renewals func(t testing.TB) int
}

// Run holds the contract over a subject. The session is signed out again at the end.
func Run(t *testing.T, s Subject) {
	c := contract{s}
	t.Run("SignedOut", c.signedOut)
	t.Run("InvalidRequests", c.invalidRequests)
	t.Run("LoginCanceled", c.loginCanceled)
	t.Run("LoginNobodyAnswers", c.loginNobodyAnswers)
	t.Run("LoginCallerGivesUp", c.loginCallerGivesUp)
	if !t.Run("Login", c.login) {
		return // everything below needs the session
	}
	t.Run("LoginIfNeeded", c.loginIfNeeded)
	t.Run("Tokens", c.tokens)
	t.Run("AWSCredentials", c.awsCredentials)
	t.Run("CredentialForHost", c.credentialForHost)
	t.Run("Status", c.status)
	t.Run("Profiles", c.profiles)
	t.Run("Canceled", c.canceled)
	t.Run("ManyCallersOneRenewal", c.manyCallers)
	t.Run("Logout", c.logout)
}

type contract struct{ Subject }

const limit = 30 * time.Second // of any one call of the suite

func (c contract) get(t *testing.T, use plugin.TokenUse) (plugin.GetTokensResponse, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return c.Provider.GetTokens(ctx, plugin.GetTokensRequest{Selection: c.Selection, Use: use})
}

// wants fails unless err has the code, and a sentence.
func wants(t *testing.T, what string, err error, code plugin.Code) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: no error, want code %v", what, code)
	case plugin.CodeOf(err) != code:
		t.Errorf("%s: code %v (%v), want %v", what, plugin.CodeOf(err), err, code)
	case err.Error() == "":
		t.Errorf("%s: an error without a sentence", what)
	}
}

// wantsLogin fails unless err says that a login is needed, and how.
func wantsLogin(t *testing.T, what string, err error) {
	t.Helper()
	wants(t, what, err, plugin.CodeLoginRequired)
	var e *plugin.Error
	if errors.As(err, &e) && !strings.Contains(e.Hint, "login") {
		t.Errorf("%s: the hint %q names no command to sign in", what, e.Hint)
	}
	if !errors.Is(err, plugin.ErrLoginRequired) {
		t.Errorf("%s: errors.Is does not find ErrLoginRequired", what)
	}
}

func (c contract) signedOut(t *testing.T) {
	ctx := t.Context()
	_, err := c.get(t, plugin.UseAccess)
	wantsLogin(t, "GetTokens", err)
	_, err = c.Provider.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{Selection: c.Selection})
	wantsLogin(t, "GetAWSCredentials", err)
	_, err = c.Provider.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{Selection: c.Selection, URL: c.Bound})
	wantsLogin(t, "GetCredentialForHost", err)
	_, err = c.Provider.Login(ctx, plugin.LoginRequest{Selection: c.Selection}, nil)
	wantsLogin(t, "Login without an asker", err)
	_, err = c.Provider.Login(ctx, plugin.LoginRequest{Selection: c.Selection, IfNeeded: true}, nil)
	wantsLogin(t, "Login if needed without an asker", err)
	s, err := c.Provider.Status(ctx, plugin.StatusRequest{Selection: c.Selection})
	if err != nil || s.State != plugin.StateSignedOut || s.User != "" {
		t.Errorf("Status = %+v, %v; want signed out", s, err)
	}
	out, err := c.Provider.Logout(ctx, plugin.LogoutRequest{Selection: c.Selection})
	if err != nil || !out.Nobody {
		t.Errorf("Logout = %+v, %v; want nobody", out, err)
	}
}

func (c contract) invalidRequests(t *testing.T) {
	ctx := t.Context()
	_, err := c.Provider.GetTokens(ctx, plugin.GetTokensRequest{Selection: c.Missing})
	wants(t, "a profile that is missing", err, plugin.CodeBadProfile)
	_, err = c.Provider.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{Selection: c.Selection, URL: c.Unbound})
	wants(t, "a host that is not bound", err, plugin.CodeNotBound)
}

func (c contract) loginCanceled(t *testing.T) {
	_, err := c.Provider.Login(t.Context(), plugin.LoginRequest{Selection: c.Selection}, plugin.AskerFunc(
		func(context.Context, plugin.Question) (plugin.Secret, error) {
			return plugin.Secret{}, &plugin.Error{Code: plugin.CodeCanceled, Message: "the person gave up"}
		}))
	wants(t, "a login that the person canceled", err, plugin.CodeCanceled)
	_, err = c.get(t, plugin.UseAccess)
	wantsLogin(t, "GetTokens after it", err)
}

func (c contract) loginNobodyAnswers(t *testing.T) {
	_, err := c.Provider.Login(t.Context(), plugin.LoginRequest{Selection: c.Selection}, plugin.AskerFunc(
		func(context.Context, plugin.Question) (plugin.Secret, error) {
			return plugin.Secret{}, plugin.ErrNoAnswer
		}))
	if err == nil {
		t.Error("a login without an answer succeeded")
	}
}

func (c contract) loginCallerGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Provider.Login(ctx, plugin.LoginRequest{Selection: c.Selection}, plugin.AskerFunc(
		func(ctx context.Context, _ plugin.Question) (plugin.Secret, error) {
			cancel()
			<-ctx.Done()
			return plugin.Secret{}, ctx.Err()
		}))
	wants(t, "a login whose caller gave up", err, plugin.CodeCanceled)
	_, err = c.get(t, plugin.UseAccess)
	wantsLogin(t, "GetTokens after it", err)
}

func (c contract) login(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var open int
	var mu sync.Mutex
	done, err := c.Provider.Login(ctx, plugin.LoginRequest{Selection: c.Selection}, plugin.AskerFunc(
		func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
			mu.Lock()
			defer mu.Unlock()
			if open++; open != 1 {
				t.Error("two questions at once")
			}
			defer func() { open-- }()
			checkQuestion(t, q)
			return plugin.NewSecret(c.Answer(t, q)), nil
		}))
	if err != nil {
		t.Fatalf("Login: %v", err)
	}
	if done.User != c.User || done.Kept || done.Slot == "" || !done.Expires.After(time.Now()) {
		t.Errorf("Login = %+v", done)
	}
}

func checkQuestion(t *testing.T, q plugin.Question) {
	t.Helper()
	switch {
	case q.Name == "" || q.Label == "" || q.Attempt < 1:
		t.Errorf("a question without name, label, or attempt: %+v", q)
	case q.Kind == plugin.QuestionPassword && !q.Secret:
		t.Error("a password that may be shown")
	case (q.Kind == plugin.QuestionChoice || q.Kind == plugin.QuestionConfirmation) != (len(q.Choices) > 0):
		t.Errorf("choices do not go with the kind: %+v", q)
	case !q.Deadline.IsZero() && !q.Deadline.After(time.Now()):
		t.Error("a question whose deadline has passed")
	}
}

func (c contract) loginIfNeeded(t *testing.T) {
	done, err := c.Provider.Login(t.Context(), plugin.LoginRequest{Selection: c.Selection, IfNeeded: true}, nil)
	if err != nil || !done.Kept || done.User != c.User {
		t.Errorf("Login if needed = %+v, %v; want the session kept", done, err)
	}
}

func (c contract) tokens(t *testing.T) {
	for _, use := range []plugin.TokenUse{plugin.UseAccess, plugin.UseID, plugin.UseBoth} {
		got, err := c.get(t, use)
		if err != nil {
			t.Fatalf("GetTokens of use %d: %v", use, err)
		}
		checkToken(t, "access", got.Access, use != plugin.UseID)
		checkToken(t, "ID", got.ID, use != plugin.UseAccess)
	}
	again, err := c.get(t, plugin.UseAccess)
	first, _ := c.get(t, plugin.UseAccess)
	if err != nil || again != first && again.Access.Value.Reveal() != first.Access.Value.Reveal() {
		t.Error("two warm calls gave two tokens")
	}
	_, err = c.Provider.GetTokens(t.Context(), plugin.GetTokensRequest{Selection: c.Selection, MinTTL: 23 * time.Hour})
	wants(t, "a life longer than the whole", err, plugin.CodeBadProfile)
}

func checkToken(t *testing.T, name string, got plugin.Token, wanted bool) {
	t.Helper()
	switch {
	case wanted && (got.Value.Empty() || !got.Expires.After(time.Now())):
		t.Errorf("the %s token is missing or expired", name)
	case !wanted && !got.Value.Empty():
		t.Errorf("the %s token was given, although nobody asked for it", name)
	}
}

func (c contract) awsCredentials(t *testing.T) {
	got, err := c.Provider.GetAWSCredentials(t.Context(), plugin.GetAWSCredentialsRequest{Selection: c.Selection})
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessKeyID == "" || got.SecretAccessKey.Empty() || got.SessionToken.Empty() || !got.Expires.After(time.Now()) {
		t.Errorf("GetAWSCredentials = %+v", got)
	}
}

func (c contract) credentialForHost(t *testing.T) {
	got, err := c.Provider.GetCredentialForHost(t.Context(), plugin.GetCredentialForHostRequest{URL: c.Bound})
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile == "" || got.Secret.Empty() || !got.Expires.After(time.Now()) {
		t.Errorf("GetCredentialForHost = %+v", got)
	}
}

func (c contract) status(t *testing.T) {
	got, err := c.Provider.Status(t.Context(), plugin.StatusRequest{Selection: c.Selection})
	if err != nil {
		t.Fatal(err)
	}
	if got.State != plugin.StateSignedIn || got.User != c.User || !got.AccessTokenExpires.After(time.Now()) || got.UserPoolID == "" || got.ClientID == "" {
		t.Errorf("Status = %+v", got)
	}
}

func (c contract) profiles(t *testing.T) {
	got, err := c.Provider.ListProfiles(t.Context(), plugin.ListProfilesRequest{Location: c.Selection.Location})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got.Profiles {
		if p.Name == c.Selection.Profile && p.UserPoolID != "" && p.ClientID != "" && p.AWSCredentials && len(p.Hosts) > 0 {
			return
		}
	}
	t.Errorf("ListProfiles = %+v, want %s among them", got, c.Selection.Profile)
}

func (c contract) canceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// What is warm may be given to a caller that has gone; an error must say why.
	if _, err := c.Provider.GetTokens(ctx, plugin.GetTokensRequest{Selection: c.Selection}); err != nil {
		wants(t, "a call that was canceled", err, plugin.CodeCanceled)
	}
}

// manyCallers sends 64 callers after tokens that have expired.
func (c contract) manyCallers(t *testing.T) {
	if c.Expire == nil || c.Renewals == nil {
		t.Skip("the subject does not say when it renews")
	}
	c.Expire(t)
	before := c.Renewals(t)
	const callers = 64
	got := make([]plugin.GetTokensResponse, callers)
	errs := make([]error, callers)
	var all sync.WaitGroup
	gate := make(chan struct{})
	for i := range callers {
		all.Go(func() {
			<-gate
			got[i], errs[i] = c.get(t, plugin.UseBoth)
		})
	}
	close(gate)
	all.Wait()
	for i := range callers {
		if errs[i] != nil {
			t.Fatalf("caller %d: %v", i, errs[i])
		}
		if got[i].Access.Value.Reveal() != got[0].Access.Value.Reveal() {
			t.Fatalf("caller %d got another token than caller 0", i)
		}
	}
	if n := c.Renewals(t) - before; n != 1 {
		t.Errorf("%d renewals for %d callers, want 1", n, callers)
	}
}

func (c contract) logout(t *testing.T) {
	out, err := c.Provider.Logout(t.Context(), plugin.LogoutRequest{Selection: c.Selection})
	if err != nil || out.Nobody || out.User != c.User || out.NotRevoked != nil {
		t.Errorf("Logout = %+v, %v", out, err)
	}
	_, err = c.get(t, plugin.UseAccess)
	wantsLogin(t, "GetTokens after it", err)
}

// Served serves an implementation in this process, by Serve and over a socket, and gives the Provider at its other end. It
// ends with the test, and must not be used in parallel tests.
func Served(t testing.TB, impl plugin.TokenProvider) (plugin.Provider, *grpc.ClientConn) {
	t.Helper()
	folder, err := os.MkdirTemp("", "p") // t.TempDir has the test's name in it: too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLUGIN_UNIX_SOCKET_DIR", folder)
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- plugin.Serve(ctx, impl, plugin.ServeOptions{Debug: in, Level: "off"}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("Serve left %v", left)
		}
		os.RemoveAll(folder)
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var at plugin.Reattach
	if err := json.Unmarshal(line, &at); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("unix:"+at.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return plugin.NewClient(conn), conn
}
