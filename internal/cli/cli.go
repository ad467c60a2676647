// Package cli is the composition root of the complete program: its commands, and the one place that turns an error's kind
// into a sentence, a hint, and an exit code.
//
// It guarantees three rules: a protocol's answer goes to standard output, messages go to standard error, questions go to
// the terminal. It prints no secret and no text as a server sent it. It decides nothing about tokens and never ends the
// process by itself.
package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
	"github.com/cognito-credhelper/cognito-credhelper/internal/history"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protect"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const programName = "cognito-credhelper"

// Env is what the program sees of the process that it runs in. All fields are required.
type Env struct {
	Getenv         func(string) string
	Unsetenv       func(string) error
	Environ        func() []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main runs the command line args, whose first element is the program's name, and returns the exit code. ctx ends when the
// person interrupts.
func Main(ctx context.Context, args []string, env Env) int {
	protect.Process()
	return compose(env).run(ctx, args)
}

// sessions is what commands need of the user's sessions.
type sessions interface {
	Token(ctx context.Context, t tokensource.Target, w tokensource.Want) (token.Token, error)
	Login(ctx context.Context, t tokensource.Target, o tokensource.LoginOptions) (tokensource.LoginResult, error)
	Logout(ctx context.Context, t tokensource.Target, o tokensource.LogoutOptions) (tokensource.LogoutResult, error)
	LogoutEverywhere(ctx context.Context, t tokensource.Target) (tokensource.LogoutResult, error)
	Status(t tokensource.Target) (tokensource.Status, error)
	Reject(ctx context.Context, t tokensource.Target, hash [sha256.Size]byte) error
	Live(session string) bool
	SealingKey(ctx context.Context, t tokensource.Target) (keyslot.Kind, keyslot.Key, error)
	Adopt(ctx context.Context, t tokensource.Target, o tokensource.LoginOptions, sent token.Secret, get func(context.Context) (cognito.Result, error)) (tokensource.LoginResult, error)
}

var _ sessions = (*tokensource.Source)(nil)

// awsProvider gives AWS credentials, and what is derived from them.
type awsProvider interface {
	Derive(ctx context.Context, t tokensource.Target, b profiles.Binding, h profiles.Host, w tokensource.Want) (awscreds.Derived, error)
	Retrieve(ctx context.Context, t tokensource.Target, w tokensource.Want) (token.AWSCredentials, error)
}

// terminal is where questions go.
type terminal interface {
	challenge.Answerer
	Confirm(ctx context.Context, question string) (bool, error)
	Present() bool
	Tell(line string)
}

// change is what writing a profile did, or would do.
type change struct {
	lines   []string // as a person reads them
	nothing bool     // the file already says all of it
}

// program is one run. Its functions build what they give when it is asked for, so that a command pays only for what it
// uses.
type program struct {
	Env
	terminal terminal
	adapters []protocol.Adapter
	now      func() token.Instant
	// front is the version of the front that handed this call over; "" without one. resumed says that it had waited.
	front   string
	resumed bool
	// greeted says that the front has written the protocol's greeting: it has read what came after it.
	greeted bool
	called  string // the profile in the name that we were called by
	// running is the command that this run carries out, with what follows it; nil before that is known.
	running *cobra.Command
	args    []string
	// meant is the profile whose binding covers the host that is asked for; nil before that is known. A plugin is asked for many at
	// once.
	meant atomic.Pointer[profiles.Selection]

	stateFolder  func() (folder, ignored string, err error)
	remote       func(folder string) string // the kind of a network file system that it is on; "" for none
	loadProfile  func(s profiles.Selection, getenv func(string) string) (profiles.Profile, error)
	profileNames func(location string) ([]string, error)
	// bindings is what all profiles of the default files bind. unknown is a profile of them whose bindings cannot be read.
	bindings     func() (table profileindex.Hosts, unknown, err error)
	kept         func() (*hostTokens, error)                     // tokens that tools gave us to keep
	profileKeys  func(s profiles.Selection) ([]placedKey, error) // every key of a profile's sections, checked or not
	configFile   func() string                                   // the default file that configure writes; "" without a home folder
	sessions     func() (sessions, error)
	aws          func() (awsProvider, error)
	userPool     func(tokensource.Target) (userPool, error)
	rawPool      func(cognito.Options) (rawPool, error)
	slots        func() (*keyslot.Slots, error)
	vault        func() (vault, error)
	calls        *history.Log                                   // nil where there is no state folder
	remember     func(s profiles.Selection, p profiles.Profile) // keeps the profile index
	executable   func() (string, error)                         // the path of this program for a configuration line
	credLine     func(program, profile string) string
	writeProfile func(file, section string, keys []keyValue) (change, error)
	renew        func(ctx context.Context) error // the life of a detached worker
	sessionFile  func(tokensource.Target) (string, error)
	asPlugin     bool // this process serves a host application
	ownMemory    bool // it keeps the sessions of cognito_store = none, in its memory; set before sessions or aws is called
}

// keyValue is one line of a profile.
type keyValue struct{ key, value string }

// run carries out one command line.
func (p *program) run(ctx context.Context, args []string) int {
	defer p.flushCalls()
	err := p.carryOut(ctx, args)
	var silent exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &silent):
		return int(silent)
	}
	err = orInterrupted(ctx, err)
	p.report(err)
	return token.KindOf(err).ExitCode()
}

