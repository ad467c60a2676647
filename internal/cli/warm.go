package cli

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// warm keeps answers in memory, for a process that lives long enough to be asked twice: neither the profile's files nor the
// session's are read again while they are the same by device, inode, size, and times. Whatever is not good enough any more goes
// the whole way. Safe for concurrent use.
type warm struct {
	source
	tokens      memo[token.Token]
	credentials memo[token.AWSCredentials]
}

func newWarm(p *program) *warm { return &warm{source: source{p}} }

// Token is source's, from memory where that is as good.
func (w *warm) Token(ctx context.Context, r protocol.Request) (token.Token, error) {
	return through(ctx, w, &w.tokens, r, w.source.Token, func(t token.Token) token.Lifetime { return t.Lifetime }, token.DefaultTokenTTL)
}

// AWSCredentials is source's, from memory where that is as good.
func (w *warm) AWSCredentials(ctx context.Context, r protocol.Request) (token.AWSCredentials, error) {
	return through(ctx, w, &w.credentials, r, w.source.AWSCredentials, func(c token.AWSCredentials) token.Lifetime { return c.Lifetime }, token.DefaultAWSTTL)
}

func through[T any](
	ctx context.Context, w *warm, m *memo[T], r protocol.Request,
	get func(context.Context, protocol.Request) (T, error), life func(T) token.Lifetime, fallback time.Duration,
) (T, error) {
	if kept, ok := m.get(r, w.p.now()); ok {
		return kept, nil
	}
	files := w.files(r)
	got, err := get(ctx, r)
	if err == nil && files != nil {
		m.keep(r, kept[T]{got, life(got), token.Terms{MinTTL: files.minTTL, Fallback: fallback}, files.stamps})
	}
	return got, err
}

// consulted are the files that an answer depends on, as they were before it was made.
type consulted struct {
	stamps []profiles.FileStamp
	minTTL time.Duration
}

// settledAfter is how old a profile's file must be to be believed: a change within one tick of a coarse clock would leave its
// times as they were. A session's file is replaced whole, by another inode.
const settledAfter = 2 * time.Second

// files are nil where what was read cannot be told from what may come.
func (w *warm) files(r protocol.Request) *consulted {
	profile, err := w.p.signInProfile(r.Profile)
	if err != nil || len(profile.Consulted) == 0 || w.p.sessionFile == nil {
		return nil
	}
	limit := w.p.now().Wall.Add(-settledAfter).UnixNano()
	for _, s := range profile.Consulted {
		if !s.Absent && max(s.MTime, s.CTime) > limit {
			return nil
		}
	}
	path, err := w.p.sessionFile(tokensource.Target{Profile: profile, Selection: r.Profile, Username: r.Username})
	if err != nil {
		return nil
	}
	session, err := profiles.Stamp(path)
	if err != nil || session.Absent {
		return nil
	}
	return &consulted{append(append([]profiles.FileStamp{}, profile.Consulted...), session), cmp.Or(r.MinTTL, profile.MinTTL)}
}

// memo is what is kept of one sort of answer. The zero value is empty.
type memo[T any] struct {
	mu   sync.RWMutex
	kept map[protocol.Request]kept[T]
}

// kept is one answer and all that it depends on.
type kept[T any] struct {
	answer T
	life   token.Lifetime
	terms  token.Terms
	files  []profiles.FileStamp
}

// memoLimit bounds what is kept; a host asks for a handful.
const memoLimit = 64

func (m *memo[T]) get(r protocol.Request, now token.Instant) (T, bool) {
	m.mu.RLock()
	k, ok := m.kept[r]
	m.mu.RUnlock()
	var none T
	if !ok || k.terms.Advise(k.life, now) != token.HandOut {
		return none, false
	}
	for _, was := range k.files {
		if is, err := profiles.Stamp(was.Path); err != nil || is != was {
			return none, false
		}
	}
	return k.answer, true
}

func (m *memo[T]) keep(r protocol.Request, k kept[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) >= memoLimit {
		m.kept = map[protocol.Request]kept[T]{}
	}
	m.kept[r] = k
}
