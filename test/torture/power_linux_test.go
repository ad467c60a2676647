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

// unplug unmounts and gives the operations there were.
func (d *disk) unplug() (ops []string) {
	d.t.Helper()
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
}

// images are what may be left.
var images = []string{"strict", "metadata"}

// run runs the command on a disk that loses power before operation cut, or when the command has ended where cut is ""; then it
// goes on with one of the images. ops are the operations that there were.
func (c powerCase) run(h *home, program, cut, image string) (ops []string) {
	h.t.Helper()
	base := h.state
	d := plug(h.t, program, base, cut)
	h.state = d.mount
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
	h.state = filepath.Join(d.out, cmp.Or(image, images[0]))
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
		{"refresh", 60, "", tokenArgs},
		{"login over a session", 60, password + "\n", loginArgs},
		{"login over a session", 0, password + "\n", loginArgs},
	} {
		clean, lost := c.everyCut(t, program)
		for cut, images := range lost {
			t.Errorf("%s, grace %d, power cut before %q: images %q have lost the session", c.name, c.grace, cut, images)
		}
		if len(clean) == 0 {
			t.Errorf("%s touches no disk", c.name)
		}
	}
	c := powerCase{"refresh", 0, "", tokenArgs}
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

// What was answered lasts: a power cut right after the answer loses nothing, with no grace either.
func TestPowerCutAfterTheAnswer(t *testing.T) {
	program := needsFUSE(t)
	c := powerCase{"refresh", 0, "", tokenArgs}
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
