package front

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// store is what the front needs of tokencache.
type store interface {
	Load(id string) (*tokencache.Session, error)
	Newer(s *tokencache.Session) (*tokencache.Session, bool)
	LastAttempt(id, work string) (tokencache.Attempt, bool)
	TryLock(id string) (l lock, ok bool, err error)
	Wait(ctx context.Context, id string) error
}

// lock is the session's lock, held.
type lock interface {
	File() *os.File
	Unlock() error
}

var _ lock = (*tokencache.Tx)(nil)

// cache gives tokencache the shape of store.
type cache struct{ *tokencache.Cache }

func openStore(folder string, getenv func(string) string) store {
	return cache{tokencache.Open(folder, openSlots(folder, getenv)).SpillTo(statefolder.Spill(getenv))}
}

func openStored(folder string, getenv func(string) string) store {
	return cache{tokencache.OpenHosts(folder, openSlots(folder, getenv))}
}

func openSlots(folder string, getenv func(string) string) *keyslot.Slots {
	var o keyslot.Options
	// A descriptor can be read once, and the complete program may need it: it gets such a call as it is.
	if text := getenv(keyslot.Variable); text != "" && !strings.HasPrefix(text, keyslot.DescriptorPrefix) {
		o.Given = func() (keyslot.Key, error) { return keyslot.ParseKey(text) }
	}
	return keyslot.OpenWith(folder, o)
}

// TryLock returns a nil interface, not a nil pointer in one, where there is no lock.
func (c cache) TryLock(id string) (lock, bool, error) {
	tx, ok, err := c.Cache.TryLock(id)
	if err != nil || !ok {
		return nil, false, err
	}
	return tx, true, nil
}

// source answers from what is warm, unexpired, and unambiguous; anything else is token.ErrMiss.
type source struct {
	store  store
	now    func() token.Instant
	lookup func(profiles.Selection) (profileindex.Answer, bool)
	hosts  func() (profileindex.Hosts, bool) // the table of bindings
	stored store                             // tokens that tools gave us to keep

	// renewing says that another process holds the lock, so that what is due may be handed out meanwhile.
	renewing bool
	// issuedSince, when not zero: what was issued since then is handed out however short its life.
	issuedSince time.Time
	// stale is set by a miss that a renewal of a known session can turn into an answer.
	stale stale
}

// stale names the session to be renewed and the work that would do it.
type stale struct {
	id         string
	generation uint64
	selection  profiles.Selection // the profile by which it is meant
	works      []string           // the last of them makes what was asked for
	due        bool               // it has not expired and may be handed out while another process renews it
	toSettle   bool               // nothing is to be renewed: it is only to be saved in its place
}

var _ protocol.Source = (*source)(nil)

// Token answers with a stored token.
func (s *source) Token(_ context.Context, r protocol.Request) (token.Token, error) {
	session, answer, ok := s.load(r)
	if !ok {
		return token.Token{}, token.ErrMiss
	}
	return s.tokenOf(session, r.Profile, r.Use, terms(r, answer, token.DefaultTokenTTL))
}

// tokenOf answers with a token of the session.
func (s *source) tokenOf(session *tokencache.Session, by profiles.Selection, use token.Use, terms token.Terms) (token.Token, error) {
	return latest(s, session, func(session *tokencache.Session) (token.Token, error) {
		t := session.Hot.Tokens.Get(use)
		q := question{session: session, by: by, works: []string{"refresh"}, terms: terms}
		if t.Value.Empty() || s.refused(session, t) {
			return token.Token{}, s.miss(q)
		}
		return t, s.judge(q, t.Lifetime)
	})
}

// AWSCredentials answers with stored AWS credentials.
func (s *source) AWSCredentials(_ context.Context, r protocol.Request) (token.AWSCredentials, error) {
	session, answer, ok := s.load(r)
	if !ok || answer.AWSRecord == "" {
		return token.AWSCredentials{}, token.ErrMiss
	}
	return latest(s, session, func(session *tokencache.Session) (token.AWSCredentials, error) {
		q := question{session: session, by: r.Profile, works: []string{"refresh", "exchange " + answer.AWSRecord}, terms: terms(r, answer, token.DefaultAWSTTL)}
		for _, c := range session.Hot.Credentials {
			if c.Record == answer.AWSRecord {
				return c.AWS, s.judge(q, c.AWS.Lifetime)
			}
		}
		return token.AWSCredentials{}, s.miss(q)
	})
}

