package srpstate

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// kept saves a state in a folder of its own.
func kept(t *testing.T) (path string, key keyslot.Key, s State) {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := keyslot.Open(filepath.Join(folder, "store")).Create(t.Context(), keyslot.File)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = Begin(rand.Reader); err != nil {
		t.Fatal(err)
	}
	s.Began, s.Region, s.UserPoolID, s.ClientID, s.Endpoint = began, "eu-west-1", "eu-west-1_Pool", "client", "http://127.0.0.1:1"
	s.Username, s.Session, s.Parameters = "alice", token.NewSecret("session"), map[string]string{"SALT": "1f", "USER_ID_FOR_SRP": "uuid"}
	path = filepath.Join(folder, "state")
	f, err := Prepare(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	if err := f.Save(key, s); err != nil {
		t.Fatal(err)
	}
	return path, key, s
}

func TestLoadGivesWhatWasSaved(t *testing.T) {
	path, key, s := kept(t)
	got, err := Load(path, key, began.Add(Lifetime))
	if err != nil {
		t.Fatal(err)
	}
	if !got.A().Equal(s.A()) || !got.Began.Equal(began) || got.Region != s.Region || got.UserPoolID != s.UserPoolID || got.ClientID != s.ClientID ||
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
		"another format": {func(t *testing.T, path string) { edit(t, path, func(b []byte) []byte { b[7]++; return b }) }, 0, token.Usage, false},
		"empty":          {func(t *testing.T, path string) { edit(t, path, func([]byte) []byte { return nil }) }, 0, token.Usage, false},
	} {
		path, key, _ := kept(t)
		tt.spoil(t, path)
		_, err := Load(path, key, began.Add(tt.after))
		if err == nil || token.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) != tt.gone {
			t.Errorf("%s: the file is %v", name, err)
		}
	}
	path, _, _ := kept(t)
	_, other, _ := kept(t)
	if _, err := Load(path, other, began); token.KindOf(err) != token.Usage || err == nil {
		t.Errorf("another store's key: %v", err)
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
