package cognito

import (
	"context"
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	maxEmpty   = 3 // times that a question is asked when nothing is answered
	codeSuffix = "_CODE"
)

// question gives the answer to q: what was typed before, unless it was wrong, else what the Answerer says. Nothing is no
// answer: Cognito would refuse it with less clear words.
func (l *login) question(ctx context.Context, q challenge.Question) (string, error) {
	if s, ok := l.typed[typedKey(q)]; ok {
		return s.Reveal(), nil
	}
	q.Attempt = l.wrong[q.Challenge] + 1
	q.Note = l.note
	for range maxEmpty {
		s, err := l.ask.Answer(ctx, q)
		if err != nil {
			return "", l.unanswered(ctx, q, err)
		}
		if isCode(q.Name) {
			s = token.NewSecret(strings.Join(strings.Fields(s.Reveal()), "")) // apps show "123 456"
		}
		if !s.Empty() {
			l.typed[typedKey(q)] = s
			l.heard(q, s)
			l.note = "" // said once
			return s.Reveal(), nil
		}
		q.Note = "an answer is needed"
	}
	return "", &token.Error{Kind: token.Usage, Message: "no " + plain(q.Label) + " was given", Next: "give " + flagFor(q)}
}

func (l *login) unanswered(ctx context.Context, q challenge.Question, err error) error {
	var known *token.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled), errors.Is(err, context.Canceled):
		return &token.Error{Kind: token.Interrupted, Message: "interrupted", Err: err}
	case errors.Is(err, challenge.ErrNoAnswer) && q.Challenge == webAuthn:
		return &token.Error{
			Kind:    token.LoginNeeded,
			Message: "the sign-in needs a passkey, which a terminal cannot ask",
			Next:    l.c.loginCommand() + " --mfa-process PROGRAM (or choose another way with cognito_preferred_challenge" + in(l.c.o.Profile) + ")",
			Err:     err,
		}
	case errors.Is(err, challenge.ErrNoAnswer):
		return &token.Error{
			Kind:    token.LoginNeeded,
			Message: "the sign-in needs the " + plain(q.Label) + ", and there is nobody to ask",
			Next:    "run in a terminal: " + l.c.loginCommand() + " (or add " + flagFor(q) + ")",
			Err:     err,
		}
	case errors.As(err, &known):
		return err
	default:
		return &token.Error{Kind: token.Failure, Message: "the " + plain(q.Label) + " could not be asked for", Err: err}
	}
}

// flagFor is the flag of login that answers a question beforehand.
func flagFor(q challenge.Question) string {
	switch {
	case q.Name == challenge.Username:
		return "--username NAME"
	case q.Name == challenge.Password:
		return "--password-stdin"
	case q.Secret:
		return "--answer " + shellWord(q.Name) + "=@FILE"
	default:
		return "--answer " + shellWord(q.Name) + "=VALUE"
	}
}

func plain(s string) string { return safetext.Line(s, 80) }

// typedKey is where the answer to q is kept. Several challenges name theirs ANSWER.
func typedKey(q challenge.Question) string {
	if q.Name == answerName {
		return q.Challenge + "." + q.Name
	}
	return q.Name
}

// once reports whether what was typed is good for one use only. A choice may be made again, another question's answer not.
func once(key string) bool {
	return isCode(key) || key == customChallenge+"."+answerName || key == credentialName
}

// isOf reports whether an answer that is good for one use was a challenge's.
func isOf(key, name string) bool {
	return key == name+codeSuffix || key == name+"."+answerName || key == credentialName && name == webAuthn
}

// isCode reports whether an answer is good for one use only.
func isCode(name string) bool {
	return strings.HasSuffix(name, codeSuffix) && !strings.HasPrefix(name, attributePrefix)
}