// latest answers from the session and, only where that does not serve, from what could not be saved in its place.
func latest[T any](s *source, session *tokencache.Session, find func(*tokencache.Session) (T, error)) (T, error) {
	found, err := find(session)
	if err != token.ErrMiss {
		return found, err
	}
	if newer, ok := s.store.Newer(session); ok && newer.Hot.Dead == nil {
		s.stale = stale{}
		return find(newer)
	}
	return found, err
}

// load finds the session that is meant. Whatever is wrong with it, the complete program says so.
func (s *source) load(r protocol.Request) (*tokencache.Session, profileindex.Answer, bool) {
	if r.Username != "" || r.Profile.Location != "" {
		return nil, profileindex.Answer{}, false
	}
	answer, ok := s.lookup(r.Profile)
	if !ok {
		return nil, answer, false
	}
	session, err := s.store.Load(answer.SessionID)
	if err != nil || session.Hot.Dead != nil {
		return nil, answer, false
	}
	return session, answer, true
}

// question is what must hold of a credential to be handed out.
type question struct {
	session *tokencache.Session
	by      profiles.Selection // the profile by which it is meant
	works   []string           // what renews it
	terms   token.Terms
}

// terms are those of a request, or of its profile where the request names no life.
func terms(r protocol.Request, a profileindex.Answer, fallback time.Duration) token.Terms {
	t := token.Terms{MinTTL: r.MinTTL, Fallback: fallback, RenewFirst: r.RenewFirst}
	if t.MinTTL <= 0 {
		t.MinTTL = a.MinTTL
	}
	return t
}

// judge gives nil for what may be handed out. What is due is handed out too while a renewal is under way; else the
// complete program hands it out and renews behind, or says what is wrong with what was asked for.
func (s *source) judge(q question, l token.Lifetime) error {
	q.terms.Since = s.issuedSince
	now := s.now()
	advice := q.terms.Advise(l, now)
	if advice == token.RenewFirst || advice == token.RenewBehind {
		q.terms.Tried = tokencache.Tried(s.lastOf(q.session.ID), q.works...)
		advice = q.terms.Advise(l, now)
	}
	switch {
	case advice == token.HandOut && !s.toSettle(q.session, now.Wall):
		return nil
	case advice == token.Unmeetable:
		return token.ErrMiss
	case (advice == token.HandOut || advice == token.RenewBehind) && s.renewing:
		return nil
	case advice == token.HandOut, advice == token.RenewBehind:
		s.stale = q.stale()
		s.stale.due, s.stale.toSettle = true, advice == token.HandOut
		return token.ErrMiss
	default:
		return s.miss(q)
	}
}

// toSettle reports whether the complete program should try to save the session in its place.
func (s *source) toSettle(session *tokencache.Session, now time.Time) bool {
	return session.Spilled && !tokencache.SettledLately(s.lastOf(session.ID), now)
}

func (s *source) lastOf(id string) func(work string) (tokencache.Attempt, bool) {
	return func(work string) (tokencache.Attempt, bool) { return s.store.LastAttempt(id, work) }
}

func (s *source) miss(q question) error {
	s.stale = q.stale()
	return token.ErrMiss
}

func (q question) stale() stale {
	return stale{id: q.session.ID, generation: q.session.HotGeneration, selection: q.by, works: q.works}
}

// failedSince reports whether a renewal of what was missed ended without success since start.
func (s *source) failedSince(start time.Time) bool {
	for _, work := range s.stale.works {
		a, ok := s.store.LastAttempt(s.stale.id, work)
		if ok && a.Outcome != tokencache.Running && a.Outcome != tokencache.Done && !a.Ended.Before(start) {
			return true
		}
	}
	return false
}
