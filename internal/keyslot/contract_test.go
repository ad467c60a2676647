package keyslot_test

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot/keyslottest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func TestContract(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		keyslottest.Contract(t, keyslottest.Place{Kind: keyslot.File, Open: keyslot.Open, Damage: damageFile(keyslot.Open, keyslot.File)})
	})
	for _, kind := range []keyslot.Kind{keyslot.OS, keyslot.OSStrict} {
		t.Run("keyring/"+kind.String(), func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("DPAPI comes before every keyring")
			}
			ring := &keyslottest.Keyring{}
			keyslottest.Contract(t, ringPlace(kind, ring))
			// H22: whatever a system can keep is never reached.
			if ring.Largest == 0 || ring.Largest > keyslottest.MaxPayload {
				t.Errorf("the keyring was given %d bytes", ring.Largest)
			}
		})
		t.Run("dpapi/"+kind.String(), func(t *testing.T) {
			seal := &fakeDPAPI{user: 1}
			open := func(folder string) *keyslot.Slots { return keyslot.OpenSealed(folder, seal) }
			keyslottest.Contract(t, keyslottest.Place{Kind: kind, Open: open, Damage: damageFile(open, kind)})
		})
	}
}

func ringPlace(kind keyslot.Kind, ring *keyslottest.Keyring) keyslottest.Place {
	return keyslottest.Place{
		Kind: kind,
		Open: func(folder string) *keyslot.Slots {
			return keyslot.OpenWith(folder, keyslot.Options{Keyring: ring})
		},
		Damage: func(*testing.T, string) { ring.Change(func(s string) string { return s[:len(s)-1] }) },
		Break: func(*testing.T) func() {
			ring.Fail = errors.New("it is locked")
			return func() { ring.Fail = nil }
		},
	}
}

func damageFile(open func(string) *keyslot.Slots, kind keyslot.Kind) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		path := open(folder).KeyPath(kind)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b[:len(b)-1], 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// fakeDPAPI seals for a user: it opens only what the same user sealed and nobody changed.
type fakeDPAPI struct{ user byte }

func (f *fakeDPAPI) Seal(plain []byte) ([]byte, error) {
	box := []byte{f.user}
	for _, c := range plain {
		box = append(box, c^0x5a)
	}
	return append(box, byte(len(plain))), nil
}

func (f *fakeDPAPI) Open(box []byte) ([]byte, error) {
	if len(box) < 2 || box[0] != f.user || int(box[len(box)-1]) != len(box)-2 {
		return nil, errors.New("the data is invalid")
	}
	plain, err := f.Seal(box[1 : len(box)-1])
	return plain[1 : len(plain)-1], err
}

func TestSealedForAnotherUser(t *testing.T) {
	folder, seal := t.TempDir(), &fakeDPAPI{user: 1}
	s := keyslot.OpenSealed(folder, seal)
	key, err := s.Create(t.Context(), keyslot.OS)
	if err != nil {
		t.Fatal(err)
	}
	keyslottest.Forget(t, key.ID())
	b, err := os.ReadFile(s.KeyPath(keyslot.OS))
	if err != nil || bytes.Contains(b, []byte("cckey")) {
		t.Errorf("the file is not sealed: %v", err)
	}
	seal.user = 2
	if _, err := s.Load(keyslot.OS); token.KindOf(err) != token.LoginNeeded || errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("another user's key: %v", err)
	}
	seal.user = 1
	if back, err := s.Load(keyslot.OS); err != nil || back.ID() != key.ID() {
		t.Errorf("the key did not survive: %v", err)
	}
	if !s.Warm(keyslot.OS, key.ID()) || !s.Warm(keyslot.OSStrict, key.ID()) {
		t.Error("what the front opens itself is warm")
	}
}

// stuck is a keyring whose calls do not return before the test ends.
type stuck struct {
	calls atomic.Int32
	end   chan struct{}
}

func (s *stuck) wait() error {
	s.calls.Add(1)
	<-s.end
	return nil
}

func (s *stuck) Get(string) (string, error) { return "", s.wait() }
func (s *stuck) Set(string, string) error   { return s.wait() }
func (s *stuck) Delete(string) error        { return s.wait() }

