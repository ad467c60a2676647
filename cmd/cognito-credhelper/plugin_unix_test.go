//go:build unix

package main_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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

// Whatever else the complete program does with signals, as a plugin it leaves Ctrl-C to its host, and ends with a host that is
// killed, without a trace.
func TestPluginAndItsHostsSignals(t *testing.T) {
	startPool(t, "", "")
	c := openPlugin(t)
	pid := c.Pid()
	for range 3 {
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ListProfiles(t.Context(), plugin.ListProfilesRequest{}); err != nil || c.Pid() != pid {
			t.Errorf("after Ctrl-C: %v; process %d, which was %d", err, c.Pid(), pid)
		}
	}
	short, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	host := exec.Command("/bin/sh", "-c", `"$0" plugin </dev/null & echo $!; wait`, core())
	host.Env = append(os.Environ(), "TMPDIR="+short, plugin.CookieKey+"="+plugin.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1")
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	number, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		t.Fatal(err)
	}
	handshake, err := lines.ReadString('\n')
	parts := strings.Split(handshake, "|")
	if err != nil || len(parts) < 5 {
		t.Fatalf("handshake %q, %v", handshake, err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.ReadAll(lines) // until the plugin, too, has let its standard output go
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(pid, syscall.SIGKILL)
		t.Error("the plugin stays without its host")
	}
	_ = host.Wait()
	if left, _ := os.ReadDir(short); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
