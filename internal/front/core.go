package front

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/handover"
	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
)

const coreName = "cognito-credhelper-core"

// takeover is what the complete program goes on with.
type takeover struct {
	lock     lock   // held, or nil
	consumed []byte // of standard input
	resumed  bool
	answer   []byte // a worker's job and, in the next line, what it said; nil without a worker
}

// become turns this process into the complete program, with the same arguments, the name included, and the same standard
// input. It returns only on failure, and on Windows with the complete program's exit code.
func (p *process) become(t takeover) int {
	exit, err := p.start(t)
	if err != nil {
		p.say(err.Error())
		return 1
	}
	return exit
}

// sentence is an error without a cause.
type sentence string

func (s sentence) Error() string { return string(s) }

func (p *process) start(t takeover) (exit int, err error) {
	core, err := p.findCore()
	if err != nil {
		return 1, err
	}
	// The complete program unsets the variable first thing. Meeting it here means that the file under the core's name is
	// a front: without this check the two would go on forever.
	if _, ok := handover.Parse(p.getenv(handover.Variable)); ok {
		return 1, sentence("what stands in the place of the complete program is another front: " + core)
	}
	offer := handover.Offer{FrontVersion: version.Number(), Lock: handover.None, Replay: handover.None, Answer: handover.None, Resumed: t.resumed}
	if t.lock != nil && handsLock {
		if offer.Lock, err = handover.Inherit(t.lock.File()); err != nil {
			return 1, sentence("the session's lock cannot be handed over: " + err.Error())
		}
	} else if t.lock != nil {
		t.lock.Unlock()
	}
	var held, answer *os.File
	if held, offer.Replay, err = hold(t.consumed); err != nil {
		return 1, sentence("standard input cannot be handed over: " + err.Error())
	}
	// Without it the complete program goes by what the worker recorded, as every other waiter.
	answer, offer.Answer, _ = hold(t.answer)
	exit, err = p.replace(core, p.args, withVariable(p.environ(), offer.Encode()), held)
	runtime.KeepAlive(t.lock) // a collected file would close the descriptor, and so let the lock go
	runtime.KeepAlive(held)
	runtime.KeepAlive(answer)
	if err != nil {
		return 1, sentence("the complete program cannot be started: " + core + ": " + err.Error())
	}
	return exit, nil
}

// hold keeps b where the complete program can read it; without b there is no file.
func hold(b []byte) (f *os.File, number int, err error) {
	if len(b) == 0 {
		return nil, handover.None, nil
	}
	if f, err = handover.Hold(os.TempDir(), b); err != nil {
		return nil, handover.None, err
	}
	if number, err = handover.Inherit(f); err != nil {
		return nil, handover.None, err
	}
	return f, number, nil
}

// findCore looks beside this program's own file and in libexec, nowhere else: what PATH or a variable names could be
// anyone's.
func (p *process) findCore() (string, error) {
	exe, err := p.executable()
	if err != nil {
		return "", sentence("this program's own place is unknown: " + err.Error())
	}
	if resolved, err := filepath.EvalSymlinks(exe); err == nil {
		exe = resolved
	}
	name := executableName(coreName)
	folder := filepath.Dir(exe)
	beside := filepath.Join(folder, name)
	libexec := filepath.Join(folder, "..", "libexec", "cognito-credhelper", name)
	for _, path := range []string{beside, libexec} {
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", sentence("the complete program is missing; it was looked for as " + beside + " and " + libexec)
}

func executableName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// withVariable gives env with our variable once.
func withVariable(env []string, value string) []string {
	out := make([]string, 0, len(env)+1)
	for _, e := range env {
		if !strings.HasPrefix(e, handover.Variable+"=") {
			out = append(out, e)
		}
	}
	return append(out, handover.Variable+"="+value)
}
