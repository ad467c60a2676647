//go:build unix

package host

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// hostArgument makes this test program a host that opens a plugin, says its process id, and waits.
const hostArgument = "host"

// plain is the variable that makes it a host that knows nothing of package host: it starts the plugin as any language would,
// so that nobody but the plugin itself can see the host's death.
const plain = "HOST_TEST_PLAIN"

func asHost() int {
	program, err := os.Executable()
	if err != nil {
		return 1
	}
	if os.Getenv(plain) != "" {
		return asPlainHost(program)
	}
	c, err := Open(context.Background(), Options{Program: program, Unpinned: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(c.Pid())
	time.Sleep(time.Hour)
	return 0
}

// early is the variable that makes it a plain host that dies before its plugin has begun: a shell waits for that, and becomes
// the plugin then.
const early = "HOST_TEST_EARLY"

func asPlainHost(program string) int {
	cmd := exec.Command(program, plugin.Argument)
	if os.Getenv(early) != "" {
		cmd = exec.Command("/bin/sh", "-c", `while kill -0 "$1" 2>/dev/null; do sleep 0.01; done; exec "$0" "$2"`, program, strconv.Itoa(os.Getpid()), plugin.Argument)
	}
	cmd.Env = append(os.Environ(), plugin.CookieKey+"="+plugin.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil && os.Getenv(early) == "" {
		_, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(cmd.Process.Pid)
	time.Sleep(time.Hour)
	return 0
}

// Hosts that are killed by SIGKILL, a hundred times, leave no process and no socket: neither where package host started the
// plugin, nor where the plugin has only its own watch.
func TestKilledHostsLeaveNothing(t *testing.T) {
	for name, environ := range map[string][]string{"PackageHost": nil, "ParentWatch": {plain + "=1"}} {
		t.Run(name, func(t *testing.T) { leaveNothing(t, 50, environ) })
	}
}

// Nor do hosts that have died before the plugin could look who its host is.
func TestHostThatDiedBefore(t *testing.T) { leaveNothing(t, 20, []string{plain + "=1", early + "=1"}) }

// leaveNothing kills hosts, and waits for what they started to go.
func leaveNothing(t *testing.T, hosts int, environ []string) {
	t.Helper()
	self(t, "")
	short := shortTemp(t)
	const atOnce = 10
	var all sync.WaitGroup
	gate := make(chan struct{}, atOnce)
	plugins := make(chan int, hosts)
	for range hosts {
		all.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			pid, err := killedHost(environ)
			if err != nil {
				t.Error(err)
				return
			}
			plugins <- pid
		})
	}
	all.Wait()
	close(plugins)
	var pids []int
	for pid := range plugins {
		pids = append(pids, pid)
	}
	living := func() []int { return slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return !alive(pid) }) }
	if !await(t, "the plugins to end", func() bool { return len(living()) == 0 }) {
		for _, pid := range living() { // a failed test leaves nothing, either
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return
	}
	var left []string
	if !await(t, "the sockets to go", func() bool {
		left, _ = filepath.Glob(filepath.Join(short, "*"))
		return len(left) == 0
	}) {
		deeper, _ := filepath.Glob(filepath.Join(short, "*", "*"))
		t.Errorf("left: %v %v", left, deeper)
	}
}

// killedHost runs a host until its plugin serves, and kills it.
func killedHost(environ []string) (plugin int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, hostArgument)
	cmd.Env = append(os.Environ(), environ...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func await(t *testing.T, what string, done func() bool) bool {
	t.Helper()
	for range 2000 {
		if done() {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("waited in vain for %s", what)
	return false
}

// Ctrl-C goes to the whole group of the terminal; a plugin that shares its host's group stays.
func TestPluginIgnoresInterrupts(t *testing.T) {
	c := open(t, self(t, ""))
	for range 3 {
		if err := syscall.Kill(c.Pid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	pid := c.Pid()
	if _, err := c.Status(t.Context(), plugin.StatusRequest{}); err != nil || c.Pid() != pid {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("the plugin's process group is %d: %v", group, err)
	}
}

// A host of an older or a newer wire is told the plugin's own version, by which it sees that they have none in common; one that
// knows several gets the common one.
func TestHostsOfOtherVersions(t *testing.T) {
	self(t, "")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, offered := range []string{"0", "2,99", "0,1,2", "", "x"} {
		cmd := exec.Command(program, plugin.Argument)
		cmd.Env = append(os.Environ(), plugin.CookieKey+"="+plugin.CookieValue, "PLUGIN_PROTOCOL_VERSIONS="+offered)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "1|1|unix|") || !strings.Contains(line, "|grpc|") {
			t.Errorf("a host that offers %q is told %q, %v", offered, line, err)
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
	}
}
