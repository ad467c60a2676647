//go:build torture && linux

package secrecy

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

const givenKey = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"

// secrets are the canaries that exist now, by name: what must be seen nowhere. AWS credentials, and what was made from them, are
// among them once there are any.
func (h *home) secrets() map[string]string {
	h.t.Helper()
	s, cold := h.kept()
	var more map[string]any
	if err := json.Unmarshal(cold, &more); err != nil {
		h.t.Fatal(err)
	}
	refresh := ""
	for name, value := range more {
		if text, ok := value.(string); ok && strings.Contains(name, "refresh") {
			refresh = text
		}
	}
	raw, _ := hex.DecodeString(givenKey)
	found := map[string]string{
		"password": password, "refresh token": refresh, "access token": s.Hot.Tokens.Access.Value.Reveal(), "ID token": s.Hot.Tokens.ID.Value.Reveal(),
		"data key": givenKey, "data key, raw": string(raw),
	}
	for _, c := range s.Hot.Credentials {
		if kind, _, place := tokencache.SplitDerived(c.Record); place != "" {
			found[kind+" token"] = c.AWS.SecretAccessKey.Reveal()
			continue
		}
		found["secret access key"], found["session token"] = c.AWS.SecretAccessKey.Reveal(), c.AWS.SessionToken.Reveal()
	}
	for name, value := range found {
		if len(value) < 8 {
			h.t.Fatalf("there is no %s to look for", name)
		}
	}
	return found
}

