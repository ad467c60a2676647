//go:build torture && linux

package secrecy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/gnomekeyring"
)

// calls runs the complete program under strace, as the person, and gives the lines of the calls that it made.
func (h *home) calls(which, stdin string, args ...string) (outcome, []string) {
	h.t.Helper()
	return h.callsWhile(nil, which, stdin, args...)
}

// callsWhile is calls, with something to do while the program runs, which gets what it has printed.
func (h *home) callsWhile(do func(out func() string), which, stdin string, args ...string) (outcome, []string) {
	h.t.Helper()
	needs(h.t, "strace")
	log := filepath.Join(h.t.TempDir(), "strace")
	// strace is root's, since a program that hides its memory is not traced by its user; the program is the person's.
	argv := append([]string{"-f", "-qq", "-v", "-y", "-s", "100000", "-o", log, "-e", "trace=" + which, "-u", "nobody", filepath.Join(programs, "cognito-credhelper-core")}, args...)
	o := finishWhile(h.as(0, stdin, append([]string{"strace"}, argv...)...), do)
	b, err := os.ReadFile(log)
	if err != nil {
		h.t.Fatal(err)
	}
	return o, strings.Split(strings.TrimSpace(string(b)), "\n")
}

func count(lines []string, pattern string) (n int) {
	call := regexp.MustCompile(pattern)
	for _, l := range lines {
		if call.MatchString(l) {
			n++
		}
	}
	return n
}

// H19: where there is no bus, looking for a keyring starts nothing and connects to nothing, however the bus is missing. The
// same count finds both where there is a bus: it can fail.
func TestNoBusNothingStartedNothingConnected(t *testing.T) {
	for _, address := range []string{"", "DBUS_SESSION_BUS_ADDRESS=", "DBUS_SESSION_BUS_ADDRESS=autolaunch:", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere/bus", "DBUS_SESSION_BUS_ADDRESS=unixexec:path=/bin/true"} {
		h := newHome(t)
		// What the D-Bus library would start.
		h.write("bin/dbus-launch", "#!/bin/sh\necho DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere\n")
		if err := os.Chmod(filepath.Join(h.dir, "bin", "dbus-launch"), 0o755); err != nil {
			t.Fatal(err)
		}
		if address != "" {
			h.extra = []string{address}
		}
		o, lines := h.calls("execve,connect", "", "store")
		h.want("store", o, 0, "the system's keyring cannot be used now")
		if started, connected := count(lines, `\bexecve\(`), count(lines, `\bconnect\(`); started != 1 || connected != 0 {
			t.Errorf("%q: %d execve (our own is one), %d connect:\n%s", address, started, connected, strings.Join(lines, "\n"))
		}
		o, lines = h.calls("execve,connect", password+"\n", "login", "--profile", "dev", "--username", "bob", "--password-stdin")
		h.want("login", o, 0, "session stored in a file")
		if started, local := count(lines, `\bexecve\(`), count(lines, `\bconnect\(.*AF_UNIX`); started != 1 || local != 0 {
			t.Errorf("%q: login: %d execve, %d connect to a local socket:\n%s", address, started, local, strings.Join(lines, "\n"))
		}
	}
	h := newHome(t)
	h.keyring(gnomekeyring.None)
	o, lines := h.calls("execve,connect", "", "store")
	h.want("store", o, 0, nobody)
	if count(lines, `\bexecve\(`) != 1 || count(lines, `\bconnect\(.*AF_UNIX`) == 0 {
		t.Errorf("with a bus nothing connected: this test sees nothing\n%s", strings.Join(lines, "\n"))
	}
}
