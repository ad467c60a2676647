//go:build torture && linux

package secrecy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cognito-credhelper/cognito-credhelper/test/gnomekeyring"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// needsKernel skips by name where the kernel or a container's profile refuses keyrings.
func needsKernel(t testing.TB) {
	t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); err != nil {
		skips.Missing(t, "kernel-keyring", "keyctl is refused here: "+err.Error())
	}
	needs(t, "keyctl")
}

const (
	noBus  = "there is no D-Bus session bus"
	nobody = "no keyring answers on the D-Bus session bus"
	locked = "it is locked, or there is none yet"
)

// Without a keyring that works, a login that names no slot takes the file and says why; one that names it is refused.
func TestPersonWithoutAWorkingKeyring(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(*home)
		why   string
	}{
		"no D-Bus":          {func(*home) {}, noBus},
		"D-Bus, no keyring": {func(h *home) { h.keyring(gnomekeyring.None) }, nobody},
		"locked keyring":    {func(h *home) { h.keyring(gnomekeyring.Locked) }, locked},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			c.begin(h)
			h.want("login into the keyring", h.login("--store", "os"), 5, c.why, "hint: cognito-credhelper login --profile dev --username bob --store file")
			h.want("login", h.login(), 0, "session stored in a file protected by a key file (0600), since the system's keyring cannot be used now: "+c.why)
			h.want("status", h.run("", "status", "--profile", "dev"), 0, "file (a key file, 0600")
			h.want("store", h.run("", "store"), 0, c.why)
			h.token()
			h.want("migrate", h.run("", "store", "migrate", "--to", "os", "--force"), 5, c.why)
			h.token()
		})
	}
}

// With a keyring that works: the key is there, the front stays warm by the copy in the kernel, in a fresh session keyring
// and without the bus, too; and when the keyring is locked, or the key taken away, it is as designed.
func TestPersonWithAKeyring(t *testing.T) {
	needsKernel(t)
	h := newHome(t)
	h.keyring(gnomekeyring.Unlocked)
	h.want("login", h.login(), 0, "session stored in a file protected by a key in slot os")
	if _, err := os.Stat(filepath.Join(h.state, "keys")); err == nil {
		t.Error("there is a key file, too")
	}
	h.want("status", h.run("", "status", "--profile", "dev"), 0, "os (Secret Service, with a copy in the kernel's user keyring")
	want := h.token() // and the front knows the profile from now on

	warm := []string{filepath.Join(alone, "cognito-credhelper"), "token", "--profile", "dev"}
	h.want("the front alone", finish(h.as(person, "", warm...)), 0, want)
	bus := h.bus
	h.bus = nil
	h.want("the front alone, without the bus", finish(h.as(person, "", warm...)), 0, want)
	h.want("the front alone, in a fresh session keyring", finish(h.as(person, "", append([]string{"keyctl", "session", "-"}, warm...)...)), 0, want)
	h.want("in a fresh session", finish(h.as(person, "", append([]string{"keyctl", "session", "-", "setsid", "-w"}, warm...)...)), 0, want)

	// The worker renews by the copy, too.
	h.pass(2 * time.Hour)
	if h.token() == want {
		t.Error("nothing was renewed")
	}
	// The copy is gone, as after a reboot: the keyring is asked, and leaves a copy again.
	h.dropCopies()
	h.want("without a copy and without the bus", h.run("", "token", "--profile", "dev"), 5, noBus, "hint: cognito-credhelper login --profile dev --store file")
	h.want("status without a copy and without the bus", h.run("", "status", "--profile", "dev"), 5, "key slot:", "os (Secret Service", noBus)
	h.bus = bus
	h.token()
	h.want("the front alone, again", finish(h.as(person, "", warm...)), 0, "eyJ")

	// Taken away in the keyring: as long as there is a copy it serves; then a login is needed, and the session file is kept.
	h.dropCopies()
	h.secretTool("clear")
	before := h.sessionFile()
	h.want("the key was deleted", h.run("", "token", "--profile", "dev"), 3, "the system's keyring does not have the data key any more", "hint: cognito-credhelper login --profile dev")
	if string(h.sessionFile()) != string(before) {
		t.Error("the session file was touched")
	}
	h.want("login anew", h.login(), 0, "slot os")
	h.token()
	aside, _ := filepath.Glob(filepath.Join(h.state, "sessions", "*.bad-*"))
	if len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
}

