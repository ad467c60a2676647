package filelock

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func lockFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "missing", "sessions", "x.lock")
}

func mustLock(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := Lock(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestLockExcludesOthers(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	if g, ok, err := Try(path); g != nil || ok || err != nil {
		t.Fatalf("try of a held lock: %v, %v, %v", g, ok, err)
	}
	got := make(chan *os.File)
	go func() {
		g, err := Lock(context.Background(), path)
		if err != nil {
			t.Error(err)
		}
		got <- g
	}()
	select {
	case <-got:
		t.Fatal("a second lock did not wait")
	case <-time.After(30 * time.Millisecond): // shows nothing if too short: the test never fails by being slow
	}
	if err := Unlock(f); err != nil {
		t.Fatal(err)
	}
	g := <-got
	if _, ok, _ := Try(path); ok {
		t.Error("the waiter does not have the lock")
	}
	if err := Unlock(g); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the lock file is gone: %v", err)
	}
}

func TestTryTakesAFreeLock(t *testing.T) {
	path := lockFile(t)
	for range 3 {
		f, ok, err := Try(path)
		if !ok || err != nil {
			t.Fatalf("%v, %v", ok, err)
		}
		Unlock(f)
	}
}

// A waiter that gave up must not get the lock later and keep it.
func TestHeld(t *testing.T) {
	path := lockFile(t)
	if Held(path) {
		t.Error("a lock without a file is held")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking made the file: %v", err)
	}
	f := mustLock(t, path)
	if !Held(path) {
		t.Error("a held lock is not held")
	}
	if err := Unlock(f); err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking leaves nothing behind
		if Held(path) {
			t.Error("a free lock is held")
		}
	}
	mustLock(t, path)
}

func TestLateSuccessIsLetGo(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	const waiters = 5
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	failed := make(chan error, 2*waiters)
	for range waiters {
		go func() { _, err := Lock(ctx, path); failed <- err }()
		go func() { failed <- new(Waiters).Wait(ctx, path) }()
	}
	for range 2 * waiters {
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	}
	if err := Unlock(f); err != nil {
		t.Fatal(err)
	}
	again := mustLock(t, path) // would wait for ever behind a lock that nobody wants
	Unlock(again)
}

func TestEndedContext(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Lock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("lock: %v", err)
	}
	if err := new(Waiters).Wait(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v", err)
	}
	Unlock(f)
}

func TestWait(t *testing.T) {
	path := lockFile(t)
	if err := new(Waiters).Wait(context.Background(), path); err != nil {
		t.Errorf("wait without a lock file: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("wait made a lock file: %v", err)
	}
	f := mustLock(t, path)
	const waiters = 8
	done := make(chan error, waiters)
	for range waiters {
		go func() { done <- new(Waiters).Wait(context.Background(), path) }()
	}
	Unlock(f)
	for range waiters {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if f, ok, err := Try(path); !ok || err != nil {
		t.Errorf("a waiter kept the lock: %v, %v", ok, err)
	} else {
		Unlock(f)
	}
}

func TestInherited(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	if err := Inherited(f, path); err != nil {
		t.Errorf("the lock's own file: %v", err)
	}
	other := mustLock(t, filepath.Join(t.TempDir(), "other.lock"))
	if err := Inherited(other, path); !errors.Is(err, ErrOtherFile) {
		t.Errorf("another file: %v", err)
	}
	second, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := Inherited(second, path); !errors.Is(err, ErrHeld) {
		t.Errorf("the right file without its lock: %v", err)
	}
	if err := Inherited(f, path+".missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no lock file: %v", err)
	}
}

// Somebody deletes the lock file while one process has the lock and others wait: those who wait must meet at the new file.
func TestDeletedLockFileLetsNobodyPassTogether(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	const waiters = 6
	var inside atomic.Int32
	done := make(chan struct{})
	for range waiters {
		go func() {
			defer func() { done <- struct{}{} }()
			f, err := Lock(context.Background(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d holders at once", n)
			}
			runtime.Gosched()
			inside.Add(-1)
			Unlock(f)
		}()
	}
	if err := os.Remove(path); err != nil {
		Unlock(f)
		t.Skip("this system does not delete open files")
	}
	Unlock(f)
	for range waiters {
		<-done
	}
}

func TestLockOfADeletedFileCountsForNothing(t *testing.T) {
	path := lockFile(t)
	old := mustLock(t, path)
	if !current(old, path) {
		t.Error("the lock file is not current")
	}
	if err := os.Remove(path); err != nil {
		t.Skip("this system does not delete open files")
	}
	if current(old, path) {
		t.Error("a file without a name is current")
	}
	now := mustLock(t, path)
	if current(old, path) || !current(now, path) {
		t.Error("the old file is current, or the new one is not")
	}
}

// A host that lives for days asks again and again while the holder stands still: that must not cost a thread each time.
func TestWaitersShareOneThread(t *testing.T) {
	path := lockFile(t)
	f := mustLock(t, path)
	var w Waiters
	before := runtime.NumGoroutine()
	for range 50 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		if err := w.Wait(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait: %v", err)
		}
		if _, err := w.Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("lock: %v", err)
		}
		cancel()
	}
	more := runtime.NumGoroutine() - before
	for range 500 { // a context's timer has a goroutine too, for a moment; who waits in the kernel stays
		if more <= 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
		more = runtime.NumGoroutine() - before
	}
	if more > 1 {
		t.Errorf("%d goroutines wait for one lock", more)
	}
	got := make(chan *os.File)
	go func() {
		f, err := w.Lock(context.Background(), path)
		if err != nil {
			t.Error(err)
		}
		got <- f
	}()
	Unlock(f)
	again := <-got
	if err := w.Wait(expired(), path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the lock is free while somebody has it: %v", err)
	}
	Unlock(again)
	if err := w.Wait(context.Background(), path); err != nil {
		t.Errorf("wait for a free lock: %v", err)
	}
}

func expired() context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	cancel()
	return ctx
}
