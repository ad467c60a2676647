package keyslot

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// kernelKeyring skips by name where the kernel or its sandbox refuses.
func kernelKeyring(t *testing.T) {
	t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); err != nil {
		skips.Missing(t, "kernel-keyring", "keyctl is refused here: "+err.Error())
	}
	skips.Ran(t, "kernel-keyring", "keyctl works")
}

func TestKernelCopy(t *testing.T) {
	kernelKeyring(t)
	key := newKey()
	id := key.ID()
	if _, ok := loadCopy(id); ok {
		t.Fatal("a copy of a new key")
	}
	if err := saveCopy(key); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dropCopy(id) })
	if back, ok := loadCopy(id); !ok || *back.bytes() != *key.bytes() {
		t.Error("the copy is another")
	}
	if err := saveCopy(key); err != nil {
		t.Errorf("again: %v", err)
	}
	if other := newKey().ID(); other != id {
		if _, ok := loadCopy(other); ok {
			t.Error("another key's copy was taken")
		}
	}
	serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", copyName(id), 0)
	if err != nil {
		t.Fatal(err)
	}
	described, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, serial)
	if err != nil || !strings.Contains(described, ";3f2b0000;") {
		t.Errorf("rights: %q, %v", described, err)
	}
	if life := lifeOf(t, serial); life == "perm" || life == "" {
		t.Errorf("the copy lives for %q", life)
	}
	dropCopy(id)
	if _, ok := loadCopy(id); ok {
		t.Error("dropped, and still there")
	}
}

// lifeOf is the column of /proc/keys that says when a key ends.
func lifeOf(t *testing.T, serial int) string {
	t.Helper()
	b, err := os.ReadFile("/proc/keys")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.TrimLeft(f[0], "0") == strings.TrimLeft(hexSerial(serial), "0") {
			return f[3]
		}
	}
	return ""
}

func hexSerial(n int) string {
	return hexText([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// A changed copy is none: its id does not fit.
func TestForeignCopyIsRefused(t *testing.T) {
	kernelKeyring(t)
	key := newKey()
	t.Cleanup(func() { dropCopy(key.ID()) })
	for _, payload := range [][]byte{make([]byte, KeySize), make([]byte, KeySize+1), make([]byte, 3)} {
		if _, err := unix.AddKey("user", copyName(key.ID()), payload, unix.KEY_SPEC_USER_KEYRING); err != nil {
			t.Fatal(err)
		}
		if _, ok := loadCopy(key.ID()); ok {
			t.Errorf("%d foreign bytes were taken for the key", len(payload))
		}
	}
}

// A process in a session keyring of its own, which does not link the user keyring, reads the copy and renews it. It would
// not without copyRights: the copy with the kernel's own rights is the counter-example.
func TestKernelCopyInAFreshSessionKeyring(t *testing.T) {
	kernelKeyring(t)
	if id, ok := os.LookupEnv("KEYSLOT_COPY"); ok {
		runtime.LockOSThread() // a session keyring is a thread's
		if _, _, err := unix.Syscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0); err != 0 {
			t.Fatal(err)
		}
		raw, _ := parseHex(id)
		_, found := loadCopy(KeyID(raw))
		serial, _ := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", copyName(KeyID(raw)), 0)
		t.Logf("found=%v renewed=%v", found, letCopyLive(serial) == nil)
		return
	}
	key, plain := newKey(), newKey()
	for _, k := range []Key{key, plain} {
		t.Cleanup(func() { dropCopy(k.ID()) })
	}
	if err := saveCopy(key); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.AddKey("user", copyName(plain.ID()), plain.bytes()[:], unix.KEY_SPEC_USER_KEYRING); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key  Key
		want string
	}{{key, "found=true renewed=true"}, {plain, "found=false renewed=false"}} {
		id := c.key.ID()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKernelCopyInAFreshSessionKeyring$", "-test.v")
		cmd.Env = append(os.Environ(), "KEYSLOT_COPY="+hexText(id[:]))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("want %s: %v\n%s", c.want, err, out)
		}
	}
}
