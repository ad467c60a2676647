package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	totp  = "SOFTWARE_TOKEN_MFA"
	noMFA = "none"
)

// mfaNames are the second factors, as Cognito calls them.
func mfaNames() []string { return []string{totp, "SMS_MFA", "EMAIL_OTP"} }

func (p *program) mfaCommand() *cobra.Command {
	return p.errandGroup("mfa", "Show and set up the second factors of who is signed in",
		`Shows the second factors of the user who is signed in to the profile, sets up an authenticator app,
and says which factor is asked for. The names are Cognito's: SOFTWARE_TOKEN_MFA (an authenticator
app), SMS_MFA, EMAIL_OTP.`,
		"  cognito-credhelper mfa list --profile dev\n  cognito-credhelper mfa setup --profile dev\n  cognito-credhelper mfa prefer SOFTWARE_TOKEN_MFA --profile dev",
		p.mfaListCommand(), p.mfaSetupCommand(), p.mfaPreferCommand())
}

// factorsJSON is the documented output of mfa list --json. Members are only ever added.
type factorsJSON struct {
	Profile   string   `json:"profile"`
	User      string   `json:"user,omitempty"`
	Enabled   []string `json:"enabled"`
	Preferred string   `json:"preferred,omitempty"`
	First     []string `json:"first_factors,omitempty"`
}

func (p *program) mfaListCommand() *cobra.Command {
	var o errandOptions
	var asJSON bool
	c := p.plainErrand(&cobra.Command{
		Use:   "list",
		Short: "Show the second factors of who is signed in",
		Long: `Shows which second factors are on for the user who is signed in to the profile, and which is
preferred.

JSON members, those that are known: profile, user, enabled (a list), preferred, first_factors (a
list).`,
		Example: "  cognito-credhelper mfa list --profile dev --json",
	}, &o, func(ctx context.Context, e *errand, _ []string) error {
		access, err := e.access(ctx)
		if err != nil {
			return err
		}
		f, err := e.pool.Factors(ctx, access)
		if err != nil {
			return err
		}
		if asJSON {
			return p.printJSON(factorsJSON{e.target.Selection.Name, f.User, append([]string{}, f.MFA...), f.Preferred, f.First})
		}
		return p.print(describeFactors(f))
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func describeFactors(f cognito.Factors) string {
	var b strings.Builder
	for _, name := range f.MFA {
		line := printable(name)
		if name == f.Preferred {
			line += " (preferred)"
		}
		b.WriteString(line + "\n")
	}
	if len(f.MFA) == 0 {
		b.WriteString("no second factor is on\n")
	}
	return b.String()
}

func (p *program) mfaSetupCommand() *cobra.Command {
	var o errandOptions
	var name string
	c := p.errandCommand(&cobra.Command{
		Use:   "setup",
		Short: "Set up an authenticator app for who is signed in",
		Long: `Shows a QR code and an otpauth URI on the terminal, for an authenticator app, and asks for the app's
first code. The app then is on as a second factor, and preferred where none was.

The name of the answer is SOFTWARE_TOKEN_MFA_CODE; the program of --mfa-process gets the URI.`,
		Example: "  cognito-credhelper mfa setup --profile dev --name phone",
	}, &o, false, func(ctx context.Context, e *errand) error { return e.setUpTOTP(ctx, name) })
	c.Flags().StringVar(&name, "name", "", "what Cognito shows the app as; else this computer's `NAME`")
	return c
}

// setUpTOTP sets up an authenticator app and turns it on.
func (e *errand) setUpTOTP(ctx context.Context, name string) error {
	access, err := e.access(ctx)
	if err != nil {
		return err
	}
	before, err := e.pool.Factors(ctx, access)
	if err != nil {
		return err
	}
	secret, err := e.pool.AssociateTOTP(ctx, access)
	if err != nil {
		return err
	}
	if name == "" {
		name, _ = os.Hostname() // an app without a name is fine
	}
	q := challenge.Question{
		Challenge: "MFA_SETUP", Name: totp + "_CODE", Label: "code from the authenticator app",
		URI: cognito.TOTPURI(e.target.Selection.Name, before.User, secret),
	}
	if _, err := e.carryOut(ctx, func(g given) error { return e.pool.VerifyTOTP(ctx, access, g[q.Name], name) }, q); err != nil {
		return err
	}
	preferred := before.Preferred
	if preferred == "" {
		preferred = totp
	}
	if err := e.pool.PreferMFA(ctx, access, with(before.MFA, totp), preferred); err != nil {
		return err
	}
	e.say("profile %s: the authenticator app is set up; from now on a sign-in asks for %s", e.target.Selection.Name, preferred)
	return nil
}

func with(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(slices.Clone(list), name)
}

func (p *program) mfaPreferCommand() *cobra.Command {
	var o errandOptions
	names := append(mfaNames(), noMFA)
	return p.plainErrand(&cobra.Command{
		Use:   "prefer NAME",
		Short: "Say which second factor a sign-in asks for",
		Long: `Turns a second factor on, where it is not, and makes it the one that a sign-in asks for:
SOFTWARE_TOKEN_MFA, SMS_MFA, EMAIL_OTP. With none, no second factor is on any more.`,
		Example:   "  cognito-credhelper mfa prefer SOFTWARE_TOKEN_MFA --profile dev\n  cognito-credhelper mfa prefer none --profile dev",
		ValidArgs: names,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(names, args[0]) {
				return usageError(c, "name one of: %s", strings.Join(names, ", "))
			}
			return nil
		},
	}, &o, func(ctx context.Context, e *errand, args []string) error { return e.preferMFA(ctx, args[0]) })
}

// preferMFA makes a factor the one that a sign-in asks for.
func (e *errand) preferMFA(ctx context.Context, name string) error {
	access, err := e.access(ctx)
	if err != nil {
		return err
	}
	if name == noMFA {
		if err := e.pool.PreferMFA(ctx, access, nil, ""); err != nil {
			return err
		}
		e.say("profile %s: no second factor is on any more", e.target.Selection.Name)
		return nil
	}
	before, err := e.pool.Factors(ctx, access)
	if err != nil {
		return err
	}
	if err := e.pool.PreferMFA(ctx, access, with(before.MFA, name), name); err != nil {
		return e.cannotPrefer(name, err)
	}
	e.say("profile %s: a sign-in asks for %s", e.target.Selection.Name, name)
	return nil
}

// cannotPrefer says what is missing for a factor, where that is what Cognito complains about.
func (e *errand) cannotPrefer(name string, err error) error {
	var said *token.Error
	if !errors.As(err, &said) || answered(err) != "InvalidParameter" {
		return err
	}
	next := "ask an administrator of the user pool for the address that " + name + " needs"
	if name == totp {
		next = command("mfa setup", e.target.Selection, e.target.Username)
	}
	return &token.Error{Kind: token.Refused, Message: said.Message, Next: next, Err: said.Err}
}
