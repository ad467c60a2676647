//go:build unix

package torture

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// P8: no command leaves a process behind, through a session's whole life. A worker ends by itself, also where nobody waits for it.
func TestNothingStaysBehind(t *testing.T) {
	if os.Geteuid() != 0 {
		skips.Missing(t, "process-environments", "only root sees which process belongs to a home")
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		skips.Missing(t, "process-environments", "there is no /proc")
	}
	skips.Ran(t, "process-environments", "/proc")
	h := newHome(t, 0)
	ask := func(args ...string) func() outcome {
		return func() outcome { return finish(h.command("", args...)) }
	}
	for _, step := range []struct {
		name   string
		run    func() outcome
		exit   int
		worker bool // it asks a worker, which ends after its caller
	}{
		{name: "nobody is signed in", run: h.token, exit: 3},
		{name: "login", run: func() outcome { return finish(h.command(password+"\n", loginArgs...)) }},
		{name: "a wrong password", run: func() outcome { return finish(h.command("wrong\n", loginArgs...)) }, exit: 4},
		{name: "token", run: h.token},
		{name: "status", run: ask("status", "--profile", profile)},
		{name: "credential-process", run: ask("credential-process", "--profile", profile), worker: true},
		{name: "env", run: ask("env", "--profile", profile)},
		{name: "exec", run: ask("exec", "--profile", profile, "--", "true")},
		{name: "exec of what fails", run: ask("exec", "--profile", profile, "--", "false"), exit: 1},
		{name: "store", run: ask("store")},
		{name: "logout", run: ask("logout", "--profile", profile)},
	} {
		o := step.run()
		if o.exit != step.exit {
			t.Fatalf("%s: %v", step.name, o)
		}
		if step.worker {
			h.quiet()
		}
		if left := h.processes(); len(left) > 0 {
			t.Errorf("%s left processes %v behind", step.name, left)
		}
	}
	h.login()
	h.pass(life)
	h.mustToken() // renewed, and waited for
	h.quiet()
	h.pass(57 * time.Minute) // near the end: handed out, and renewed behind
	h.server.ResetRequests()
	h.mustToken()
	eventually(t, "the renewal behind", func() bool { return h.requests() == 1 })
	h.quiet()
	if left, err := filepath.Glob(filepath.Join(h.state, "endpoints", "*")); err != nil || len(left) > 0 {
		t.Errorf("endpoints are left: %v, %v", left, err)
	}
}
