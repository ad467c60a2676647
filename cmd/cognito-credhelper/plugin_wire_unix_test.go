//go:build unix

package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// No answer of the plugin has a refresh token in it, whatever its host asks, but those of the raw operations. A refresh token is an
// encrypted JWT, which has five parts; nothing else that is given out has.
func TestPluginGivesNoRefreshToken(t *testing.T) {
	p := startPool(t, "", "cognito_hosts =\n    api.example.com = access\n")
	p.user, p.password = "bob", "Tr0ub4dor&3"
	clock := startClock(t)
	heard := &answersHeard{}
	c := plugin.NewClient(dialDebug(t, heard))
	ctx := t.Context()
	ask := func(name string, do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	login := func() error {
		_, err := c.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, p.asker(t))
		return err
	}
	all := func() {
		ask("GetTokens", func() error {
			_, err := c.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession, Use: plugin.UseBoth})
			return err
		})
		ask("GetAWSCredentials", func() error {
			_, err := c.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{Selection: sandboxSession})
			return err
		})
		ask("GetCredentialForHost", func() error {
			_, err := c.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{URL: "https://api.example.com/"})
			return err
		})
		ask("Status", func() error { _, err := c.Status(ctx, plugin.StatusRequest{Selection: sandboxSession}); return err })
		ask("ListProfiles", func() error { _, err := c.ListProfiles(ctx, plugin.ListProfilesRequest{}); return err })
	}
	ask("Login", login)
	all()
	clock.pass(t, p)
	all() // of a session that was renewed
	ask("Login again", login)
	ask("Logout", func() error { _, err := c.Logout(ctx, plugin.LogoutRequest{Selection: sandboxSession}); return err })
	if n := heard.encrypted(); heard.count() < 12 || n != 0 {
		t.Errorf("%d of %d answers have a refresh token in them", n, heard.count())
	}
	got, err := c.InitiateAuth(ctx, plugin.InitiateAuthRequest{
		AppClient: plugin.AppClient{Selection: sandboxSession}, AuthFlow: "USER_PASSWORD_AUTH",
		AuthParameters: map[string]plugin.Secret{"USERNAME": plugin.NewSecret("bob"), "PASSWORD": plugin.NewSecret("Tr0ub4dor&3")},
	})
	if err != nil || got.AuthenticationResult == nil || heard.encrypted() != 1 {
		t.Errorf("the raw operation: %v, %v; refresh tokens in %d answers, want 1", got.AuthenticationResult, err, heard.encrypted())
	}
}

// answersHeard are the answers of a plugin as they came over the wire. Safe for concurrent use.
type answersHeard struct {
	mu   sync.Mutex
	wire [][]byte
}

func (a *answersHeard) add(m any) {
	text, err := proto.Marshal(m.(proto.Message))
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.wire = append(a.wire, text)
	}
}

func (a *answersHeard) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.wire)
}

func (a *answersHeard) encrypted() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	jwe := regexp.MustCompile(`eyJ[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+`)
	for _, text := range a.wire {
		if jwe.Match(text) {
			n++
		}
	}
	return n
}

// dialDebug starts a plugin for a debugger, and connects to it so that all its answers are heard.
func dialDebug(t *testing.T, heard *answersHeard) *grpc.ClientConn {
	t.Helper()
	cmd := exec.Command(core(), "plugin", "--debug")
	line, err := started(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var at plugin.Reattach
	if err := errors.Join(err, json.Unmarshal([]byte(line), &at)); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("unix:"+at.Address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, in, answer any, c *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
			err := call(ctx, method, in, answer, c, o...)
			heard.add(answer)
			return err
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, d *grpc.StreamDesc, c *grpc.ClientConn, method string, open grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			stream, err := open(ctx, d, c, method, o...)
			return heardStream{stream, heard}, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

type heardStream struct {
	grpc.ClientStream
	heard *answersHeard
}

func (s heardStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil {
		s.heard.add(m)
	}
	return err
}

// Warm calls need no lock: they are answered while somebody has every lock that there is.
func TestPluginWarmCallsTakeNoLock(t *testing.T) {
	p := startPool(t, "", "cognito_hosts =\n    api.example.com = access\n")
	p.user, p.password = "bob", "Tr0ub4dor&3"
	c := openPlugin(t)
	ctx := t.Context()
	if _, err := c.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, p.asker(t)); err != nil {
		t.Fatal(err)
	}
	ask := func() {
		t.Helper()
		if _, err := c.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession, Use: plugin.UseBoth}); err != nil {
			t.Error(err)
		}
		if _, err := c.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{Selection: sandboxSession}); err != nil {
			t.Error(err)
		}
		if _, err := c.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{URL: "https://api.example.com/"}); err != nil {
			t.Error(err)
		}
	}
	ask()
	state := filepath.Join(os.Getenv("HOME"), ".local", "state", "cognito-credhelper")
	locks, err := filepath.Glob(filepath.Join(state, "sessions", "*.lock"))
	if err != nil || len(locks) == 0 {
		t.Fatalf("locks: %v, %v", locks, err)
	}
	more, _ := filepath.Glob(filepath.Join(state, "*.lock"))
	for _, lock := range append(locks, more...) {
		f, err := os.OpenFile(lock, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
	}
	before := p.requests(t, "")
	for range 3 {
		ask()
	}
	if n := p.requests(t, "") - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}
