package keyslot

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Started again as "create FOLDER", this test binary makes a key and prints its id.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "create" {
		s := Open(os.Args[2])
		key, err := s.Create(context.Background(), File)
		store, storeErr := s.Store()
		if err := errors.Join(err, storeErr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%x %x", key.ID(), store)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// H11: of 100 processes that create at once all end with the same key and the same store.
func TestHundredProcessesCreateOneKey(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "missing", "state")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range 100 {
		cmd, out := exec.Command(self, "create", folder), new(bytes.Buffer)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	ids := map[string]int{}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		ids[outs[i].String()]++
	}
	if len(ids) != 1 {
		t.Errorf("keys and stores: %v", ids)
	}
	key, err := Open(folder).Load(File)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := ids[fmt.Sprintf("%x %x", key.ID(), must(t, Open(folder)))]; !ok {
		t.Error("the key on disk is another")
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "keys", "*")); len(left) != 1 {
		t.Errorf("files %v", left)
	}
}

func must(t *testing.T, s *Slots) StoreID {
	t.Helper()
	id, err := s.Store()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func made(t *testing.T, s *Slots) Key {
	t.Helper()
	key, err := s.Create(context.Background(), File)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCreateAdoptsAndLoadMakesNothing(t *testing.T) {
	folder := t.TempDir()
	s := Open(folder)
	_, err := s.Load(File)
	if !errors.Is(err, ErrNoKey) || token.KindOf(err) != token.LoginNeeded {
		t.Errorf("load of no key: %v", err)
	}
	if _, err := s.Store(); !errors.Is(err, ErrNoKey) {
		t.Errorf("store: %v", err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("load made %v", entries)
	}
	first, second := made(t, s), made(t, s)
	loaded, err := s.Load(File)
	if err != nil || first.ID() != second.ID() || loaded.ID() != first.ID() || *first.bytes() != *loaded.bytes() {
		t.Errorf("three keys, %v", err)
	}
	if other := made(t, Open(t.TempDir())); other.ID() == first.ID() {
		t.Error("two stores have one key")
	}
	if first.ID() == (KeyID{}) || *first.bytes() == [KeySize]byte{} {
		t.Error("the key is zero")
	}
}

func TestLostKeyIsMadeAnewAndTheStoreKept(t *testing.T) {
	s := Open(t.TempDir())
	old, store := made(t, s), must(t, s)
	if err := os.Remove(s.keyPath("file")); err != nil {
		t.Fatal(err)
	}
	if key := made(t, s); key.ID() == old.ID() || must(t, s) != store {
		t.Error("the same key, or another store")
	}
}

// Property: a key file with one byte changed, or cut, gives no key; Create keeps it under another name and goes on.
func TestDamagedKey(t *testing.T) {
	s := Open(t.TempDir())
	made(t, s)
	good, err := os.ReadFile(s.keyPath("file"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		for _, bad := range [][]byte{flipped, good[:i], append(bytes.Clone(good), good[:i+1]...)} {
			if err := os.WriteFile(s.keyPath("file"), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if key, err := s.Load(File); err == nil || errors.Is(err, ErrNoKey) || key.key != nil {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	bad := good[:len(good)-1]
	os.WriteFile(s.keyPath("file"), bad, 0o600)
	made(t, s)
	aside, _ := filepath.Glob(s.keyPath("file") + ".bad-*")
	if len(aside) != 1 {
		t.Fatalf("set aside %v", aside)
	}
	if b, _ := os.ReadFile(aside[0]); !bytes.Equal(b, bad) {
		t.Error("the damaged key was not kept")
	}
}

func TestNewerKeyFileIsLeftAlone(t *testing.T) {
	s := Open(t.TempDir())
	made(t, s)
	newer := encode("cckey\x1a\n\x02", []byte("whatever"))
	os.WriteFile(s.keyPath("file"), newer, 0o600)
	_, loadErr := s.Load(File)
	_, createErr := s.Create(context.Background(), File)
	for _, err := range []error{loadErr, createErr} {
		var e *token.Error
		if !errors.As(err, &e) || e.Kind != token.BadProfile || !strings.Contains(e.Next, "upgrade") {
			t.Errorf("error %v", err)
		}
	}
	if b, _ := os.ReadFile(s.keyPath("file")); !bytes.Equal(b, newer) {
		t.Error("the file changed")
	}
}

func TestUnknownSlot(t *testing.T) {
	s := Open(t.TempDir())
	_, loadErr := s.Load(77)
	_, createErr := s.Create(context.Background(), 77)
	if token.KindOf(loadErr) != token.BadProfile || token.KindOf(createErr) != token.BadProfile {
		t.Errorf("%v, %v", loadErr, createErr)
	}
	if File.String() != "file" || Kind(77).String() != "unknown" {
		t.Error("names")
	}
}

func TestCreateIsBoundedByItsContext(t *testing.T) {
	folder := t.TempDir()
	lock, err := filelock.Lock(context.Background(), filepath.Join(folder, "store.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer filelock.Unlock(lock)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := Open(folder).Create(ctx, File); token.KindOf(err) != token.Unavailable {
		t.Errorf("error %v", err)
	}
}

// Property: no verb of fmt shows any byte of a key.
func TestPrintingShowsNothing(t *testing.T) {
	key := made(t, Open(t.TempDir()))
	raw := hex.EncodeToString(key.bytes()[:])
	for _, value := range []any{key, &key, []Key{key}, struct{ K Key }{key}, map[string]Key{"k": key}} {
		for _, verb := range strings.Split("v +v #v s q x X d o b c U e t p T", " ") {
			shown := strings.ToLower(fmt.Sprintf("%"+verb, value))
			for i := 0; i+8 <= len(raw); i += 2 {
				if strings.Contains(shown, raw[i:i+8]) {
					t.Errorf("%%%s of %T: %s", verb, value, shown)
				}
			}
			if strings.Contains(shown, strings.Trim(fmt.Sprint(key.bytes()[:3]), "[]")) {
				t.Errorf("%%%s of %T: %s", verb, value, shown)
			}
		}
	}
}

func TestWipe(t *testing.T) {
	key := made(t, Open(t.TempDir()))
	duplicate := key
	key.Wipe()
	if *duplicate.bytes() != [KeySize]byte{} {
		t.Error("a copy still has the key")
	}
	Key{}.Wipe()
	if _, err := (Key{}).AEAD(); err == nil {
		t.Error("a cipher without a key")
	}
}

func TestBoxes(t *testing.T) {
	aead, err := made(t, Open(t.TempDir())).AEAD()
	if err != nil {
		t.Fatal(err)
	}
	one, two := aead.Seal(nil, nil, []byte("text"), []byte("bound")), aead.Seal(nil, nil, []byte("text"), []byte("bound"))
	if bytes.Equal(one[:12], two[:12]) {
		t.Error("a nonce was used twice")
	}
	if _, err := aead.Open(nil, nil, one, []byte("other")); err == nil {
		t.Error("opened with other additional data")
	}
}

func TestRandomDiffers(t *testing.T) {
	seen := map[[16]byte]bool{}
	for range 1000 {
		var b [48]byte
		random(b[:])
		for i := 0; i < len(b); i += 16 {
			part := [16]byte(b[i:])
			if seen[part] {
				t.Fatal("the same 16 bytes twice")
			}
			seen[part] = true
		}
	}
}

// Property: decode∘encode is the identity, and nothing but what encode gives decodes.
func FuzzDecode(f *testing.F) {
	f.Add(encode(keyMagic, make([]byte, KeySize)))
	f.Add([]byte(keyMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, err := decode(keyMagic, KeySize, b)
		if err == nil && !bytes.Equal(encode(keyMagic, payload), b) {
			t.Fatal("decoded something else than encode gives")
		}
	})
}