// H20: a daemon that hangs costs 3 s, once, by a clock that the test owns.
func TestHungKeyring(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("DPAPI comes before every keyring")
	}
	folder := t.TempDir()
	if _, err := keyslot.Open(folder).Create(t.Context(), keyslot.File); err != nil { // makes the store
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ring := &stuck{end: make(chan struct{})}
		defer close(ring.end)
		s := keyslot.OpenWith(folder, keyslot.Options{Keyring: ring})
		began := time.Now()
		_, err := s.Load(keyslot.OS)
		if took := time.Since(began); took != keyslot.KeyringLimit || keyslot.KeyringLimit > 3*time.Second {
			t.Errorf("took %v", took)
		}
		if !errors.Is(err, keyslot.ErrUnavailable) || !strings.Contains(err.Error(), "3 s") {
			t.Errorf("error %v", err)
		}
		for range 3 {
			if _, err := s.Create(t.Context(), keyslot.OSStrict); !errors.Is(err, keyslot.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
		}
		if took := time.Since(began); took != keyslot.KeyringLimit || ring.calls.Load() != 1 {
			t.Errorf("%d calls in %v: the limit was waited for more than once", ring.calls.Load(), took)
		}
	})
}

// liar takes everything and gives back something else.
type liar struct{ keyslottest.Keyring }

func (l *liar) Set(name, secret string) error {
	return l.Keyring.Set(name, strings.Map(func(r rune) rune {
		if r == '0' {
			return '1'
		}
		return r
	}, secret[:63]+"0"))
}

// A key that does not come back as it went in encrypts nothing.
func TestNewKeyIsReadBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("DPAPI comes before every keyring")
	}
	s := keyslot.OpenWith(t.TempDir(), keyslot.Options{Keyring: &liar{}})
	if _, err := s.Create(t.Context(), keyslot.OSStrict); !errors.Is(err, keyslot.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

// H21: a key that was replaced in the keyring is another key, by its id.
func TestReplacedInTheKeyring(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("DPAPI comes before every keyring")
	}
	ring := &keyslottest.Keyring{}
	s := keyslot.OpenWith(t.TempDir(), keyslot.Options{Keyring: ring})
	key, err := s.Create(t.Context(), keyslot.OSStrict)
	if err != nil {
		t.Fatal(err)
	}
	ring.Change(func(string) string { return strings.Repeat("ab", keyslot.KeySize) })
	other, err := s.Find(keyslot.OSStrict, key.ID())
	if err != nil || other.ID() == key.ID() {
		t.Errorf("found %x, %v", other.ID(), err)
	}
}

func TestGiven(t *testing.T) {
	folder := t.TempDir()
	s := keyslot.Open(folder)
	if _, err := s.Create(t.Context(), keyslot.Given); !errors.Is(err, keyslot.ErrUnavailable) || s.HasGiven() {
		t.Errorf("nothing is given: %v", err)
	}
	text := strings.Repeat("0123456789abcdef", 4)
	s = keyslot.OpenWith(folder, keyslot.Options{Given: func() (keyslot.Key, error) { return keyslot.ParseKey(" " + strings.ToUpper(text) + "\n") }})
	key, err := s.Create(t.Context(), keyslot.Given)
	if err != nil || key.Text().Reveal() != text {
		t.Fatalf("given: %v", err)
	}
	key.Wipe()
	if again, err := s.Load(keyslot.Given); err != nil || again.Text().Reveal() != text {
		t.Errorf("wiping a copy wiped the key: %v", err)
	}
	if _, err := s.Store(); err != nil {
		t.Errorf("the store's id: %v", err)
	}
	if _, err := os.Stat(s.KeyPath(keyslot.Given)); err == nil {
		t.Error("a given key was kept")
	}
}

// Property: what is no key of 64 digits is refused, and the error repeats nothing of it.
func FuzzParseKey(f *testing.F) {
	f.Add(strings.Repeat("0f", 32))
	f.Add("secret-text-that-is-no-key")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := keyslot.ParseKey(text)
		switch trimmed := strings.TrimSpace(text); {
		case err == nil && key.Text().Reveal() != strings.ToLower(trimmed):
			t.Error("another key than the text says")
		case err != nil && len(trimmed) > 8 && strings.Contains(err.Error(), trimmed):
			t.Errorf("the error repeats the text: %v", err)
		}
	})
}

func TestKindsHaveNames(t *testing.T) {
	for _, k := range keyslot.Kinds() {
		found, ok := keyslot.KindOf(k.String())
		if want := k != keyslot.Given; ok != want || ok && found != k {
			t.Errorf("%v: %v, %v", k, found, ok)
		}
	}
	if _, ok := keyslot.KindOf("auto"); ok {
		t.Error("auto is no slot")
	}
}
