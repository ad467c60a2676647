package tokensource

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

const (
	firstWait   = time.Second      // after a transient failure, doubling
	longestWait = 30 * time.Second // of those
	blockedWait = time.Minute      // after Cognito refused what a person must mend
	// configurationWait lets the runs of one command of a host, such as kubectl's six, learn from the first. Who mends the
	// app client or the identity pool does not have to wait for long; who mends the profile, not at all.
	configurationWait = 10 * time.Second
)

// heldBack is the error of an earlier attempt that still counts for this call: one that ended after the call began, or one
// whose waiting time is not over. It is nil where a new attempt may begin. An end in the future is another clock's: the clock
// was set back, and would hold everybody back until it has caught up.
func (c *call) heldBack() error {
	a, ok := c.o.Cache.LastAttempt(c.id, c.goal.Work())
	if !ok || !a.Outcome.Failed() {
		return nil
	}
	now := c.o.Now().Wall
	if a.Ended.After(c.began) && !a.Ended.After(now) || waiting(a, c.target, now) {
		e := attemptError(a)
		e.RetryAfter = max(0, a.Ended.Add(waitAfter(a)).Sub(now))
		return e
	}
	return nil
}

// waiting reports whether the time after a in which nobody tries again is not over. An end in the future holds nobody back,
// nor does a fault of the configuration whose files were changed since.
func waiting(a tokencache.Attempt, t Target, now time.Time) bool {
	if a.Outcome == tokencache.Misconfigured && a.Settings != settings(t) {
		return false
	}
	return !a.Ended.After(now) && now.Before(a.Ended.Add(waitAfter(a)))
}

// settings is the start of a hash of what identifies the state of the profile's files.
func settings(t Target) (short [8]byte) {
	h := sha256.New()
	for _, f := range t.Profile.Consulted {
		fmt.Fprintf(h, "%q %t %d %d %d %d %d\n", f.Path, f.Absent, f.Device, f.Inode, f.Size, f.MTime, f.CTime)
	}
	copy(short[:], h.Sum(nil))
	return short
}

// waitAfter is how long nobody tries again after a.
func waitAfter(a tokencache.Attempt) time.Duration {
	switch a.Outcome {
	case tokencache.Transient:
		return min(longestWait, firstWait<<min(max(a.Failures-1, 0), 10))
	case tokencache.Blocked:
		return blockedWait
	case tokencache.Misconfigured:
		return configurationWait
	default:
		return 0
	}
}

// attemptError gives a recorded failure to a caller that did not make it.
func attemptError(a tokencache.Attempt) *token.Error {
	return &token.Error{Kind: outcomeKind(a.Outcome), Message: a.Message, Next: a.Hint}
}

func outcomeKind(o tokencache.Outcome) token.Kind {
	switch o {
	case tokencache.Dead:
		return token.LoginNeeded
	case tokencache.Blocked:
		return token.Refused
	case tokencache.Misconfigured:
		return token.BadProfile
	default:
		return token.Unavailable
	}
}

// outcomeOf sorts the error of an attempt: Cognito's by its class, any other by its kind.
func outcomeOf(err error) tokencache.Outcome {
	var e *cognito.Error
	if !errors.As(err, &e) {
		return outcomeOfKind(token.KindOf(err))
	}
	switch cognito.ClassOf(err) {
	case cognito.Dead:
		return tokencache.Dead
	case cognito.Blocked:
		return tokencache.Blocked
	case cognito.Configuration:
		return tokencache.Misconfigured
	default:
		return tokencache.Transient
	}
}

func outcomeOfKind(k token.Kind) tokencache.Outcome {
	switch k {
	case token.Refused:
		return tokencache.Blocked
	case token.BadProfile:
		return tokencache.Misconfigured
	case token.LoginNeeded:
		return tokencache.Dead
	default:
		return tokencache.Transient
	}
}

// sentence splits an error into what is recorded of it.
func sentence(err error) (message, hint string) {
	var e *token.Error
	if errors.As(err, &e) {
		return e.Message, e.Next
	}
	return err.Error(), ""
}
