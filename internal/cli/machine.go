package cli

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// machineCommand is the command of an adapter. The adapter reads its flags itself, so that front and complete program agree
// on every one of them.
func (p *program) machineCommand(a protocol.Adapter) *cobra.Command {
	c := &cobra.Command{
		Use:                a.Verb,
		Short:              a.Short,
		DisableFlagParsing: true,
		ValidArgsFunction:  p.completeMachine,
		RunE: func(c *cobra.Command, args []string) error {
			if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
				return p.print(a.Usage)
			}
			return p.serve(c, a, args)
		},
	}
	c.SetHelpFunc(func(*cobra.Command, []string) { io.WriteString(p.Stdout, a.Usage) })
	return c
}

// serve answers one call of a host.
func (p *program) serve(c *cobra.Command, a protocol.Adapter, args []string) error {
	call := protocol.Call{Args: args, Profile: p.called, Getenv: p.Getenv, In: p.Stdin, Out: p.Stdout, Resumed: p.resumed}
	if a.Greeting != nil && !p.greeted {
		if err := p.print(a.Greeting(args)); err != nil {
			return err
		}
	}
	result := a.Serve(c.Context(), call, &source{p})
	if result.Err == nil {
		return ending(result.Exit)
	}
	if a.Next != nil && errors.Is(result.Err, protocol.ErrNotBound) {
		return p.passOn(a.Next(args))
	}
	err := orInterrupted(c.Context(), result.Err)
	if token.KindOf(err) == token.Interrupted {
		return err
	}
	if token.KindOf(err) == token.Usage && nextOf(err) == "" {
		err = usageError(c, "%s", err.Error())
	}
	p.report(err)
	if result.Terminal {
		p.terminal.Tell(p.forTerminal(err))
	}
	return ending(result.Exit)
}

// ending is the error that makes the program exit with code.
func ending(code int) error {
	if code == 0 {
		return nil
	}
	return exitCode(code)
}

// forTerminal is an error and its hint in one line, for a terminal that another program draws on.
func (p *program) forTerminal(err error) string {
	message, _ := split(err)
	line := programName + ": " + safetext.Line(message, sentenceLimit)
	next := p.hintFor(err)
	if strings.HasPrefix(next, programName+" ") {
		next = "run: " + next
	}
	if next != "" {
		line += "; " + safetext.Line(next, sentenceLimit)
	}
	return line
}

// completeMachine completes the name behind --profile.
func (p *program) completeMachine(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if n := len(args); n > 0 && (args[n-1] == "--profile" || args[n-1] == "--profile-name") {
		return p.completeProfiles(c, args, typed)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
