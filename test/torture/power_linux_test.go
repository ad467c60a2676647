//go:build torture

package torture

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// needsFUSE skips by name where no file system can be mounted, and gives the program that serves one.
func needsFUSE(t *testing.T) (program string) {
	t.Helper()
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		skips.Missing(t, "fuse", err.Error())
	}
	f.Close()
	if os.Geteuid() != 0 {
		skips.Missing(t, "fuse", "without fusermount only root may mount")
	}
	program = filepath.Join(programs, "powercut")
	cmd := exec.Command("go", "-C", filepath.Join("..", "powercut"), "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building powercut: %v\n%s", err, out)
	}
	skips.Ran(t, "fuse", "go-fuse v2, mounted by root")
	return program
}

// disk is a state folder that can lose power.
type disk struct {
	t     testing.TB
	mount string
	out   string
	in    io.WriteCloser
	lines *bufio.Scanner
	cmd   *exec.Cmd
}

// plug serves from's content; the power goes before operation cut ("": never).
func plug(t testing.TB, program, from, cut string) *disk {
	t.Helper()
	d := &disk{t: t, mount: folder(t), out: folder(t)}
	d.cmd = exec.Command(program, "-mount", d.mount, "-from", from, "-out", d.out, "-cut", cut)
	d.cmd.Stderr = os.Stderr
	var err error
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.lines = bufio.NewScanner(out)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.cmd.ProcessState == nil { // the test failed half-way
			d.in.Close()
			_ = syscall.Unmount(d.mount, syscall.MNT_DETACH)
			_ = d.cmd.Wait()
		}
	})
	d.expect("ready")
	return d
}

func (d *disk) expect(word string) string {
	d.t.Helper()
	if !d.lines.Scan() || !strings.HasPrefix(d.lines.Text(), word) {
		d.t.Fatalf("powercut said %q, want %s", d.lines.Text(), word)
	}
	return d.lines.Text()
}

// open reports whether a process has something on the disk open. One that was killed hides its environment before it closes its
// files.
func (d *disk) open() bool {
	all, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	return slices.ContainsFunc(all, func(fd string) bool {
		file, err := os.Readlink(fd)
		return err == nil && strings.HasPrefix(file, d.mount)
	})
}

// unplug unmounts and gives the operations there were.
func (d *disk) unplug() (ops []string) {
	d.t.Helper()
	eventually(d.t, "everything on the disk is closed", func() bool { return !d.open() })
	d.in.Close()
	for d.lines.Scan() {
		if op, ok := strings.CutPrefix(d.lines.Text(), "op "); ok {
			ops = append(ops, op)
		}
	}
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("powercut: %v", err)
	}
	return ops
}

// powerCase is one command whose state folder loses power.
type powerCase struct {
	name  string
	grace int
	stdin string
	args  []string
	below string // of the disk, where the state folder is; "": it is the disk
}

// images are what may be left.
var images = []string{"strict", "metadata"}

