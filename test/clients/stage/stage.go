// Package stage is what every test with a real client needs: the programs as make install lays them out, a home folder with a
// signed-in profile, the sandbox behind it, and servers on loopback that check each token and keep a log of what they got.
//
// It guarantees that nothing of the caller's home or environment takes part, that all traffic stays on loopback, and that
// what it started is ended with the test.
package stage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Installed is a tree that make install wrote. Safe for concurrent use.
type Installed struct{ root string }

// Install builds the programs and installs them below folder, as a package would. It is done once for a test program.
func Install(folder string) (Installed, error) {
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.Command("make", "-s", "install", "DESTDIR="+folder, "PREFIX=/opt", "BIN="+filepath.Join(folder, "built"), "VERSION=1.0.0")
	cmd.Dir = filepath.Join(filepath.Dir(here), "..", "..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Installed{}, fmt.Errorf("make install: %w\n%s", err, out)
	}
	return Installed{folder}, nil
}

// Bin is the folder that a user has on PATH.
func (i Installed) Bin() string { return filepath.Join(i.root, "opt", "bin") }

// Stage is one signed-in user. Its methods fail the test that New was given.
type Stage struct {
	Home     string
	Endpoint string // of the sandbox
	bin      string
	t        testing.TB
	ca       authority
}

// New starts a sandbox, configures [profile dev] with the bindings (lines of cognito_hosts), and signs alice in.
func New(t testing.TB, installed Installed, bindings ...string) *Stage {
	t.Helper()
	return NewWith(t, installed, "", bindings...)
}

// NewWith is New with a configuration of the sandbox, as its --config has it; "" means the usual one.
func NewWith(t testing.TB, installed Installed, sandbox string, bindings ...string) *Stage {
	t.Helper()
	s := &Stage{Home: t.TempDir(), bin: installed.Bin(), t: t}
	s.ca = newAuthority(t, filepath.Join(s.Home, "ca.pem"))
	s.startSandbox(sandbox)
	s.Bind(bindings...)
	login := s.Command("", "cognito-credhelper", "login", "--profile", "sandbox", "--username", "bob", "--password-stdin")
	login.Stdin = strings.NewReader("Tr0ub4dor&3\n")
	s.Must(login)
	// The profile index believes in files that are two seconds old: younger ones may still change within their time stamp.
	time.Sleep(2 * time.Second)
	s.Must(s.Command("", "cognito-credhelper", "token", "--profile", "sandbox"))
	return s
}

// Config is the user's AWS configuration file.
func (s *Stage) Config() string { return filepath.Join(s.Home, ".aws", "config") }

func (s *Stage) startSandbox(config string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.Config()), 0o700); err != nil {
		s.t.Fatal(err)
	}
	args := []string{"serve", "--write-profile", s.Config()}
	if config != "" {
		args = append(args, "--config", s.Write("sandbox.json", config))
	}
	cmd := exec.Command(filepath.Join(s.bin, "cognito-sandbox"), args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		s.t.Fatalf("the sandbox did not start: %v: %s", err, said.String())
	}
	var ready struct{ Endpoint string }
	if err := json.Unmarshal(line, &ready); err != nil {
		s.t.Fatal(err)
	}
	s.Endpoint = ready.Endpoint
}

// Bind gives the profile these lines of cognito_hosts. They stand in the credentials file, whose keys are merged with what the
// sandbox wrote into the configuration file.
func (s *Stage) Bind(bindings ...string) {
	s.t.Helper()
	if len(bindings) > 0 {
		s.Write(filepath.Join(".aws", "credentials"), "[sandbox]\ncognito_hosts =\n  "+strings.Join(bindings, "\n  ")+"\n")
	}
}

