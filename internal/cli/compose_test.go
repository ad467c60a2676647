package cli

import (
	"strings"
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

// The worker's answer goes once, and only to whom its job was for.
func TestToldFrom(t *testing.T) {
	told := toldFrom(strings.NewReader(`{"format":1,"session":"s","work":"refresh"}` + "\nthe answer\nof two lines"))
	for _, c := range []struct {
		session, work, want string
		ok                  bool
	}{
		{"other", "refresh", "", false}, {"s", "exchange", "", false},
		{"s", "refresh", "the answer\nof two lines", true}, {"s", "refresh", "", false},
	} {
		if got, ok := told(c.session, c.work); ok != c.ok || string(got) != c.want {
			t.Errorf("%s, %s: %q, %v", c.session, c.work, got, ok)
		}
	}
	if told := toldFrom(strings.NewReader(`{"session":"s","work":"refresh"}`)); told == nil {
		t.Error("a job without an answer is told, too: there was none")
	} else if got, ok := told("s", "refresh"); !ok || len(got) > 0 {
		t.Errorf("%q, %v", got, ok)
	}
	if toldFrom(strings.NewReader("no job\nanswer")) != nil {
		t.Error("an answer without a job is told")
	}
}
