//go:build unix

package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// A plugin that is killed while it renews loses nothing: the renewal is in a process of its own, which is the very program that
// the host checked and has nothing of the handshake in its environment.
func TestPluginKilledWhileItRenews(t *testing.T) {
	p := startPool(t, `{"user_pool": {"clients": [{"id": "1example23456789strict0000", "rotation": true}]}}`, "")
	p.user, p.password = "bob", "Tr0ub4dor&3"
	c := openPlugin(t)
	if _, err := c.Login(t.Context(), plugin.LoginRequest{Selection: sandboxSession}, p.asker(t)); err != nil {
		t.Fatal(err)
	}
	p.control(t, "POST", "/advance", `{"date": true, "seconds": 7200}`)
	p.control(t, "POST", "/faults", `{"operation": "GetTokensFromRefreshToken", "kind": "slow", "delay_ms": 1500, "count": 1}`)
	later := openPlugin(t, "COGNITO_CREDHELPER_TEST_CLOCK=2h")
	killed := later.Pid()
	ended := make(chan error, 1)
	go func() {
		_, err := later.GetTokens(t.Context(), plugin.GetTokensRequest{Selection: sandboxSession})
		ended <- err
	}()
	for p.requests(t, "GetTokensFromRefreshToken") == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 {
		checkWorker(t)
	}
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil && !errors.Is(err, plugin.ErrPluginEnded) {
		t.Errorf("the call: %v", err)
	}
	if _, err := later.GetTokens(t.Context(), plugin.GetTokensRequest{Selection: sandboxSession}); err != nil {
		t.Errorf("after it: %v", err)
	}
	if n := p.requests(t, "GetTokensFromRefreshToken"); n != 1 {
		t.Errorf("%d renewals, want 1", n)
	}
}

// checkWorker finds the worker of this test's program.
func checkWorker(t *testing.T) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		text, _ := os.ReadFile(line)
		program, _ := os.Readlink(filepath.Join(filepath.Dir(line), "exe"))
		if !strings.Contains(string(text), "\x00__renew\x00") || program != core() {
			continue
		}
		if !strings.HasPrefix(string(text), "/proc/self/exe\x00") {
			t.Errorf("the worker was started as %q", text)
		}
		environ, err := os.ReadFile(filepath.Join(filepath.Dir(line), "environ"))
		if err != nil || strings.Contains(string(environ), "PLUGIN") {
			t.Errorf("the worker's environment: %v %q", err, environ)
		}
		return
	}
	t.Error("there is no worker")
}