// Share adds a profile that agrees with the first one in everything but its bindings, so that it shares the sign-in.
func (s *Stage) Share(name string, bindings ...string) {
	s.t.Helper()
	section := "[" + name + "]\n"
	for _, key := range []string{"cognito_user_pool_id", "cognito_client_id", "cognito_endpoint_url"} {
		section += key + " = " + s.Value(key) + "\n"
	}
	file := filepath.Join(s.Home, ".aws", "credentials")
	before, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	if len(bindings) > 0 {
		section += "cognito_hosts =\n  " + strings.Join(bindings, "\n  ") + "\n"
	}
	s.Write(file, string(before)+section)
}

// Write writes a file of the user's, below the home folder where the name is relative, and gives its path.
func (s *Stage) Write(name, text string) string {
	s.t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.Home, name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return name
}

// Program is the path of an installed program, or of a link to one.
func (s *Stage) Program(name string) string { return filepath.Join(s.bin, name) }

// kept are the variables that a client may see of the caller's environment: where programs are and how they are built.
var kept = []string{"PATH", "LANG", "GOCACHE", "GOMODCACHE", "GOPATH", "RUSTUP_HOME", "CARGO_HOME", "PYENV_ROOT", "TMPDIR"}

// Env is a client's environment: this user's home, the certificate authority by every name that clients know it under, and
// no metadata service.
func (s *Stage) Env(extra ...string) []string {
	env := []string{
		"HOME=" + s.Home, "XDG_STATE_HOME=" + filepath.Join(s.Home, "state"), "XDG_CONFIG_HOME=" + filepath.Join(s.Home, "config"), "XDG_CACHE_HOME=" + filepath.Join(s.Home, "cache"),
		"SSL_CERT_FILE=" + s.ca.file, "GIT_SSL_CAINFO=" + s.ca.file, "AWS_CA_BUNDLE=" + s.ca.file, "CARGO_HTTP_CAINFO=" + s.ca.file,
		"NODE_EXTRA_CA_CERTS=" + s.ca.file, "PIP_CERT=" + s.ca.file, "REQUESTS_CA_BUNDLE=" + s.ca.file,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "NO_PROXY=127.0.0.1,localhost",
	}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if !slices.Contains(kept, name) {
			continue
		}
		if name == "PATH" {
			value = s.bin + string(os.PathListSeparator) + value
		}
		env = append(env, name+"="+value)
	}
	return append(env, extra...)
}

// Command is a client program, or one of ours, in a folder of the user's home ("" for the home itself).
func (s *Stage) Command(folder, program string, args ...string) *exec.Cmd {
	if own := s.Program(program); !strings.Contains(program, "/") && exists(own) {
		program = own
	}
	cmd := exec.CommandContext(s.t.Context(), program, args...)
	cmd.Dir = filepath.Join(s.Home, folder)
	cmd.Env = s.Env()
	return cmd
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Must runs the command to its good end and gives its standard output.
func (s *Stage) Must(cmd *exec.Cmd) string {
	s.t.Helper()
	var said bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &said
	}
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, said.String())
	}
	return string(out)
}

// Token is the token that the session has now. use is "access" or "id".
func (s *Stage) Token(use string) string {
	s.t.Helper()
	return strings.TrimSpace(s.Must(s.Command("", "cognito-credhelper", "token", "--profile", "sandbox", "--use", use)))
}

// Requests counts what the sandbox was asked, by operation.
func (s *Stage) Requests() map[string]int {
	s.t.Helper()
	var counts map[string]int
	if err := json.Unmarshal(s.get("/_sandbox/requests"), &counts); err != nil {
		s.t.Fatal(err)
	}
	return counts
}

func (s *Stage) get(path string) []byte {
	s.t.Helper()
	res, err := http.Get(s.Endpoint + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s, %v", path, res.Status, err)
	}
	return body
}

// Enter gives the test's own process the client's environment, for libraries that start us from within it.
func (s *Stage) Enter() {
	s.t.Helper()
	t, ok := s.t.(*testing.T)
	if !ok {
		s.t.Fatal("only a test has an environment")
	}
	for _, v := range s.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}