// orInterrupted is what an error means once the person has stopped us: whatever broke off did so for that.
func orInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return &token.Error{Kind: token.Interrupted, Message: "interrupted"}
	}
	return err
}

// carryOut runs a command, by its own name or by the name that a tool calls us, or is the worker that another run of this
// program started.
func (p *program) carryOut(ctx context.Context, args []string) error {
	if len(args) == 2 && args[1] == detach.Argument {
		return p.renew(ctx)
	}
	called := all.Invoked(args)
	line := called.Args
	if called.Verb != "" {
		line = append([]string{called.Verb}, line...)
	}
	p.called = called.Profile
	root := p.root()
	if err := unknownCommand(root, line); err != nil {
		return err
	}
	root.SetArgs(line)
	return root.ExecuteContext(ctx)
}

// unknownCommand refuses --help of a command that is not there: cobra would show the help of the one above it.
func unknownCommand(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd() // else it is not there before the tree runs
	c, rest, err := root.Find(args)
	asked := slices.Contains(rest, "--help") || slices.Contains(rest, "-h")
	word := slices.IndexFunc(rest, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if err != nil || !asked || word < 0 || !c.HasSubCommands() || strings.HasPrefix(rest[word], cobra.ShellCompRequestCmd) {
		return nil
	}
	return c.RunE(c, rest[word:word+1])
}

// root is the tree of commands.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   programName,
		Short: "Sign in to an Amazon Cognito user pool once; every tool gets its credential from it",
		Long: `Sign in to an Amazon Cognito user pool once, and every developer tool gets its credential from that
sign-in: AWS tools, git, docker, Terraform, kubectl, Go, Cargo, Bazel, pip, pnpm, and scripts.

Exit codes: 0 ok, 1 failure, 2 usage, 3 login needed, 4 refused by Cognito, 5 temporarily
unavailable, 6 profile or configuration wrong, 130 interrupted.`,
		Example: `  cognito-credhelper configure --profile dev --user-pool-id us-east-1_AbCd --client-id 1h57kf5cpq
  cognito-credhelper login --profile dev
  cognito-credhelper token --profile dev`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE:              noCommand,
		PersistentPreRun:  p.began,

		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(&cobra.Group{ID: humans, Title: "Commands:"}, &cobra.Group{ID: machines, Title: "Commands that tools run:"})
	for _, c := range []*cobra.Command{
		p.loginCommand(), p.logoutCommand(), p.statusCommand(), p.configureCommand(), p.setupCommand(),
		p.passwordCommand(), p.confirmCommand(), p.mfaCommand(), p.deviceCommand(),
		p.storeCommand(), p.initiateCommand(), p.respondCommand(), p.getTokensCommand(), p.revokeTokenCommand(), p.adminInitiateCommand(), p.historyCommand(),
		p.environCommand(), p.execCommand(), p.serveCommand(), p.pluginCommand(),
		p.versionCommand(), p.completionCommand(),
	} {
		c.GroupID = humans
		settableOnce(c)
		root.AddCommand(c)
	}
	for _, a := range p.adapters {
		c := p.machineCommand(a)
		c.GroupID = machines
		root.AddCommand(c)
	}
	root.SetHelpCommand(p.helpCommand(root))
	root.SetHelpCommandGroupID(humans)
	return root
}

// The groups of commands in help.
const (
	humans   = "humans"
	machines = "machines"
)

// noCommand runs where the first argument names no command.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &token.Error{Kind: token.Usage, Message: "a command is needed", Next: programName + " --help"}
	}
	next := programName + " --help"
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		next = programName + " " + near[0] + " --help"
	}
	return &token.Error{Kind: token.Usage, Message: fmt.Sprintf("there is no command %q", args[0]), Next: next}
}

// helpCommand is help for people who type it before the command.
func (p *program) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:               "help [command]",
		Short:             "Show how to use a command",
		Long:              "Shows how to use a command, as its --help does.",
		Example:           "  cognito-credhelper help login",
		ValidArgsFunction: commandNames(root),
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(root, args)
			}
			return c.Help()
		},
	}
}

func commandNames(root *cobra.Command) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, c := range root.Commands() {
			if len(args) == 0 && c.IsAvailableCommand() {
				names = append(names, c.Name()+"\t"+c.Short)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// print writes to standard output: an answer that nobody could read is no success.
func (p *program) print(text string) error {
	if _, err := io.WriteString(p.Stdout, text); err != nil {
		return &token.Error{Kind: token.Failure, Message: "the output cannot be written", Err: err}
	}
	return nil
}

// clockTime shows a time of the local clock as a person says it.
func clockTime(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch days := t.Sub(now).Hours() / 24; {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case days > -6 && days < 6:
		return t.Format("Mon 15:04")
	default:
		return t.Format("2006-01-02 15:04")
	}
}

// span shows a length of time in at most two units.
func span(d time.Duration) string {
	switch m := int(d.Minutes()); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case m < 120:
		return fmt.Sprintf("%d min", m)
	case m < 48*60:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", m/60, m%60), " 0 min")
	default:
		return strings.TrimSuffix(fmt.Sprintf("%d d %d h", m/60/24, m/60%24), " 0 h")
	}
}