// os-strict has no copy: every answer asks the keyring, and a locked one means exit 5 until it is open, with nothing lost.
func TestPersonWithoutCopies(t *testing.T) {
	needsKernel(t)
	h := newHome(t)
	h.keyring(gnomekeyring.Unlocked)
	h.want("login", h.login("--store", "os-strict"), 0, "slot os-strict")
	h.want("status", h.run("", "status", "--profile", "dev"), 0, "os-strict (Secret Service, no copy")
	h.token()
	h.want("the front alone", finish(h.as(person, "", filepath.Join(alone, "cognito-credhelper"), "token", "--profile", "dev")), 1, "complete program is missing")
	if n := len(h.copies()); n != 0 {
		t.Errorf("%d copies in the kernel", n)
	}
	before := h.sessionFile()
	h.bus.EndKeyring()
	h.bus.StartKeyring(false)
	h.want("locked", h.run("", "token", "--profile", "dev"), 5, locked, "hint: cognito-credhelper login --profile dev --store file")
	h.want("status, locked", h.run("", "status", "--profile", "dev"), 5, "os-strict", locked)
	h.want("login, locked", h.login(), 5, locked, "--store file")
	h.want("logout, locked", h.run("", "logout", "--profile", "dev"), 5, locked, "nothing is forgotten", "forget it: cognito-credhelper logout --profile dev --force")
	if string(h.sessionFile()) != string(before) {
		t.Error("the session file was touched")
	}
	h.bus.EndKeyring()
	h.bus.StartKeyring(true)
	h.token()
	h.bus.EndKeyring()
	h.want("the way out that the hint names", h.login("--store", "file"), 0, "the session's key slot was os-strict before", "its file is kept under another name")
	h.token()
	h.want("into the keyring again", h.login("--store", "os-strict"), 5, nobody)
	h.bus.StartKeyring(true)
	h.want("into the keyring again", h.login("--store", "os-strict"), 0, "slot os-strict")
	h.bus.EndKeyring()
	h.bus.StartKeyring(false)
	h.want("logout, locked, forced", h.run("", "logout", "--profile", "dev", "--force"), 1, locked, "it is not revoked; its file is kept as ")
	h.want("signed out", h.run("", "token", "--profile", "dev"), 3, "nobody is signed in")
}

// Migration between all places, with a real keyring and as the person.
func TestPersonMigrates(t *testing.T) {
	needsKernel(t)
	h := newHome(t)
	h.keyring(gnomekeyring.Unlocked)
	h.want("login", h.login("--store", "file"), 0, "key file")
	h.token()
	from := "file"
	for _, to := range []string{"os", "os-strict", "file", "os-strict", "os", "file"} {
		h.want("to "+to, h.run("", "store", "migrate", "--to", to, "--force"), 0, "1 session now has a key in slot "+to, "the key in slot "+from+" is forgotten")
		h.want("status", h.run("", "status", "--profile", "dev"), 0, to+" (")
		h.token()
		h.pass(2 * time.Hour)
		h.token()
		from = to
	}
	if n := len(h.copies()); n != 0 {
		t.Errorf("%d copies were left in the kernel", n)
	}
}

