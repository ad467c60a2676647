package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Names of answers that no sign-in asks for under the same name.
const (
	confirmationCode = "CONFIRMATION_CODE"
	newPassword      = "NEW_PASSWORD"
)

func (p *program) passwordCommand() *cobra.Command {
	return p.errandGroup("password", "Reset or change a user's password",
		`Resets a forgotten password with a code that Cognito sends, or changes the password of who is signed
in.`,
		"  cognito-credhelper password reset --profile dev\n  cognito-credhelper password change --profile dev",
		p.passwordResetCommand(), p.passwordChangeCommand())
}

func (p *program) passwordResetCommand() *cobra.Command {
	var o errandOptions
	c := p.errandCommand(&cobra.Command{
		Use:   "reset",
		Short: "Set a new password with a code that Cognito sends",
		Long: `Has Cognito send a code to the user and sets a new password with it. Nobody needs to be signed in.

The names of answers are USERNAME, CONFIRMATION_CODE, and NEW_PASSWORD. With a prepared
CONFIRMATION_CODE no new code is sent, so that a script can do it in two steps.`,
		Example: `  cognito-credhelper password reset --profile dev
  cognito-credhelper password reset --answer CONFIRMATION_CODE=123456 --answer NEW_PASSWORD=@pw`,
	}, &o, false, func(ctx context.Context, e *errand) error {
		if _, err := e.resetPassword(ctx); err != nil {
			return err
		}
		e.say("%s has a new password", e.target.Username)
		e.hint(command("login", e.target.Selection, e.target.Username))
		return nil
	})
	defineMetadata(c, &o.metadata)
	return c
}

// resetPassword sends a code, unless one is prepared, and sets the new password with it.
func (e *errand) resetPassword(ctx context.Context) (token.Secret, error) {
	user, err := e.username(ctx)
	if err != nil {
		return token.Secret{}, err
	}
	if !e.answers.prepared.Has(confirmationCode) {
		d, err := e.pool.ForgotPassword(ctx, user, e.metadata)
		if err != nil {
			return token.Secret{}, err
		}
		e.say("Cognito sent a code to %s", delivered(d))
	}
	got, err := e.carryOut(ctx, func(g given) error {
		return e.pool.ConfirmForgotPassword(ctx, user, g[confirmationCode], g[newPassword], e.metadata)
	}, codeQuestion(), newPasswordQuestion())
	return got[newPassword], err
}

func codeQuestion() challenge.Question {
	return challenge.Question{Name: confirmationCode, Label: "code that Cognito sent"}
}

func newPasswordQuestion() challenge.Question {
	return challenge.Question{Name: newPassword, Label: "new password", Secret: true, Twice: true}
}

func (p *program) passwordChangeCommand() *cobra.Command {
	var o errandOptions
	return p.errandCommand(&cobra.Command{
		Use:   "change",
		Short: "Change the password of who is signed in",
		Long: `Changes the password of the user who is signed in to the profile. The session stays.

The names of answers are PASSWORD (the current one) and NEW_PASSWORD.`,
		Example: `  cognito-credhelper password change --profile dev
  cognito-credhelper password change --password-stdin --answer NEW_PASSWORD=@new < old`,
	}, &o, true, func(ctx context.Context, e *errand) error {
		access, err := e.access(ctx)
		if err != nil {
			return err
		}
		_, err = e.carryOut(ctx, func(g given) error {
			return e.pool.ChangePassword(ctx, access, g[challenge.Password], g[newPassword])
		}, challenge.Question{Name: challenge.Password, Label: "current password", Secret: true}, newPasswordQuestion())
		if err == nil {
			e.say("profile %s: the password is changed", e.target.Selection.Name)
		}
		return err
	})
}

// defineMetadata adds --client-metadata.
func defineMetadata(c *cobra.Command, metadata *[]string) {
	c.Flags().StringArrayVar(metadata, "client-metadata", nil, "for the pool's triggers, `KEY=VALUE` or @FILE (JSON); repeatable")
}
