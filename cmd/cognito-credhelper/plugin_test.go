package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/host"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

// pool is a sandbox of one test, in a home of its own.
type pool struct {
	endpoint, config, client string

	user, password string // who answers
}

// started starts a program, whose end is the caller's business, and gives the first line that it prints. The error is for one
// that ended without.
func started(t testing.TB, cmd *exec.Cmd) (line string, err error) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(out).ReadString('\n')
}

// startPool runs the sandbox by its real program. more are lines for the profile.
func startPool(t testing.TB, config, more string) *pool {
	t.Helper()
	home := t.TempDir()
	p := &pool{config: filepath.Join(home, ".aws", "config"), user: "alice", password: alicesPassword}
	if err := os.Mkdir(filepath.Dir(p.config), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": "",
		"COGNITO_CREDHELPER_HOME": "", "COGNITO_CREDHELPER_TEST_CLOCK": "10s",
	} {
		t.Setenv(name, value)
	}
	argv := []string{"serve", "--write-profile", p.config}
	if config != "" {
		file := filepath.Join(home, "pool.json")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, "--config", file)
	}
	cmd := exec.Command(filepath.Join(programs, "tools", "cognito-sandbox"), argv...)
	line, err := started(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Endpoint string
		ClientID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		t.Fatal(err)
	}
	p.endpoint, p.client = ready.Endpoint, ready.ClientID
	text, err := os.ReadFile(p.config)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("[profile sandbox]\n"), []byte("[profile sandbox]\n"+more), 1)
	if err := os.WriteFile(p.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pool) control(t testing.TB, method, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequest(method, p.endpoint+"/_sandbox"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("sandbox: %s: %s %v", res.Status, b.Bytes(), err)
	}
	return b.Bytes()
}

// requests is how many requests of an operation came; of all, for "".
func (p *pool) requests(t testing.TB, operation string) int {
	t.Helper()
	var counts map[string]int
	if err := json.Unmarshal(p.control(t, "GET", "/requests", ""), &counts); err != nil {
		t.Fatal(err)
	}
	if operation != "" {
		return counts[operation]
	}
	all := 0
	for _, n := range counts {
		all += n
	}
	return all
}

const alicesPassword = "correct horse battery staple"

// answer knows who signs in.
func (p *pool) answer(t testing.TB, q plugin.Question) string {
	switch q.Name {
	case "USERNAME":
		return p.user
	case "PASSWORD":
		return p.password
	case "SOFTWARE_TOKEN_MFA_CODE":
		var code struct{ Code string }
		if err := json.Unmarshal(p.control(t, "GET", "/totp?user=alice", ""), &code); err != nil {
			t.Error(err)
		}
		return code.Code
	case "CONFIRM":
		return "yes"
	}
	t.Errorf("unexpected question %+v", q)
	return ""
}

func (p *pool) asker(t testing.TB) plugin.Asker {
	return plugin.AskerFunc(func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
		return plugin.NewSecret(p.answer(t, q)), nil
	})
}

// core is the complete program as hosts start it.
func core() string {
	return filepath.Join(programs, "alone", "cognito-credhelper")
}