// A sign-in in two processes is sealed with the key of the profile's session. A migration between the two drops that key: this
// is said, and the next one is sealed with the new key.
func TestPersonMigratesBetweenTwoProcesses(t *testing.T) {
	needsKernel(t)
	h := newHome(t)
	h.keyring(gnomekeyring.Unlocked)
	h.want("login", h.login("--store", "file"), 0, "key file")
	state := filepath.Join(h.dir, "work", "bob.srp")
	h.write("work/readme", "")
	if err := os.Chmod(filepath.Dir(state), 0o700); err != nil {
		t.Fatal(err)
	}
	h.own()
	initiate := func() outcome {
		return h.run("", "initiate-auth", "--profile", "dev", "--auth-flow", "USER_SRP_AUTH", "--auth-parameter", "USERNAME=bob", "--state", state, "--select", "ChallengeName")
	}
	respond := func() outcome {
		return h.run(password+"\n", "respond-to-auth-challenge", "--profile", "dev", "--state", state, "--password-stdin", "--select", "AuthenticationResult.AccessToken")
	}
	for _, to := range []string{"os", "os-strict", "file"} {
		h.want("initiate", initiate(), 0, "PASSWORD_VERIFIER")
		h.want("to "+to, h.run("", "store", "migrate", "--to", to, "--force"), 0, "is forgotten")
		h.want("respond after "+to, respond(), 2, "was sealed with a data key that is not there any more", "hint: rm -- "+state+", then: cognito-credhelper initiate-auth")
		if err := os.Remove(state); err != nil {
			t.Fatal(err)
		}
		h.want("initiate in "+to, initiate(), 0, "PASSWORD_VERIFIER")
		_, err := os.Stat(filepath.Join(h.state, "keys", "file.key"))
		if (err == nil) != (to == "file") {
			t.Errorf("in %s: the key file: %v", to, err)
		}
		h.want("respond in "+to, respond(), 0, "eyJ")
	}
}

// H11 with the keyring: of many that sign in at once for the first time all have one key, and everything is readable.
func TestPersonSignsInManyTimesAtOnce(t *testing.T) {
	needsKernel(t)
	h := newHome(t)
	h.keyring(gnomekeyring.Unlocked)
	config, err := os.ReadFile(filepath.Join(h.dir, ".aws", "config"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range crowd() {
		all.WriteString(strings.Replace(string(config), "profile dev", "profile "+name, 1) + "cognito_username = " + name + "\n")
	}
	h.write(".aws/config", all.String())
	var wg sync.WaitGroup
	for _, name := range crowd() {
		wg.Go(func() {
			h.want("login of "+name, h.run(password+"\n", "login", "--profile", name, "--password-stdin"), 0, "slot os")
		})
	}
	wg.Wait()
	for _, name := range crowd() {
		h.want("token of "+name, h.run("", "token", "--profile", name), 0, "eyJ")
	}
	if n := len(h.copies()); n != 1 {
		t.Errorf("%d keys", n)
	}
}

var keyLine = regexp.MustCompile(`^ *(\d+): .* user: cognito-credhelper:`)

// copies are the serial numbers of the copies in the person's kernel keyring.
func (h *home) copies() (serials []string) {
	h.t.Helper()
	o := finish(h.as(person, "", "keyctl", "list", "@u"))
	for line := range strings.Lines(o.stdout) {
		if m := keyLine.FindStringSubmatch(line); m != nil {
			serials = append(serials, m[1])
		}
	}
	return serials
}

func (h *home) dropCopies() {
	h.t.Helper()
	for _, serial := range h.copies() {
		if o := finish(h.as(person, "", "keyctl", "unlink", serial, "@u")); o.exit != 0 {
			h.t.Fatalf("unlinking: %v", o)
		}
	}
	if n := len(h.copies()); n != 0 {
		h.t.Fatalf("%d copies are left", n)
	}
}

func (h *home) sessionFile() []byte {
	h.t.Helper()
	found, err := filepath.Glob(filepath.Join(h.state, "sessions", "*.ses"))
	if err != nil || len(found) != 1 {
		h.t.Fatalf("session files: %v, %v", found, err)
	}
	b, err := os.ReadFile(found[0])
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// secretTool does with our items in the keyring what a person would.
func (h *home) secretTool(verb string) {
	h.t.Helper()
	needs(h.t, "secret-tool")
	if o := finish(h.as(person, "", "secret-tool", verb, "service", "cognito-credhelper")); o.exit != 0 {
		h.t.Fatalf("secret-tool %s: %v", verb, o)
	}
}
