package pluginserver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Login implements plugin.LoginProvider.
func (s *Server) Login(ctx context.Context, r plugin.LoginRequest, ask plugin.Asker) (plugin.LoginResponse, error) {
	at := s.session(r.Selection)
	if ask == nil {
		if err := s.goodAlready(ctx, at, r); err != nil {
			return plugin.LoginResponse{}, failure(ctx, err)
		}
	}
	q := &questions{ask: ask, now: s.now}
	done, err := s.program.Login(ctx, at, r, q, q.confirm)
	return done, failure(ctx, err)
}

// goodAlready is nil where nobody needs to be asked, because the session is good.
func (s *Server) goodAlready(ctx context.Context, at Session, r plugin.LoginRequest) error {
	if !r.IfNeeded {
		return &plugin.Error{Code: plugin.CodeLoginRequired, Message: "a person must sign in, and this host cannot ask", Hint: s.program.LoginCommand(at)}
	}
	_, err := s.program.Token(ctx, s.request(r.Selection, token.UseAccess, r.MinTTL))
	return err
}

const (
	// Cognito forgets a challenge after AuthSessionValidity, 3 minutes where the app client does not say more.
	challengeWait = 3 * time.Minute
	personWait    = 10 * time.Minute // for what is asked before the first request
	maxTries      = 3                // for an answer that is none of the choices
	labelLimit    = 200              // runes
)

// questions asks the host. Not safe for concurrent use.
type questions struct {
	ask plugin.Asker // nil where the host cannot ask
	now func() time.Time
}

var _ challenge.Answerer = (*questions)(nil)

// Answer has the host answer q.
func (a *questions) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	got, err := a.put(ctx, question(q))
	return token.NewSecret(got.Reveal()), err
}

// confirm has the host answer yes or no.
func (a *questions) confirm(ctx context.Context, text string) (bool, error) {
	got, err := a.put(ctx, plugin.Question{
		Kind: plugin.QuestionConfirmation, Name: "CONFIRM", Label: safetext.Line(text, labelLimit), Choices: []string{"yes", "no"}, Attempt: 1,
	})
	return got.Reveal() == "yes", err
}

// put asks until the answer is one that there is.
func (a *questions) put(ctx context.Context, q plugin.Question) (plugin.Secret, error) {
	if a.ask == nil {
		return plugin.Secret{}, challenge.ErrNoAnswer
	}
	for range maxTries {
		q.Deadline = a.now().Add(waitFor(q))
		got, err := a.asked(ctx, q)
		if err != nil {
			return plugin.Secret{}, err
		}
		if len(q.Choices) == 0 || slices.Contains(q.Choices, got.Reveal()) {
			return got, nil
		}
		q.Note = "the answer must be one of the choices"
	}
	return plugin.Secret{}, &token.Error{Kind: token.Usage, Message: "no usable answer after 3 tries"}
}

func waitFor(q plugin.Question) time.Duration {
	if q.Challenge == "" {
		return personWait
	}
	return challengeWait
}

// asked bounds the wait also where the host does not keep to the deadline.
func (a *questions) asked(ctx context.Context, q plugin.Question) (plugin.Secret, error) {
	ctx, cancel := context.WithDeadline(ctx, q.Deadline)
	defer cancel()
	got, err := a.ask.Ask(ctx, q)
	switch {
	case errors.Is(err, plugin.ErrNoAnswer):
		return plugin.Secret{}, challenge.ErrNoAnswer
	case err != nil && plugin.CodeOf(err) == plugin.CodeCanceled:
		return plugin.Secret{}, &token.Error{Kind: token.Interrupted, Message: "the login was canceled", Err: err}
	case err != nil:
		return plugin.Secret{}, hostError(err)
	}
	return got, nil
}

// hostError is what a host says in place of an answer.
func hostError(err error) error {
	kind := token.Failure
	for k, code := range codes {
		if code == plugin.CodeOf(err) {
			kind = k
		}
	}
	return &token.Error{Kind: kind, Message: err.Error(), Next: hint(err), Err: nil}
}

// question is q in the words of the wire.
func question(q challenge.Question) plugin.Question {
	return plugin.Question{
		Kind: kindOf(q), Name: q.Name, Challenge: q.Challenge, Label: safetext.Line(q.Label, labelLimit), Secret: q.Secret, Choices: q.Choices,
		Delivery: plugin.Delivery{Destination: safetext.Line(q.Destination, labelLimit), Medium: safetext.Line(q.Medium, labelLimit)},
		Attempt:  max(1, q.Attempt), Note: safetext.Line(q.Note, sentenceLimit), Parameters: q.Parameters, URI: plugin.NewSecret(q.URI.Reveal()),
	}
}

func kindOf(q challenge.Question) plugin.QuestionKind {
	switch {
	case slices.Equal(q.Choices, []string{"yes", "no"}):
		return plugin.QuestionConfirmation
	case len(q.Choices) > 0:
		return plugin.QuestionChoice
	case q.Name == challenge.Username:
		return plugin.QuestionUsername
	case q.Name == challenge.Password:
		return plugin.QuestionPassword
	case q.Name == "NEW_PASSWORD":
		return plugin.QuestionNewPassword
	case q.Challenge == "WEB_AUTHN":
		return plugin.QuestionPasskey
	case strings.HasSuffix(q.Name, "_CODE"):
		return plugin.QuestionCode
	default:
		return plugin.QuestionText
	}
}
