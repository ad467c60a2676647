package plugin

import (
	"context"
	"errors"
	"time"
)

// Code sorts errors by what the caller can do about them. The list is closed: what is not on it is CodeUnknown.
type Code int

// The codes. Their numbers are those of the wire.
const (
	CodeUnknown        Code = 0  // not sorted, or a code of a newer version; never success
	CodeInvalidRequest Code = 1  // the request is not valid; sending it again does not help
	CodeLoginRequired  Code = 2  // a person must sign in: call Login, or show the hint
	CodeRefused        Code = 3  // Cognito or AWS said no, and will say it again
	CodeUnavailable    Code = 4  // network, throttling, a lock: later it may work; see Error.RetryAfter
	CodeBadProfile     Code = 5  // the profile or the configuration is wrong
	CodeCanceled       Code = 6  // the caller or the person stopped it
	CodeNotBound       Code = 7  // no profile binds the host that was asked for
	CodeUnsupported    Code = 8  // the plugin has no such operation
	CodePluginEnded    Code = 9  // the plugin has ended; made by the host's side only
	CodeFailure        Code = 10 // anything else went wrong in the plugin
)

// names has every code once.
var names = map[Code]string{
	CodeUnknown: "unknown", CodeInvalidRequest: "invalid request", CodeLoginRequired: "login required", CodeRefused: "refused",
	CodeUnavailable: "unavailable", CodeBadProfile: "bad profile", CodeCanceled: "canceled", CodeNotBound: "not bound",
	CodeUnsupported: "unsupported", CodePluginEnded: "plugin ended", CodeFailure: "failure",
}

// String gives the code in words; a number that is no code is "unknown".
func (c Code) String() string {
	if name, ok := names[c]; ok {
		return name
	}
	return names[CodeUnknown]
}

// known gives c itself where it is on the list, else CodeUnknown.
func (c Code) known() Code {
	if _, ok := names[c]; ok {
		return c
	}
	return CodeUnknown
}

// Error is what went wrong: a sentence for a person, and a code for the program. It has no secret in it.
type Error struct {
	Code    Code
	Message string // one sentence, lower case, without a full stop
	Hint    string // what to do next, best a command to paste; may be ""
	// RetryAfter is how long to wait before trying again; 0 where nothing is known.
	RetryAfter time.Duration
	// Err is the cause, for errors.Is and errors.As; it does not cross the wire.
	Err error
}

// Error gives the sentence.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code.String()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is one of the package's Err values with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Message == "" && t.Code == e.Code
}

// What errors.Is finds in an Error, by its code. A login that is required, a host that is not bound, and a plugin that has
// ended are what programs branch on most; CodeOf has all codes.
var (
	ErrLoginRequired error = &Error{Code: CodeLoginRequired}
	ErrNotBound      error = &Error{Code: CodeNotBound}
	ErrPluginEnded   error = &Error{Code: CodePluginEnded}
)

// ErrNoAnswer is what an Asker returns for a question that nobody can answer.
var ErrNoAnswer = errors.New("nobody to ask")

// CodeOf is the code of the outermost Error in err's chain. A context that ended is CodeCanceled or CodeUnavailable, any other
// error is CodeUnknown. Do not call it with nil.
func CodeOf(err error) Code { return asError(err).Code }

// asError gives err as an Error: the one in its chain, else one that says the same.
func asError(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeCanceled, Message: "the call was canceled", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeUnavailable, Message: "the time for the call was over", Err: err}
	default:
		return &Error{Code: CodeUnknown, Message: err.Error(), Err: err}
	}
}
