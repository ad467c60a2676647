// Package challenge is the vocabulary of a sign-in's questions: what is asked, and the one small interface through which
// every answer comes (terminal, standard input, --answer, an external program, a host application).
//
// It never asks anything itself.
package challenge

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Names of answers that do not stand in a challenge's own responses under the same name.
const (
	Username = "USERNAME"
	Password = "PASSWORD"
)

// Question is one thing that only the person knows. Text in it may come from the server: print it through
// safetext.Line only.
type Question struct {
	// Challenge is Cognito's ChallengeName, or "" for what is asked before the first request.
	Challenge string
	// Name is the answer's name, as --answer NAME=VALUE takes it: USERNAME, PASSWORD, NEW_PASSWORD,
	// SOFTWARE_TOKEN_MFA_CODE, SMS_MFA_CODE, userAttributes.email.
	Name string
	// Label is what a person reads, lower case, without colon: "code from the authenticator app".
	Label string
	// Secret answers are not echoed.
	Secret bool
	// Twice answers are made up by the person: a terminal has them typed again, since a slip would shut the person out.
	Twice bool
	// Choices, when not empty, are the only answers there are.
	Choices []string
	// Attempt counts from 1; above 1 the answer before it was wrong.
	Attempt int
	// Round counts the questions of a CUSTOM_CHALLENGE from 1, and starts over with a sign-in that begins anew; 0 elsewhere.
	// Only the user pool knows whether a round asks again or on.
	Round int
	// Note is one sentence to show before the question, such as why it is asked again; may be empty.
	Note string
	// Destination is the masked address or number that a code was sent to, and Medium is SMS or EMAIL; the server's text, ""
	// where it is not known.
	Destination, Medium string
	// Parameters are the challenge's public parameters, the server's text: what a CUSTOM_CHALLENGE shows, a passkey's
	// options. nil where there are none to show.
	Parameters map[string]string
	// URI is an otpauth URI to show as text and as a QR code; it holds a secret. Empty where there is none.
	URI token.Secret
}

// Answerer gives answers. Implementations need not be safe for concurrent use: a sign-in asks one question at a time.
type Answerer interface {
	// Answer returns the answer to q. It returns ErrNoAnswer (wrapped) where nobody can be asked, and the context's
	// error when that ends first.
	Answer(ctx context.Context, q Question) (token.Secret, error)
}

// ErrNoAnswer says that a question has nobody to answer it: no terminal, and no prepared answer.
var ErrNoAnswer = errors.New("nobody to ask")
