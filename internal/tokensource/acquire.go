package tokensource

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// Goal is something that a session gives: its tokens, or what is made from them. Implementations are values, safe for
// concurrent use.
type Goal interface {
	// Work names the goal in the session's record of attempts, and to the worker.
	Work() string
	// Fallback is the least remaining life where neither caller nor profile names one.
	Fallback() time.Duration
	// Find looks the goal up in what is kept.
	Find(s *tokencache.Session) (token.Lifetime, bool)
	// Renew makes it anew; the session's lock is held.
	Renew(ctx context.Context, r *Renewal) error
}

const (
	workRefresh = "refresh"
	callerWait  = 25 * time.Second // the longest that a caller waits for a renewal
	longLife    = 45 * time.Minute // above it, a host that asks at every use gains by renewing first
)

// Acquire returns the session with the goal in it, good enough for w, renewing it where it must. It never asks a person:
// where one is needed, the error's kind is token.LoginNeeded.
func (s *Source) Acquire(ctx context.Context, t Target, g Goal, w Want) (*tokencache.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, callerWait)
	defer cancel()
	c := &call{Source: s, target: t, goal: g, want: w, id: t.Identity().SessionID(), began: s.o.Began}
	if c.began.IsZero() {
		c.began = s.o.Now().Wall
	}
	defer c.letGo()
	for {
		kept, err := c.once(ctx)
		if !errors.Is(err, errAgain) {
			return kept, err
		}
		if err := pause(ctx, time.Millisecond+rand.N(4*time.Millisecond)); err != nil {
			return nil, err
		}
	}
}

// errAgain says that another process had the lock and has let it go.
var errAgain = errors.New("look again")

// call is one acquisition.
type call struct {
	*Source
	target Target
	goal   Goal
	want   Want
	id     string
	began  time.Time
	tx     *tokencache.Tx // held from inherited on; nil else
	asked  bool           // the inherited lock was asked for
}

// once goes through the decision once; errAgain means that it must be gone through anew.
func (c *call) once(ctx context.Context) (*tokencache.Session, error) {
	c.inherit()
	kept, err := c.o.Cache.Load(c.id)
	if err != nil {
		return nil, c.unreadable(err)
	}
	if err := c.checkUser(); err != nil {
		return nil, err
	}
	verdict, err := c.judge(kept)
	if err != nil {
		return nil, err
	}
	if verdict == token.Good {
		return kept, nil
	}
	if kept.Hot.Dead != nil {
		return c.orKept(kept, verdict, c.ended(kept.Hot.Dead))
	}
	if err := c.heldBack(); err != nil {
		return c.orKept(kept, verdict, err)
	}
	if verdict == token.Due && c.renewedLately(kept) {
		return kept, nil
	}
	if c.tx == nil {
		tx, ok, err := c.o.Cache.TryLock(c.id)
		if err != nil {
			return c.orKept(kept, verdict, err)
		}
		if !ok {
			return c.afterOther(ctx, kept, verdict)
		}
		// Between the look above and the lock, another process may have renewed: look again with the lock held.
		c.tx = tx
		return c.once(ctx)
	}
	return c.renew(ctx, kept, verdict)
}

// judge says whether what is kept is good enough for this call.
func (c *call) judge(kept *tokencache.Session) (token.Verdict, error) {
	life, ok := c.goal.Find(kept)
	if !ok {
		return token.Expired, nil
	}
	ttl := c.want.MinTTL
	if ttl == 0 {
		ttl = c.target.Profile.MinTTL
	}
	if ttl > life.Total() {
		return token.Expired, &token.Error{
			Kind:    token.BadProfile,
			Message: "the wanted remaining life of " + span(ttl) + " is longer than the whole life of " + span(life.Total()),
			Next:    "lower --min-ttl or cognito_min_ttl",
		}
	}
	return life.Judge(c.o.Now(), life.Needed(ttl, c.goal.Fallback())), nil
}

// span writes a length of time without units that are zero: 1h, not 1h0m0s.
func span(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// orKept prefers what is still valid over an error.
func (c *call) orKept(kept *tokencache.Session, v token.Verdict, err error) (*tokencache.Session, error) {
	if v == token.Due {
		return kept, nil
	}
	return nil, err
}

// renewedLately keeps renewals behind a caller's back apart: at most one in ten seconds, or in a tenth of the life.
func (c *call) renewedLately(kept *tokencache.Session) bool {
	a, ok := c.o.Cache.LastAttempt(c.id, c.goal.Work())
	if !ok {
		return false
	}
	life, _ := c.goal.Find(kept)
	return c.o.Now().Wall.Sub(a.Started) < max(10*time.Second, life.Total()/10)
}

// afterOther serves what is still valid while another process renews, else waits for that one and takes over what came
// of it.
func (c *call) afterOther(ctx context.Context, kept *tokencache.Session, v token.Verdict) (*tokencache.Session, error) {
	if v == token.Due && !c.renewFirst(kept) {
		return kept, nil
	}
	if err := c.o.Cache.Wait(ctx, c.id); err != nil {
		return c.orKept(kept, v, err)
	}
	return nil, errAgain
}

func (c *call) renewFirst(kept *tokencache.Session) bool {
	life, ok := c.goal.Find(kept)
	return c.want.RenewFirst && ok && life.Total() > longLife
}

// renew runs the renewal with the lock held, and waits for it unless what is kept still serves.
func (c *call) renew(ctx context.Context, kept *tokencache.Session, v token.Verdict) (*tokencache.Session, error) {
	tx := c.tx
	c.tx = nil // whoever renews lets it go
	behind := v == token.Due && !c.renewFirst(kept)
	renewed, err := c.run(ctx, tx, kept, c.target, c.goal, behind)
	switch {
	case err != nil:
		return c.orKept(kept, v, err)
	case behind && renewed == nil:
		return kept, nil
	default:
		return renewed, nil
	}
}

// inherit takes over the lock that the front took, once.
func (c *call) inherit() {
	if c.asked || c.o.Inherited == nil {
		return
	}
	c.asked = true
	if tx, ok := c.o.Inherited(c.id); ok {
		c.tx = tx
	}
}

func (c *call) letGo() {
	if c.tx != nil {
		c.tx.Unlock()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return notBegun(ctx.Err())
	case <-time.After(d):
		return nil
	}
}
