package tokencache

import (
	"context"
	"time"
)

// LockLogin waits for the lock of interactive logins, which is another than the session's: a person at a prompt keeps no
// renewal waiting. Errors are those of Lock.
func (c *Cache) LockLogin(ctx context.Context, id string) (unlock func() error, err error) {
	path, err := c.path(id, loginSuffix)
	if err != nil {
		return nil, err
	}
	f, err := c.at.lock(ctx, path)
	if err != nil {
		return nil, c.lockFailure(id, loginSuffix, err)
	}
	return c.login(f), nil
}

// TryLockLogin waits a few milliseconds at most; when ok is false a login is in flight and holder says whose.
func (c *Cache) TryLockLogin(id string) (unlock func() error, holder Holder, ok bool, err error) {
	path, err := c.path(id, loginSuffix)
	if err != nil {
		return nil, Holder{}, false, err
	}
	f, ok, err := c.at.tryLock(path)
	for again := 0; err == nil && !ok && again < 3; again++ {
		time.Sleep(2 * time.Millisecond) // LoginInFlight of another process looks in for a moment only
		f, ok, err = c.at.tryLock(path)
	}
	switch {
	case err != nil:
		return nil, Holder{}, false, c.lockFailure(id, loginSuffix, err)
	case !ok:
		return nil, c.holder(id, loginSuffix), false, nil
	}
	return c.login(f), Holder{}, true, nil
}

// LoginInFlight reports whether somebody signs in at this moment, and who. It takes nothing and does not wait.
func (c *Cache) LoginInFlight(id string) (Holder, bool) { return c.held(id, loginSuffix) }

func (c *Cache) login(f lockFile) (unlock func() error) {
	stamp(f, c.now())
	return f.unlock
}