func openPlugin(t testing.TB, env ...string) *host.Client {
	t.Helper()
	c, err := host.Open(t.Context(), host.Options{Program: core(), Unpinned: true, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var sandboxSession = plugin.Selection{Profile: "sandbox"}

// hours is a clock of the programs that a test sets forward while they run.
type hours struct {
	file string
	n    int
}

// startClock puts it into the environment of what is started from now on.
func startClock(t testing.TB) *hours {
	t.Helper()
	h := &hours{file: filepath.Join(t.TempDir(), "clock")}
	t.Setenv("COGNITO_CREDHELPER_TEST_CLOCK", "@"+h.file)
	h.write(t, "10s")
	return h
}

func (h *hours) write(t testing.TB, shift string) {
	t.Helper()
	if err := os.WriteFile(h.file+".new", []byte(shift), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(h.file+".new", h.file); err != nil {
		t.Fatal(err)
	}
}

// pass lets two hours pass, for the pool, too: tokens live for one.
func (h *hours) pass(t testing.TB, p *pool) {
	t.Helper()
	h.n += 2
	p.control(t, "POST", "/advance", `{"date": true, "seconds": 7200}`)
	h.write(t, fmt.Sprintf("%dh", h.n))
}

// The contract holds for the real program, over a real process, against a user pool; also where the session is in the memory of
// that process only.
func TestPluginContract(t *testing.T) {
	for name, line := range map[string]string{"Kept": "", "InMemory": "cognito_store = none\n"} {
		t.Run(name, func(t *testing.T) {
			p := startPool(t, "", line+"cognito_hosts =\n    api.example.com = access\n")
			clock := startClock(t)
			plugintest.Run(t, plugintest.Subject{
				Provider: openPlugin(t), Selection: sandboxSession, Missing: plugin.Selection{Profile: "missing"}, User: "alice", Answer: p.answer,
				Bound: "https://api.example.com/v1", Unbound: "https://api.example.com:8443/",
				Expire:   func(t testing.TB) { clock.pass(t, p) },
				Renewals: func(t testing.TB) int { return p.requests(t, "GetTokensFromRefreshToken") },
			})
		})
	}
}

// Warm calls use no network, and a change of the session by another process is seen at once.
func TestPluginSeesOtherProcesses(t *testing.T) {
	p := startPool(t, "", "")
	p.user, p.password = "bob", "Tr0ub4dor&3" // without a code, which is good for one use
	one, two := openPlugin(t), openPlugin(t)
	ctx := t.Context()
	if _, err := one.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, p.asker(t)); err != nil {
		t.Fatal(err)
	}
	before := p.requests(t, "")
	get := func(c *host.Client) string {
		t.Helper()
		got, err := c.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession})
		if err != nil {
			t.Fatal(err)
		}
		return got.Access.Value.Reveal()
	}
	first := get(one)
	for range 100 {
		if get(one) != first || get(two) != first {
			t.Fatal("two hosts of one session got two tokens")
		}
	}
	if n := p.requests(t, "") - before; n != 0 {
		t.Errorf("%d requests for warm calls", n)
	}
	// Signed in again by the other host, with a confirmation asked in this one's own words.
	confirmed := false
	_, err := two.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, plugin.AskerFunc(func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
		confirmed = confirmed || q.Kind == plugin.QuestionConfirmation && strings.Contains(q.Label, "bob is signed in")
		return plugin.NewSecret(p.answer(t, q)), nil
	}))
	if err != nil || !confirmed {
		t.Fatal(err, confirmed)
	}
	if again := get(one); again == first || again != get(two) {
		t.Error("the first host still gives the token of the session before")
	}
	if _, err := two.Logout(ctx, plugin.LogoutRequest{Selection: sandboxSession}); err != nil {
		t.Fatal(err)
	}
	if _, err := one.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession}); plugin.CodeOf(err) != plugin.CodeLoginRequired {
		t.Errorf("after the logout by the other host: %v", err)
	}
	// The profile changes under the plugin.
	if err := os.WriteFile(p.config, []byte("[profile other]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := one.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession}); plugin.CodeOf(err) != plugin.CodeBadProfile {
		t.Errorf("after the profile is gone: %v", err)
	}
}

