package tokensource

import (
	"context"
	"encoding/json"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Worker starts the process that renews, detached, so that nothing which happens to the caller can come between
// Cognito's answer and our disk.
type Worker interface {
	// Start hands over the lock and the job. wait gives the job's answer and may be left out; the worker goes on either
	// way. An error means that nothing was started and the caller still has the lock.
	Start(lock *os.File, job []byte) (wait func(context.Context) ([]byte, error), err error)
}

// Job says to a worker what to renew. It names the profile, not what is in it: the worker reads that for itself, so that no
// secret of the profile goes over the wire.
type Job struct {
	Format  int    `json:"format"`
	Session string `json:"session"`
	// Generation is the hot record's when the job was made: where it has moved on, somebody else did the work.
	Generation uint64             `json:"generation"`
	Selection  profiles.Selection `json:"selection"`
	Username   string             `json:"username,omitempty"`
	Work       string             `json:"work"`
}

const wireFormat = 1

// answer is what a worker says. The hot record travels only when it could not be saved: then it exists nowhere else.
type answer struct {
	Format int      `json:"format"`
	Error  *failure `json:"error,omitempty"`
	saving
	Hot *hotRoute `json:"hot,omitempty"`
}

type failure struct {
	Kind    token.Kind `json:"kind"`
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
}

// hotRoute is the part of a hot record that a caller can use, secrets in clear: it goes through a private pipe only.
type hotRoute struct {
	Access      tokenRoute         `json:"access"`
	ID          tokenRoute         `json:"id"`
	Credentials []credentialsRoute `json:"credentials,omitempty"`
}

type tokenRoute struct {
	Value    string         `json:"value"`
	Lifetime token.Lifetime `json:"lifetime"`
}

type credentialsRoute struct {
	Record          string         `json:"record"`
	AccessKeyID     string         `json:"access_key_id"`
	SecretAccessKey string         `json:"secret_access_key"`
	SessionToken    string         `json:"session_token"`
	AccountID       string         `json:"account_id,omitempty"`
	Lifetime        token.Lifetime `json:"lifetime"`
}

// run renews in a worker where there is one, else here. It lets the lock go, or gives it away. With behind it does not
// wait for a worker and returns no session.
func (s *Source) run(ctx context.Context, tx *tokencache.Tx, kept *tokencache.Session, t Target, g Goal, behind bool) (*tokencache.Session, error) {
	if s.o.Worker != nil {
		job, err := json.Marshal(Job{
			Format: wireFormat, Session: kept.ID, Generation: kept.HotGeneration, Selection: t.Selection, Username: t.Username, Work: g.Work(),
		})
		if err != nil {
			return nil, err
		}
		if wait, err := s.o.Worker.Start(tx.File(), job); err == nil {
			tx.Unlock() // closes our copy only: the worker has the lock now
			if behind {
				return nil, nil
			}
			reply, err := wait(ctx)
			if err != nil {
				return nil, workerLost(err)
			}
			return s.readReply(t, reply)
		}
	}
	r, err := s.here(ctx, tx, t, g)
	if r != nil {
		s.warnOf(r.saving) // also beside an error: what was gained before it may be what could not be saved
	}
	if err != nil {
		return nil, err
	}
	return r.session, nil
}

// here renews in this process. Once it has begun, neither an interrupt nor a caller who waits no longer breaks it off: what
// Cognito answers to a request that is out may be the only refresh token there is, and others wait for it. It has a time limit of
// its own.
func (s *Source) here(ctx context.Context, tx *tokencache.Tx, t Target, g Goal) (*Renewal, error) {
	if s.o.Hold != nil {
		defer s.o.Hold()()
	}
	if err := ctx.Err(); err != nil {
		tx.Unlock()
		return nil, notBegun(err)
	}
	held, cancel := context.WithTimeout(context.WithoutCancel(ctx), callerWait)
	defer cancel()
	return s.perform(held, tx, t, g, true)
}

// notBegun is for a caller whose time was over, or who was interrupted, before its renewal began.
func notBegun(cause error) error {
	return &token.Error{Kind: token.Unavailable, Message: "the renewal could not begin in time", Err: cause}
}

// Work is the worker's whole life: it does the job under the lock that it inherited and returns the answer to send. goal
// turns Job.Work into a goal for the target.
func (s *Source) Work(ctx context.Context, job Job, t Target, lock *os.File, goal func(work string) (Goal, error)) []byte {
	r, err := s.work(ctx, job, t, lock, goal)
	a := answer{Format: wireFormat, saving: saving{Saved: true}}
	if err != nil {
		message, hint := sentence(err)
		a.Error = &failure{token.KindOf(err), message, hint}
	}
	if r != nil {
		a.saving = r.saving
		if !r.saving.Saved && err == nil {
			a.Hot = route(r.session.Hot)
		}
	}
	reply, err := json.Marshal(a)
	if err != nil {
		return nil
	}
	return reply
}

func (s *Source) work(ctx context.Context, job Job, t Target, lock *os.File, goal func(string) (Goal, error)) (*Renewal, error) {
	if job.Format != wireFormat {
		return nil, &token.Error{Kind: token.Failure, Message: "this worker does not know the job's format"}
	}
	if t.Identity().SessionID() != job.Session {
		return nil, &token.Error{Kind: token.Unavailable, Message: "the profile changed while it was used"}
	}
	g := Goal(tokens{token.UseAccess})
	if job.Work != workRefresh {
		var err error
		if g, err = goal(job.Work); err != nil {
			return nil, err
		}
	}
	if lock == nil {
		return s.workUnlocked(ctx, job, t, g)
	}
	tx, err := s.o.Cache.Adopt(job.Session, lock)
	if err != nil {
		return nil, err
	}
	return s.perform(ctx, tx, t, g, false)
}

// workUnlocked is for platforms where a lock cannot be inherited: between the caller's letting it go and our taking it,
// another process may have done the work, or have ended the session.
func (s *Source) workUnlocked(ctx context.Context, job Job, t Target, g Goal) (*Renewal, error) {
	tx, err := s.o.Cache.Lock(ctx, job.Session)
	if err != nil {
		return nil, err
	}
	kept, err := s.o.Cache.Load(job.Session)
	if err != nil || kept.HotGeneration == job.Generation {
		return s.perform(ctx, tx, t, g, false)
	}
	if kept.Hot.Dead != nil {
		tx.Unlock()
		return nil, s.ended(t, kept.Hot.Dead)
	}
	if life, ok := g.Find(kept); ok && life.Left(s.o.Now()) > 0 {
		return nil, tx.Unlock()
	}
	return s.perform(ctx, tx, t, g, false)
}

func (s *Source) readReply(t Target, reply []byte) (*tokencache.Session, error) {
	var a answer
	if err := json.Unmarshal(reply, &a); err != nil || a.Format != wireFormat {
		return nil, workerLost(errNoReply)
	}
	s.warnOf(a.saving)
	if a.Error != nil {
		return nil, &token.Error{Kind: a.Error.Kind, Message: a.Error.Message, Next: a.Error.Hint}
	}
	kept, err := s.reload(t.Identity().SessionID())
	switch {
	case err != nil:
		return nil, loginNeededFor(t, err)
	case a.Hot != nil:
		a.Hot.into(&kept.Hot)
	case a.Spilled != "":
		if newer, ok := s.o.Cache.Newer(kept); ok {
			kept = newer
		}
	}
	if d := kept.Hot.Dead; d != nil {
		return nil, s.ended(t, d)
	}
	return kept, nil
}

// reloads is how often a caller looks for what its worker gained.
const reloads = 3

// reload reads what a worker has just written. What was gained is not withheld because of one bad read.
func (s *Source) reload(id string) (kept *tokencache.Session, err error) {
	for range reloads {
		if kept, err = s.o.Cache.Load(id); err == nil || token.KindOf(err) == token.LoginNeeded {
			break
		}
	}
	return kept, err
}

// workerLost describes a worker that gave no answer. It may have renewed all the same.
func workerLost(cause error) error {
	return &token.Error{Kind: token.Unavailable, Message: "the renewal gave no answer in time", Next: "wait a moment", Err: cause}
}

// warnOf tells a person what to know about how a session was saved.
func (s *Source) warnOf(how saving) {
	if w := how.warning(); w != "" && s.o.Warn != nil {
		s.o.Warn(w)
	}
}

func route(h tokencache.Hot) *hotRoute {
	out := &hotRoute{Access: routeToken(h.Tokens.Access), ID: routeToken(h.Tokens.ID)}
	for _, c := range h.Credentials {
		out.Credentials = append(out.Credentials, credentialsRoute{
			c.Record, c.AWS.AccessKeyID, c.AWS.SecretAccessKey.Reveal(), c.AWS.SessionToken.Reveal(), c.AWS.AccountID, c.AWS.Lifetime,
		})
	}
	return out
}

func routeToken(t token.Token) tokenRoute { return tokenRoute{t.Value.Reveal(), t.Lifetime} }

func (t tokenRoute) token() token.Token {
	return token.Token{Value: token.NewSecret(t.Value), Lifetime: t.Lifetime}
}

func (h *hotRoute) into(hot *tokencache.Hot) {
	hot.Tokens = token.Set{Access: h.Access.token(), ID: h.ID.token()}
	hot.Credentials = hot.Credentials[:0:0]
	for _, c := range h.Credentials {
		hot.Credentials = append(hot.Credentials, tokencache.Credentials{Record: c.Record, AWS: token.AWSCredentials{
			AccessKeyID: c.AccessKeyID, SecretAccessKey: token.NewSecret(c.SecretAccessKey), SessionToken: token.NewSecret(c.SessionToken),
			AccountID: c.AccountID, Lifetime: c.Lifetime,
		}})
	}
}
