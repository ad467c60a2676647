package protect

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The check runs in a process of its own: this one is to stay as it is.
func TestProcess(t *testing.T) {
	if os.Getenv("PROTECT_TEST") != "" {
		Process()
		dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil || dumpable != 0 {
			t.Errorf("dumpable %d, %v", dumpable, err)
		}
		var l unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil || l.Cur != 0 {
			t.Errorf("core limit %d, %v", l.Cur, err)
		}
		if before := unix.Umask(0); before != 0o077 {
			t.Errorf("umask %o", before)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "PROTECT_TEST=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestProcess") {
		t.Errorf("%v\n%s", err, out)
	}
}