// The raw operations are the API's own, the refresh token included; nothing is kept.
func TestPluginRawOperations(t *testing.T) {
	p := startPool(t, "", "")
	c := openPlugin(t)
	ctx := t.Context()
	at := plugin.AppClient{Selection: sandboxSession}
	got, err := c.InitiateAuth(ctx, plugin.InitiateAuthRequest{AppClient: at, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: map[string]plugin.Secret{
		"USERNAME": plugin.NewSecret("alice"), "PASSWORD": plugin.NewSecret(alicesPassword),
	}})
	if err != nil || got.ChallengeName != "SOFTWARE_TOKEN_MFA" || got.Session.Empty() || got.AuthenticationResult != nil {
		t.Fatalf("InitiateAuth = %+v, %v", got, err)
	}
	code := p.answer(t, plugin.Question{Name: "SOFTWARE_TOKEN_MFA_CODE"})
	done, err := c.RespondToAuthChallenge(ctx, plugin.RespondToAuthChallengeRequest{AppClient: at, ChallengeName: got.ChallengeName, Session: got.Session, ChallengeResponses: map[string]plugin.Secret{
		"USERNAME": plugin.NewSecret("alice"), "SOFTWARE_TOKEN_MFA_CODE": plugin.NewSecret(code),
	}})
	if err != nil || done.AuthenticationResult == nil || done.AuthenticationResult.RefreshToken.Empty() || done.AuthenticationResult.ExpiresIn == 0 {
		t.Fatalf("RespondToAuthChallenge = %+v, %v", done, err)
	}
	if s, err := c.Status(ctx, plugin.StatusRequest{Selection: sandboxSession}); err != nil || s.State != plugin.StateSignedOut {
		t.Errorf("afterwards: %+v, %v", s, err)
	}
	_, err = c.InitiateAuth(ctx, plugin.InitiateAuthRequest{AppClient: at, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: map[string]plugin.Secret{
		"USERNAME": plugin.NewSecret("alice"), "PASSWORD": plugin.NewSecret("wrong"),
	}})
	if plugin.CodeOf(err) != plugin.CodeRefused {
		t.Errorf("a wrong password: %v", err)
	}
	for name, r := range map[string]plugin.InitiateAuthRequest{
		"unknown flow": {AppClient: at, AuthFlow: "NO_SUCH_FLOW"},
		"bad client":   {AppClient: plugin.AppClient{Selection: sandboxSession, ClientID: "not a client"}, AuthFlow: "USER_PASSWORD_AUTH"},
	} {
		if _, err := c.InitiateAuth(ctx, r); plugin.CodeOf(err) != plugin.CodeInvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A login by the host's own questions; a code that is wrong is asked again, and the note says why.
func TestPluginAsksAgain(t *testing.T) {
	p := startPool(t, "", "")
	c := openPlugin(t)
	wrong, again := false, ""
	_, err := c.Login(t.Context(), plugin.LoginRequest{Selection: sandboxSession}, plugin.AskerFunc(func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
		if q.Kind == plugin.QuestionCode && !wrong {
			wrong = true
			return plugin.NewSecret("000000"), nil
		}
		if q.Attempt > 1 {
			again = q.Note
		}
		return plugin.NewSecret(p.answer(t, q)), nil
	}))
	if err != nil || again == "" {
		t.Errorf("login: %v; the note of the second question: %q", err, again)
	}
}

// storedRefreshToken is the refresh token of the one session in a state folder.
func storedRefreshToken(t *testing.T, state string) string {
	t.Helper()
	cache := tokencache.Open(state, keyslot.Open(state))
	ids, err := cache.List()
	if err != nil || len(ids) != 1 {
		t.Fatalf("sessions %v, %v", ids, err)
	}
	_, cold, err := cache.LoadWhole(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(cold, &kept); err != nil || len(kept.Refresh) < 20 {
		t.Fatalf("%d characters, %v", len(kept.Refresh), err)
	}
	return kept.Refresh
}

// Neither the log nor the answers of a plugin that logs everything have a secret in them.
func TestPluginKeepsSecrets(t *testing.T) {
	p := startPool(t, "", "cognito_store = file\n")
	var log bytes.Buffer
	state := filepath.Join(t.TempDir(), "state")
	c, err := host.Open(t.Context(), host.Options{
		Program: core(), Unpinned: true, Log: &log, LogLevel: "trace", Env: []string{"COGNITO_CREDHELPER_LOG=trace", "COGNITO_CREDHELPER_HOME=" + state},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Login(t.Context(), plugin.LoginRequest{Selection: sandboxSession}, p.asker(t)); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetTokens(t.Context(), plugin.GetTokensRequest{Selection: sandboxSession, Use: plugin.UseBoth})
	if err != nil {
		t.Fatal(err)
	}
	refresh := storedRefreshToken(t, state)
	if out, err := c.Logout(t.Context(), plugin.LogoutRequest{Selection: sandboxSession}); err != nil || out.Nobody || out.NotRevoked != nil { // sends it
		t.Fatalf("%+v, %v", out, err)
	}
	c.Close()
	for _, secret := range []string{alicesPassword, got.Access.Value.Reveal(), got.ID.Value.Reveal(), refresh} {
		if bytes.Contains(log.Bytes(), []byte(secret)) {
			t.Error("the log has a secret in it")
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged at all")
	}
}

// plugin register records the program that runs, and a host finds it without any option; the front is never taken.
func TestPluginRegister(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pair is laid out for Unix")
	}
	startPool(t, "", "")
	front := filepath.Join(programs, "pair", "bin", "cognito-credhelper")
	if _, err := host.Open(t.Context(), host.Options{}); plugin.CodeOf(err) != plugin.CodeBadProfile {
		t.Errorf("before it is registered: %v", err)
	}
	if out, err := exec.Command(front, "plugin", "register").CombinedOutput(); err != nil || !bytes.Contains(out, []byte("cognito-credhelper-core")) {
		t.Fatalf("plugin register: %v\n%s", err, out)
	}
	c, err := host.Open(t.Context(), host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ListProfiles(t.Context(), plugin.ListProfilesRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := host.Open(t.Context(), host.Options{Program: front, Unpinned: true}); err == nil || !strings.Contains(err.Error(), "is the front") {
		t.Errorf("the front as a plugin: %v", err)
	}
}

// By hand the program explains itself; the cookie without the argument makes no plugin of it.
func TestPluginByHand(t *testing.T) {
	startPool(t, "", "")
	out, err := exec.Command(core(), "plugin").CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("a host application starts it")) || !bytes.Contains(out, []byte("hint: ")) {
		t.Errorf("plugin by hand: %v\n%s", err, out)
	}
	cmd := exec.Command(core(), "version")
	cmd.Env = append(os.Environ(), plugin.CookieKey+"="+plugin.CookieValue)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("1.0.0")) {
		t.Errorf("another command with the cookie: %v\n%s", err, out)
	}
	cmd = exec.Command(core(), "plugin")
	cmd.Env = append(os.Environ(), plugin.CookieKey+"=wrong")
	if out, err := cmd.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("a host application starts it")) {
		t.Errorf("a wrong cookie: %v\n%s", err, out)
	}
}

// The program never serves in the clear where every program of the computer could ask. Only on Windows does go-plugin open a TCP
// port (its serverListener looks at nothing but the system), and there the program refuses a host without AutoMTLS. Elsewhere
// no host gets it to: not by asking for ports, not by a place where no socket can be.
func TestPluginInTheClearIsNeverOverTCP(t *testing.T) {
	startPool(t, "", "")
	for name, environ := range map[string][]string{
		"nothing asked":  nil,
		"ports":          {"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000"},
		"no such folder": {"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_UNIX_SOCKET_DIR=" + filepath.Join(t.TempDir(), "none")},
		"long folder":    {"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_UNIX_SOCKET_DIR=" + longFolder(t)},
		"no such group":  {"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_UNIX_SOCKET_GROUP=no-such-group"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(core(), "plugin")
			cmd.Env = append(append(os.Environ(), plugin.CookieKey+"="+plugin.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1"), environ...)
			var said bytes.Buffer
			cmd.Stderr = &said
			line, _ := started(t, cmd)
			serves := strings.HasPrefix(line, "1|1|unix|")
			if serves {
				_ = cmd.Process.Signal(syscall.SIGTERM)
			} else {
				_ = cmd.Process.Kill() // where it has not ended by itself
			}
			ended := cmd.Wait()
			switch {
			case runtime.GOOS == "windows":
				if line != "" || !strings.Contains(said.String(), "AutoMTLS") {
					t.Errorf("it said %q, and %q", line, said.String())
				}
			case serves != (name == "nothing asked" || name == "ports"):
				t.Errorf("it said %q, and %q", line, said.String())
			case !serves && (line != "" || ended == nil || !strings.Contains(said.String(), "TMPDIR")):
				t.Errorf("it said %q, and %q; ended: %v", line, said.String(), ended)
			}
		})
	}
}

// longFolder is a folder of ours in which no socket can be: its name is longer than an address.
func longFolder(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), strings.Repeat("a", 200))
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// plugin --debug prints what a host takes that allows it, and ends by Ctrl-C without a trace.
func TestPluginDebug(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not over TCP")
	}
	startPool(t, "", "")
	short, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	cmd := exec.Command(core(), "plugin", "--debug")
	cmd.Env = append(os.Environ(), "TMPDIR="+short)
	line, err := started(t, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("COGNITO_CREDHELPER_REATTACH", line)
	if _, err := host.Open(t.Context(), host.Options{}); err == nil {
		t.Error("a host that does not allow it took COGNITO_CREDHELPER_REATTACH")
	}
	c, err := host.Open(t.Context(), host.Options{AllowReattach: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ListProfiles(t.Context(), plugin.ListProfilesRequest{})
	if err != nil || len(got.Profiles) != 1 || got.Profiles[0].Name != "sandbox" {
		t.Errorf("ListProfiles = %+v, %v", got, err)
	}
	c.Close()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("Ctrl-C does not end it")
	}
	if left, _ := os.ReadDir(short); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
