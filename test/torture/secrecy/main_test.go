//go:build torture && linux

package secrecy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
	"github.com/cognito-credhelper/cognito-credhelper/test/gnomekeyring"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// programs has the front with the complete program beside it, both with a clock that can be set, and alone a front without
// one: what it answers, it answers itself.
var programs, alone string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "secrecy-")
		if err == nil {
			defer os.RemoveAll(dir)
			err = build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		programs, alone = dir, filepath.Join(dir, "alone")
		return m.Run()
	}())
}

const module = "github.com/cognito-credhelper/cognito-credhelper"

func build(dir string) error {
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "alone"), 0o755)); err != nil { // other users run what is in it
		return err
	}
	for name, command := range map[string]string{
		"cognito-credhelper": "cognito-credhelper-front", "alone/cognito-credhelper": "cognito-credhelper-front", "cognito-credhelper-core": "cognito-credhelper",
		"cognito-credhelper-worker": "cognito-credhelper-worker",
	} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "testclock,grpcnotrace", "-o", filepath.Join(dir, name), module+"/cmd/"+command)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", command, err, out)
		}
	}
	return nil
}

// The users of these tests are ones that every Debian machine has. Neither owns a file.
const (
	person = 65534 // nobody
	other  = 1     // daemon
)

// needsRoot skips by name where nobody can be somebody else.
func needsRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		skips.Missing(t, "second-user", "only root can be another user")
	}
	skips.Ran(t, "second-user", fmt.Sprintf("users %d and %d", person, other))
}

// needs skips by name where a program is missing.
func needs(t testing.TB, program string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		skips.Missing(t, program, "it is not installed")
	}
	skips.Ran(t, program, path)
}

const password = "Tr0ub4dor&3"

// crowd are users who can sign in at the same time.
func crowd() (names []string) {
	for i := range 20 {
		names = append(names, fmt.Sprintf("user%02d", i))
	}
	return names
}

// home is the home folder of a user who is not root, with a profile of a sandbox of its own.
type home struct {
	t      testing.TB
	dir    string
	state  string
	server *sandbox.Server
	bus    *gnomekeyring.Session // nil: no session bus
	extra  []string              // environment
	passed time.Duration
}

func newHome(t testing.TB) *home {
	t.Helper()
	needsRoot(t)
	config := sandbox.DefaultConfig()
	for _, name := range crowd() {
		config.UserPool.Users = append(config.UserPool.Users, userpool.User{Username: name, Password: password})
	}
	server, err := sandbox.New(config)
	if err == nil {
		err = server.Start("127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	dir, err := os.MkdirTemp("", "person-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &home{t: t, dir: dir, state: filepath.Join(dir, ".local", "state", "cognito-credhelper"), server: server, passed: 10 * time.Second}
	r := server.Ready()
	h.write(".aws/config", fmt.Sprintf("[profile dev]\ncognito_user_pool_id = %s\ncognito_client_id = %s\ncognito_endpoint_url = %s\n", r.UserPoolID, r.ClientID, r.Endpoint))
	if err := os.Chmod(dir, 0o755); err != nil { // as homes often are: what is secret must be so by itself
		t.Fatal(err)
	}
	h.own()
	return h
}

func (h *home) write(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		h.t.Fatal(err)
	}
}

// own gives the home to the person.
func (h *home) own() {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, person, person))
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// keyring starts a session bus of the person's, with a keyring like that.
func (h *home) keyring(state gnomekeyring.State) {
	h.t.Helper()
	h.t.Cleanup(h.dropCopies) // the person has one kernel keyring for all tests
	h.bus = gnomekeyring.Start(h.t, h.dir, &syscall.Credential{Uid: person, Gid: person, NoSetGroups: true}, state)
}

func (h *home) env() []string {
	env := append([]string{"HOME=" + h.dir, "PATH=" + programs + ":" + h.dir + "/bin:" + os.Getenv("PATH"), "COGNITO_CREDHELPER_TEST_CLOCK=" + h.passed.String()}, h.extra...)
	if h.bus != nil {
		env = append(env, h.bus.Env()...)
	}
	return env
}

// as prepares a program that a user runs.
func (h *home) as(uid uint32, stdin string, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = "/", h.env(), strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: true}}
	return cmd
}

// outcome is how a program ended.
type outcome struct {
	exit           int
	stdout, stderr string
}

func finish(cmd *exec.Cmd) outcome { return finishWhile(cmd, nil) }

// finishWhile is finish, with something to do while the program runs, which gets what it has printed.
func finishWhile(cmd *exec.Cmd, do func(out func() string)) outcome {
	var out, said printed
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Minute
	err := cmd.Start()
	if err == nil {
		if do != nil {
			do(out.String)
		}
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return outcome{0, out.String(), said.String()}
	case errors.As(err, &exit):
		return outcome{exit.ExitCode(), out.String(), said.String()}
	}
	return outcome{-2, out.String(), err.Error()}
}

// printed is what a program has printed so far. Safe for concurrent use.
type printed struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to it.
func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

// String gives it.
func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// run runs the program as the person.
func (h *home) run(stdin string, args ...string) outcome {
	return finish(h.as(person, stdin, append([]string{filepath.Join(programs, "cognito-credhelper")}, args...)...))
}

func (h *home) login(more ...string) outcome {
	return h.run(password+"\n", append([]string{"login", "--profile", "dev", "--username", "bob", "--password-stdin", "--force"}, more...)...)
}

// want checks an outcome: its exit code, and what stands on both streams.
func (h *home) want(what string, o outcome, exit int, texts ...string) {
	h.t.Helper()
	if o.exit != exit {
		h.t.Errorf("%s: exit %d, want %d\nstdout %q\nstderr %q", what, o.exit, exit, o.stdout, o.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			h.t.Errorf("%s: no %q in\nstdout %q\nstderr %q", what, text, o.stdout, o.stderr)
		}
	}
}

// token wants a token.
func (h *home) token() string {
	h.t.Helper()
	o := h.run("", "token", "--profile", "dev")
	if o.exit != 0 || !strings.HasPrefix(o.stdout, "eyJ") || o.stderr != "" {
		h.t.Errorf("token: exit %d, stderr %q", o.exit, o.stderr)
	}
	return strings.TrimSpace(o.stdout)
}

// pass lets time pass, for the programs and for the sandbox.
func (h *home) pass(d time.Duration) {
	h.passed += d
	h.server.AdvanceWithDate(d)
}
