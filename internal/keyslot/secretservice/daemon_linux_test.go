package secretservice

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot/keyslottest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/test/gnomekeyring"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// begin gives the slots of a bus of its own.
func begin(t *testing.T, state gnomekeyring.State) (*gnomekeyring.Session, *Keyring) {
	t.Helper()
	home, err := os.MkdirTemp("", "keyring") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	s := gnomekeyring.Start(t, home, nil, state)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", s.Address) // where the library looks
	return s, New(s.Address, os.Getuid())
}

func place(kind keyslot.Kind, ring *Keyring) keyslottest.Place {
	return keyslottest.Place{Kind: kind, Open: func(folder string) *keyslot.Slots {
		return keyslot.OpenWith(folder, keyslot.Options{Keyring: ring})
	}}
}

// The contract of every slot, against a real daemon.
func TestContractWithARealKeyring(t *testing.T) {
	_, ring := begin(t, gnomekeyring.Unlocked)
	for _, kind := range []keyslot.Kind{keyslot.OS, keyslot.OSStrict} {
		t.Run(kind.String(), func(t *testing.T) { keyslottest.Contract(t, place(kind, ring)) })
	}
}

// H20: a bus, and nobody on it who keeps secrets.
func TestBusWithoutAKeyring(t *testing.T) {
	_, ring := begin(t, gnomekeyring.None)
	wantUnavailable(t, ring, errNobody)
}

// H20: a keyring that was never opened. There is no screen to ask on, as over SSH: the prompt is dismissed at once.
func TestLockedKeyring(t *testing.T) {
	_, ring := begin(t, gnomekeyring.Locked)
	wantUnavailable(t, ring, errLocked)
}

// H20: a daemon that hangs, once for real: the same limit that keyslot's test holds by a clock of its own.
func TestStoppedKeyring(t *testing.T) {
	session, ring := begin(t, gnomekeyring.Unlocked)
	folder := t.TempDir()
	key, err := place(keyslot.OSStrict, ring).Open(folder).Create(t.Context(), keyslot.OSStrict)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Daemon.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, err = place(keyslot.OSStrict, ring).Open(folder).Load(keyslot.OSStrict)
	if !errors.Is(err, keyslot.ErrUnavailable) || !strings.Contains(err.Error(), "within 3 s") {
		t.Errorf("stopped: %v", err)
	}
	if err := session.Daemon.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if back, err := place(keyslot.OSStrict, ring).Open(folder).Load(keyslot.OSStrict); err != nil || back.ID() != key.ID() {
		t.Errorf("going on: %v", err)
	}
}

func wantUnavailable(t *testing.T, ring *Keyring, want error) {
	t.Helper()
	_, err := keyslot.OpenWith(t.TempDir(), keyslot.Options{Keyring: ring}).Create(t.Context(), keyslot.OSStrict)
	if !errors.Is(err, keyslot.ErrUnavailable) || !errors.Is(err, want) || token.KindOf(err) != token.Unavailable {
		t.Errorf("error %v, want %v", err, want)
	}
}

// H21: what a person deletes or replaces in the keyring.
func TestDeletedAndReplacedInARealKeyring(t *testing.T) {
	_, ring := begin(t, gnomekeyring.Unlocked)
	if _, err := exec.LookPath("secret-tool"); err != nil {
		skips.Missing(t, "secret-tool", "it is not installed")
	}
	skips.Ran(t, "secret-tool", "the keyring as a person sees it")
	folder := t.TempDir()
	s := place(keyslot.OSStrict, ring).Open(folder)
	key, err := s.Create(t.Context(), keyslot.OSStrict)
	if err != nil {
		t.Fatal(err)
	}
	store, err := s.Store()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%x/os-strict", store)
	attributes := []string{"service", "cognito-credhelper", "username", name}
	out, err := exec.Command("secret-tool", append([]string{"lookup"}, attributes...)...).Output()
	if err != nil || string(out) != key.Text().Reveal() || len(out) > keyslottest.MaxPayload {
		t.Fatalf("the item is not where people look for it: %v, %d bytes", err, len(out))
	}
	replace := exec.Command("secret-tool", append([]string{"store", "--label=x"}, attributes...)...)
	replace.Stdin = strings.NewReader(strings.Repeat("42", 32))
	if out, err := replace.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if other, err := s.Load(keyslot.OSStrict); err != nil || other.ID() == key.ID() {
		t.Errorf("replaced: %v", err)
	}
	if out, err := exec.Command("secret-tool", append([]string{"clear"}, attributes...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := s.Load(keyslot.OSStrict); !errors.Is(err, keyslot.ErrNoKey) || token.KindOf(err) != token.LoginNeeded {
		t.Errorf("deleted: %v", err)
	}
}
