package token

import (
	"errors"
	"time"
)

// Kind sorts errors by what the caller can do about them. Each has one exit code.
type Kind uint8

// The kinds.
const (
	Failure     Kind = iota // anything else
	Usage                   // the command line is wrong
	LoginNeeded             // a person must sign in
	Refused                 // Cognito or AWS said no, and will say it again
	Unavailable             // network, throttling, a lock: later it may work
	BadProfile              // the profile or the configuration is wrong
	Interrupted             // the person stopped it
)

// ExitCode is the process exit code of the kind. A host's protocol may have its own rule, which wins there.
func (k Kind) ExitCode() int {
	switch k {
	case Usage:
		return 2
	case LoginNeeded:
		return 3
	case Refused:
		return 4
	case Unavailable:
		return 5
	case BadProfile:
		return 6
	case Interrupted:
		return 130
	default:
		return 1
	}
}

// Error is a sentence for a person: lower case, no full stop, no secret, with what to do next in its own field, so that
// only the command line prints it.
type Error struct {
	Kind    Kind
	Message string // the sentence
	Next    string // what mends it: a command to paste, or advice, behind which the command line puts the command to run then; or ""
	Err     error  // the cause, printed behind the sentence when it is there
	// RetryAfter is when trying again makes sense; 0 where nothing is known.
	RetryAfter time.Duration
}

// Error gives the sentence and its cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do next, or nothing.
func (e *Error) Hint() string { return e.Next }

// KindOf finds the kind of the outermost Error in the chain; an error without one is a Failure.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Failure
}

// ErrMiss is the front's word for "I cannot answer this from what is warm": the complete program is asked instead. It
// never reaches a person.
var ErrMiss = errors.New("no warm answer")
