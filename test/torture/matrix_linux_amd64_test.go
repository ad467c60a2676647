//go:build torture

package torture

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
	"github.com/cognito-credhelper/cognito-credhelper/test/torture/tracer"
)

// needsTracer skips by name where programs that hide their memory cannot be traced.
func needsTracer(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		skips.Missing(t, "ptrace", "programs that hide their memory are traced by root only")
	}
	skips.Ran(t, "ptrace", "as root")
}

// command is one that is struck at each of its points.
type command struct {
	name   string
	grace  int
	stdin  string
	args   []string
	begin  func(h *home)         // once, and after a loss
	before func(h *home)         // each case
	judge  func(c *struck) error // after the strike; an error is a failure of the test
}

// struck is one case.
type struck struct {
	*home
	matrix *matrix
	point  tracer.Point
	index  int // of the point in the clean trace
	report tracer.Report
}

// lanes is how many cases run at once.
const lanes = 4

// matrix is a command with its clean trace and what was found.
type matrix struct {
	command
	clean []tracer.Point
	mu    sync.Mutex
	hit   map[string]bool
	lost  []string
	cases int
}

func (c *command) home(t testing.TB) *home {
	h := newHome(t, c.grace)
	c.begin(h)
	return h
}

// cleanTrace traces the command twice: a point that does not come again under the same name is no point.
func (c *command) cleanTrace(t *testing.T) []tracer.Point {
	t.Helper()
	h := c.home(t)
	var first []tracer.Point
	for range 2 {
		c.before(h)
		r, err := h.trace(nil, c.stdin, c.args...)
		if err != nil || r.Exit != 0 {
			t.Fatalf("clean trace: exit %d, %v: %s", r.Exit, err, r.Stderr)
		}
		if first == nil {
			first = r.Points
		} else if a, b := names(first), names(r.Points); !slices.Equal(a, b) {
			t.Fatalf("two clean traces differ:\nonly in the first: %q\nonly in the second: %q", without(a, b), without(b, a))
		}
		if c.args[0] == "logout" {
			c.begin(h)
		}
	}
	return first
}

func names(points []tracer.Point) (list []string) {
	for _, p := range points {
		list = append(list, p.Name)
	}
	slices.Sort(list)
	return list
}

func without(list, those []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(those, s) })
}

// strike runs the command once for each point and each errno (0: kill), and judges what is left.
func (c command) strike(t *testing.T, wanted func(tracer.Point) bool, errnos ...syscall.Errno) *matrix {
	t.Helper()
	m := &matrix{command: c, clean: c.cleanTrace(t), hit: map[string]bool{}}
	var points []int
	for i, p := range m.clean {
		if wanted(p) {
			points = append(points, i)
		}
	}
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			var h *home
			for n := lane; n < len(points)*len(errnos); n += lanes {
				if h == nil {
					h = c.home(t)
				}
				h = m.one(t, h, points[n/len(errnos)], errnos[n%len(errnos)])
			}
		})
	}
	wg.Wait()
	slices.Sort(m.lost)
	t.Logf("%s, grace %d: %d distinct injection points struck of %d in a clean trace, %d cases, %d sessions lost", c.name, c.grace, len(m.hit), len(points), m.cases, len(m.lost))
	if len(m.hit) != len(points) {
		t.Errorf("%d points struck, the clean trace has %d", len(m.hit), len(points))
	}
	for _, l := range m.lost {
		t.Log("lost: ", l)
	}
	return m
}

// one is one case. It gives the home for the next one: nil where a new one is needed.
func (m *matrix) one(t *testing.T, h *home, index int, errno syscall.Errno) *home {
	p := m.clean[index]
	what := "killed at " + p.Name
	if errno != 0 {
		what = fmt.Sprintf("%v at %s", errno, p.Name)
	}
	m.before(h)
	h.server.ResetRequests()
	r, err := h.trace(&tracer.Strike{Point: p.Name, Errno: int(errno)}, m.stdin, m.args...)
	if err != nil || !r.Struck {
		t.Errorf("%s: struck %v, %v; exit %d: %s", what, r.Struck, err, r.Exit, r.Stderr)
		return nil
	}
	err = m.judge(&struck{h, m, p, index, r})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cases++
	m.hit[p.Name] = true
	if err == nil {
		return h
	}
	if _, gone := err.(*lostError); gone {
		m.lost = append(m.lost, what)
	} else {
		t.Errorf("%s: %v\nthe struck command: exit %d: %s", what, err, r.Exit, r.Stderr)
	}
	return nil
}

// lostError says that a session that was there is no longer usable, and that it should be.
type lostError struct{ outcome }

func (l *lostError) Error() string { return "the session is lost: " + l.outcome.String() }

// mustLive says that the session must still be usable.
func (s *struck) mustLive() error {
	o, ok := s.lives()
	switch {
	case ok:
		return nil
	case o.exit == 3:
		return &lostError{o}
	}
	return fmt.Errorf("the next call: %v", o)
}

func (s *struck) hasSession() bool {
	_, err := os.Stat(s.state + "/sessions")
	if err != nil {
		return false
	}
	for _, name := range s.files() {
		if strings.HasSuffix(name, ".ses") {
			return true
		}
	}
	return false
}

// refreshCommand is a call that finds its token expired.
func refreshCommand(grace int) command {
	return command{
		name: "refresh", grace: grace, args: tokenArgs,
		begin:  func(h *home) { h.login(); h.mustToken(); h.pass(life); h.mustToken() },
		before: func(h *home) { h.pass(life) },
		judge:  (*struck).mustLive,
	}
}

