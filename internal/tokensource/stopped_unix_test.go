//go:build unix

package tokensource

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// TestMain is also a process that takes a session's lock and then only lives on.
func TestMain(m *testing.M) {
	folder, id, found := strings.Cut(os.Getenv("TOKENSOURCE_TEST_HOLD"), "|")
	if !found {
		os.Exit(m.Run())
	}
	tx, ok, err := tokencache.Open(folder, keyslot.Open(folder)).TryLock(id)
	if err != nil || !ok {
		os.Exit(1)
	}
	os.Stdout.WriteString("held\n")
	bufio.NewReader(os.Stdin).ReadByte() // until the test ends
	tx.Unlock()
}

// holder starts that process and stops it, as a debugger or Ctrl-Z does.
func (w *world) stoppedHolder() *os.Process {
	w.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), "TOKENSOURCE_TEST_HOLD="+w.folder+"|"+w.id())
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		c.Process.Kill()
		in.Close()
		c.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		w.t.Fatal(line, err)
	}
	if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
		w.t.Fatal(err)
	}
	return c.Process
}

// H10: whoever has the lock is stopped. Callers are served what is still valid, or told who it is in time; nobody renews.
func TestStoppedHolder(t *testing.T) {
	w := newWorld(t)
	w.login()
	holder := w.stoppedHolder()
	s := w.source()
	s.o.LockWait = 50 * time.Millisecond
	w.pass(57 * time.Minute)
	for name, want := range map[string]Want{"due": {Use: token.UseAccess}, "renew first": {Use: token.UseAccess, RenewFirst: true}} {
		if got, err := s.Token(t.Context(), w.target(), want); err != nil || got.Value.Reveal() != "access-1" {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	w.pass(time.Hour)
	_, err := get(s, w)
	w.wantKind(err, token.Unavailable, "process "+strconv.Itoa(holder.Pid)+" has had the session's lock since ")
	if len(w.pool.sent) != 0 {
		t.Errorf("%d requests", len(w.pool.sent))
	}
	if err := holder.Kill(); err != nil {
		t.Fatal(err)
	}
	s.o.LockWait = 0
	if got, err := get(s, w); err != nil || got != "access-2" {
		t.Errorf("after its end: %s, %v", got, err)
	}
}

// The limits are within the 30 s that hosts and people bear.
func TestLimits(t *testing.T) {
	if callerWait >= 30*time.Second {
		t.Errorf("callers wait for %v", callerWait)
	}
	if storeWait <= time.Minute { // refresh.Life
		t.Errorf("login gives up after %v, while a worker may still be at work", storeWait)
	}
}