// run runs the command on a disk that loses power before operation cut, or when the command has ended where cut is ""; then it
// goes on with one of the images. ops are the operations that there were.
func (c powerCase) run(h *home, program, cut, image string) (ops []string) {
	h.t.Helper()
	base := strings.TrimSuffix(h.state, "/"+c.below)
	d := plug(h.t, program, base, cut)
	h.state = filepath.Join(d.mount, c.below)
	cmd := h.command(c.stdin, c.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	if cut == "" {
		if err := cmd.Wait(); err != nil {
			h.t.Errorf("%s without a cut: %v", c.name, err)
		}
		if image == "" { // nobody wants to know what is left: let the worker end
			h.quiet()
		}
		h.killAll(cmd)
	} else {
		hangs := time.AfterFunc(time.Minute, func() { d.in.Close() })
		d.expect("cut")
		hangs.Stop()
		h.killAll(cmd)
		fmt.Fprintln(d.in, "release")
		_ = cmd.Wait()
	}
	h.quiet()
	// What is in memory goes with the power, too.
	if err := errors.Join(os.RemoveAll(h.runtime()), os.Mkdir(h.runtime(), 0o700)); err != nil {
		h.t.Error(err)
	}
	ops = d.unplug()
	h.state = filepath.Join(d.out, cmp.Or(image, images[0]), c.below)
	return ops
}

// killAll ends everything that lives with this home, as a power cut does.
func (h *home) killAll(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	for _, pid := range h.processes() {
		var n int
		if _, err := fmt.Sscan(pid, &n); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
}

// begin signs in, and uses the session until every file is there that a renewal leaves.
func (c powerCase) begin(t testing.TB) *home {
	h := newHome(t, c.grace)
	c.again(h)
	return h
}

func (c powerCase) again(h *home) {
	h.state = filepath.Join(folder(h.t), "state")
	h.login()
	h.mustToken()
	h.pass(life)
	h.mustToken()
	h.quiet()
}

// cleanRun gives the operations of a run with no cut, in the order in which they came. What does not come again under the same
// name is no point to cut at.
func (c powerCase) cleanRun(t *testing.T, program string) (clean []string) {
	t.Helper()
	h := c.begin(t)
	for range 2 {
		h.pass(life)
		ops := c.run(h, program, "", "")
		if clean != nil && !slices.Equal(slices.Sorted(slices.Values(clean)), slices.Sorted(slices.Values(ops))) {
			t.Fatalf("two clean runs differ: %q and %q", clean, ops)
		}
		clean = ops
		if o, ok := h.lives(); !ok {
			t.Fatalf("after a clean run: %v", o)
		}
		h.quiet()
	}
	return clean
}

// atEnd is the cut when the command has ended.
const atEnd = ""

// everyCut cuts the power before each operation, and when the command has ended, and gives the operations and those where an
// image had lost the session.
func (c powerCase) everyCut(t *testing.T, program string) (clean []string, lost map[string][]string) {
	t.Helper()
	clean = c.cleanRun(t, program)
	var mu sync.Mutex
	lost, hit, cases, gone := map[string][]string{}, map[string]bool{}, 0, 0
	var wg sync.WaitGroup
	for _, image := range images {
		wg.Go(func() {
			h := c.begin(t)
			for _, cut := range append([]string{atEnd}, clean...) {
				h.pass(life)
				c.run(h, program, cut, image)
				o, ok := h.lives()
				h.quiet()
				mu.Lock()
				hit[cut] = true
				cases++
				if !ok {
					lost[cut] = append(lost[cut], image)
					gone++
				}
				mu.Unlock()
				if !ok {
					if o.exit != 3 || strings.Contains(o.stderr, "damaged") {
						t.Errorf("%s, grace %d, power cut before %q, image %s: %v", c.name, c.grace, cut, image, o)
					}
					c.again(h)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%s, grace %d: power cut at %d distinct operations of %d in a clean run, and when it had ended; %d images, %d sessions lost", c.name, c.grace, len(hit)-1, len(clean), cases, gone)
	return clean, lost
}

// H6: the power goes before each operation on the disk; each of two images of what is left can be read, and with a grace
// period the session goes on. With none, it is lost only between Cognito's answer and the sync of the folder.
func TestPowerCutAtEveryOperation(t *testing.T) {
	program := needsFUSE(t)
	for _, c := range []powerCase{
		{name: "refresh", grace: 60, args: tokenArgs},
		{name: "login over a session", grace: 60, stdin: password + "\n", args: loginArgs},
		{name: "login over a session", grace: 0, stdin: password + "\n", args: loginArgs},
	} {
		clean, lost := c.everyCut(t, program)
		for cut, images := range lost {
			t.Errorf("%s, grace %d, power cut before %q: images %q have lost the session", c.name, c.grace, cut, images)
		}
		if len(clean) == 0 {
			t.Errorf("%s touches no disk", c.name)
		}
	}
	c := powerCase{name: "refresh", grace: 0, args: tokenArgs}
	clean, lost := c.everyCut(t, program)
	// The intent is synced before the request goes out; the folder of sessions when its answer has been renamed into place.
	from, to := slices.Index(clean, "fsync sessions/ID.lock #1"), slices.Index(clean, "fsync sessions #1")
	if from < 0 || to < from {
		t.Fatalf("no window between %d and %d in %q", from, to, clean)
	}
	for cut, images := range lost {
		if at := slices.Index(clean, cut); at <= from || at > to {
			t.Errorf("with no grace, power cut before %q: images %q have lost the session", cut, images)
		}
	}
	if len(lost) == 0 {
		t.Error("nothing was lost with no grace: these cuts do not reach what they are for")
	}
}

// anew cuts the power before each operation of a command that begins with another state each time, and when it has ended. check
// looks at each image, and says whether somebody is signed in there.
func (c powerCase) anew(t *testing.T, program string, begin func(*home), check func(h *home, cut, image string) (signedIn bool)) {
	t.Helper()
	h := newHome(t, c.grace)
	var clean []string
	for range 2 {
		begin(h)
		ops := c.run(h, program, atEnd, "")
		if clean != nil && !slices.Equal(clean, ops) {
			t.Fatalf("two clean runs differ: %q and %q", clean, ops)
		}
		clean = ops
	}
	var mu sync.Mutex
	count := map[bool]int{}
	var wg sync.WaitGroup
	for _, image := range images {
		wg.Go(func() {
			h := newHome(t, c.grace)
			for _, cut := range append([]string{atEnd}, clean...) {
				begin(h)
				c.run(h, program, cut, image)
				signedIn := check(h, cut, image)
				h.quiet()
				mu.Lock()
				count[signedIn]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%s, grace %d: power cut at %d distinct operations, and when it had ended; signed in with %d images, not with %d", c.name, c.grace, len(clean), count[true], count[false])
	if count[true] == 0 || count[false] == 0 {
		t.Error("these cuts do not reach what they are for")
	}
}

// is says who is signed in by an answer to token: a session that can be used, or none at all. Everything else is half of one.
func (h *home) is() (signedIn, whole bool, o outcome) {
	o = h.token()
	out := o.exit == 3 && o.stdout == "" && strings.Contains(o.stderr, "nobody is signed in")
	return o.exit == 0 && isToken(o.stdout), out || o.exit == 0 && isToken(o.stdout), o
}

// signsIn holds that a login works, whatever was there, and what it gives lasts.
func (h *home) signsIn(what string) {
	h.t.Helper()
	if o := finish(h.command(password+"\n", loginArgs...)); o.exit != 0 || strings.Contains(o.stderr, "warning") {
		h.t.Errorf("%s: the next login: %v", what, o)
		return
	}
	if o, ok := h.lives(); !ok {
		h.t.Errorf("%s: after the next login: %v", what, o)
	}
}

// H6 where there was nothing before: the power goes at each operation of the very first login, that also makes the state
// folder, the store, and its key. What is left is a whole session or none, never a part that is in the next login's way; and
// who was told to be signed in is.
func TestPowerCutAtEveryOperationOfAFirstLogin(t *testing.T) {
	program := needsFUSE(t)
	c := powerCase{name: "first login", grace: 60, stdin: password + "\n", args: loginArgs, below: "state"}
	c.anew(t, program, func(h *home) { h.state = filepath.Join(folder(h.t), c.below) }, func(h *home, cut, image string) bool {
		what := fmt.Sprintf("power cut before %q, image %s", cut, image)
		signedIn, whole, o := h.is()
		if !whole || cut == atEnd && !signedIn {
			h.t.Errorf("%s: %v", what, o)
		}
		if signedIn {
			if o, ok := h.lives(); !ok {
				h.t.Errorf("%s: what is stored: %v", what, o)
			}
		}
		h.signsIn(what)
		return signedIn
	})
}

// H6 of a logout: who was told to be signed out stays so; before that the session is there, whole, or it is not, and a
// second logout ends it.
func TestPowerCutAtEveryOperationOfALogout(t *testing.T) {
	program := needsFUSE(t)
	c := powerCase{name: "logout", grace: 60, args: []string{"logout", "--profile", profile}}
	c.anew(t, program, c.again, func(h *home, cut, image string) bool {
		what := fmt.Sprintf("power cut before %q, image %s", cut, image)
		signedIn, whole, o := h.is()
		if !whole || cut == atEnd && signedIn {
			h.t.Errorf("%s: %v", what, o)
		}
		if o := finish(h.command("", c.args...)); o.exit != 0 {
			h.t.Errorf("%s: the next logout: %v", what, o)
		}
		if signedIn, whole, o := h.is(); signedIn || !whole {
			h.t.Errorf("%s: after the next logout: %v", what, o)
		}
		h.signsIn(what)
		return signedIn
	})
}

// What was answered lasts: a power cut right after the answer loses nothing, with no grace either.
func TestPowerCutAfterTheAnswer(t *testing.T) {
	program := needsFUSE(t)
	c := powerCase{name: "refresh", grace: 0, args: tokenArgs}
	for _, image := range images {
		h := c.begin(t)
		h.pass(life)
		c.run(h, program, atEnd, image)
		if o, ok := h.lives(); !ok {
			t.Errorf("image %s: %v", image, o)
		}
		h.quiet()
	}
}
