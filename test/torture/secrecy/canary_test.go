//go:build torture && linux

package secrecy

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
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

// secrets are the canaries that exist now, by name: what must be seen nowhere.
func (h *home) secrets() map[string]string {
	h.t.Helper()
	key, err := keyslot.ParseKey(givenKey)
	if err != nil {
		h.t.Fatal(err)
	}
	// As root over a copy: what is the person's is read by the person only.
	copied := h.t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "s"), os.DirFS(h.state)); err != nil {
		h.t.Fatal(err)
	}
	cache := tokencache.Open(filepath.Join(copied, "s"), keyslot.OpenWith(filepath.Join(copied, "s"), keyslot.Options{Given: func() (keyslot.Key, error) { return key, nil }}))
	ids, err := cache.List()
	if err != nil || len(ids) != 1 {
		h.t.Fatalf("sessions %v, %v", ids, err)
	}
	if err := os.Chmod(filepath.Join(copied, "s", "sessions", ids[0]+".ses"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	s, cold, err := cache.LoadWhole(ids[0])
	if err != nil {
		h.t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal(cold, &kept); err != nil {
		h.t.Fatal(err)
	}
	refresh := ""
	for name, value := range kept {
		if text, ok := value.(string); ok && strings.Contains(name, "refresh") {
			refresh = text
		}
	}
	raw, _ := hex.DecodeString(givenKey)
	found := map[string]string{
		"password": password, "refresh token": refresh, "access token": s.Hot.Tokens.Access.Value.Reveal(), "ID token": s.Hot.Tokens.ID.Value.Reveal(),
		"data key": givenKey, "data key, raw": string(raw),
	}
	for name, value := range found {
		if len(value) < 8 {
			h.t.Fatalf("there is no %s to look for", name)
		}
	}
	return found
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

// H32: the canaries are in no argument, no environment, no message, no pipe, and no file, through a session's whole life.
// The data key comes by the environment here, which is the one place that the caller chose for it: it is gone from there
// before anything is started.
func TestCanariesAreNowhere(t *testing.T) {
	h := newHome(t)
	h.extra = []string{"COGNITO_CREDHELPER_KEY=" + givenKey, "TMPDIR=" + h.dir}
	steps := []struct {
		name  string
		stdin string
		args  []string
		later time.Duration
		shown bool // the command prints a token, as it was asked to
	}{
		{"login", password + "\n", []string{"login", "--profile", "dev", "--username", "bob", "--password-stdin"}, 0, false},
		{"login again", password + "\n", []string{"login", "--profile", "dev", "--username", "bob", "--password-stdin", "--force"}, 0, false},
		{"status", "", []string{"status", "--profile", "dev", "--json"}, 0, false},
		{"token", "", []string{"token", "--profile", "dev"}, 0, true},
		{"refresh", "", []string{"token", "--profile", "dev", "--use", "id"}, 2 * time.Hour, true},
		{"claims", "", []string{"token", "--profile", "dev", "--claims"}, 0, false},
		{"store", "", []string{"store", "--json"}, 0, false},
		{"history", "", []string{"history", "--json"}, 0, false},
		{"wrong password", "wr0ng-canary\n", []string{"login", "--profile", "dev", "--username", "bob", "--password-stdin", "--force"}, 0, false},
	}
	started, written, looked := 0, 0, 0
	for _, step := range steps {
		h.pass(step.later)
		before := map[string]string{"password": password}
		if step.name != "login" {
			before = h.secrets()
		}
		o, lines := h.calls("execve,write,pwrite64,writev", step.stdin, step.args...)
		if (o.exit == 0) == (step.name == "wrong password") {
			t.Fatalf("%s: exit %d: %s", step.name, o.exit, o.stderr)
		}
		for when, secrets := range map[string]map[string]string{"before": before, "after": h.secrets()} {
			what := step.name + ", secrets from " + when
			for name, value := range secrets {
				if strings.Contains(o.stderr, value) || !step.shown && strings.Contains(o.stdout, value) {
					t.Errorf("%s: the %s is printed", what, name)
				}
			}
			started += inLines(t, what, lines, secrets, startedLine, func(l string) bool {
				// strace itself puts our environment into the first one.
				return l == lines[0]
			})
			written += inLines(t, what, lines, secrets, writtenLine, func(l string) bool {
				m := writtenLine.FindStringSubmatch(l)
				return m == nil || strings.HasPrefix(m[3], "socket:") || strings.HasPrefix(m[3], "TCP") || step.shown && m[2] == "1" || carriesJob(m[3], l)
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
func inLines(t *testing.T, what string, lines []string, secrets map[string]string, kind *regexp.Regexp, pass func(string) bool) (n int) {
	t.Helper()
	for _, l := range lines {
		if !kind.MatchString(l) {
			continue
		}
		n++
		if pass(l) {
			continue
		}
		for name, value := range secrets {
			if strings.Contains(l, value) {
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
