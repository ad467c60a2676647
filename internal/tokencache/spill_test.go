package tokencache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// spilling is a store with a place for spills, whose session could once not be saved in its place: rotated is in the spill.
func spilling(t *testing.T) store {
	t.Helper()
	s := newStore(t)
	s.cache.SpillTo(filepath.Join(t.TempDir(), "spill"))
	s.spillOnce(t, "rotated")
	return s
}

func (s store) spillOnce(t *testing.T, cold string) {
	t.Helper()
	tx := s.lock(t)
	loaded, _, err := tx.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Preflight(); err != nil {
		t.Fatal(err)
	}
	bring := s.takeAway(t)
	hot := loaded.Hot
	hot.Tokens.Access.Value = token.NewSecret("access " + cold)
	err = tx.Save(hot, []byte(cold))
	bring()
	var spilled *SpilledError
	if !errors.As(err, &spilled) || spilled.Err == nil {
		t.Fatalf("error %v", err)
	}
	if info, err := os.Stat(spilled.Path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("spill %v, %v", info, err)
	}
	if err := tx.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// takeAway makes every write below the sessions' folder fail until bring.
func (s store) takeAway(t *testing.T) (bring func()) {
	t.Helper()
	sessions := filepath.Join(s.folder, "sessions")
	if err := os.Rename(sessions, sessions+".away"); err != nil {
		t.Skip("this system does not rename folders in use: ", err)
	}
	return func() {
		if err := os.Rename(sessions+".away", sessions); err != nil {
			t.Fatal(err)
		}
	}
}

func (s store) spills(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.cache.spill, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantNewer fails unless what is spilled beside the stored session has that access token; "" for no spill.
func (s store) wantNewer(t *testing.T, access string) {
	t.Helper()
	got, ok := s.cache.Newer(s.load(t))
	if ok != (access != "") || ok && (!got.Spilled || got.Hot.Tokens.Access.Value.Reveal() != access) {
		t.Errorf("newer: %v, %v, want %q", got, ok, access)
	}
}

// What could not be saved in its place is found by readers, by the next writer, and by who needs the cold record; the next
// save takes it in.
func TestSpillIsTakenIn(t *testing.T) {
	s := spilling(t)
	s.wantNewer(t, "access rotated")
	if got := s.load(t); got.Spilled || got.Hot.Tokens.Access.Value.Reveal() != "access.token.sample" {
		t.Error("Load looked for the spill: every warm call would pay for that")
	}
	if got, cold, err := s.cache.LoadWhole(s.id); err != nil || !got.Spilled || string(cold) != "rotated" {
		t.Errorf("whole: %v, %q, %v", got, cold, err)
	}
	tx := s.lock(t)
	got, cold, err := tx.Load()
	if err != nil || !got.Spilled || string(cold) != "rotated" {
		t.Fatalf("%v, %q, %v", got, cold, err)
	}
	if err := tx.Save(got.Hot, nil); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	if left := s.spills(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if got, cold, err := s.cache.LoadWhole(s.id); err != nil || got.Spilled || string(cold) != "rotated" || got.HotGeneration != 3 {
		t.Errorf("%+v, %q, %v", got, cold, err)
	}
}

func TestSettle(t *testing.T) {
	s := spilling(t)
	spill, err := os.ReadFile(s.spills(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	tx := s.lock(t)
	if err := tx.Settle(); !errors.Is(err, errNotLoaded) {
		t.Errorf("before a load: %v", err)
	}
	if _, _, err := tx.Load(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tx.Settle(), tx.Settle()); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	if !bytes.Equal(s.bytes(t), spill) || len(s.spills(t)) > 0 {
		t.Error("the spill is not in its place")
	}
	s.wantNewer(t, "")
}

// A spill that is older than what was saved since is a leftover, whoever brings it back.
func TestOldSpillCountsForNothing(t *testing.T) {
	for name, after := range map[string]func(*testing.T, store){
		"a save": func(t *testing.T, s store) {
			tx := s.lock(t)
			got, _, err := tx.Load()
			if err := errors.Join(err, tx.Save(got.Hot, []byte("later"))); err != nil {
				t.Fatal(err)
			}
		},
		"a login":          func(t *testing.T, s store) { s.create(t, alice, sampleHot(), []byte("later")) },
		"logout and login": forgetAndCreate,
		"damage and login": func(t *testing.T, s store) {
			s.overwrite(t, s.bytes(t)[:100])
			s.create(t, alice, sampleHot(), []byte("later"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := spilling(t)
			path := s.spills(t)[0]
			spill, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			after(t, s)
			if _, err := os.Lstat(path); err == nil {
				t.Error("the spill is still there")
			}
			if err := os.WriteFile(path, spill, 0o600); err != nil {
				t.Fatal(err)
			}
			if name == "logout and login" { // the generations began anew, so that only a login that sees the spill outruns it
				forgetAndCreateBeside(t, s, path, spill)
			}
			s.wantNewer(t, "")
			if _, cold, err := s.cache.LoadWhole(s.id); err != nil || string(cold) != "later" {
				t.Errorf("cold %q, %v", cold, err)
			}
		})
	}
}

func forgetAndCreate(t *testing.T, s store) {
	tx := s.lock(t)
	if err := tx.Forget(); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	s.create(t, alice, sampleHot(), []byte("later"))
}

// forgetAndCreateBeside is a logout that could not remove the spill, and a login after it.
func forgetAndCreateBeside(t *testing.T, s store, path string, spill []byte) {
	if err := os.Remove(s.path()); err != nil {
		t.Fatal(err)
	}
	s.create(t, alice, sampleHot(), []byte("later"))
	if err := os.WriteFile(path, spill, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestForgetTakesTheSpillAlong(t *testing.T) {
	s := spilling(t)
	tx := s.lock(t)
	if err := tx.Forget(); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	if left := s.spills(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, _, err := s.cache.LoadWhole(s.id); !errors.Is(err, ErrNoSession) {
		t.Errorf("error %v", err)
	}
}

// A spill is no more trusted than any session file.
func TestBadSpillIsNone(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string, b []byte){
		"flipped":       func(_ *testing.T, path string, b []byte) { b[len(b)/2] ^= 1; os.WriteFile(path, b, 0o600) },
		"cut":           func(_ *testing.T, path string, b []byte) { os.WriteFile(path, b[:len(b)/2], 0o600) },
		"empty":         func(_ *testing.T, path string, _ []byte) { os.WriteFile(path, nil, 0o600) },
		"for everybody": func(_ *testing.T, path string, _ []byte) { os.Chmod(path, 0o644) },
		"hard-linked":   func(_ *testing.T, path string, _ []byte) { os.Link(path, path+".2") },
		"a link": func(_ *testing.T, path string, b []byte) {
			os.WriteFile(path+".real", b, 0o600)
			os.Remove(path)
			os.Symlink(path+".real", path)
		},
		"another session's": func(t *testing.T, path string, _ []byte) {
			other := spilling(t)
			b, _ := os.ReadFile(other.spills(t)[0])
			os.WriteFile(path, b, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := spilling(t)
			path := s.spills(t)[0]
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			spoil(t, path, b)
			s.wantNewer(t, "")
			if _, cold, err := s.cache.LoadWhole(s.id); err != nil || string(cold) != string(sampleCold) {
				t.Errorf("cold %q, %v", cold, err)
			}
		})
	}
}

// A folder that others can write is no place for a spill; the session is then unsaved, and said to be.
func TestUnsafeSpillFolder(t *testing.T) {
	s := newStore(t)
	folder := filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{folder, ""} {
		s.cache.SpillTo(place)
		tx := s.lock(t)
		loaded, _, err := tx.Load()
		if err != nil {
			t.Fatal(err)
		}
		bring := s.takeAway(t)
		err = tx.Save(loaded.Hot, nil)
		bring()
		tx.Unlock()
		if err == nil || errors.As(err, new(*SpilledError)) {
			t.Errorf("error %v", err)
		}
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Two stores, of one user under two COGNITO_CREDHELPER_HOME, may have sessions of the same id.
func TestSpillsOfTwoStores(t *testing.T) {
	one, two := newStore(t), newStore(t)
	place := filepath.Join(t.TempDir(), "spill")
	one.cache.SpillTo(place)
	two.cache.SpillTo(place)
	one.spillOnce(t, "one")
	two.spillOnce(t, "two")
	one.wantNewer(t, "access one")
	two.wantNewer(t, "access two")
}

// A login that fails changes nothing, and leaves no spill either.
func TestCreateDoesNotSpill(t *testing.T) {
	s := newStore(t)
	s.cache.SpillTo(filepath.Join(t.TempDir(), "spill"))
	key, err := s.slots.Create(context.Background(), keyslot.File)
	if err != nil {
		t.Fatal(err)
	}
	tx := s.lock(t)
	bring := s.takeAway(t)
	err = tx.Create(alice, keyslot.File, key, sampleHot(), sampleCold)
	bring()
	if err == nil || errors.As(err, new(*SpilledError)) {
		t.Errorf("error %v", err)
	}
	if left := s.spills(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := atomicfile.Read(s.path(), maxFile); err != nil {
		t.Error(err)
	}
}
