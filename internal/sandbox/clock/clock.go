// Package clock is the sandbox's time: one clock that tests may move, and the wall clock that clients are held against.
//
// It guarantees that both only ever differ from the machine's clock by what Advance added. It never waits.
package clock

import (
	"sync"
	"time"
)

// Clock is safe for concurrent use. The zero value shows the machine's time.
type Clock struct {
	mu      sync.Mutex
	ahead   time.Duration
	visible time.Duration
}

// Now is the time by which tokens, codes, and sessions are issued and expire.
func (c *Clock) Now() time.Time { return time.Now().Add(c.offset(&c.ahead)).UTC() }

// Wall is the time that the sandbox shows in its Date header, and against which it holds a client's own clock
// (SRP TIMESTAMP, SigV4 date). Advance leaves it alone unless asked, so that clients with a right clock still get in.
func (c *Clock) Wall() time.Time { return time.Now().Add(c.offset(&c.visible)).UTC() }

// Visible is how far Wall is from the machine's clock.
func (c *Clock) Visible() time.Duration { return c.offset(&c.visible) }

// Advance moves Now by d (negative: back), and Wall too when visible is set.
func (c *Clock) Advance(d time.Duration, visible bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	if visible {
		c.visible += d
	}
}

func (c *Clock) offset(d *time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *d
}
