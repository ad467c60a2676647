package cli

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Whoever finds an error says what mends it: a command of this program, one of the system, or advice. It knows neither the
// command that is running nor how its line was written, so that this file, and no other, adds what to run then.

// hintFor is what a person is told to do about an error; it names a command of this program. It is empty where nothing can
// be done: after an interrupt, and after a failure that says nothing about it.
func (p *program) hintFor(err error) string {
	next, kind := nextOf(err), token.KindOf(err)
	s, username := p.selected()
	switch {
	case kind == token.Interrupted, kind == token.Failure && next == "":
		return next
	case kind == token.LoginNeeded && next == "":
		return command("login", s, username)
	}
	return withCommand(next, p.lineFor(s, username))
}

// withCommand makes a hint name a command, unless it does. The line says what "try again" would.
func withCommand(next, line string) string {
	if strings.Contains(" "+next, " "+programName+" ") {
		return next
	}
	for _, again := range []string{", then try again", "try again"} {
		next = strings.TrimSuffix(next, again)
	}
	if next == "" {
		return line
	}
	return next + ", then: " + line
}

// began notes the command that this run carries out, for hints.
func (p *program) began(c *cobra.Command, args []string) { p.running, p.args = c, args }

// selected is the session that the running command is about.
func (p *program) selected() (s profiles.Selection, username string) {
	value := func(string) string { return "" }
	switch {
	case p.running == nil:
	case p.running.DisableFlagParsing:
		value = func(flag string) string { return valueOf(flag, p.args) }
	default:
		value = func(flag string) string { return flagValue(p.running.Flags(), flag) }
	}
	if meant := p.meant.Load(); meant != nil {
		return *meant, value("username")
	}
	name := value("profile")
	if name == "" {
		name = value("profile-name")
	}
	return profiles.Select(cmp.Or(name, p.called), value("profile-location"), p.Getenv), value("username")
}

// lineFor is the running command's line for a session. A machine verb is its tool's to run, and prints secrets: for a
// person, status takes its place.
func (p *program) lineFor(s profiles.Selection, username string) string {
	c := p.running
	switch {
	case c == nil || c.GroupID == machines:
		return command("status", s, username)
	case c.Annotations[wholeLine] != "":
		return repeated(c, s)
	case c.Flags().Lookup("profile") == nil:
		return c.CommandPath()
	case c.Name() == execName:
		return execLine(s, username, "", c.Flags().Args())
	default:
		return command(withWords(strings.TrimPrefix(c.CommandPath(), programName+" "), c.Flags().Args()), s, username)
	}
}

// wholeLine marks the commands that a hint repeats with all their flags. Those of the others only answer questions, which a
// person answers at the terminal.
const wholeLine = "whole-line"

func repeatWhole(c *cobra.Command) {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[wholeLine] = "yes"
}

// repeated is the command line of c as it was given, so that it works when it is pasted, without what could be a secret.
func repeated(c *cobra.Command, s profiles.Selection) string {
	flags := c.Flags()
	line := withWords(command(c.Name(), s, ""), flags.Args())
	add := func(name, value string) { line += " --" + name + " " + profiles.ShellWord(value) }
	for _, name := range []string{
		"client-id", "user-pool-id", "region", "endpoint-url", "auth-flow", "challenge-name", "state", "device-key",
		"identity-pool-id", "role-arn", "username",
	} {
		if f := flags.Lookup(name); f != nil && f.Changed {
			add(name, f.Value.String())
		}
	}
	for _, name := range []string{"client-secret", "session", "refresh-token", "token"} {
		if f := flags.Lookup(name); f != nil && f.Changed {
			add(name, reference(f.Value.String()))
		}
	}
	for _, name := range []string{"auth-parameter", "challenge-response", "answer"} {
		values, err := flags.GetStringArray(name)
		for i := 0; err == nil && i < len(values); i++ {
			add(name, namedReference(values[i]))
		}
	}
	for _, name := range []string{"complete", "save", "everywhere"} {
		if flagValue(flags, name) == "true" {
			line += " --" + name
		}
	}
	return line
}

func withWords(line string, words []string) string {
	for _, w := range words {
		line += " " + profiles.ShellWord(w)
	}
	return line
}

// reference is where a value comes from, as a hint may repeat it; what stood on the command line itself is not repeated.
func reference(value string) string {
	if value == "-" || strings.HasPrefix(value, "@") && !strings.HasPrefix(value, "@@") {
		return value
	}
	return "@FILE"
}

// namedReference is reference for NAME=VALUE; the names of a user and of a challenge are no secrets.
func namedReference(given string) string {
	name, value, found := strings.Cut(given, "=")
	switch {
	case !found:
		return reference(given)
	case name == "USERNAME", name == "PREFERRED_CHALLENGE", name == "CHALLENGE_NAME":
		return given
	}
	return name + "=" + reference(value)
}

// flagValue is the value of a flag, "" where the command has none of that name.
func flagValue(flags *pflag.FlagSet, name string) string {
	if f := flags.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// valueOf is the value of a flag in words that nobody has parsed.
func valueOf(flag string, words []string) string {
	for i, word := range words {
		if value, attached := strings.CutPrefix(word, "--"+flag+"="); attached {
			return value
		}
		if word == "--"+flag && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}
