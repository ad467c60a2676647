package srpstate

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

var began = token.Instant{Wall: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Boot: time.Hour}

// after is a reading of both clocks.
func after(wall, boot time.Duration) token.Instant {
	return token.Instant{Wall: began.Wall.Add(wall), Boot: began.Boot + boot}
}

// kept saves a state in a folder of its own.
func kept(t *testing.T) (path string, store *keyslot.Slots, s State) {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	store = keyslot.Open(filepath.Join(folder, "store"))
	key, err := store.Create(t.Context(), keyslot.File)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = Begin(rand.Reader); err != nil {
		t.Fatal(err)
	}
	s.Began, s.Region, s.UserPoolID, s.ClientID, s.Endpoint = began, "eu-west-1", "eu-west-1_Pool", "client", "http://127.0.0.1:1"
	s.Service = began.Wall.Add(-24 * time.Hour)
	s.Username, s.Session, s.Parameters = "alice", token.NewSecret("session"), map[string]string{"SALT": "1f", "USER_ID_FOR_SRP": "uuid"}
	path = filepath.Join(folder, "state")
	f, err := Prepare(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	if err := f.Save(keyslot.File, key, s); err != nil {
		t.Fatal(err)
	}
	return path, store, s
}

func TestLoadGivesWhatWasSaved(t *testing.T) {
	path, store, s := kept(t)
	got, err := Load(path, store.Find, after(Lifetime, Lifetime))
	if err != nil {
		t.Fatal(err)
	}
	if !got.A().Equal(s.A()) || got.Began != began || !got.Service.Equal(s.Service) || got.Region != s.Region || got.UserPoolID != s.UserPoolID || got.ClientID != s.ClientID ||
		got.Endpoint != s.Endpoint || got.Username != "alice" || !got.Session.Equal(s.Session) || got.Parameters["SALT"] != "1f" || got.user() != "uuid" {
		t.Errorf("%+v", got)
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.Contains(data, []byte("alice")) || bytes.Contains(data, []byte("session")) {
		t.Errorf("%q, %v", data, err)
	}
	if err := Remove(path); err != nil {
		t.Error(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, path string)
		after time.Duration
		kind  token.Kind
		gone  bool
	}{
		"expired":        {func(*testing.T, string) {}, Lifetime + time.Second, token.Refused, true},
		"a clock astray": {func(*testing.T, string) {}, -Lifetime - time.Second, token.Refused, true},
		"not there":      {func(_ *testing.T, path string) { os.Remove(path) }, 0, token.Usage, true},
		"one bit turned": {func(t *testing.T, path string) { edit(t, path, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) }, 0, token.Usage, false},
		"cut off":        {func(t *testing.T, path string) { edit(t, path, func(b []byte) []byte { return b[:20] }) }, 0, token.Usage, false},
		"cut in the key": {func(t *testing.T, path string) { edit(t, path, func(b []byte) []byte { return b[:10] }) }, 0, token.Usage, false},
		"another key's":  {func(t *testing.T, path string) { edit(t, path, func(b []byte) []byte { b[9]++; return b }) }, 0, token.Usage, false},
		"a slot that does not answer": {func(t *testing.T, path string) {
			edit(t, path, func(b []byte) []byte { b[8] = byte(keyslot.Given); return b })
		}, 0, token.Unavailable, false},
		"a slot of the future": {func(t *testing.T, path string) {
			edit(t, path, func(b []byte) []byte { b[8] = 200; return b })
		}, 0, token.BadProfile, false},
		"another format": {func(t *testing.T, path string) { edit(t, path, func(b []byte) []byte { b[7]++; return b }) }, 0, token.Usage, false},
		"empty":          {func(t *testing.T, path string) { edit(t, path, func([]byte) []byte { return nil }) }, 0, token.Usage, false},
	} {
		path, store, _ := kept(t)
		tt.spoil(t, path)
		_, err := Load(path, store.Find, after(tt.after, tt.after))
		if err == nil || token.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) != tt.gone {
			t.Errorf("%s: the file is %v", name, err)
		}
	}
	path, _, _ := kept(t)
	_, other, _ := kept(t)
	if _, err := Load(path, other.Find, began); token.KindOf(err) != token.Usage || err == nil {
		t.Errorf("another store's key: %v", err)
	}
	empty := keyslot.Open(filepath.Join(filepath.Dir(path), "empty"))
	if _, err := Load(path, empty.Find, began); token.KindOf(err) != token.Usage || err == nil || !strings.Contains(err.Error(), "not there any more") {
		t.Errorf("no key: %v", err)
	}
}

// The proof has the service's time, also where the clock here was set between the two processes.
func TestTimeOfTheProof(t *testing.T) {
	s := State{Began: began, Service: began.Wall.Add(-24 * time.Hour)}
	for name, tt := range map[string]struct {
		now  token.Instant
		want time.Duration // after Service
	}{
		"a clock that is a day ahead": {after(2*time.Minute, 2*time.Minute), 2 * time.Minute},
		"set right in between":        {after(2*time.Minute-24*time.Hour, 2*time.Minute), 2 * time.Minute},
		"started anew in between":     {token.Instant{Wall: began.Wall.Add(2 * time.Minute), Boot: time.Minute}, 2 * time.Minute},
		"no clock since boot":         {token.Instant{Wall: began.Wall.Add(2 * time.Minute)}, 2 * time.Minute},
	} {
		if got := s.at(tt.now).Sub(s.Service); got != tt.want {
			t.Errorf("%s: %v after the service's time, want %v", name, got, tt.want)
		}
	}
	if got := (State{Began: began}).at(after(time.Minute, time.Minute)); !got.Equal(began.Wall.Add(time.Minute)) {
		t.Errorf("where the service's time is not known: %v", got)
	}
}

func TestPrepareReplacesNothing(t *testing.T) {
	path, _, _ := kept(t)
	if _, err := Prepare(path); token.KindOf(err) != token.Usage {
		t.Errorf("a file: %v", err)
	}
	if _, err := Prepare(filepath.Dir(path)); token.KindOf(err) != token.Usage {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Prepare(filepath.Join(path, "below")); token.KindOf(err) != token.Usage {
		t.Errorf("below a file: %v", err)
	}
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
