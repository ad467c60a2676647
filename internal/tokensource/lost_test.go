package tokensource

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// cache is the session's store, as another process sees it.
func (w *world) cache() *tokencache.Cache {
	return tokencache.Open(w.folder, keyslot.Open(w.folder)).SpillTo(w.spill())
}

func (w *world) spill() string { return w.folder + "-spill" }

// spilling is a source that may spill.
func (w *world) spilling() *Source {
	s := w.source()
	s.o.Cache = w.cache()
	w.t.Cleanup(func() { os.RemoveAll(w.spill()) })
	return s
}

func (w *world) id() string { return w.target().Identity().SessionID() }

// breakDisk makes every write below the sessions' folder fail until mend.
func (w *world) breakDisk() (mend func()) {
	sessions := filepath.Join(w.folder, "sessions")
	if err := os.Rename(sessions, sessions+".away"); err != nil {
		w.t.Error(err)
	}
	return func() {
		if err := os.Rename(sessions+".away", sessions); err != nil {
			w.t.Error(err)
		}
	}
}

func get(s *Source, w *world) (string, error) {
	got, err := s.Token(w.t.Context(), w.target(), Want{Use: token.UseAccess})
	return got.Value.Reveal(), err
}

// The outcome that waiters read is recorded when the session is saved, not before: who reads "done" must find the new token.
func TestOutcomeIsRecordedAfterTheSave(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	s := w.source()
	var seen string // by another process when this one last looked at the clock, which is to date the outcome
	s.o.Now = func() token.Instant {
		if kept, err := w.cache().Load(w.id()); err == nil {
			seen = kept.Hot.Tokens.Access.Value.Reveal()
		}
		return w.clock()
	}
	got, err := get(s, w)
	if err != nil || got != "access-2" {
		t.Fatal(got, err)
	}
	if a, ok := w.cache().LastAttempt(w.id(), workRefresh); !ok || a.Outcome != tokencache.Done {
		t.Errorf("attempt %+v", a)
	}
	if seen != got {
		t.Errorf("the outcome was dated while the disk had %s", seen)
	}
}

