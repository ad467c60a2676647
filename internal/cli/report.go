package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// sentenceLimit bounds what one message line shows, in runes.
const sentenceLimit = 600

// exitCode ends a command that has already said everything.
type exitCode int

// Error satisfies error; nobody prints it.
func (exitCode) Error() string { return "" }

// say prints one message line.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.Stderr, "%s: %s\n", programName, safetext.Line(fmt.Sprintf(format, args...), sentenceLimit))
}

// warn prints one line about something that does not stop the command.
func (p *program) warn(sentence string) { p.say("warning: %s", sentence) }

// hint prints what to do next, a line for each command.
func (p *program) hint(next string) {
	for line := range strings.Lines(next) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(p.Stderr, "hint: %s\n", safetext.Line(line, sentenceLimit))
		}
	}
}

// report prints an error: the sentence, the technical detail on a line of its own, and what to do next.
func (p *program) report(err error) {
	message, detail := split(err)
	p.say("%s", message)
	if detail != "" {
		fmt.Fprintf(p.Stderr, "detail: %s\n", safetext.Line(detail, sentenceLimit))
	}
	p.hint(p.hintFor(err))
}

// split parts an error's sentence from its cause, which helps whoever asks for help and would only hide the sentence from
// everybody else. A cause that says nothing new is left out.
func split(err error) (message, detail string) {
	var e *token.Error
	if !errors.As(err, &e) || e.Err == nil {
		return err.Error(), ""
	}
	before, ok := strings.CutSuffix(err.Error(), e.Error())
	if !ok {
		return err.Error(), ""
	}
	message, detail = before+e.Message, e.Err.Error()
	silent := errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded)
	if silent || strings.HasSuffix(": "+message, ": "+detail) {
		detail = ""
	}
	return message, detail
}

// nextOf finds the hint of the outermost error that has one.
func nextOf(err error) string {
	var h interface {
		error
		Hint() string
	}
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// flagError gives complaints about flags our form. pflag's own words repeat what was typed, which may be a secret.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	message := err.Error()
	switch {
	case errors.As(err, &invalid):
		message = "--" + invalid.GetFlag().Name + ": " + invalid.Unwrap().Error()
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		message = "there is no flag -" + unknown.GetSpecifiedName() + " here"
	case errors.As(err, &unknown):
		message = "there is no flag --" + unknown.GetSpecifiedName() + " here"
	}
	return &token.Error{Kind: token.Usage, Message: message, Next: c.CommandPath() + " --help"}
}

// usageError complains about c's command line.
func usageError(c *cobra.Command, format string, args ...any) error {
	return flagError(c, fmt.Errorf(format, args...))
}

// noArguments refuses what stands beside the flags.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError(c, "%s takes no argument beside its flags", c.Name())
	}
	return nil
}

// badProfile sorts an error of reading a profile; it names the profile by itself.
func (p *program) badProfile(err error) error {
	var known *token.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	next, missing := nextOf(err), (*profiles.NotFoundError)(nil)
	s, username := p.selected()
	switch {
	case errors.As(err, &missing) && missing.Nearest != "":
		s.Name, s.Named = missing.Nearest, true
		next = "did you mean: " + p.lineFor(s, username)
	case s.Location != "" && strings.HasPrefix(next, programName+" configure "):
		next += " --profile-location " + profiles.ShellWord(s.Location)
	}
	return &token.Error{Kind: token.BadProfile, Message: err.Error(), Next: next}
}

// ofProfile names the profile, once, in front of what happened with its session.
func ofProfile(s profiles.Selection, err error) error {
	kind := token.KindOf(err)
	prefix := "profile " + s.Name + ": "
	switch {
	case err == nil, kind == token.Interrupted, errors.Is(err, token.ErrMiss), errors.Is(err, context.Canceled), strings.HasPrefix(err.Error(), "profile "+s.Name):
		return err
	}
	var e *token.Error
	next := nextOf(err)
	if errors.As(err, &e) && e.Error() == err.Error() {
		return &token.Error{Kind: kind, Message: prefix + e.Message, Next: next, Err: e.Err, RetryAfter: e.RetryAfter}
	}
	return &token.Error{Kind: kind, Message: prefix + err.Error(), Next: next, Err: nil}
}

// command is a command line to paste that works on the same session.
func command(verb string, s profiles.Selection, username string) string {
	line := programName + " " + verb
	if s.Named || s.Name != "default" {
		line += " --profile " + profiles.ShellWord(s.Name)
	}
	if s.Location != "" {
		line += " --profile-location " + profiles.ShellWord(s.Location)
	}
	if username != "" {
		line += " --username " + profiles.ShellWord(username)
	}
	return line
}