// kept is the one session and its cold record.
func (h *home) kept() (*tokencache.Session, []byte) {
	h.t.Helper()
	key, err := keyslot.ParseKey(givenKey)
	if err != nil {
		h.t.Fatal(err)
	}
	// As root over a copy: what is the person's is read by the person only.
	copied := filepath.Join(h.t.TempDir(), "s")
	if err := os.CopyFS(copied, os.DirFS(h.state)); err != nil {
		h.t.Fatal(err)
	}
	cache := tokencache.Open(copied, keyslot.OpenWith(copied, keyslot.Options{Given: func() (keyslot.Key, error) { return key, nil }}))
	ids, err := cache.List()
	if err != nil || len(ids) != 1 {
		h.t.Fatalf("sessions %v, %v", ids, err)
	}
	if err := os.Chmod(filepath.Join(copied, "sessions", ids[0]+".ses"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	s, cold, err := cache.LoadWhole(ids[0])
	if err != nil {
		h.t.Fatal(err)
	}
	return s, cold
}

// files holds that no file below the folders has a canary.
func files(t *testing.T, when string, secrets map[string]string, folders ...string) (n int) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // what vanishes while we look is nobody's leak
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			n++
			for name, value := range secrets {
				if bytes.Contains(b, []byte(value)) {
					t.Errorf("%s: the %s is in %s", when, name, path)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

var (
	startedLine = regexp.MustCompile(`\bexecve\(`)
	// writtenLine is a write to something that is not a socket: -y names what a descriptor is.
	writtenLine = regexp.MustCompile(`\b(write|pwrite64|writev)\((\d+)<([^>]*)>`)
)

// step is one command of a session's life.
type step struct {
	name  string
	stdin string
	args  []string
	later time.Duration
	shown bool                    // the command prints a token, as it was asked to
	fails bool                    // as it should
	ends  bool                    // the session
	made  string                  // the secret that must be there afterwards, by name
	while func(out func() string) // done while the command runs, with what it has printed
}

// endpointToken is the canary that the command of exec prints.
const endpointToken = "token of the endpoint"

const registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"

func canarySteps(h *home) []step {
	parent, serving := h.served()
	return []step{
		{name: "login", stdin: password + "\n", args: []string{"login", "--profile", "dev", "--username", "bob", "--password-stdin"}},
		{name: "login again", stdin: password + "\n", args: []string{"login", "--profile", "dev", "--username", "bob", "--password-stdin", "--force"}},
		{name: "status", args: []string{"status", "--profile", "dev", "--json"}},
		{name: "token", args: []string{"token", "--profile", "dev"}, shown: true},
		{name: "refresh", args: []string{"token", "--profile", "dev", "--use", "id"}, later: 2 * time.Hour, shown: true},
		{name: "claims", args: []string{"token", "--profile", "dev", "--claims"}},
		{name: "credential-process", args: []string{"credential-process", "--profile", "dev"}, shown: true, made: "secret access key"},
		{name: "derived", stdin: "protocol=https\nhost=" + registry + "\n\n", args: []string{"git", "get"}, shown: true, made: "ecr token"},
		{name: "status with credentials", args: []string{"status", "--profile", "dev", "--json"}},
		{
			name: "exec", args: []string{"exec", "--profile", "dev", "--", "sh", "-c", `env >&2; cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"`},
			later: 14 * time.Hour, shown: true, made: endpointToken,
		},
		{name: "serve", args: []string{"serve", "--profile", "dev", "--parent-pid", parent}, later: 14 * time.Hour, while: serving},
		{name: "store", args: []string{"store", "--json"}},
		{name: "history", args: []string{"history", "--json"}},
		{name: "wrong password", stdin: "wr0ng-canary\n", args: []string{"login", "--profile", "dev", "--username", "bob", "--password-stdin", "--force"}, fails: true},
		{name: "logout", args: []string{"logout", "--profile", "dev"}, ends: true},
	}
}

// served gives a process for serve to end with, and what asks the endpoint for credentials, as an SDK does, and ends it.
func (h *home) served() (parent string, serving func(out func() string)) {
	h.t.Helper()
	sleeper := h.as(person, "", "sleep", "600")
	if err := sleeper.Start(); err != nil {
		h.t.Fatal(err)
	}
	end := func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() }
	h.t.Cleanup(end)
	variable := regexp.MustCompile(`export ([A-Z_]+)=(\S+)`)
	return itoa(sleeper.Process.Pid), func(out func() string) {
		defer end()
		var v map[string]string
		for range 1000 {
			v = map[string]string{}
			for _, m := range variable.FindAllStringSubmatch(out(), -1) {
				v[m[1]] = m[2]
			}
			if len(v) == 2 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		secret, err := os.ReadFile(v["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
		if err != nil {
			h.t.Error(err)
			return
		}
		r, err := http.NewRequest(http.MethodGet, v["AWS_CONTAINER_CREDENTIALS_FULL_URI"], nil)
		if err != nil {
			h.t.Error(err)
			return
		}
		r.Header.Set("Authorization", string(secret))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			h.t.Error(err)
			return
		}
		defer answer.Body.Close()
		if body, err := io.ReadAll(answer.Body); err != nil || !bytes.Contains(body, []byte("SecretAccessKey")) {
			h.t.Errorf("the endpoint answered %s with %d bytes, %v", answer.Status, len(body), err)
		}
	}
}

// bindRegistry gives the profile AWS credentials, and what ECR takes.
func (h *home) bindRegistry() {
	h.t.Helper()
	r := h.server.Ready()
	h.write(".aws/config", fmt.Sprintf(`[profile dev]
region = %s
cognito_user_pool_id = %s
cognito_client_id = %s
cognito_identity_pool_id = %s
cognito_endpoint_url = %s
cognito_identity_endpoint_url = %s
services = sandbox
cognito_hosts =
  %s = ecr

[services sandbox]
ecr =
  endpoint_url = %s
`, r.Region, r.UserPoolID, r.ClientID, r.IdentityPoolID, r.Endpoint, r.Endpoint, registry, r.Endpoint))
	h.own()
}

// H32: the canaries are in no argument, no environment, no message, no pipe, and no file, through a session's whole life.
// The data key comes by the environment here, which is the one place that the caller chose for it: it is gone from there
// before anything is started.
func TestCanariesAreNowhere(t *testing.T) {
	h := newHome(t)
	h.bindRegistry()
	h.extra = []string{"COGNITO_CREDHELPER_KEY=" + givenKey, "TMPDIR=" + h.dir}
	started, written, looked := 0, 0, 0
	for i, step := range canarySteps(h) {
		h.pass(step.later)
		before := map[string]string{"password": password}
		if i > 0 {
			before = h.secrets()
		}
		o, lines := h.callsWhile(step.while, "execve,write,pwrite64,writev", step.stdin, step.args...)
		if (o.exit != 0) != step.fails {
			t.Fatalf("%s: exit %d: %s", step.name, o.exit, o.stderr)
		}
		after := before
		if !step.ends {
			after = h.secrets()
		}
		if step.made == endpointToken {
			after[endpointToken] = o.stdout
		}
		if step.made != "" && (after[step.made] == "" || after[step.made] == before[step.made]) {
			t.Fatalf("%s: there is no new %s", step.name, step.made)
		}
		for when, secrets := range map[string]map[string]string{"before": before, "after": after} {
			what := step.name + ", secrets from " + when
			for name, value := range secrets {
				if strings.Contains(o.stderr, value) || !step.shown && strings.Contains(o.stdout, value) {
					t.Errorf("%s: the %s is printed", what, name)
				}
			}
			started += inLines(t, what, lines, secrets, startedLine, func(l, _ string) bool {
				// strace itself puts our environment into the first one.
				return l == lines[0]
			})
			written += inLines(t, what, lines, secrets, writtenLine, func(l, name string) bool {
				m := writtenLine.FindStringSubmatch(l)
				return m == nil || name == endpointToken && strings.Contains(m[3], "/endpoints/") || strings.HasPrefix(m[3], "socket:") || strings.HasPrefix(m[3], "TCP") || step.shown && m[2] == "1" || carriesJob(m[3], l)
			})
			looked += files(t, what, secrets, h.dir)
		}
	}
	t.Logf("%d starts, %d writes, and %d files were looked through", started, written, looked)
	if started == 0 || written < 20 || looked < 20 {
		t.Error("too little was looked at")
	}
}

// carriesJob is the one pipe by which a given key goes to the worker.
func carriesJob(to, line string) bool {
	return strings.HasPrefix(to, "pipe:") && strings.Contains(line, `{\"key\":`)
}

// inLines looks for secrets in the lines of a kind, but those that are let pass, and gives their number.
func inLines(t *testing.T, what string, lines []string, secrets map[string]string, kind *regexp.Regexp, pass func(line, secret string) bool) (n int) {
	t.Helper()
	for _, l := range lines {
		if !kind.MatchString(l) {
			continue
		}
		n++
		for name, value := range secrets {
			if strings.Contains(l, value) && !pass(l, name) {
				t.Errorf("%s: the %s is in %.200s", what, name, l)
			}
		}
	}
	return n
}

// A debugger of the same user gets nothing of a process that has a password in its memory, and neither does a core file.
func TestMemoryIsClosed(t *testing.T) {
	needs(t, "gcore")
	h := newHome(t)
	h.extra = []string{"COGNITO_CREDHELPER_KEY=" + givenKey, "GOTRACEBACK=crash"}
	dir := filepath.Join(h.dir, "work")
	h.write("work/answer", "#!/bin/sh\ntouch "+dir+"/asked\nexec sleep 60\n")
	if err := os.Chmod(filepath.Join(dir, "answer"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.own()
	cmd := h.as(person, "correct horse battery staple\n", "sh", "-c", `ulimit -c unlimited; exec "$@"`, "sh",
		filepath.Join(programs, "cognito-credhelper"), "login", "--profile", "dev", "--username", "alice", "--password-stdin", "--mfa-process", filepath.Join(dir, "answer"))
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Stdout = dir, &said, &said
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	for range 1000 {
		if _, err := os.Stat(filepath.Join(dir, "asked")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	proc := filepath.Join("/proc", itoa(cmd.Process.Pid))
	if !inMemory(t, cmd.Process.Pid, "correct horse battery staple") {
		t.Error("the password is not in the memory at all: this test sees nothing")
	}
	for _, look := range [][]string{{"cat", proc + "/environ"}, {"cat", proc + "/mem"}, {"ls", proc + "/fd/"}, {"gcore", "-o", dir + "/core", itoa(cmd.Process.Pid)}} {
		o := finish(h.as(person, "", look...))
		if o.exit == 0 || strings.Contains(o.stdout+o.stderr, givenKey) {
			t.Errorf("%v: exit %d, %d bytes", look, o.exit, len(o.stdout))
		}
	}
	// The counter-example: a process that does not close its memory is open to all of that.
	sleeper := h.as(person, "", "sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() })
	if o := finish(h.as(person, "", "cat", "/proc/"+itoa(sleeper.Process.Pid)+"/environ")); o.exit != 0 || !strings.Contains(o.stdout, givenKey) {
		t.Errorf("the counter-example is closed, too: exit %d", o.exit)
	}
	// What the program starts has no key in its environment: the program of --mfa-process is a child like every other.
	var children []string
	threads, _ := filepath.Glob(proc + "/task/*/children")
	for _, path := range threads {
		b, _ := os.ReadFile(path)
		children = append(children, strings.Fields(string(b))...)
	}
	for _, pid := range children {
		if b, err := os.ReadFile("/proc/" + pid + "/environ"); err != nil || bytes.Contains(b, []byte(givenKey)) || !bytes.Contains(b, []byte("HOME=")) {
			t.Errorf("the environment of child %s: %v", pid, err)
		}
	}
	if len(children) == 0 {
		t.Error("there is no child")
	}

	// The worst end: the runtime dumps its goroutines and aborts.
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	err := cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.CoreDump() || cmd.ProcessState.Success() {
		t.Errorf("ended with %v, %v", cmd.ProcessState, err)
	}
	secrets := map[string]string{"password": "correct horse battery staple", "data key": givenKey}
	for name, value := range secrets {
		if strings.Contains(said.String(), value) {
			t.Errorf("the %s is in what a crash prints", name)
		}
	}
	files(t, "after a crash", secrets, h.dir)
}

// inMemory looks for text in what a process can read of itself, as root.
func inMemory(t *testing.T, pid int, text string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/" + itoa(pid) + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open("/proc/" + itoa(pid) + "/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		from, to, ok := strings.Cut(f[0], "-")
		if !ok || !strings.HasPrefix(f[1], "rw") || len(f) > 5 && strings.HasPrefix(f[5], "[v") {
			continue
		}
		begin, end := parse(from), parse(to)
		if end-begin > 1<<28 {
			continue
		}
		b := make([]byte, end-begin)
		n, _ := mem.ReadAt(b, int64(begin))
		if bytes.Contains(b[:n], []byte(text)) {
			return true
		}
	}
	return false
}
