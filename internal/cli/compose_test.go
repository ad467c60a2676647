package cli

import (
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// The front locked one session, and the profile has come to mean another since: the first one's waiters must not wait for us.
func TestAdoptingLetsAnotherSessionsLockGo(t *testing.T) {
	folder := t.TempDir()
	cache := tokencache.Open(folder, keyslot.Open(folder))
	was, is := tokencache.Identity{ClientID: "a"}.SessionID(), tokencache.Identity{ClientID: "b"}.SessionID()
	tx, ok, err := cache.TryLock(was)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok := adopting(cache, tx.File())(is); ok {
		t.Error("took the lock of another session")
	}
	again, ok, err := cache.TryLock(was)
	if err != nil || !ok {
		t.Fatalf("the lock is still held: %v", err)
	}
	again.Unlock()
}
