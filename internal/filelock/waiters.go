package filelock

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// Waiters waits for locks on behalf of any number of callers with one blocked thread per lock file. The kernel's wait cannot
// be called off: in a process that lives long, each caller who gave up would else leave a thread behind, for as long as the
// holder stands still. The zero value is ready. Safe for concurrent use; not to be copied.
type Waiters struct {
	mu      sync.Mutex
	waiting map[string]*wakeUp // by path
}

// wakeUp is one wait in the kernel. done is closed when it is over; err is set before.
type wakeUp struct {
	done chan struct{}
	err  error
}

// Lock is the function Lock.
func (w *Waiters) Lock(ctx context.Context, path string) (*os.File, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, lockError(path, err)
		}
		f, ok, err := Try(path)
		if ok || err != nil {
			return f, err
		}
		if err := w.Wait(ctx, path); err != nil {
			return nil, err
		}
		// All who waited wake up together.
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(2 * time.Millisecond)):
		}
	}
}

// Wait waits until the exclusive lock is free (a shared lock, let go at once), as a wake-up, or until ctx ends; then the
// error is ctx's. It makes no file: where there is no lock file, nobody holds the lock.
func (w *Waiters) Wait(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return lockError(path, err)
	}
	u := w.join(path)
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
		return lockError(path, ctx.Err())
	}
}

// join finds the wait for path that is under way, or begins one.
func (w *Waiters) join(path string) *wakeUp {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u := w.waiting[path]; u != nil {
		return u
	}
	if w.waiting == nil {
		w.waiting = map[string]*wakeUp{}
	}
	u := &wakeUp{done: make(chan struct{})}
	w.waiting[path] = u
	go func() {
		u.err = waitFree(path)
		w.mu.Lock()
		delete(w.waiting, path)
		w.mu.Unlock()
		close(u.done)
	}()
	return u
}

// waitFree blocks until nobody has the exclusive lock.
func waitFree(path string) error {
	f, err := openToWait(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := blockShared(f); err != nil {
		f.Close()
		return lockError(path, err)
	}
	return Unlock(f)
}
