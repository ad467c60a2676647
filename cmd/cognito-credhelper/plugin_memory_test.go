package main_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// With cognito_store = none a login through the plugin leaves nothing behind: the session is that process's, which renews it, and
// no other's; it ends with it.
func TestPluginInMemory(t *testing.T) {
	p := startPool(t, "", "cognito_store = none\ncognito_hosts =\n    api.example.com = access\n")
	p.user, p.password = "bob", "Tr0ub4dor&3"
	clock := startClock(t)
	temp, err := os.MkdirTemp("", "m") // t.TempDir's name is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	t.Setenv("TMPDIR", temp)
	t.Setenv("XDG_RUNTIME_DIR", temp)
	one, two := openPlugin(t), openPlugin(t)
	ctx := t.Context()
	done, err := one.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, p.asker(t))
	if err != nil || done.User != "bob" || done.Slot != "none" {
		t.Fatalf("Login = %+v, %v", done, err)
	}
	get := func() string {
		t.Helper()
		got, err := one.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession})
		if err != nil {
			t.Fatal(err)
		}
		return got.Access.Value.Reveal()
	}
	first := get()
	clock.pass(t, p)
	if get() == first || p.requests(t, "GetTokensFromRefreshToken") != 1 {
		t.Errorf("%d renewals of a token that has expired", p.requests(t, "GetTokensFromRefreshToken"))
	}
	if got, err := one.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{Selection: sandboxSession}); err != nil || got.SecretAccessKey.Empty() {
		t.Errorf("GetAWSCredentials = %+v, %v", got, err)
	}
	if got, err := one.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{URL: "https://api.example.com/"}); err != nil || got.Secret.Reveal() != get() {
		t.Errorf("GetCredentialForHost = %+v, %v", got, err)
	}
	if s, err := one.Status(ctx, plugin.StatusRequest{Selection: sandboxSession}); err != nil || s.State != plugin.StateSignedIn || s.Slot != "none" {
		t.Errorf("Status = %+v, %v", s, err)
	}
	if _, err := two.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession}); plugin.CodeOf(err) != plugin.CodeLoginRequired || strings.Contains(err.Error(), "cognito-credhelper login") {
		t.Errorf("another host: %v", err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	if err := two.Close(); err != nil {
		t.Error(err)
	}
	wantNoFiles(t, temp)
	wantNoFiles(t, os.Getenv("HOME"), p.config)
	for _, verb := range [][]string{{"token", "--profile", "sandbox"}, {"token", "--host", "api.example.com"}, {"credential-process", "--profile", "sandbox"}, {"login", "--profile", "sandbox"}} {
		out, err := exec.Command(core(), verb...).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("works only inside exec, serve, and plugin")) || !bytes.Contains(out, []byte("take that line out of the profile")) {
			t.Errorf("%v: %v\n%s", verb, err, out)
		}
	}
}

// wantNoFiles wants none but these, and what is known of all profiles' bindings, which says nothing of a session.
func wantNoFiles(t *testing.T, folder string, but ...string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		table, _ := filepath.Match("h-*.idx", e.Name())
		if err == nil && !e.IsDir() && !table && (len(but) == 0 || path != but[0]) {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A session that is in memory ends with its process, however that ends; the next one must sign in again.
func TestPluginInMemoryEndsWithItsProcess(t *testing.T) {
	p := startPool(t, "", "cognito_store = none\n")
	p.user, p.password = "bob", "Tr0ub4dor&3"
	c := openPlugin(t)
	ctx := context.Background()
	if _, err := c.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, p.asker(t)); err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(c.Pid())
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = c.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession})
		if plugin.CodeOf(err) != plugin.CodeLoginRequired {
			t.Errorf("after its end: %v", err)
		}
	}
	if done, err := c.Login(ctx, plugin.LoginRequest{Selection: sandboxSession, IfNeeded: true}, p.asker(t)); err != nil || done.Kept {
		t.Errorf("a new login: %+v, %v", done, err)
	}
	out, err := c.Logout(ctx, plugin.LogoutRequest{Selection: sandboxSession})
	if err != nil || out.User != "bob" || out.NotRevoked != nil || p.requests(t, "RevokeToken") != 1 {
		t.Errorf("Logout = %+v, %v; %d revoked", out, err, p.requests(t, "RevokeToken"))
	}
}
