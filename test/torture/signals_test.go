//go:build unix

package torture

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// A host that wants everything to end says so by a signal. The worker finishes what it asked Cognito for, and its caller has the answer.
func TestWorkerIsNotEndedBySignals(t *testing.T) {
	if os.Geteuid() != 0 {
		skips.Missing(t, "process-environments", "only root sees which process belongs to a home")
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		skips.Missing(t, "process-environments", "there is no /proc")
	}
	skips.Ran(t, "process-environments", "/proc")
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			h := signedIn(t, 0)
			h.fault(sandbox.Fault{Kind: "slow", Count: -1, DelayMS: 1500})
			h.pass(life)
			h.server.ResetRequests()
			answer := make(chan outcome, 1)
			go func() { answer <- h.token() }()
			eventually(t, "the request", func() bool { return h.requests() > 0 })
			if err := syscall.Kill(h.worker(), s); err != nil {
				t.Fatal(err)
			}
			if o := <-answer; o.exit != 0 || !isToken(o.stdout) {
				t.Errorf("%v", o)
			}
			if n := h.requests(); n != 1 {
				t.Errorf("%d refreshes", n)
			}
			h.quiet()
		})
	}
}

// worker is the process id of the one that renews.
func (h *home) worker() int {
	h.t.Helper()
	for _, pid := range h.processes() {
		line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if bytes.Contains(line, []byte("\x00__renew\x00")) {
			n, err := strconv.Atoi(pid)
			if err != nil {
				h.t.Fatal(err)
			}
			return n
		}
	}
	h.t.Fatalf("no worker among %v", h.processes())
	return 0
}
