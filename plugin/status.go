package plugin

import (
	"context"
	"time"
)

// StatusProvider tells what is known of a session. Implementations must be safe for concurrent use.
type StatusProvider interface {
	// Status takes no lock and uses no network. A session that is not there, or cannot be used, is a state and no error.
	Status(ctx context.Context, r StatusRequest) (StatusResponse, error)
}

// StatusRequest names a session.
type StatusRequest struct{ Selection Selection }

// Validate reports what no plugin could take.
func (r StatusRequest) Validate() error { return r.Selection.Validate() }

// SessionState is a session's state in one word.
type SessionState int

// The states.
const (
	StateUnknown   SessionState = iota // not known to this version
	StateSignedOut                     // nobody is signed in
	StateSignedIn                      // somebody is
	StateEnded                         // the session has ended: a login is needed
	StateDamaged                       // the session's file or its key cannot be used: a login is needed
)

// StatusResponse is what is known of a session, without any secret. A time that is not known is the zero time.
type StatusResponse struct {
	Profile            string // the name of the profile that was found
	State              SessionState
	User               string // the real user name
	Subject            string // the user's sub
	UserPoolID         string
	ClientID           string
	Region             string // of the user pool
	SignedInAt         time.Time
	AccessTokenExpires time.Time
	IDTokenExpires     time.Time
	Slot               string // where the data key of the session is, such as "file"
	// Problem is why the session ended or cannot be used; nil where it can.
	Problem *Error
}
