package tokensource

import (
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// State is the session's state in one word.
type State string

// The states.
const (
	SignedOut State = "signed-out"
	SignedIn  State = "signed-in"
	Ended     State = "ended"   // a tombstone: login needed
	Damaged   State = "damaged" // the file or its key cannot be used: login needed
)

// Status is what is known of a session, without any secret.
type Status struct {
	SessionID  string
	State      State
	User       string
	Subject    string
	Flow       string
	LoggedIn   time.Time
	Slot       keyslot.Kind // also where the key cannot be had
	Warm       bool         // the key is found without asking a keyring
	Access     token.Lifetime
	ID         token.Lifetime
	AWS        []AWSStatus
	Last       *tokencache.Attempt // of the refresh; nil when there was none
	DeadReason string
	Problem    error // why the file cannot be read
	// Renewing is who has the session's lock at this moment, mostly a worker; LoginInFlight is who signs in. nil is nobody.
	Renewing, LoginInFlight *tokencache.Holder
	Spilled                 bool          // the session could not be saved in its place yet
	Skew                    time.Duration // how far Cognito's clock was ahead of ours at the last sign-in or renewal; 0 for no matter
}

// AWSStatus is one set of AWS credentials that is kept.
type AWSStatus struct {
	Record      string
	AccessKeyID string
	Lifetime    token.Lifetime
}

// Status reads the session of a target, without a lock; it never uses the network. The error is one that login does not
// mend, such as an unsafe mode.
func (s *Source) Status(t Target) (Status, error) {
	st := Status{SessionID: t.Identity().SessionID(), State: SignedOut}
	if a, ok := s.o.Cache.LastAttempt(st.SessionID, workRefresh); ok {
		st.Last = &a
	}
	st.Slot, _ = s.o.Cache.Slot(st.SessionID)
	if h, ok := s.o.Cache.Busy(st.SessionID); ok {
		st.Renewing = &h
	}
	if h, ok := s.o.Cache.LoginInFlight(st.SessionID); ok {
		st.LoginInFlight = &h
	}
	kept, plain, err := s.o.Cache.LoadWhole(st.SessionID)
	switch {
	case errors.Is(err, tokencache.ErrNoSession):
		return st, nil
	case errors.Is(err, keyslot.ErrUnavailable):
		return st, loginNeededFor(t, err)
	case err != nil && token.KindOf(err) == token.LoginNeeded:
		st.State, st.Problem = Damaged, loginNeededFor(t, err)
		return st, nil
	case err != nil:
		return st, err
	}
	var c cold
	if err := c.decode(plain); err != nil {
		st.State, st.Problem = Damaged, err
		return st, nil
	}
	if loggedOut(kept.Hot.Dead) {
		return st, nil
	}
	st.State, st.Slot, st.Warm, st.Spilled = SignedIn, kept.Slot, s.o.Slots.Warm(kept.Slot, kept.Key), kept.Spilled
	if skew := kept.Hot.Tokens.Access.Lifetime.Skew; skew.Abs() > token.MaxSkew {
		st.Skew = skew
	}
	st.User, st.Subject, st.Flow, st.LoggedIn = c.User, c.Subject, c.Flow, c.LoggedIn
	st.Access, st.ID = kept.Hot.Tokens.Access.Lifetime, kept.Hot.Tokens.ID.Lifetime
	for _, a := range kept.Hot.Credentials {
		if _, _, place := tokencache.SplitDerived(a.Record); place != "" {
			continue // no AWS credentials, but made from them
		}
		st.AWS = append(st.AWS, AWSStatus{a.Record, a.AWS.AccessKeyID, a.AWS.Lifetime})
	}
	if d := kept.Hot.Dead; d != nil {
		st.State, st.DeadReason = Ended, d.Reason
	}
	return st, nil
}

// checkUser refuses a session of somebody else than --username named, where the profile names nobody.
func (c *call) checkUser() error {
	if c.target.Username == "" || c.target.ownSession() {
		return nil
	}
	_, plain, err := c.o.Cache.LoadWhole(c.id)
	if err != nil {
		return c.unreadable(err)
	}
	var k cold
	if err := k.decode(plain); err != nil {
		return err
	}
	if !k.isNamed(c.target.Username) {
		return &token.Error{Kind: token.LoginNeeded, Message: "the session is " + k.User + "'s, not " + c.target.Username + "'s", Next: LoginCommand(c.target)}
	}
	return nil
}
