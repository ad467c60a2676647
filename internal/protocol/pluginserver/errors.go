package pluginserver

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// codes is the code of each kind.
var codes = map[token.Kind]plugin.Code{
	token.Failure: plugin.CodeFailure, token.Usage: plugin.CodeInvalidRequest, token.LoginNeeded: plugin.CodeLoginRequired,
	token.Refused: plugin.CodeRefused, token.Unavailable: plugin.CodeUnavailable, token.BadProfile: plugin.CodeBadProfile,
	token.Interrupted: plugin.CodeCanceled,
}

// sentenceLimit bounds what an error says, in runes.
const sentenceLimit = 600

// failure is an error of the program as the host sees it; nil stays nil.
func failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return Failure(ctx, err)
}

// Failure gives an error its code, and text that is safe to show. What the host answered on the Login stream keeps the host's
// own code. err must not be nil.
func Failure(ctx context.Context, err error) *plugin.Error {
	e := &plugin.Error{Message: safetext.Line(sentence(err), sentenceLimit), Hint: safetext.Line(hint(err), sentenceLimit), Err: err}
	var said *plugin.Error
	var known *token.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Code = plugin.CodeCanceled
	case errors.As(err, &said):
		e.Code, e.RetryAfter = said.Code, said.RetryAfter
	case errors.Is(err, protocol.ErrNotBound):
		e.Code = plugin.CodeNotBound
	case errors.As(err, &known):
		e.Code, e.RetryAfter = codes[known.Kind], known.RetryAfter
	case errors.Is(err, context.Canceled):
		e.Code = plugin.CodeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Code = plugin.CodeUnavailable
	default:
		e.Code = plugin.CodeFailure
	}
	return e
}

// sentence is the error's own, without the cause that only says why nobody could be asked.
func sentence(err error) string {
	var e *token.Error
	if errors.As(err, &e) && (errors.Is(e.Err, challenge.ErrNoAnswer) || errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded)) {
		return e.Message
	}
	return err.Error()
}

func hint(err error) string {
	var h interface {
		error
		Hint() string
	}
	var said *plugin.Error
	switch {
	case errors.As(err, &h):
		return h.Hint()
	case errors.As(err, &said):
		return said.Hint
	}
	return ""
}
