//go:build unix

package front

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/handover"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// These tests run two real processes in one: copies of this test binary, installed under the names of front and core. The
// front is the real one on a fake store; the core tells what it took over.
const (
	sceneVariable = "COGNITO_CREDHELPER_TEST_SCENE" // of the tests only
	lockVariable  = "COGNITO_CREDHELPER_TEST_LOCK"
)

func TestMain(m *testing.M) {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	switch filepath.Base(exe) {
	case coreName:
		os.Exit(coreMain())
	case "cognito-credhelper":
		os.Exit(frontMain(os.Getenv(sceneVariable)))
	default:
		os.Exit(m.Run())
	}
}

// coreMain prints what it took over and ends with an exit code of its own.
func coreMain() int {
	s, ok := handover.Take(os.Getenv, os.Unsetenv)
	var b strings.Builder
	b.WriteString("taken=" + strconv.FormatBool(ok) + " version=" + s.FrontVersion + " resumed=" + strconv.FormatBool(s.Resumed))
	b.WriteString(" argv=" + strings.Join(os.Args, ","))
	if s.Replay != nil {
		replay, _ := io.ReadAll(s.Replay)
		b.WriteString(" replay=" + string(replay))
	}
	if st, err := os.Stdin.Stat(); err == nil && st.Mode()&os.ModeNamedPipe != 0 {
		rest, _ := io.ReadAll(os.Stdin)
		b.WriteString(" stdin=" + string(rest))
	}
	b.WriteString(" lock=" + strconv.FormatBool(s.Lock != nil) + " " + lockState())
	os.Stdout.WriteString(b.String())
	return 7
}

// lockState tries the lock anew: it is held exactly if the descriptor that came along holds it.
func lockState() string {
	f, err := os.Open(os.Getenv(lockVariable))
	if err != nil {
		return "nolockfile"
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return "held"
	}
	return "free"
}

// lockedStore has one session and a real lock.
type lockedStore struct {
	fakeStore
	path string
}

func (s *lockedStore) TryLock(string) (lock, bool, error) {
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, false, f.Close()
	}
	return fileLock{f}, true, nil
}

type fileLock struct{ f *os.File }

func (l fileLock) File() *os.File { return l.f }
func (l fileLock) Unlock() error  { return l.f.Close() }

func frontMain(scene string) int {
	if scene == "real" {
		return Main(os.Args)
	}
	s := &lockedStore{path: os.Getenv(lockVariable)}
	s.session = expired()
	if scene == "warm" {
		s.session = withTokens(fresh, life(time.Hour, 0))
	}
	p := process{
		args: os.Args, getenv: os.Getenv, environ: os.Environ, in: os.Stdin, out: os.Stdout, err: os.Stderr, executable: os.Executable,
		adapters: append(all.Adapters(nil), readsInput()),
		open:     func(string) store { return s },
		stored:   func(string) store { return s },
		hosts:    func(string) (profileindex.Hosts, bool) { return profileindex.Hosts{}, false },
		lookup: func(string, profiles.Selection) (profileindex.Answer, bool) {
			runtime.GC() // nothing that the core needs may be collected meanwhile
			return profileindex.Answer{SessionID: sessionID}, true
		},
		now:     func() token.Instant { return present },
		replace: replace,
		maxWait: time.Second,
		quieten: func() {},
		after:   after,
	}
	return p.run()
}

// install puts the test binary in place as bin/cognito-credhelper and, where wanted, as the core in libexec.
func install(t *testing.T, withCore bool) (prefix string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	prefix, err = filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	place := func(parts ...string) {
		path := filepath.Join(append([]string{prefix}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	place("bin", "cognito-credhelper")
	if withCore {
		place("libexec", "cognito-credhelper", coreName)
	}
	return prefix
}

// call runs the installed front under argv[0] name.
func call(t *testing.T, prefix, scene, stdin, name string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(prefix, "bin", "cognito-credhelper"), args...)
	c.Args[0] = name
	c.Env = append(os.Environ(), sceneVariable+"="+scene, lockVariable+"="+filepath.Join(prefix, "lock"), "COGNITO_CREDHELPER_HOME="+prefix)
	if stdin != "" {
		c.Stdin = strings.NewReader(stdin)
	}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func TestProcessWarmNeedsNoCore(t *testing.T) {
	out, errs, exit := call(t, install(t, false), "warm", "", "cognito-credhelper", "token")
	if out != fresh+"\n" || errs != "" || exit != 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", exit, out, errs)
	}
}

func TestProcessHandsLockAndInputOver(t *testing.T) {
	out, errs, exit := call(t, install(t, true), "stale", "line 1line 2", "odd name", "reads", "--flag", "a b")
	want := "taken=true version=0.0.0-dev resumed=false argv=odd name,reads,--flag,a b replay=line 1 stdin=line 2 lock=true held"
	if out != want || errs != "" || exit != 7 {
		t.Errorf("exit %d, stderr %q\n got %s\nwant %s", exit, errs, out, want)
	}
}

func TestProcessHandsHumanVerbsOverUnread(t *testing.T) {
	out, errs, exit := call(t, install(t, true), "real", "all of it", "cognito-credhelper", "login", "--username", "x")
	want := "taken=true version=0.0.0-dev resumed=false argv=cognito-credhelper,login,--username,x stdin=all of it lock=false nolockfile"
	if out != want || errs != "" || exit != 7 {
		t.Errorf("exit %d, stderr %q\n got %s\nwant %s", exit, errs, out, want)
	}
}

func TestProcessWithoutCore(t *testing.T) {
	out, errs, exit := call(t, install(t, false), "real", "", "cognito-credhelper", "login")
	if out != "" || exit != 1 || !strings.HasPrefix(errs, "cognito-credhelper: the complete program is missing") || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d, stdout %q, stderr %q", exit, out, errs)
	}
}

// A front under the core's name must not make the two replace each other for ever.
func TestProcessFrontAsCore(t *testing.T) {
	prefix := install(t, false)
	if err := os.Symlink("cognito-credhelper", filepath.Join(prefix, "bin", coreName)); err != nil {
		t.Fatal(err)
	}
	_, errs, exit := call(t, prefix, "real", "", "cognito-credhelper", "login")
	if exit != 1 || !strings.Contains(errs, "another front") {
		t.Errorf("exit %d, stderr %q", exit, errs)
	}
}
