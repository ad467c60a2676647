package tokencache

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// inMemory is alice signed in, in memory.
func inMemory(t *testing.T) store {
	t.Helper()
	slots := keyslot.InMemory()
	s := store{t.TempDir(), slots, OpenInMemory(slots), alice.SessionID()}
	t.Chdir(s.folder)
	s.create(t, alice, Hot{}, []byte("0"))
	t.Cleanup(func() {
		if left, err := os.ReadDir(s.folder); err != nil || len(left) > 0 {
			t.Errorf("on disk: %v, %v", left, err)
		}
	})
	return s
}

// Transactions in memory lose no update, as those on a disk do not.
func TestInMemoryLosesNoUpdate(t *testing.T) {
	s := inMemory(t)
	const callers, times = 20, 20
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range times {
				tx, err := s.cache.Lock(context.Background(), s.id)
				if err != nil {
					t.Error(err)
					return
				}
				kept, cold, err := tx.Load()
				if err != nil {
					t.Error(err)
					return
				}
				n, _ := strconv.Atoi(string(cold))
				err = errors.Join(tx.Preflight(), tx.Save(kept.Hot, []byte(strconv.Itoa(n+1))), tx.Unlock(), tx.Unlock())
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if _, cold, err := s.cache.LoadWhole(s.id); err != nil || string(cold) != strconv.Itoa(callers*times) {
		t.Errorf("after %d updates: %s, %v", callers*times, cold, err)
	}
}

// Who waits for a lock in memory waits no longer than it wants to, and is woken when it is free.
func TestInMemoryLocks(t *testing.T) { synctest.Test(t, locksInMemory) }

func locksInMemory(t *testing.T) {
	s := inMemory(t)
	tx := s.lockID(t, s.id)
	if _, ok, err := s.cache.TryLock(s.id); ok || err != nil {
		t.Errorf("a lock that is held: %v, %v", ok, err)
	}
	if h, ok := s.cache.Busy(s.id); !ok || h.PID != os.Getpid() {
		t.Errorf("busy: %v, %v", h, ok)
	}
	over, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.cache.Lock(over, s.id); token.KindOf(err) != token.Unavailable {
		t.Errorf("after its time: %v", err)
	}
	if err := s.cache.Wait(over, s.id); token.KindOf(err) != token.Unavailable {
		t.Errorf("after its time: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.cache.Lock(gone, s.id); token.KindOf(err) != token.Interrupted {
		t.Errorf("interrupted: %v", err)
	}
	woken := make(chan error, 2)
	go func() { woken <- s.cache.Wait(context.Background(), s.id) }()
	go func() {
		again, err := s.cache.Lock(context.Background(), s.id)
		if err == nil {
			err = again.Unlock()
		}
		woken <- err
	}()
	synctest.Wait()
	if err := tx.Unlock(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-woken; err != nil {
			t.Error(err)
		}
	}
	unlock, _, ok, err := s.cache.TryLockLogin(s.id)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, holder, ok, err := s.cache.TryLockLogin(s.id); ok || err != nil || holder.PID != os.Getpid() {
		t.Errorf("another login: %v, %v, %v", holder, ok, err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if _, ok := s.cache.LoginInFlight(s.id); ok {
		t.Error("a login that has ended is in flight")
	}
}

// What is recorded of attempts is read back, also when it becomes less; what is forgotten is gone.
func TestInMemoryRecords(t *testing.T) {
	s := inMemory(t)
	tx := s.lockID(t, s.id)
	for _, message := range []string{"a long sentence about what went wrong", "short"} {
		a := Attempt{Work: "refresh", PID: 7, Started: day, Ended: day, Outcome: Transient, Message: message, Failures: 2}
		if err := tx.Record(a); err != nil {
			t.Fatal(err)
		}
		if got, ok := s.cache.LastAttempt(s.id, "refresh"); !ok || got != a {
			t.Errorf("got %+v, %v; want %+v", got, ok, a)
		}
	}
	if err := errors.Join(tx.Forget(), tx.Unlock()); err != nil {
		t.Error(err)
	}
	if _, err := s.cache.Load(s.id); !errors.Is(err, ErrNoSession) {
		t.Errorf("after it was forgotten: %v", err)
	}
}
