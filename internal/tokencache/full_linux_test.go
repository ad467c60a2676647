package tokencache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// smallStore is a store on a disk of 512 KiB; it needs root.
func smallStore(t *testing.T) store {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=512k,mode=700"); err != nil {
		t.Skip("mounting a small disk needs root: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	slots := keyslot.Open(folder)
	return store{folder, slots, Open(folder, slots), alice.SessionID()}
}

func (s store) fill(t *testing.T) (free func()) {
	t.Helper()
	ballast := filepath.Join(s.folder, "ballast")
	f, err := os.Create(ballast)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() { os.Remove(ballast) }
}

// H7: a full disk is known before the server is asked, the session stays readable, and all works once there is room.
func TestFullDiskIsKnownInPreflight(t *testing.T) {
	s := smallStore(t)
	s.create(t, alice, sampleHot(), sampleCold)
	before := s.bytes(t)
	free := s.fill(t)
	tx := s.lock(t) // the lock file has no room for its stamp, which must not matter
	loaded, _, err := tx.Load()
	if err != nil {
		t.Fatal(err)
	}
	if e := wantKind(t, tx.Preflight(), token.Unavailable); !strings.Contains(e.Message, "the disk is full") || e.Next == "" {
		t.Errorf("sentence %q, hint %q", e.Message, e.Next)
	}
	hot := loaded.Hot
	hot.Credentials = append(hot.Credentials, Credentials{Record: strings.Repeat("x", 100<<10)})
	wantKind(t, tx.Save(hot, nil), token.Unavailable)
	if string(s.bytes(t)) != string(before) {
		t.Error("the session changed")
	}
	s.load(t)
	free()
	if err := errors.Join(tx.Preflight(), tx.Save(hot, nil)); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	s.onlyFiles(t, 2)
}

// A disk that fills up between the preflight and the answer of the server: the new refresh token is saved all the same.
func TestDiskThatFillsUpAfterPreflight(t *testing.T) {
	s := smallStore(t)
	s.create(t, alice, sampleHot(), sampleCold)
	tx := s.lock(t)
	loaded, _, err := tx.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Preflight(); err != nil {
		t.Fatal(err)
	}
	s.fill(t)
	if err := tx.Save(loaded.Hot, []byte("rotated")); err != nil {
		t.Fatal(err)
	}
	if _, cold, err := tx.Load(); err != nil || string(cold) != "rotated" {
		t.Errorf("cold %q, %v", cold, err)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	s := smallStore(t)
	s.create(t, alice, sampleHot(), sampleCold)
	if err := syscall.Mount("", s.folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	s.load(t) // what is live is still served
	_, _, err := s.cache.TryLock(s.id)
	if wantKind(t, err, token.Unavailable); !errors.Is(err, syscall.EROFS) {
		t.Errorf("error %v", err)
	}
	if err := s.cache.Wait(t.Context(), s.id); err != nil {
		t.Errorf("wait: %v", err)
	}
}
