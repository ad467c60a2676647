package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const execName = "exec"

// nestVariable tells a run of exec inside another one that it is.
const nestVariable = "COGNITO_CREDHELPER_EXEC"

// The exit codes of shells for a command that is not there, and for one that cannot be run.
const (
	exitNotFound   = 127
	exitCannotRun  = 126
	exitSignalBase = 128
)

// execOptions is what the command line of exec says.
type execOptions struct {
	awsFlags
	static, nested, tokenVariable bool
	command                       []string
}

func (p *program) execCommand() *cobra.Command { return newExec(p, p.exec) }

// newExec parses the flags and hands them to run, which tests replace.
func newExec(p *program, run func(*cobra.Command, execOptions) error) *cobra.Command {
	var o execOptions
	c := &cobra.Command{
		Use:   execName + " [--] COMMAND [ARGUMENT...]",
		Short: "Run a command with AWS credentials that renew themselves",
		Long: `Runs a command with a profile's AWS credentials. They come from a container credentials endpoint on
loopback, which is served until the command ends, so that SDKs renew them; --static puts them into the
environment instead, once. Variables that AWS tools would prefer are left out. Signals go to the
command, and its exit code is returned (127: not found, 126: cannot be run).

A profile with cognito_store = none is signed in to at the terminal first; its session is in the memory
of this process and ends with the command.`,
		Example: `  cognito-credhelper exec --profile dev -- terraform apply
  cognito-credhelper exec --profile dev --static -- ./old-tool`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			o.command = args
			return run(c, o)
		},
	}
	o.define(p, c)
	c.Flags().BoolVar(&o.static, "static", false, "put the credentials into the command's environment; they end and are not renewed")
	c.Flags().BoolVar(&o.tokenVariable, "token-variable", false, "put the endpoint's token into the environment, for SDKs from before 2024")
	c.Flags().BoolVar(&o.nested, "nested", false, "run also inside another exec")
	c.Flags().SetInterspersed(false) // what follows the command is its own
	return c
}

func (p *program) exec(c *cobra.Command, o execOptions) error {
	switch outer := p.Getenv(nestVariable); {
	case len(o.command) == 0:
		return usageError(c, "exec needs a command")
	case o.static && o.tokenVariable:
		return usageError(c, "--static has no endpoint, so --token-variable says nothing")
	case outer != "" && !o.nested:
		return &token.Error{
			Kind: token.Usage, Message: "this is inside exec for profile " + outer + " already",
			Next: execLine(o.request(p).Profile, o.username, " --nested", o.command),
		}
	}
	path, err := exec.LookPath(o.command[0])
	if err != nil {
		return p.notRunnable(o.command[0], err)
	}
	if err := p.signInHere(c.Context(), o.request(p)); err != nil {
		return err
	}
	given, done, err := p.handedOver(c.Context(), o)
	if err != nil {
		return err
	}
	defer done()
	for _, name := range p.leftOut() {
		p.warn("the command does not get " + name + ", which AWS tools would take before profile " + o.request(p).Profile.Name)
	}
	return p.runChild(path, o.command, p.childEnvironment(o.request(p).Profile.Name, given))
}

// execLine is a command line of exec to paste.
func execLine(s profiles.Selection, username, flags string, words []string) string {
	return withWords(command(execName, s, username)+flags+" --", words)
}

// handedOver gives the variables through which the command gets credentials, and ends what stands behind them.
func (p *program) handedOver(ctx context.Context, o execOptions) (given []variable, done func(), err error) {
	selected := o.request(p).Profile
	if o.static {
		got, err := (&source{p}).AWSCredentials(ctx, o.request(p))
		if err != nil {
			return nil, nil, err
		}
		given, done = credentialVariables(got), func() {}
		if got.AccountID != "" {
			given = append(given, variable{"AWS_ACCOUNT_ID", got.AccountID})
		}
	} else {
		e, err := p.openEndpoint(ctx, o.awsFlags)
		if err != nil {
			return nil, nil, err
		}
		given, done = []variable{{endpointVariable, e.URL()}, {tokenFileVariable, e.tokenFile}}, e.close
		if o.tokenVariable {
			given[1] = variable{tokenVariable, e.Token().Reveal()}
		}
		p.warnOutranking(p.outrankingDefault(selected))
	}
	profile, err := p.loadProfile(selected, p.Getenv)
	if err != nil {
		done()
		return nil, nil, p.badProfile(err)
	}
	given = append(given, p.regionVariables(profile.Region)...)
	return given, done, nil
}

// regionVariables stand for the profile's region, which the command does not see without the profile. Some tools read the one,
// some the other.
func (p *program) regionVariables(region string) (missing []variable) {
	one, other := p.Getenv("AWS_REGION"), p.Getenv("AWS_DEFAULT_REGION")
	region = cmp.Or(one, other, region)
	if one == "" && region != "" {
		missing = append(missing, variable{"AWS_REGION", region})
	}
	if other == "" && region != "" {
		missing = append(missing, variable{"AWS_DEFAULT_REGION", region})
	}
	return missing
}

// childEnvironment is this process's environment with what is given, and without what AWS tools would prefer.
func (p *program) childEnvironment(profile string, given []variable) []string {
	environment := make([]string, 0, len(given)+1)
	for _, entry := range p.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !takesCredentials(name) && !sameVariable(name, nestVariable) {
			environment = append(environment, entry)
		}
	}
	for _, v := range append(given, variable{nestVariable, profile}) {
		environment = append(environment, v.name+"="+v.value)
	}
	return environment
}

// sameVariable compares names as the platform does.
func sameVariable(a, b string) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// runChild runs the command in this process's place, as far as anybody can see.
func (p *program) runChild(path string, command, environment []string) error {
	child := exec.Command(path)
	child.Args, child.Env = command, environment
	child.Stdin, child.Stdout, child.Stderr = p.Stdin, p.Stdout, p.Stderr
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, forwarded()...)
	defer signal.Stop(caught)
	if err := child.Start(); err != nil {
		return p.notRunnable(command[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case s := <-caught:
			if !fromTerminal(s) {
				_ = child.Process.Signal(s)
			}
		case err := <-ended:
			return ofChild(child, err)
		}
	}
}

// ofChild gives the child's exit code as ours; by a signal it is 128 and its number, as shells say it.
func ofChild(child *exec.Cmd, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return &token.Error{Kind: token.Failure, Message: "the command's end is not known", Err: err}
	}
	if n := endedBy(child.ProcessState); n > 0 {
		return exitCode(exitSignalBase + n)
	}
	return exitCode(max(exit.ExitCode(), 1))
}

// notRunnable says why there is no command, with the exit code that a shell gives.
func (p *program) notRunnable(name string, err error) error {
	why, code := "cannot be run", exitCannotRun
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		why, code = "is not there", exitNotFound
	}
	p.say("the command %s %s", name, why)
	return exitCode(code)
}
