package tokencache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Property: a session file with any one byte changed is never read as a session.
func TestEveryFlippedByteIsFound(t *testing.T) {
	s := newStore(t)
	good := s.bytes(t)
	for i := range good {
		for _, mask := range []byte{1 << (i % 8), 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= mask
			s.overwrite(t, bad)
			_, err := s.cache.Load(s.id)
			var n *NewerError
			var d *DamagedError
			if !errors.As(err, &n) && !errors.As(err, &d) {
				t.Fatalf("byte %d, mask %x: %v", i, mask, err)
			}
		}
	}
	s.overwrite(t, good)
	s.load(t)
}

// Property: a session file cut at any length, or with something behind it, is never read as a session.
func TestEveryLengthButItsOwnIsFound(t *testing.T) {
	s := newStore(t)
	good := s.bytes(t)
	for n := range len(good) {
		s.overwrite(t, good[:n])
		_, err := s.cache.Load(s.id)
		wantDamaged(t, err)
	}
	s.overwrite(t, append(bytes.Clone(good), 0))
	_, err := s.cache.Load(s.id)
	wantDamaged(t, err)
}

func TestSwappedFilesAreFound(t *testing.T) {
	s := newStore(t)
	bob := alice
	bob.Username = "bob"
	s.create(t, bob, sampleHot(), sampleCold)
	other, err := os.ReadFile(filepath.Join(s.folder, "sessions", bob.SessionID()+".ses"))
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := parseContainer(s.bytes(t))
	theirs, _ := parseContainer(other)
	s.overwrite(t, other)
	_, err = s.cache.Load(s.id)
	wantDamaged(t, err)
	// Records of another session under the right header: only the additional data tell.
	for name, c := range map[string]container{
		"hot":  {head: mine.head, hot: theirs.hot, cold: mine.cold},
		"cold": {head: mine.head, hot: mine.hot, cold: theirs.cold},
		"both": {head: mine.head, hot: theirs.hot, cold: theirs.cold},
	} {
		s.overwrite(t, c.encode())
		if _, err := s.cache.Load(s.id); err == nil {
			t.Errorf("%s record of another session was read", name)
		} else {
			wantDamaged(t, err)
		}
	}
}

// An older cold record, with the hot record that a newer one belongs to, must not be taken: its refresh token is spent.
func TestRolledBackRecordIsFound(t *testing.T) {
	s := newStore(t)
	old, _ := parseContainer(s.bytes(t))
	tx := s.lock(t)
	tx.Load()
	if err := tx.Save(sampleHot(), []byte("rotated")); err != nil {
		t.Fatal(err)
	}
	now, _ := parseContainer(s.bytes(t))
	now.cold = old.cold
	s.overwrite(t, now.encode())
	_, _, err := tx.Load()
	wantDamaged(t, err)
}

func TestSetAsideKeepsThree(t *testing.T) {
	s := newStore(t)
	good := s.bytes(t)
	tx := s.lock(t)
	if _, err := tx.SetAside(); !errors.Is(err, errReadable) {
		t.Fatalf("a sound session was set aside: %v", err)
	}
	var last string
	for i := range 5 {
		s.overwrite(t, []byte{byte(i)})
		_, err := s.cache.Load(s.id)
		wantDamaged(t, err)
		if last, err = tx.SetAside(); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(last); err != nil || !bytes.Equal(b, []byte{byte(i)}) {
			t.Fatalf("set aside %q, %v", b, err)
		}
	}
	aside, _ := filepath.Glob(s.path() + ".bad-*")
	if len(aside) != asideKept {
		t.Errorf("kept %v", aside)
	}
	if aside[len(aside)-1] != last {
		t.Errorf("the youngest, %s, is not among %v", last, aside)
	}
	if _, err := s.cache.Load(s.id); !errors.Is(err, ErrNoSession) {
		t.Errorf("after set aside: %v", err)
	}
	s.overwrite(t, good)
	s.load(t)
}

func TestCreateAndForgetSetDamageAside(t *testing.T) {
	s := newStore(t)
	s.overwrite(t, []byte("damage"))
	s.create(t, alice, sampleHot(), sampleCold)
	s.load(t)
	s.overwrite(t, []byte("damage again"))
	if err := s.lock(t).Forget(); err != nil {
		t.Fatal(err)
	}
	if aside, _ := filepath.Glob(s.path() + ".bad-*"); len(aside) != 2 {
		t.Errorf("set aside: %v", aside)
	}
}

// P11: what a newer version wrote is read by nobody here, and changed by nobody.
func TestNewerFormatIsLeftAlone(t *testing.T) {
	s := newStore(t)
	bytesBefore := append(sealHead(7, 2, nil), "whatever comes"...)
	s.overwrite(t, bytesBefore)
	key, _ := s.slots.Load(keyslot.File)
	tx := s.lock(t)
	_, loadErr := s.cache.Load(s.id)
	_, _, txErr := tx.Load()
	_, asideErr := tx.SetAside()
	for name, err := range map[string]error{
		"load": loadErr, "load in a transaction": txErr, "set aside": asideErr,
		"create": tx.Create(alice, keyslot.File, key, Hot{}, nil), "forget": tx.Forget(),
	} {
		var n *NewerError
		if !errors.As(err, &n) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e := wantKind(t, err, token.BadProfile); !strings.Contains(e.Next, "upgrade") {
			t.Errorf("%s: hint %q", name, e.Next)
		}
	}
	if !bytes.Equal(s.bytes(t), bytesBefore) {
		t.Error("the file changed")
	}
}

// H21: the data key is gone, or another one is there.
func TestMissingOrReplacedKeyKeepsTheFile(t *testing.T) {
	s := newStore(t)
	before := s.bytes(t)
	keyFile := filepath.Join(s.folder, "keys", "file.key")
	if err := os.Rename(keyFile, keyFile+".away"); err != nil {
		t.Fatal(err)
	}
	_, err := s.cache.Load(s.id)
	wantKind(t, err, token.LoginNeeded)
	if !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("missing key: %v", err)
	}
	if _, err := s.slots.Create(context.Background(), keyslot.File); err != nil {
		t.Fatal(err)
	}
	_, err = s.cache.Load(s.id)
	wantKind(t, err, token.LoginNeeded)
	if !errors.Is(err, ErrOtherKey) {
		t.Errorf("other key: %v", err)
	}
	var d *DamagedError
	if errors.As(err, &d) {
		t.Error("a replaced key was taken for damage")
	}
	if !bytes.Equal(s.bytes(t), before) {
		t.Error("the file changed")
	}
	// A login goes on, and what it could not read is kept.
	s.create(t, alice, sampleHot(), sampleCold)
	aside, _ := filepath.Glob(s.path() + ".bad-*")
	if len(aside) != 1 {
		t.Fatalf("set aside: %v", aside)
	}
	if b, _ := os.ReadFile(aside[0]); !bytes.Equal(b, before) {
		t.Error("the old session was not kept")
	}
}

func TestUnknownSlot(t *testing.T) {
	s := newStore(t)
	c, _ := parseContainer(s.bytes(t))
	key, _ := s.slots.Load(keyslot.File)
	store, _ := s.slots.Store()
	c.head = newHead(store, 200, key.ID(), alice)
	s.overwrite(t, c.encode())
	_, err := s.cache.Load(s.id)
	if e := wantKind(t, err, token.BadProfile); !strings.Contains(e.Next, "upgrade") {
		t.Errorf("hint %q", e.Next)
	}
}
