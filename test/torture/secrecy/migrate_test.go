//go:build torture && linux

package secrecy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/gnomekeyring"
)

// struckCalls are the system calls by which a migration changes anything.
var struckCalls = []string{"openat", "write", "pwrite64", "ftruncate", "fsync", "renameat", "unlinkat", "flock", "fchmod", "sendmsg", "add_key", "keyctl", "connect"}

// Migration, killed at every one of its system calls: the session is always readable, and migrating again completes it.
func TestMigrationKilledAtEverySystemCall(t *testing.T) {
	needsKernel(t)
	needs(t, "strace")
	for _, way := range [][2]string{{"file", "os"}, {"os", "file"}, {"os-strict", "os"}} {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			h := newHome(t)
			h.keyring(gnomekeyring.Unlocked)
			h.want("login", h.login("--store", way[0]), 0, "bob is signed in")
			h.token()
			points, killed := 0, 0
			for _, call := range struckCalls {
				for n := 1; ; n++ {
					o := h.struck(call, n, way[1])
					if o.exit == 0 { // there is no nth such call
						break
					}
					points++
					if strings.Contains(o.stderr, "killed by SIGKILL") || o.exit == -1 || o.exit == 128+9 {
						killed++
					} else {
						t.Fatalf("%s %d: exit %d: %s", call, n, o.exit, o.stderr)
					}
					h.token()
					h.want(fmt.Sprintf("again after %s %d", call, n), h.run("", "store", "migrate", "--to", way[1], "--force"), 0)
					h.want("status", h.run("", "status", "--profile", "dev"), 0, way[1]+" (")
					h.token()
					h.want("back", h.run("", "store", "migrate", "--to", way[0], "--force"), 0)
					if t.Failed() {
						t.FailNow()
					}
				}
				h.want("back", h.run("", "store", "migrate", "--to", way[0], "--force"), 0)
			}
			t.Logf("%d points struck, %d killed, 0 sessions lost", points, killed)
			if killed < 20 {
				t.Error("too few points were struck")
			}
			left, _ := filepath.Glob(filepath.Join(h.state, "*", "*.bad-*"))
			if len(left) > 0 {
				t.Errorf("set aside: %v", left)
			}
		})
	}
}

// struck runs a migration that is killed at its nth call of that name, counted in each thread.
func (h *home) struck(call string, n int, to string) outcome {
	h.t.Helper()
	argv := []string{"-f", "-qq", "-o", os.DevNull, "-u", "nobody", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n),
		"-E", "GOMAXPROCS=1", filepath.Join(programs, "cognito-credhelper-core"), "store", "migrate", "--to", to, "--force"}
	return finish(h.as(0, "", append([]string{"strace"}, argv...)...))
}
