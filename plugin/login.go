package plugin

import (
	"context"
	"time"
)

// LoginProvider signs people in. Implementations must be safe for concurrent use.
type LoginProvider interface {
	// Login signs a person in, asking through ask, one question at a time, and keeps the session. A failed or canceled login
	// changes nothing. With a nil ask a login that is needed is CodeLoginRequired, with the exact command for a person to run
	// as its hint. The end of ctx cancels it.
	Login(ctx context.Context, r LoginRequest, ask Asker) (LoginResponse, error)
}

// Asker is the host's own interface to its person.
type Asker interface {
	// Ask returns the answer to q, of Choices one of them. It returns ErrNoAnswer (wrapped) for what nobody can answer, and an
	// error with CodeCanceled where the person gave up; either ends the login. ctx ends at q.Deadline, and when the plugin no
	// longer waits. Ask is called for one question at a time.
	Ask(ctx context.Context, q Question) (Secret, error)
}

// AskerFunc makes a function an Asker.
type AskerFunc func(ctx context.Context, q Question) (Secret, error)

var _ Asker = AskerFunc(nil)

// Ask calls f.
func (f AskerFunc) Ask(ctx context.Context, q Question) (Secret, error) { return f(ctx, q) }

// LoginRequest says whom to sign in, and how.
type LoginRequest struct {
	Selection Selection
	Force     bool // answers every confirmation with yes
	IfNeeded  bool // leaves a session that is good alone
	// MinTTL is, with IfNeeded, how long what is kept must still serve.
	MinTTL time.Duration
	// ClientMetadata goes to the user pool's triggers, over the profile's own.
	ClientMetadata map[string]string
}

// Validate reports what no plugin could take.
func (r LoginRequest) Validate() error {
	if r.MinTTL != 0 && !r.IfNeeded {
		return invalid("the least remaining life means nothing where a login is always made")
	}
	return first(r.Selection.Validate(), life(r.MinTTL), entries("the client metadata", r.ClientMetadata))
}

// LoginResponse says what a login did.
type LoginResponse struct {
	User     string    // the real user name
	Expires  time.Time // when the access token ends, by this machine's clock; it renews itself
	Kept     bool      // IfNeeded found a good session, so that nobody signed in
	Revoked  bool      // an older session was replaced and its refresh token revoked
	Slot     string    // where the data key of the session is, such as "file"
	Warnings []string  // one sentence each
	// OwnSession is set where the session is beside the profile's own: every later call must then name the same Username.
	OwnSession bool
}

// QuestionKind says what sort of answer is wanted, so that a host can choose its input field.
type QuestionKind int

// The kinds. Take one that is not listed for QuestionText.
const (
	QuestionText         QuestionKind = iota // any text
	QuestionUsername                         // a user name
	QuestionPassword                         // the password
	QuestionNewPassword                      // a password that does not exist yet: ask twice
	QuestionCode                             // a code of few characters, good for one use
	QuestionChoice                           // one of Choices
	QuestionConfirmation                     // Choices are yes and no
	QuestionPasskey                          // a passkey's answer as one JSON object; Parameters have what to give to the browser
)

// Question is one thing that only the person knows.
type Question struct {
	Kind      QuestionKind
	Name      string // of the answer, such as PASSWORD or SOFTWARE_TOKEN_MFA_CODE
	Challenge string // Cognito's ChallengeName; "" for what is asked before the first request
	Label     string // what a person reads, lower case, without a colon; made safe to show
	Secret    bool   // the answer must not be shown while it is typed
	Choices   []string
	// Delivery says where a code was sent to; the zero value where none was.
	Delivery Delivery
	Attempt  int    // counts from 1; above 1 the answer before it was wrong
	Note     string // one sentence to show before the question, such as why it is asked again; may be ""
	// Deadline is when the question is given up; the zero time where nothing is known.
	Deadline time.Time
	// Parameters are the challenge's public ones, as the server sent them: make them safe before you show them.
	Parameters map[string]string
	// URI is an otpauth URI to show as text and as a QR code; empty where there is none.
	URI Secret
}

// Delivery says where a code went.
type Delivery struct {
	Destination string // masked, such as a***@e***; made safe to show
	Medium      string // SMS or EMAIL; "" where it is not known
}
