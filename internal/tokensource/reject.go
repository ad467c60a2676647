package tokensource

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// Reject notes that a host refused the token with this SHA-256. Only the session's present tokens count; it is no error if
// there is no session. The next caller gets a renewed one; nothing is renewed here and no session ends.
func (s *Source) Reject(ctx context.Context, t Target, hash [sha256.Size]byte) error {
	id := t.Identity().SessionID()
	kept, err := s.o.Cache.Load(id)
	if errors.Is(err, tokencache.ErrNoSession) {
		return nil
	}
	if err != nil {
		return loginNeededFor(t, err)
	}
	if !newlyRejected(kept, hash) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callerWait)
	defer cancel()
	tx, err := s.o.Cache.Lock(ctx, id)
	if err != nil {
		return err
	}
	defer tx.Unlock()
	// Whoever held the lock may have renewed the token, or noted the same.
	kept, plain, err := tx.Load()
	clear(plain)
	if err != nil || !newlyRejected(kept, hash) {
		return err
	}
	kept.Hot.Rejected = append(kept.Hot.Rejected, tokencache.Rejected{Hash: hash, At: s.o.Now().Wall})
	return tx.Save(kept.Hot, nil)
}

// newlyRejected reports whether the hash is that of a present token, and not noted yet.
func newlyRejected(kept *tokencache.Session, hash [sha256.Size]byte) bool {
	if kept.Hot.Dead != nil || kept.Hot.IsRejected(hash) {
		return false
	}
	tokens := kept.Hot.Tokens
	return hashOf(tokens.Access.Value) == hash || hashOf(tokens.ID.Value) == hash
}

func hashOf(t token.Secret) [sha256.Size]byte { return sha256.Sum256([]byte(t.Reveal())) }

// refused reports whether the goal is a token that a host refused, and that may be renewed for it now.
func (c *call) refused(kept *tokencache.Session) bool {
	g, ok := c.goal.(tokens)
	if !ok || len(kept.Hot.Rejected) == 0 {
		return false
	}
	t := kept.Hot.Tokens.Get(g.use)
	if !kept.Hot.IsRejected(hashOf(t.Value)) {
		return false
	}
	last, ok := c.o.Cache.LastAttempt(c.id, workRefresh)
	return !ok || last.LetsForce(t.Lifetime, c.o.Now().Wall)
}

// Live reports whether the session with this id can answer without a login.
func (s *Source) Live(session string) bool {
	kept, err := s.o.Cache.Load(session)
	return err == nil && kept.Hot.Dead == nil
}
