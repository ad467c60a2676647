package tokensource

import (
	"context"
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// Renewal is one piece of work on a session whose lock is held. Not safe for concurrent use.
type Renewal struct {
	*Source
	target  Target
	tx      *tokencache.Tx
	session *tokencache.Session
	cold    cold
	// unsaved says that the session in memory is newer than the one on disk, because saving failed; why says how.
	unsaved bool
	why     error
}

// perform does the goal's work in this process and lets the lock go. The session is what was reached, also when it could
// not be saved.
func (s *Source) perform(ctx context.Context, tx *tokencache.Tx, t Target, g Goal) (*Renewal, error) {
	defer tx.Unlock()
	r := &Renewal{Source: s, target: t, tx: tx}
	if err := r.read(); err != nil {
		return nil, err
	}
	err := g.Renew(ctx, r)
	if err != nil && g.Work() != workRefresh {
		// Waiters look at their own goal's record, also where it was the refresh below it that failed.
		r.record(g.Work(), tokencache.Attempt{Started: s.o.Now().Wall}, err)
	}
	return r, err
}

func (r *Renewal) read() error {
	session, plain, err := r.tx.Load()
	if err != nil {
		return err
	}
	r.session = session
	return r.cold.decode(plain)
}

// User is the name that Cognito knows the session's user by.
func (r *Renewal) User() string { return r.cold.User }

// Session is the session as this renewal left it.
func (r *Renewal) Session() *tokencache.Session { return r.session }

// IDToken gives an ID token with at least left to live, refreshed where the kept one has less.
func (r *Renewal) IDToken(ctx context.Context, left time.Duration) (token.Secret, error) {
	kept := r.session.Hot.Tokens.ID
	if kept.Value.Empty() || kept.Lifetime.Left(r.o.Now()) < min(left, kept.Lifetime.Total()/3) {
		if err := r.Refresh(ctx); err != nil {
			return token.Secret{}, err
		}
	}
	return r.session.Hot.Tokens.ID.Value, nil
}

// Refresh renews the tokens: preflight, intent, one request, classify, durable write. On success the new tokens are in
// the session, also when saving them failed.
func (r *Renewal) Refresh(ctx context.Context) error {
	if r.session.Hot.Dead != nil {
		return r.ended(r.target, r.session.Hot.Dead)
	}
	if last, ok := r.o.Cache.LastAttempt(r.session.ID, workRefresh); ok && last.Outcome.Failed() && waiting(last, r.o.Now().Wall) {
		return attemptError(last)
	}
	client, err := r.client(r.target, r.cold)
	if err != nil {
		return err
	}
	var answer cognito.Result
	// An answer whose tokens are of no use may still have rotated the refresh token: that one is kept in any case.
	err = r.Attempt(ctx, workRefresh, func(ctx context.Context) error {
		answer, err = r.send(ctx, client)
		if err != nil && outcomeOf(err) == tokencache.Dead {
			return r.bury(err)
		}
		return err
	})
	if !answer.Refresh.Empty() {
		r.cold.Refresh = answer.Refresh
	}
	if err == nil {
		r.session.Hot.Tokens = answer.Tokens
		r.cold.SecretNext = answer.SecretNext
	}
	if err == nil || !answer.Refresh.Empty() {
		r.save()
	}
	return err
}

// send makes the one request. An answer that was lost on the way, or a server that failed, may have rotated the refresh
// token: only the same token again, at once, is inside the grace period.
func (r *Renewal) send(ctx context.Context, client Client) (cognito.Result, error) {
	answer, err := client.Refresh(ctx, r.cold.Refresh, r.cold.DeviceKey)
	if err != nil && mayHaveRotated(err) && ctx.Err() == nil {
		return client.Refresh(ctx, r.cold.Refresh, r.cold.DeviceKey)
	}
	return answer, err
}

func mayHaveRotated(err error) bool {
	var e *cognito.Error
	return errors.As(err, &e) && e.Sent && (e.Status == 0 || e.Status >= 500)
}

// Attempt runs work between an intent and an outcome in the session's record, and never begins where the result could not
// be kept: a full disk is known before a server is asked.
func (r *Renewal) Attempt(ctx context.Context, work string, do func(context.Context) error) error {
	if err := r.tx.Preflight(); err != nil {
		return err
	}
	a := tokencache.Attempt{Started: r.o.Now().Wall, Token: r.cold.fingerprint()}
	a.Failures = r.failures(work)
	intent := a
	intent.Work, intent.Outcome, intent.PID = work, tokencache.Running, r.o.PID
	if err := r.tx.Record(intent); err != nil {
		return err
	}
	err := do(ctx)
	r.record(work, a, err)
	return err
}

// failures is how many transient failures in a row there were before now.
func (r *Renewal) failures(work string) int {
	if last, ok := r.o.Cache.LastAttempt(r.session.ID, work); ok && last.Outcome == tokencache.Transient {
		return last.Failures
	}
	return 0
}

// record keeps the outcome for the waiters. Failing to keep it only costs them a request of their own.
func (r *Renewal) record(work string, a tokencache.Attempt, err error) {
	a.Work, a.PID, a.Ended, a.Outcome = work, r.o.PID, r.o.Now().Wall, tokencache.Done
	if err != nil {
		a.Outcome = outcomeOf(err)
		a.Message, a.Hint = sentence(err)
	}
	if a.Outcome == tokencache.Transient {
		a.Failures++
	} else {
		a.Failures = 0
	}
	_ = r.tx.Record(a)
}

// bury puts up the tombstone, but only if the stored refresh token is still the one that was sent: a restored file or a
// login may have replaced it.
func (r *Renewal) bury(cause error) error {
	sent := r.cold.Refresh
	if err := r.read(); err != nil {
		return err
	}
	if !r.cold.Refresh.Equal(sent) {
		return &token.Error{Kind: token.Unavailable, Message: "the session was replaced while it was renewed"}
	}
	reason, _ := sentence(cause)
	r.session.Hot.Dead = &tokencache.Death{Reason: reason, At: r.o.Now().Wall}
	r.save()
	var said *cognito.Error
	if !errors.As(cause, &said) {
		return cause
	}
	ended := r.ended(r.target, r.session.Hot.Dead)
	ended.Err = said
	return ended
}

// save keeps what is in the session and the cold record. A failure is remembered, not returned: what was gained is handed
// out all the same, with a warning.
func (r *Renewal) save() {
	plain, err := r.cold.encode()
	if err == nil {
		err = r.tx.Save(r.session.Hot, plain)
	}
	r.unsaved, r.why = err != nil, err
}

// Keep puts AWS credentials into the session under the key of what made them.
func (r *Renewal) Keep(record string, aws token.AWSCredentials) {
	kept := r.session.Hot.Credentials[:0:0]
	for _, c := range r.session.Hot.Credentials {
		if c.Record != record {
			kept = append(kept, c)
		}
	}
	r.session.Hot.Credentials = append(kept, tokencache.Credentials{Record: record, AWS: aws})
	r.save()
}

// IdentityID is the identity-pool identity that an earlier exchange got; "" when there was none.
func (r *Renewal) IdentityID(pool string) string { return r.cold.Identities[pool] }

// SetIdentityID remembers the identity for the next exchange; it is stored by the next Keep.
func (r *Renewal) SetIdentityID(pool, id string) {
	if r.cold.Identities == nil {
		r.cold.Identities = map[string]string{}
	}
	r.cold.Identities[pool] = id
}
