//go:build unix

package torture

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// H13: what a login starts may live on. It holds no lock, however long it lives: neither the session's nor that of logins.
func TestChildThatLivesOnHoldsNoLock(t *testing.T) {
	h := newHome(t, 0)
	pidFile, fds := filepath.Join(h.dir, "pid"), filepath.Join(h.dir, "fds")
	script := filepath.Join(h.dir, "answer")
	// The program that answers a code leaves a child behind, which keeps every descriptor that it was given but the pipes.
	text := "#!/bin/sh\nls -l /proc/$$/fd >" + fds + " 2>/dev/null\nsleep 60 <&- >/dev/null 2>&1 &\necho $! >" + pidFile + "\nexec cat " + filepath.Join(h.dir, "code") + "\n"
	code, ok := h.server.CurrentTOTP("alice")
	if !ok {
		t.Fatal("alice has no code")
	}
	for name, content := range map[string]string{script: text, filepath.Join(h.dir, "code"): code + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	o := finish(h.command("correct horse battery staple\n", "login", "--profile", profile, "--username", "alice", "--password-stdin", "--mfa-process", script))
	pid := h.child(pidFile)
	defer syscall.Kill(pid, syscall.SIGKILL)
	if o.exit != 0 {
		t.Fatalf("login: %v", o)
	}
	if syscall.Kill(pid, 0) != nil {
		t.Fatal("the child is gone")
	}
	if held, err := os.ReadFile(fds); err == nil && bytes.Contains(held, []byte(h.state)) {
		t.Errorf("the child was given:\n%s", held)
	}
	h.locksAreFree()
	h.pass(life)
	h.mustToken() // refreshes, which needs the session's lock
	code, _ = h.server.CurrentTOTP("alice")
	again := h.command("correct horse battery staple\n", "login", "--profile", profile, "--username", "alice", "--password-stdin", "--force", "--answer", "SOFTWARE_TOKEN_MFA_CODE="+code)
	if o := finish(again); o.exit != 0 { // needs both
		t.Errorf("a login while the child lives: %v", o)
	}
}

// child reads the process id that a script wrote.
func (h *home) child(file string) int {
	h.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		h.t.Fatal(err)
	}
	return pid
}

// locksAreFree takes every lock of the state folder.
func (h *home) locksAreFree() {
	h.t.Helper()
	locks, err := filepath.Glob(filepath.Join(h.state, "sessions", "*.lock"))
	if err != nil || len(locks) == 0 {
		h.t.Fatalf("lock files: %v, %v", locks, err)
	}
	for _, path := range locks {
		f, err := os.Open(path)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			h.t.Errorf("%s: %v", filepath.Base(path), err)
		}
		f.Close()
	}
}

// A worker that renews keeps nothing of its caller: a caller that is killed leaves no pipe open that a host waits for.
func TestWorkerKeepsNoStreamOfItsCaller(t *testing.T) {
	h := signedIn(t, 0)
	h.pass(life)
	h.held()
	h.server.ResetRequests()
	cmd := h.command("", tokenArgs...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr, cmd.Stdin = w, w, nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	eventually(t, "the refresh is in flight", func() bool { return h.requests() == 1 })
	h.endGroup(cmd)
	held := h.processes()
	// The end of file comes while the worker still works: nobody else has the pipe.
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d, %v", n, err)
	}
	if os.Geteuid() == 0 && len(held) != 1 {
		t.Errorf("processes after the kill: %v, want the worker", held)
	}
	h.quiet()
	if o, ok := h.lives(); !ok {
		t.Errorf("the session is lost: %v", o)
	}
}

// endGroup kills the process group of a caller, as a host or a terminal does.
func (h *home) endGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Wait()
}
