package pluginserver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Every kind has a code of its own, wrapped or not; the rest of an error goes along, fit for a terminal.
func TestErrorsHaveTheirCode(t *testing.T) {
	seen := map[plugin.Code]bool{}
	for kind := token.Failure; kind <= token.Interrupted; kind++ {
		code, ok := codes[kind]
		if !ok || seen[code] || code == plugin.CodeUnknown {
			t.Errorf("kind %d has the code %v", kind, code)
		}
		seen[code] = true
		in := &token.Error{Kind: kind, Message: "the sentence\x1b[31m", Next: "the hint\n", RetryAfter: 3 * time.Second}
		for _, err := range []error{in, fmt.Errorf("around: %w", in)} {
			got := Failure(t.Context(), err)
			if got.Code != code || got.RetryAfter != 3*time.Second || strings.ContainsAny(got.Message+got.Hint, "\x1b\n") || got.Hint != "the hint " || !strings.Contains(got.Message, "the sentence") {
				t.Errorf("kind %d: %+v", kind, got)
			}
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want plugin.Code
	}{
		{t.Context(), protocol.ErrNotBound, plugin.CodeNotBound},
		{t.Context(), fmt.Errorf("x: %w", protocol.ErrNotBound), plugin.CodeNotBound},
		{t.Context(), errors.New("plain"), plugin.CodeFailure},
		{t.Context(), context.DeadlineExceeded, plugin.CodeUnavailable},
		{canceled, &token.Error{Kind: token.Unavailable}, plugin.CodeCanceled},
		{t.Context(), &token.Error{Kind: token.Failure, Err: &plugin.Error{Code: plugin.CodeRefused}}, plugin.CodeRefused},
	} {
		if got := Failure(c.ctx, c.err); got.Code != c.want {
			t.Errorf("%v: %v, want %v", c.err, got.Code, c.want)
		}
	}
	if failure(t.Context(), nil) != nil {
		t.Error("no error became one")
	}
}

func TestQuestionsHaveTheirKind(t *testing.T) {
	for name, c := range map[string]struct {
		q    challenge.Question
		want plugin.QuestionKind
	}{
		"name":         {challenge.Question{Name: challenge.Username}, plugin.QuestionUsername},
		"password":     {challenge.Question{Name: challenge.Password}, plugin.QuestionPassword},
		"new password": {challenge.Question{Challenge: "NEW_PASSWORD_REQUIRED", Name: "NEW_PASSWORD"}, plugin.QuestionNewPassword},
		"code":         {challenge.Question{Challenge: "SMS_MFA", Name: "SMS_MFA_CODE"}, plugin.QuestionCode},
		"choice":       {challenge.Question{Challenge: "SELECT_MFA_TYPE", Name: "ANSWER", Choices: []string{"SMS_MFA", "SOFTWARE_TOKEN_MFA"}}, plugin.QuestionChoice},
		"yes or no":    {challenge.Question{Name: "DEVICE_REMEMBERED", Choices: []string{"yes", "no"}}, plugin.QuestionConfirmation},
		"passkey":      {challenge.Question{Challenge: "WEB_AUTHN", Name: "CREDENTIAL"}, plugin.QuestionPasskey},
		"attribute":    {challenge.Question{Challenge: "NEW_PASSWORD_REQUIRED", Name: "userAttributes.email"}, plugin.QuestionText},
		"custom":       {challenge.Question{Challenge: "CUSTOM_CHALLENGE", Name: "ANSWER"}, plugin.QuestionText},
	} {
		if got := question(c.q); got.Kind != c.want || got.Attempt != 1 {
			t.Errorf("%s: kind %d, attempt %d", name, got.Kind, got.Attempt)
		}
	}
	q := question(challenge.Question{Label: "code\x1b[2J", Note: "a\nb", Destination: "a\x07", Medium: "SMS", Attempt: 2, URI: token.NewSecret("otpauth://x")})
	if strings.ContainsAny(q.Label+q.Note+q.Delivery.Destination, "\x1b\n\x07") || q.Delivery.Medium != "SMS" || q.Attempt != 2 || q.URI.Reveal() != "otpauth://x" {
		t.Errorf("question = %+v", q)
	}
}

// host answers questions from a list.
type host struct {
	answers []string
	asked   []plugin.Question
	err     error
}

func (h *host) Ask(_ context.Context, q plugin.Question) (plugin.Secret, error) {
	h.asked = append(h.asked, q)
	if h.err != nil {
		return plugin.Secret{}, h.err
	}
	answer := h.answers[0]
	h.answers = h.answers[1:]
	return plugin.NewSecret(answer), nil
}

// An answer that is none of the choices is asked for again, three times; each question has a deadline.
func TestAnswersAreChoices(t *testing.T) {
	now := time.Now()
	ask := func(h *host) (string, error) {
		a := &questions{ask: h, now: func() time.Time { return now }}
		got, err := a.Answer(t.Context(), challenge.Question{Challenge: "SELECT_MFA_TYPE", Name: "ANSWER", Choices: []string{"A", "B"}})
		return got.Reveal(), err
	}
	h := &host{answers: []string{"C", "B"}}
	if got, err := ask(h); got != "B" || err != nil || h.asked[1].Note == "" {
		t.Errorf("got %q, %v, asked %+v", got, err, h.asked)
	}
	if !h.asked[0].Deadline.Equal(now.Add(challengeWait)) {
		t.Errorf("deadline %v", h.asked[0].Deadline)
	}
	h = &host{answers: []string{"C", "D", "E", "A"}}
	if got, err := ask(h); token.KindOf(err) != token.Usage || len(h.asked) != 3 {
		t.Errorf("got %q, %v", got, err)
	}
}

// What a host says in place of an answer keeps its meaning.
func TestHostsThatDoNotAnswer(t *testing.T) {
	for _, c := range []struct {
		err  error
		want token.Kind
	}{
		{&plugin.Error{Code: plugin.CodeCanceled}, token.Interrupted},
		{context.Canceled, token.Interrupted},
		{&plugin.Error{Code: plugin.CodeUnavailable, Message: "nobody answered in time"}, token.Unavailable},
		{errors.New("broken window"), token.Failure},
	} {
		a := &questions{ask: &host{err: c.err}, now: time.Now}
		if _, err := a.Answer(t.Context(), challenge.Question{Name: "X"}); token.KindOf(err) != c.want {
			t.Errorf("%v: %v (%d)", c.err, err, token.KindOf(err))
		}
	}
	for _, a := range []*questions{{now: time.Now}, {ask: &host{err: fmt.Errorf("x: %w", plugin.ErrNoAnswer)}, now: time.Now}} {
		if _, err := a.Answer(t.Context(), challenge.Question{Name: "X"}); !errors.Is(err, challenge.ErrNoAnswer) {
			t.Errorf("nobody to ask: %v", err)
		}
	}
}
