//go:build unix

package tokencache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// The lock is never let go between parent and child, and ends with the child's Unlock although the parent lives.
func TestLockIsHandedOver(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	cmd := s.child(t, "adopt", s.id)
	cmd.ExtraFiles = []*os.File{tx.File()}
	letGo := s.startHolder(t, cmd)
	if err := tx.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.cache.TryLock(s.id); ok || err != nil {
		t.Fatalf("the child's lock was let go by the parent: %v, %v", ok, err)
	}
	if h := s.cache.holder(s.id, lockSuffix); h.PID != cmd.Process.Pid {
		t.Errorf("holder %+v, want the child", h)
	}
	letGo()
	s.lock(t)
}

func TestChildUnlocksForTheParentToo(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	cmd := s.child(t, "adopt", s.id)
	cmd.ExtraFiles = []*os.File{tx.File()}
	s.startHolder(t, cmd)() // the child unlocks and ends; tx still has its copy open
	again, ok, err := s.cache.TryLock(s.id)
	if !ok || err != nil {
		t.Fatalf("still locked: %v, %v", ok, err)
	}
	again.Unlock()
	tx.Unlock()
}

func TestAdoptChecksTheDescriptor(t *testing.T) {
	s := newStore(t)
	bob := alice
	bob.Username = "bob"
	other := s.lockID(t, bob.SessionID())
	if _, err := s.cache.Adopt(s.id, other.File()); !errors.Is(err, filelock.ErrOtherFile) {
		t.Errorf("another lock file: %v", err)
	}
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer w.Close()
	if _, err := s.cache.Adopt(s.id, pipe); !errors.Is(err, filelock.ErrOtherFile) {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := s.cache.Adopt(s.id, os.NewFile(999, "closed")); err == nil {
		t.Error("a closed descriptor was adopted")
	}
	// The right file, but somebody else has the lock.
	tx := s.lock(t)
	f, err := os.OpenFile(s.lockPath(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = s.cache.Adopt(s.id, f)
	wantKind(t, err, token.Unavailable)
	tx.Unlock()
}

// The lock file that was replaced under our feet is another file: a descriptor of the old one is worth nothing.
func TestAdoptOfAReplacedLockFile(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	if err := errors.Join(os.Remove(s.lockPath()), os.WriteFile(s.lockPath(), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.cache.Adopt(s.id, tx.File()); !errors.Is(err, filelock.ErrOtherFile) {
		t.Errorf("error %v", err)
	}
}

func TestUnsafeLockFile(t *testing.T) {
	s := newStore(t)
	for name, mend := range map[string]func() error{
		"others": func() error { return os.Chmod(s.lockPath(), 0o666) },
		"link": func() error {
			return errors.Join(os.Remove(s.lockPath()), os.Symlink(filepath.Join(s.folder, "store"), s.lockPath()))
		},
	} {
		if err := mend(); err != nil {
			t.Fatal(err)
		}
		_, err := s.cache.Lock(context.Background(), s.id)
		wantKind(t, err, token.BadProfile)
		if _, ok := s.cache.LastAttempt(s.id, "refresh"); ok {
			t.Errorf("%s: an attempt was read", name)
		}
		os.Remove(s.lockPath())
		s.lock(t).Unlock()
	}
}
