//go:build unix

package torture

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

const (
	refreshOp = "GetTokensFromRefreshToken"
	profile   = "sandbox"
	user      = "bob"
	password  = "Tr0ub4dor&3"
	// life is longer than that of any token.
	life = 2 * time.Hour
	// waiting is longer than the time in which nobody tries again after one transient failure, and shorter than the grace.
	waiting = 5 * time.Second
	// program is what a host calls.
	program = "cognito-credhelper"
	// boundHost gets the access token.
	boundHost = "host.example.com"
)

// home is a home folder of its own, with a profile of a sandbox of its own. Refresh tokens rotate, and live longer than any test.
type home struct {
	t      testing.TB
	dir    string
	state  string
	server *sandbox.Server
	passed time.Duration // by the clocks of the programs and of the sandbox
}

// newHome has an app client with this grace period, in seconds. Nobody is signed in.
func newHome(t testing.TB, grace int) *home {
	t.Helper()
	config := sandbox.DefaultConfig()
	config.UserPool.Clients = []userpool.Client{{ID: "1example23456789torture000", Rotation: true, GraceSeconds: grace, RefreshTokenSeconds: 10 * 365 * 24 * 3600}}
	server, err := sandbox.New(config)
	if err == nil {
		err = server.Start("127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	dir := folder(t)
	// The profile index believes in files only that are 2 s old, so the programs live a little ahead.
	h := &home{t: t, dir: dir, state: filepath.Join(dir, "state"), server: server, passed: 10 * time.Second}
	h.writeProfile()
	t.Cleanup(h.quiet) // a worker may still write after it has answered
	return h
}

// folder is a temp folder in memory where the system has one: what is proved here does not depend on how long a disk takes
// to sync, and there are thousands of syncs.
func folder(t testing.TB) string {
	t.Helper()
	const memory = "/dev/shm"
	base := os.TempDir()
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		base = memory
	}
	dir, err := os.MkdirTemp(base, "credhelper-torture-")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (h *home) writeProfile() {
	r := h.server.Ready()
	text := fmt.Sprintf(`[profile %s]
region = %s
cognito_user_pool_id = %s
cognito_client_id = %s
cognito_identity_pool_id = %s
cognito_endpoint_url = %s
cognito_identity_endpoint_url = %s
cognito_hosts =
  %s = access
`, profile, r.Region, r.UserPoolID, r.ClientID, r.IdentityPoolID, r.Endpoint, r.Endpoint, boundHost)
	if err := errors.Join(os.Mkdir(h.runtime(), 0o700), os.MkdirAll(filepath.Join(h.dir, ".aws"), 0o700), os.WriteFile(h.config(), []byte(text), 0o600)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) config() string { return filepath.Join(h.dir, ".aws", "config") }

// runtime is the folder that a login makes for what ends with it: sessions that cannot be saved in their place go there.
func (h *home) runtime() string { return filepath.Join(h.dir, "run") }

// second is another machine: the same sandbox and a copy of the whole home.
func (h *home) second() *home {
	h.t.Helper()
	other := *h
	other.dir = folder(h.t)
	other.state = filepath.Join(other.dir, "state")
	if err := os.CopyFS(other.dir, os.DirFS(h.dir)); err != nil {
		h.t.Fatal(err)
	}
	other.private()
	return &other
}

// private takes from others what a copy gave them.
func (h *home) private() {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Chmod(path, 0o700)
		default:
			return os.Chmod(path, 0o600)
		}
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) env() []string {
	return []string{
		"HOME=" + h.dir, "PATH=" + programs + ":" + os.Getenv("PATH"), "COGNITO_CREDHELPER_HOME=" + h.state, "AWS_EC2_METADATA_DISABLED=true",
		"COGNITO_CREDHELPER_TEST_CLOCK=" + h.passed.String(),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(h.dir, "no-bus"), // no test touches the keyring of whoever runs it
	}
}

// pass lets time pass, for the programs and for the sandbox.
func (h *home) pass(d time.Duration) {
	h.passed += d
	h.server.AdvanceWithDate(d)
}

// outcome is how a program ended.
type outcome struct {
	exit           int // -1 after a signal
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d, %d bytes on stdout, stderr %q", o.exit, len(o.stdout), o.stderr)
}

// command prepares a program; limits are for hangs only.
func (h *home) command(stdin string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(programs, program), args...)
	cmd.Env, cmd.Stdin = h.env(), strings.NewReader(stdin)
	return cmd
}

func finish(cmd *exec.Cmd) outcome {
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Minute
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return outcome{0, out.String(), said.String()}
	case errors.As(err, &exit):
		return outcome{exit.ExitCode(), out.String(), said.String()}
	}
	return outcome{-2, out.String(), err.Error()}
}

var loginArgs = []string{"login", "--profile", profile, "--username", user, "--password-stdin", "--force"}

func (h *home) login() {
	h.t.Helper()
	if o := finish(h.command(password+"\n", loginArgs...)); o.exit != 0 {
		h.t.Fatalf("login: %v", o)
	}
}

var tokenArgs = []string{"token", "--profile", profile}

// token asks for an access token.
func (h *home) token() outcome { return finish(h.command("", tokenArgs...)) }

// signedIn is a home whose session has been used once, so that the front knows the profile.
func signedIn(t testing.TB, grace int) *home {
	t.Helper()
	h := newHome(t, grace)
	h.login()
	h.mustToken()
	return h
}

func (h *home) mustToken() string {
	h.t.Helper()
	o := h.token()
	if o.exit != 0 || !isToken(o.stdout) {
		h.t.Fatalf("token: %v", o)
	}
	return o.stdout
}

func isToken(s string) bool { return strings.HasPrefix(s, "eyJ") && strings.HasSuffix(s, "\n") }

// lives asks for a token twice, with an expiry in between, and says how the first failure was: the second shows that what
// is stored can be refreshed.
func (h *home) lives() (bad outcome, ok bool) {
	if o := h.token(); o.exit != 0 || !isToken(o.stdout) {
		return o, false
	}
	h.pass(life)
	o := h.token()
	return o, o.exit == 0 && isToken(o.stdout)
}

// requests is how often the sandbox was asked to refresh since the last reset.
func (h *home) requests() int { return h.server.Requests()[refreshOp] }

// sessionFile is the one session's file.
func (h *home) sessionFile() string {
	h.t.Helper()
	found, err := filepath.Glob(filepath.Join(h.state, "sessions", "*.ses"))
	if err != nil || len(found) != 1 {
		h.t.Fatalf("session files: %v, %v", found, err)
	}
	return found[0]
}

// files are all names below the state folder.
func (h *home) files() []string {
	h.t.Helper()
	var names []string
	err := filepath.WalkDir(h.state, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, strings.TrimPrefix(path, h.state))
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return names
}

// noFileBeside fails where the state folder has other names than those before.
func (h *home) noFileBeside(before []string) {
	h.t.Helper()
	if after := h.files(); !slices.Equal(before, after) {
		h.t.Errorf("files before: %q\nafter: %q", before, after)
	}
}

// processes are the ids of processes that live with this home.
func (h *home) processes() (pids []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range all {
		env, err := os.ReadFile(path)
		if err == nil && bytes.Contains(env, []byte("HOME="+h.dir+"\x00")) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}

// quiet waits until no process lives with this home. Only root may look at the environment of processes that hide it.
func (h *home) quiet() {
	h.t.Helper()
	for range 3000 {
		if len(h.processes()) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatalf("still there: processes %v", h.processes())
}

// eventually waits for something that is about to happen.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("did not happen: %s", what)
}
