package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/credentialprocess"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// formatProcess is the one format that is no shell's.
const formatProcess = "process"

// awsFlags are the flags of the commands that give AWS credentials to people.
type awsFlags struct {
	selection
	minTTL duration
}

func (f *awsFlags) define(p *program, c *cobra.Command) {
	f.selection.define(c, p.completeProfiles, true)
	c.Flags().Var(&f.minTTL, "min-ttl", "least remaining `duration` to hand out: 90s, 15m, 1h, or seconds")
}

// request asks for what the flags say.
func (f *awsFlags) request(p *program) protocol.Request {
	return protocol.Request{
		Profile: profiles.Select(f.profile, f.location, p.Getenv), Username: f.username, Use: token.UseID, MinTTL: time.Duration(f.minTTL), RenewFirst: true,
	}
}

// environOptions is what the flags of env say.
type environOptions struct {
	awsFlags
	format string
}

func (p *program) environCommand() *cobra.Command { return newEnviron(p, p.environ) }

// newEnviron parses the flags and hands them to run, which tests replace.
func newEnviron(p *program, run func(*cobra.Command, environOptions) error) *cobra.Command {
	var o environOptions
	c := &cobra.Command{
		Use:   "env",
		Short: "Print AWS credentials as variables for a shell",
		Long: `Prints AWS credentials of a profile as variables, in the formats of "aws configure export-credentials":
env (default; for eval), env-no-export, powershell, windows-cmd, fish, and process (JSON). They are
not renewed: a program that runs for long is better started by exec.`,
		Example: `  eval "$(cognito-credhelper env --profile dev)"
  cognito-credhelper env --profile dev --format fish | source
  cognito-credhelper env --profile dev --format powershell | Out-String | Invoke-Expression`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, o) },
	}
	o.define(p, c)
	formats := append(shellNames(), formatProcess)
	c.Flags().StringVar(&o.format, "format", "env", "`FORMAT`: "+strings.Join(formats, ", "))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (p *program) environ(c *cobra.Command, o environOptions) error {
	if o.format != formatProcess && !slices.Contains(shellNames(), o.format) {
		return usageError(c, "--format must be one of %s, %s", strings.Join(shellNames(), ", "), formatProcess)
	}
	got, err := (&source{p}).AWSCredentials(c.Context(), o.request(p))
	if err != nil {
		return err
	}
	if o.format == formatProcess {
		text, err := credentialprocess.Encode(got)
		if err != nil {
			return err
		}
		return p.print(string(text))
	}
	text, err := inShell(o.format, credentialVariables(got))
	if err != nil {
		return err
	}
	return p.print(text)
}

// credentialVariables are the variables that AWS tools read credentials from.
func credentialVariables(c token.AWSCredentials) []variable {
	return []variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", c.SessionToken.Reveal()},
		{"AWS_CREDENTIAL_EXPIRATION", c.Lifetime.Expires.UTC().Format(time.RFC3339)},
	}
}
