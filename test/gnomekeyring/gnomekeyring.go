//go:build linux

// Package gnomekeyring runs a session bus and a real keyring daemon for a test, in a home of their own, so that nobody's
// keyring is touched. Both end with the test. Where they are not installed the test is skipped by name.
//
// Tests use it; nothing of the product does.
package gnomekeyring

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// State is what the keyring is like.
type State int

// The states.
const (
	None     State = iota // a bus, and nobody on it who keeps secrets
	Locked                // a login keyring that was never opened in this session
	Unlocked              // an open login keyring
)

// Session is a session bus. Safe for use by one test.
type Session struct {
	Address string // of the bus
	Home    string
	// Daemon is the keyring's process; nil for None.
	Daemon *os.Process

	t          testing.TB
	credential *syscall.Credential
}

// Start starts a bus and a keyring in home, as the user of credential; nil for who runs the test.
func Start(t testing.TB, home string, credential *syscall.Credential, state State) *Session {
	t.Helper()
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			skips.Missing(t, "gnome-keyring", program+" is not installed")
		}
	}
	version, err := exec.Command("gnome-keyring-daemon", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	skips.Ran(t, "gnome-keyring", strings.SplitN(string(version), "\n", 2)[0])
	s := &Session{Home: home, t: t, credential: credential}
	s.startBus()
	switch state {
	case Locked:
		s.StartKeyring(true) // which makes the login keyring
		s.EndKeyring()
		s.StartKeyring(false)
	case Unlocked:
		s.StartKeyring(true)
	}
	return s
}

// Env is what a program needs to find the bus.
func (s *Session) Env() []string { return []string{"DBUS_SESSION_BUS_ADDRESS=" + s.Address} }

// Bus configuration: no service is started on demand, so that only what the test starts is there.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=BUS</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="root"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

func (s *Session) startBus() {
	s.t.Helper()
	config, socket := filepath.Join(s.Home, "bus.conf"), filepath.Join(s.Home, "bus")
	if err := os.WriteFile(config, []byte(strings.Replace(busConfig, "BUS", socket, 1)), 0o644); err != nil {
		s.t.Fatal(err)
	}
	bus := s.command("dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address=1")
	out, err := bus.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.start(bus)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the bus did not start: %v", err)
	}
	s.Address = strings.TrimSpace(line)
}

// StartKeyring starts the daemon, its login keyring open or not, and returns when it answers.
func (s *Session) StartKeyring(unlock bool) {
	s.t.Helper()
	args := []string{"--foreground", "--components=secrets"}
	if unlock {
		args = append(args, "--unlock")
	}
	daemon := s.command("gnome-keyring-daemon", args...)
	daemon.Stdin = strings.NewReader("password of the keyring")
	s.start(daemon)
	s.Daemon = daemon.Process
	s.waitFor(true)
}

// EndKeyring ends the daemon and returns when the bus knows.
func (s *Session) EndKeyring() {
	s.t.Helper()
	_ = s.Daemon.Kill()
	s.waitFor(false)
}

// waitFor waits until somebody, or nobody, keeps secrets on the bus. It speaks to the bus itself, as the bus's user where
// that is another one: root may.
func (s *Session) waitFor(there bool) {
	s.t.Helper()
	bus, err := dbus.Dial(s.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer bus.Close()
	if err := bus.Auth(nil); err != nil {
		s.t.Fatal(err)
	}
	if err := bus.Hello(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var owned bool
		if err := bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&owned); err != nil {
			s.t.Fatal(err)
		}
		if owned == there {
			return
		}
	}
	s.t.Fatal("the keyring neither came nor went")
}

func (s *Session) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.Home
	cmd.Env = append(s.Env(), "HOME="+s.Home, "XDG_RUNTIME_DIR="+s.Home, "XDG_DATA_HOME="+filepath.Join(s.Home, "data"), "PATH="+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (s *Session) start(cmd *exec.Cmd) {
	s.t.Helper()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}