// loginAgain is a login over a session that lives.
func loginAgain(grace int) command {
	c := refreshCommand(grace)
	c.name, c.stdin, c.args = "login over a session", password+"\n", loginArgs
	return c
}

// firstLogin begins with nothing at all.
func firstLogin(grace int) command {
	return command{
		name: "first login", grace: grace, stdin: password + "\n", args: loginArgs,
		begin:  func(*home) {},
		before: func(h *home) { h.forgetAll() },
		judge: func(s *struck) error {
			if s.hasSession() {
				return s.mustLive()
			}
			if o := s.token(); o.exit != 3 || o.stdout != "" {
				return fmt.Errorf("without a session: %v", o)
			}
			return s.loginWorks()
		},
	}
}

func (h *home) forgetAll() {
	h.quiet() // a worker may still write after it has answered
	if err := os.RemoveAll(h.state); err != nil {
		h.t.Fatal(err)
	}
}

func (s *struck) loginWorks() error {
	if o := finish(s.command(s.loginStdin(), loginArgs...)); o.exit != 0 {
		return fmt.Errorf("a login afterwards: %v", o)
	}
	if o := s.token(); o.exit != 0 || !isToken(o.stdout) {
		return fmt.Errorf("the token after a login: %v", o)
	}
	return nil
}

func (h *home) loginStdin() string { return password + "\n" }

var logoutArgs = []string{"logout", "--profile", profile}

// logoutCommand must leave either the session or its end, and can be done again.
func logoutCommand(grace int) command {
	c := refreshCommand(grace)
	c.name, c.args = "logout", logoutArgs
	c.before = func(h *home) { h.login(); h.pass(life) }
	c.judge = func(s *struck) error {
		if s.hasSession() && s.server.Requests()["RevokeToken"] == 0 {
			if err := s.mustLive(); err != nil {
				return err
			}
		} else if o := s.token(); o.exit != 3 || o.stdout != "" {
			return fmt.Errorf("after a logout: %v", o)
		}
		if o := finish(s.command("", logoutArgs...)); o.exit != 0 {
			return fmt.Errorf("a logout afterwards: %v", o)
		}
		return s.loginWorks()
	}
	return c
}

func everyPoint(tracer.Point) bool { return true }

func filePoint(p tracer.Point) bool { return p.File }

// H3: SIGKILL at every point of login, refresh, and logout. With a grace period nothing is lost; with none, only what is
// between Cognito's answer and the rename in the worker.
func TestKilledAtEverySystemCall(t *testing.T) {
	needsTracer(t)
	for _, c := range []command{refreshCommand(60), firstLogin(60), loginAgain(60), logoutCommand(60), firstLogin(0), loginAgain(0), logoutCommand(0)} {
		if m := c.strike(t, everyPoint, 0); len(m.lost) > 0 {
			t.Errorf("%s, grace %d: lost: %q", c.name, c.grace, m.lost)
		}
	}
	m := refreshCommand(0).strike(t, everyPoint, 0)
	from, to := m.window(t)
	for _, lost := range m.lost {
		i := slices.IndexFunc(m.clean, func(p tracer.Point) bool { return "killed at "+p.Name == lost })
		if i < from || i > to || m.clean[i].Role != tracer.Worker {
			t.Errorf("lost, but not between the answer and the rename in the worker: %s", lost)
		}
	}
	if len(m.lost) == 0 {
		t.Error("nothing was lost with no grace: these kills do not reach what they are for")
	}
}

// window is from the arrival of Cognito's answer to the rename, in the worker.
func (m *matrix) window(t *testing.T) (from, to int) {
	t.Helper()
	find := func(call, about string) int {
		i := slices.IndexFunc(m.clean, func(p tracer.Point) bool {
			return p.Role == tracer.Worker && p.Call == call && strings.Contains(p.Name, about)
		})
		if i < 0 {
			t.Fatalf("the worker has no %s %s", call, about)
		}
		return i
	}
	return find("arrives", "socket"), find("renameat", "ID.ses")
}

// H5: each call of the file system fails once. With no grace: nothing is lost, and a token that was gained is handed out.
func TestEachFileCallFailsOnce(t *testing.T) {
	needsTracer(t)
	errnos := []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EDQUOT, syscall.EINTR, syscall.EACCES}
	refresh := refreshCommand(0)
	refresh.judge = func(s *struck) error {
		switch {
		case s.report.Exit == 0 && !isToken(s.report.Stdout):
			return fmt.Errorf("exit 0 without a token")
		case s.report.Exit != 0 && s.requests() > 0:
			return fmt.Errorf("Cognito rotated, and the token was not handed out")
		case s.report.Exit != 0 && !strings.HasPrefix(s.report.Stderr, "cognito-credhelper: "):
			return fmt.Errorf("no sentence says why")
		}
		s.pass(2 * time.Minute) // whatever waiting time follows a failure
		return s.mustLive()
	}
	again := loginAgain(0)
	again.judge = func(s *struck) error { s.pass(2 * time.Minute); return s.mustLive() }
	for _, c := range []command{refresh, again} {
		if m := c.strike(t, filePoint, errnos...); len(m.lost) > 0 {
			t.Errorf("%s: lost: %q", c.name, m.lost)
		}
	}
}