// A rotated session that cannot be saved in its place is kept elsewhere, served from there, and put in its place later.
func TestSpilledSessionIsNotLost(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	var mend func()
	w.pool.before = func() { mend = w.breakDisk() }
	got, err := get(w.spilling(), w)
	mend()
	w.pool.before = nil
	if err != nil || got != "access-2" {
		t.Fatal(got, err)
	}
	if len(w.warned) != 1 || !strings.Contains(w.warned[0], "is kept in "+w.spill()) {
		t.Errorf("warned %q", w.warned)
	}
	if kept, err := w.cache().Load(w.id()); err != nil || kept.Hot.Tokens.Access.Value.Reveal() != "access-1" {
		t.Errorf("stored: %v, %v", kept, err)
	}
	// The next caller finds it, asks nobody, and puts it in its place.
	if got, err := get(w.spilling(), w); err != nil || got != "access-2" || len(w.pool.sent) != 1 {
		t.Errorf("%s, %v after %d requests", got, err, len(w.pool.sent))
	}
	kept, cold, err := w.cache().LoadWhole(w.id())
	if err != nil || kept.Spilled || !strings.Contains(string(cold), "refresh-1") {
		t.Errorf("%v, %v", kept, err)
	}
	if left, _ := os.ReadDir(w.spill()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	w.pass(2 * time.Hour)
	if got, err := get(w.spilling(), w); err != nil || got != "access-3" {
		t.Errorf("the rotated refresh token is lost: %s, %v", got, err)
	}
}

// Saving a spilled session in its place is tried at most every ten seconds; meanwhile callers are served from the spill.
func TestSpillIsNotTriedAllTheTime(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	var mend func()
	w.pool.before = func() { mend = w.breakDisk() }
	_, err := get(w.spilling(), w)
	mend()
	w.pool.before = nil
	tx, ok, err2 := w.cache().TryLock(w.id())
	if err := errors.Join(err, err2); err != nil || !ok {
		t.Fatal(ok, err)
	}
	now := w.clock().Wall
	if err := tx.Record(tokencache.Attempt{Work: tokencache.WorkSettle, Started: now, Ended: now, Outcome: tokencache.Transient}); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	for _, c := range []struct {
		after   time.Duration
		settled bool
	}{{9 * time.Second, false}, {time.Second, true}} {
		w.pass(c.after)
		if got, err := get(w.spilling(), w); err != nil || got != "access-2" || len(w.pool.sent) != 1 {
			t.Errorf("%s, %v after %d requests", got, err, len(w.pool.sent))
		}
		if kept, _, err := w.cache().LoadWhole(w.id()); err != nil || kept.Spilled == c.settled {
			t.Errorf("after %v more: %v, %v", c.after, kept, err)
		}
	}
}

// exchange is a goal whose refresh works and whose second step fails.
type exchange struct{ err error }

func (exchange) Work() string                                    { return "exchange x" }
func (exchange) Fallback() time.Duration                         { return token.DefaultAWSTTL }
func (exchange) Find(*tokencache.Session) (token.Lifetime, bool) { return token.Lifetime{}, false }
func (g exchange) Renew(ctx context.Context, r *Renewal) error {
	if _, err := r.IDToken(ctx, time.Minute); err != nil {
		return err
	}
	return r.Attempt(ctx, g.Work(), func(context.Context) error { return g.err })
}

// A rotated session that could not be saved is told of, also where an error of the step after it is what the caller gets.
func TestUnsavedIsToldBesideAnError(t *testing.T) {
	refused := errors.New("not reached: there is no room for the second step")
	for name, run := range map[string]func(*world, *Source) error{
		"in this process": func(w *world, s *Source) error {
			_, err := s.Acquire(w.t.Context(), w.target(), exchange{refused}, Want{})
			return err
		},
		"in a worker": func(w *world, s *Source) error {
			kept, err := s.o.Cache.Load(w.id())
			if err != nil {
				return err
			}
			job := Job{Format: wireFormat, Session: w.id(), Generation: kept.HotGeneration, Work: exchange{}.Work()}
			reply := s.Work(w.t.Context(), job, w.target(), nil, func(string) (Goal, error) { return exchange{refused}, nil })
			var a answer
			if err := json.Unmarshal(reply, &a); err != nil || a.Hot != nil {
				return errors.New("answer " + string(reply))
			}
			_, err = s.readReply(w.target(), reply)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pool.rotate = true
			w.login()
			w.pass(2 * time.Hour)
			var mend func()
			w.pool.before = func() { mend = w.breakDisk() }
			err := run(w, w.source())
			mend()
			w.wantKind(err, token.Unavailable, "preparing to save the session failed")
			if len(w.warned) != 1 || !strings.Contains(w.warned[0], "could not be saved") {
				t.Errorf("warned %q", w.warned)
			}
		})
	}
}

// replaceBehind saves another refresh token as a program would that the lock did not keep out.
func (w *world) replaceBehind(refresh string, life time.Duration) {
	lock := filepath.Join(w.folder, "sessions", w.id()+".lock")
	if err := os.Remove(lock); err != nil {
		w.t.Error(err)
	}
	tx, ok, err := w.cache().TryLock(w.id())
	if err != nil || !ok {
		w.t.Error(ok, err)
		return
	}
	defer tx.Unlock()
	kept, plain, err := tx.Load()
	if err != nil {
		w.t.Error(err)
		return
	}
	var c cold
	if err := c.decode(plain); err != nil {
		w.t.Error(err)
	}
	c.Refresh = token.NewSecret(refresh)
	now := w.clock().Wall
	kept.Hot.Tokens.Access = token.Token{Value: token.NewSecret("access of the other"), Lifetime: token.Lifetime{Issued: now.Add(life - time.Hour), Expires: now.Add(life)}}
	plain, err = c.encode()
	if err := errors.Join(err, tx.Save(kept.Hot, plain)); err != nil {
		w.t.Error(err)
	}
}

