package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func (p *program) confirmCommand() *cobra.Command {
	var o errandOptions
	var resend bool
	c := p.errandCommand(&cobra.Command{
		Use:   "confirm",
		Short: "Confirm a new user with the code that Cognito sent",
		Long: `Confirms a user who has signed up, with the code that Cognito sent then. --resend has it sent again.

The names of answers are USERNAME and CONFIRMATION_CODE.`,
		Example: `  cognito-credhelper confirm --profile dev --username alice
  cognito-credhelper confirm --profile dev --username alice --resend
  cognito-credhelper confirm --username alice --answer CONFIRMATION_CODE=123456`,
	}, &o, false, func(ctx context.Context, e *errand) error {
		if err := e.confirmUser(ctx, resend); err != nil {
			return e.confirmedBefore(err)
		}
		e.say("%s is confirmed", e.target.Username)
		e.hint(command("login", e.target.Selection, e.target.Username))
		return nil
	})
	defineMetadata(c, &o.metadata)
	c.Flags().BoolVar(&resend, "resend", false, "have a new code sent first")
	return c
}

// confirmUser confirms a user who has signed up.
func (e *errand) confirmUser(ctx context.Context, resend bool) error {
	user, err := e.username(ctx)
	if err != nil {
		return err
	}
	if resend {
		d, err := e.pool.ResendConfirmation(ctx, user, e.metadata)
		if err != nil {
			return err
		}
		e.say("Cognito sent a code to %s", delivered(d))
	}
	_, err = e.carryOut(ctx, func(g given) error {
		return e.pool.ConfirmSignUp(ctx, user, g[confirmationCode], e.metadata)
	}, codeQuestion())
	return err
}

// confirmedBefore says what to do where nothing is left to confirm; Cognito blames a parameter or the right to do it.
func (e *errand) confirmedBefore(err error) error {
	if _, text := answerOf(err); !strings.Contains(text, "already confirmed") && !strings.Contains(text, "status is confirmed") {
		return err
	}
	return &token.Error{
		Kind:    token.Refused,
		Message: "profile " + e.target.Selection.Name + ": " + e.target.Username + " is confirmed already",
		Next:    command("login", e.target.Selection, e.target.Username),
	}
}
