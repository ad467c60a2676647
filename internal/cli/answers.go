package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// answerFlags hold the flags that say where answers come from.
type answerFlags struct {
	passwordStdin bool
	answers       []string
	process       string
}

// define adds the flags to c; --password-stdin only where a password is asked for.
func (a *answerFlags) define(c *cobra.Command, password bool) {
	f := c.Flags()
	if password {
		f.BoolVar(&a.passwordStdin, "password-stdin", false, "read the password from standard input")
	}
	f.StringArrayVar(&a.answers, "answer", nil, "prepared answer, `NAME=VALUE`, NAME=@FILE, or NAME=-; repeatable")
	f.StringVar(&a.process, "mfa-process", "", "program that is asked for codes, run without a shell, `CMD`")
}

// answering is where a command's answers come from: prepared ones, then the program, then the terminal.
type answering struct {
	challenge.Answerer
	prepared *prompt.Prepared
}

// answering checks the form of the flags; nothing is read before ready.
func (p *program) answering(f answerFlags, v *prompt.Values) (*answering, error) {
	prepared, err := prompt.NewPrepared(f.answers, f.passwordStdin, v)
	if err != nil {
		return nil, err
	}
	if err := checkAnswerNames(prepared.Names()); err != nil {
		return nil, err
	}
	asked := prompt.Chain{}
	if f.process != "" {
		external, err := prompt.NewProcess(f.process, p.Environ(), func(line string) { p.say("mfa-process: %s", line) })
		if err != nil {
			return nil, err
		}
		asked = append(asked, external)
	}
	return &answering{prompt.Chain{prepared, &waiting{p, append(asked, p.terminal)}}, prepared}, nil
}

// waiting asks somebody who takes a while, and may end this program meanwhile: the calls so far are written down first.
type waiting struct {
	p *program
	challenge.Answerer
}

// Answer asks.
func (w *waiting) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	w.p.flushCalls()
	return w.Answerer.Answer(ctx, q)
}

// answerNames are the names of all that is ever asked, but for userAttributes.NAME.
func answerNames() []string {
	return []string{
		challenge.Username, challenge.Password, newPassword, confirmationCode,
		"SOFTWARE_TOKEN_MFA_CODE", "SMS_MFA_CODE", "SMS_OTP_CODE", "EMAIL_OTP_CODE", "ANSWER", "CREDENTIAL", "DEVICE_REMEMBERED",
	}
}

// checkAnswerNames refuses the answer to a question that nobody ever asks, before anything is sent. It shows a name only
// where it is nearly right: another one may be half a password.
func checkAnswerNames(given []string) error {
	for _, name := range given {
		of, last := "", name
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			of, last = name[:i], name[i+1:]
		}
		if of == "userAttributes" || slices.Contains(answerNames(), last) {
			continue
		}
		for _, known := range answerNames() {
			if near(last, known) {
				return usageOf("--answer: nothing asks for " + last + "; did you mean " + known + "?")
			}
		}
		return usageOf("--answer: nothing asks for that name; it is one of " + strings.Join(answerNames(), ", ") + ", userAttributes.NAME")
	}
	return nil
}

// near reports whether a word of at least four letters is the beginning of another, or the other way round, whatever their case.
func near(a, b string) bool {
	n := min(len(a), len(b))
	return n >= 4 && strings.EqualFold(a[:n], b[:n])
}

// ready reads the files and standard input that prepared answers stand in.
func (a *answering) ready(ctx context.Context, p *program) error {
	for _, w := range a.prepared.Warnings() {
		p.warn(w)
	}
	return a.prepared.Read(ctx)
}

// warnUnused tells of prepared answers that nobody asked for.
func (a *answering) warnUnused(p *program) {
	if unused := a.prepared.Unused(); len(unused) > 0 {
		p.warn("nobody asked for " + strings.Join(unused, ", "))
	}
}

// keeping keeps the name and the password that were answered, so that a sign-in that must begin again does not ask for
// them twice.
type keeping struct {
	challenge.Answerer
	known map[string]token.Secret
}

// Answer gives what is known, for a first attempt, else what the sources say.
func (k *keeping) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	if known, ok := k.known[q.Name]; ok && q.Attempt <= 1 {
		return known, nil
	}
	answer, err := k.Answerer.Answer(ctx, q)
	if err == nil && (q.Name == challenge.Username || q.Name == challenge.Password) {
		k.known[q.Name] = answer
	}
	return answer, err
}