// H9: the loser of a race is told of reuse while the disk has a newer session: it takes that one, and buries nothing.
func TestLoserOfARaceAdopts(t *testing.T) {
	for name, c := range map[string]struct {
		left time.Duration
		want string
		sent string
	}{
		"good":    {time.Hour, "access of the other", "refresh-0"},
		"expired": {-time.Second, "access-2", "refresh-0 refresh-other"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pool.rotate = true
			w.login()
			w.pass(2 * time.Hour)
			w.pool.before = func() {
				w.pool.before = nil
				w.replaceBehind("refresh-other", c.left)
				w.pool.current = "refresh-other"
			}
			if got := w.mustToken(); got != c.want {
				t.Errorf("token %q", got)
			}
			if got := strings.Join(w.pool.sent, " "); got != c.sent {
				t.Errorf("sent %s", got)
			}
			if st, err := w.source().Status(w.target()); err != nil || st.State != SignedIn {
				t.Errorf("status %+v, %v", st, err)
			}
		})
	}
}

// Somebody who replaces the session each time is not chased for ever.
func TestReplacedTwice(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	w.pool.current = "one that nobody has"
	w.pool.before = func() { w.replaceBehind("refresh-other-"+w.pool.sent[len(w.pool.sent)-1], -time.Second) }
	_, err := w.token()
	w.wantKind(err, token.Unavailable, "was replaced while it was renewed")
	if len(w.pool.sent) != 2 {
		t.Errorf("sent %q", w.pool.sent)
	}
}

// Where a lock is not inherited, another process may have ended the session before the worker got it: that is no renewal.
func TestWorkerFindsTheSessionEnded(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	before, err := w.cache().Load(w.id())
	if err != nil {
		t.Fatal(err)
	}
	w.pool.current = "revoked at the server"
	_, err = w.token()
	w.wantKind(err, token.LoginNeeded, "")
	s := w.source()
	reply := s.Work(t.Context(), Job{Format: wireFormat, Session: w.id(), Generation: before.HotGeneration, Work: workRefresh}, w.target(), nil, nil)
	_, err = s.readReply(w.target(), reply)
	w.wantKind(err, token.LoginNeeded, "the session has ended")
	if len(w.pool.sent) != 1 {
		t.Errorf("%d requests", len(w.pool.sent))
	}
}

// A generation that moved on without what the job is for, such as credentials of another profile, is no reason to stop.
func TestWorkerFindsAnotherGeneration(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	s := w.source()
	job := Job{Format: wireFormat, Session: w.id(), Generation: 99, Work: workRefresh}
	kept, err := s.readReply(w.target(), s.Work(t.Context(), job, w.target(), nil, nil))
	if err != nil || kept.Hot.Tokens.Access.Value.Reveal() != "access-2" {
		t.Errorf("%v, %v", kept, err)
	}
	if _, err := s.readReply(w.target(), s.Work(t.Context(), job, w.target(), nil, nil)); err != nil || len(w.pool.sent) != 1 {
		t.Errorf("%v after %d requests", err, len(w.pool.sent))
	}
}

// The plaintext of the cold record, which has the refresh token, does not stay in memory.
func TestColdRecordIsWiped(t *testing.T) {
	plain := []byte(`{"format":1,"refresh_token":"canary","later":{"a":"b"}}`)
	var c cold
	if err := c.decode(plain); err != nil || c.Refresh.Reveal() != "canary" || string(c.unknown["later"]) != `{"a":"b"}` {
		t.Fatalf("%+v, %v", c, err)
	}
	if strings.Trim(string(plain), "\x00") != "" {
		t.Errorf("left: %q", plain)
	}
}
