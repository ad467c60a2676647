package tokensource

import (
	"context"
	"errors"
	"strings"
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
	saving  saving
	// attached says that this is the caller's own process, because no worker could be started.
	attached bool
}

// saving is how the last save of a session went, as a worker tells its caller.
type saving struct {
	Saved   bool   `json:"saved"`             // else what is in memory is newer than what is on disk
	Spilled string `json:"spilled,omitempty"` // the file that has it, where it is not in its place
	Why     string `json:"why,omitempty"`     // why it is not in its place
}

// warning is what a person should know of it; "" where all is well.
func (s saving) warning() string {
	switch {
	case s.Spilled != "":
		return "the renewed session could not be saved in its place and is kept in " + s.Spilled + " until it can be: " + s.Why
	case !s.Saved:
		return strings.TrimSuffix("the renewed session could not be saved, so the next use may need a login: "+s.Why, ": ")
	default:
		return ""
	}
}

// perform does the goal's work in this process and lets the lock go. The session is what was reached, also when it could
// not be saved.
func (s *Source) perform(ctx context.Context, tx *tokencache.Tx, t Target, g Goal, attached bool) (*Renewal, error) {
	defer tx.Unlock()
	r := &Renewal{Source: s, target: t, tx: tx, saving: saving{Saved: true}, attached: attached}
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
	if last, ok := r.o.Cache.LastAttempt(r.session.ID, workRefresh); ok && last.Outcome.Failed() && waiting(last, r.target, r.o.Now().Wall) {
		return attemptError(last)
	}
	client, err := r.client(r.target, r.cold)
	if err != nil {
		return err
	}
	return r.Attempt(ctx, workRefresh, func(ctx context.Context) error {
		before := r.session.HotGeneration
		err := r.refresh(ctx, client)
		if err == errReplaced && r.session.HotGeneration > before { // by a newer one: once more, with what is there now
			err = r.refresh(ctx, client)
		}
		if err == errReplaced {
			err = &token.Error{Kind: token.Unavailable, Message: "the session was replaced while it was renewed"}
		}
		return err
	})
}

// errReplaced says that Cognito refused a refresh token which is not the stored one any more.
var errReplaced = errors.New("the stored refresh token is another one now")

// refresh asks Cognito and keeps what it says before it returns: the outcome that waiters read is recorded only then.
func (r *Renewal) refresh(ctx context.Context, client Client) error {
	answer, err := r.send(ctx, client)
	if err != nil && outcomeOf(err) == tokencache.Dead {
		return r.bury(err)
	}
	// An answer whose tokens are of no use may still have rotated the refresh token: that one is kept in any case.
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
	intent.Work, intent.Outcome, intent.PID, intent.Attached = work, tokencache.Running, r.o.PID, r.attached
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
	a.Settings, a.Attached = settings(r.target), r.attached
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

// bury puts up the tombstone, but only if the stored refresh token is still the one that was sent. A restored file, or a
// program that was not kept out by the lock, may have replaced it: what is there now is adopted where it is newer and still
// good.
func (r *Renewal) bury(cause error) error {
	sent, before := r.cold.Refresh, r.session.HotGeneration
	if err := r.read(); err != nil {
		return err
	}
	switch {
	case r.cold.Refresh.Equal(sent):
	case r.session.Hot.Dead != nil:
		return r.ended(r.target, r.session.Hot.Dead)
	case r.session.HotGeneration > before && r.session.Hot.Tokens.Access.Lifetime.Left(r.o.Now()) > 0:
		return nil
	default:
		return errReplaced
	}
	reason, _ := sentence(cause)
	r.session.Hot.Dead = &tokencache.Death{Reason: reason, At: r.o.Now().Wall}
	r.save()
	r.saving = saving{Saved: true} // a tombstone that was not written costs one more request, nothing else
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
		clear(plain)
	}
	var spilled *tokencache.SpilledError
	switch {
	case err == nil:
		r.saving = saving{Saved: true}
	case errors.As(err, &spilled):
		r.saving = saving{true, spilled.Path, spilled.Err.Error()}
	default:
		r.saving = saving{Why: err.Error()}
	}
}

// Keep puts AWS credentials into the session under the key of what made them.
func (r *Renewal) Keep(record string, aws token.AWSCredentials) {
	kept := r.session.Hot.Credentials[:0:0]
	for _, c := range r.session.Hot.Credentials {
		if c.Record != record {
			kept = append(kept, c)
		}
	}
	aws.Lifetime.Skew = r.session.Hot.Tokens.ID.Lifetime.Skew
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
