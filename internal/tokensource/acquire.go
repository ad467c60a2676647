package tokensource

import (
	"cmp"
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
)

// Acquire returns the session with the goal in it, good enough for w, renewing it where it must. It never asks a person:
// where one is needed, the error's kind is token.LoginNeeded.
func (s *Source) Acquire(ctx context.Context, t Target, g Goal, w Want) (*tokencache.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, callerWait)
	defer cancel()
	waiting, stop := context.WithTimeout(ctx, cmp.Or(s.o.LockWait, callerWait))
	defer stop()
	c := &call{waiting: waiting, Source: s, target: t, goal: g, want: w, id: t.Identity().SessionID(), began: s.o.Began}
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
	// waiting ends when another's lock has been waited for long enough.
	waiting context.Context
	tx      *tokencache.Tx // held from inherited on; nil else
	asked   bool           // the inherited lock was asked for
}

// once goes through the decision once; errAgain means that it must be gone through anew.
func (c *call) once(ctx context.Context) (*tokencache.Session, error) {
	c.inherit()
	kept, advice, err := c.look()
	if err != nil {
		return nil, err
	}
	if reply, ok := c.told(); ok {
		renewed, err := c.readReply(c.target, reply)
		if err != nil {
			return c.orKept(kept, advice, err)
		}
		return renewed, nil
	}
	if advice == token.HandOut {
		c.settle(kept)
		return kept, nil
	}
	if kept.Hot.Dead != nil {
		return c.orKept(kept, advice, c.ended(kept.Hot.Dead))
	}
	if err := c.heldBack(); err != nil {
		return c.orKept(kept, advice, err)
	}
	if c.tx == nil {
		tx, ok, err := c.o.Cache.TryLock(c.id)
		if err != nil {
			return c.orKept(kept, advice, err)
		}
		if !ok {
			return c.afterOther(kept, advice)
		}
		// Between the look above and the lock, another process may have renewed: look again with the lock held.
		c.tx = tx
		return c.once(ctx)
	}
	return c.renew(ctx, kept, advice)
}

// look reads the session and, only where it does not serve, what could not be saved in its place.
func (c *call) look() (*tokencache.Session, token.Advice, error) {
	kept, err := c.o.Cache.Load(c.id)
	if err != nil {
		return nil, 0, c.unreadable(err)
	}
	if err := c.checkUser(); err != nil {
		return nil, 0, err
	}
	advice, err := c.judge(kept)
	if advice == token.HandOut {
		return kept, advice, err
	}
	if newer, ok := c.o.Cache.Newer(kept); ok {
		kept = newer
		advice, err = c.judge(kept)
	}
	return kept, advice, err
}

// settle saves a session in its place that could not be saved there before. Nothing depends on it: the session is kept, and
// the next one will try.
func (c *call) settle(kept *tokencache.Session) {
	now := c.o.Now().Wall
	if !kept.Spilled || tokencache.SettledLately(c.lastOf, now) {
		return
	}
	tx := c.tx
	c.tx = nil
	if tx == nil {
		var err error
		var ok bool
		if tx, ok, err = c.o.Cache.TryLock(c.id); err != nil || !ok {
			return
		}
	}
	defer tx.Unlock()
	_, plain, err := tx.Load()
	clear(plain)
	if err == nil {
		err = tx.Settle()
	}
	a := tokencache.Attempt{Work: tokencache.WorkSettle, PID: c.o.PID, Started: now, Ended: now, Outcome: tokencache.Done}
	if err != nil {
		a.Outcome = tokencache.Transient
		a.Message, a.Hint = sentence(err)
	}
	_ = tx.Record(a)
}

func (c *call) lastOf(work string) (tokencache.Attempt, bool) {
	return c.o.Cache.LastAttempt(c.id, work)
}

// judge says what is to be done with what is kept.
func (c *call) judge(kept *tokencache.Session) (token.Advice, error) {
	life, ok := c.goal.Find(kept)
	if !ok {
		return token.Renew, nil
	}
	terms := token.Terms{MinTTL: c.want.MinTTL, Fallback: c.goal.Fallback(), RenewFirst: c.want.RenewFirst}
	if terms.MinTTL == 0 {
		terms.MinTTL = c.target.Profile.MinTTL
	}
	now := c.o.Now()
	advice := terms.Advise(life, now)
	if advice == token.RenewFirst || advice == token.RenewBehind {
		terms.Tried = tokencache.Tried(c.lastOf, c.works()...)
		advice = terms.Advise(life, now)
	}
	if advice == token.Unmeetable {
		return advice, &token.Error{
			Kind:    token.BadProfile,
			Message: "the wanted remaining life of " + span(terms.MinTTL) + " is longer than the whole life of " + span(life.Total()),
			Next:    "lower --min-ttl or cognito_min_ttl",
		}
	}
	if advice.Usable() && c.refused(kept) {
		return token.RenewFirst, nil // until there is a new one it serves other hosts
	}
	return advice, nil
}

// works are the steps that make the goal.
func (c *call) works() []string {
	if work := c.goal.Work(); work != workRefresh {
		return []string{workRefresh, work}
	}
	return []string{workRefresh}
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
func (c *call) orKept(kept *tokencache.Session, a token.Advice, err error) (*tokencache.Session, error) {
	if a.Usable() {
		return kept, nil
	}
	return nil, err
}

// afterOther serves what is still valid while another process renews, else waits for that one and takes over what came
// of it.
func (c *call) afterOther(kept *tokencache.Session, a token.Advice) (*tokencache.Session, error) {
	if a == token.RenewBehind {
		return kept, nil
	}
	if err := c.o.Cache.Wait(c.waiting, c.id); err != nil {
		return c.orKept(kept, a, err)
	}
	return nil, errAgain
}

// renew runs the renewal with the lock held, and waits for it unless what is kept still serves.
func (c *call) renew(ctx context.Context, kept *tokencache.Session, a token.Advice) (*tokencache.Session, error) {
	tx := c.tx
	c.tx = nil // whoever renews lets it go
	behind := a == token.RenewBehind
	renewed, err := c.run(ctx, tx, kept, c.target, c.goal, behind)
	switch {
	case err != nil:
		return c.orKept(kept, a, err)
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

// told is the answer of the worker that the front started.
func (c *call) told() ([]byte, bool) {
	if c.o.Told == nil {
		return nil, false
	}
	return c.o.Told(c.id, c.goal.Work())
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
