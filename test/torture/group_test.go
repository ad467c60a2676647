//go:build unix && torture

package torture

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"
)

// H4: 200 callers whose whole process group is killed at a random moment of a refresh; refresh tokens rotate with no grace.
// None of the sessions is lost, because the worker is in no group of the caller's.
func TestKilledProcessGroups(t *testing.T) {
	t.Parallel()
	const kills, lanes = 200, 4
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	done, inFlight, answered, lost := 0, 0, 0, 0
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(lane)))
			h := signedIn(t, 0)
			h.fault(slowly())
			for range kills / lanes {
				h.pass(life)
				h.server.ResetRequests()
				reached, ended := h.killedCaller(time.Duration(random.Int64N(int64(120 * time.Millisecond))))
				h.quiet()
				o, ok := h.lives()
				mu.Lock()
				done++
				if reached {
					inFlight++
				}
				if ended {
					answered++
				}
				if !ok {
					lost++
					t.Errorf("lane %d: the session is lost: %v", lane, o)
				}
				mu.Unlock()
				if !ok {
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d kills: %d with the request at Cognito, %d after the caller had ended, %d sessions lost", done, inFlight, answered, lost)
	if inFlight == 0 {
		t.Error("no kill met a refresh in flight")
	}
}

// killedCaller starts a caller and kills its group after a while; reached: the request was at the sandbox by then, and the
// caller had no answer yet.
func (h *home) killedCaller(after time.Duration) (reached, ended bool) {
	cmd := h.command("", tokenArgs...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		h.t.Error(err)
		return false, false
	}
	time.Sleep(after)
	at := h.requests()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	err := cmd.Wait()
	return at > 0 && err != nil, err == nil
}
