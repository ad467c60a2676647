package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// rawToken is one run of get-tokens-from-refresh-token or revoke-token.
type rawToken struct {
	raw
	option, value string // of the refresh token
	deviceKey     string
}

func (p *program) getTokensCommand() *cobra.Command {
	r := &rawToken{raw: raw{program: p, operation: "GetTokensFromRefreshToken", members: tokenMembers}, option: "--refresh-token"}
	c := p.rawCommand(&cobra.Command{
		Use:   "get-tokens-from-refresh-token [CLIENT-ID]",
		Short: "Send GetTokensFromRefreshToken and print the tokens",
		Long: `Sends GetTokensFromRefreshToken once and prints what Cognito answers as JSON. With refresh token
rotation the answer has a new refresh token, and the one that was sent ends soon. Nothing is kept unless
--save is given.`,
		Example: "  cognito-credhelper get-tokens-from-refresh-token --profile dev --refresh-token @refresh",
	}, func(c *cobra.Command, args []string) error {
		return r.run(c.Context(), args, func(ctx context.Context, refresh token.Secret) error {
			return r.each(ctx, refresh, func(ctx context.Context, pool rawPool, _ string) (cognito.Response, error) {
				return pool.GetTokens(ctx, refresh, r.deviceKey, merged(r.target.Profile.ClientMetadata, r.metadataRead))
			})
		})
	})
	r.define(c, true)
	defineMetadata(c, &r.metadata)
	c.Flags().StringVar(&r.value, "refresh-token", "", "the refresh token, `@FILE` or -")
	c.Flags().StringVar(&r.deviceKey, "device-key", "", "`KEY` of the remembered device that signed in")
	return c
}

func (p *program) revokeTokenCommand() *cobra.Command {
	r := &rawToken{raw: raw{program: p, operation: "RevokeToken", members: envelope}, option: "--token"}
	c := p.rawCommand(&cobra.Command{
		Use:   "revoke-token [CLIENT-ID]",
		Short: "Send RevokeToken, which ends a refresh token",
		Long: `Sends RevokeToken once, after it asked. The refresh token, and every access token that came from it, end
for whoever has them. The stored session is left as it is; logout revokes and forgets that one.`,
		Example: "  cognito-credhelper revoke-token --profile dev --token @refresh --force",
	}, func(c *cobra.Command, args []string) error {
		return r.run(c.Context(), args, func(ctx context.Context, refresh token.Secret) error {
			if err := r.confirm(ctx, "every token that came from this refresh token ends for whoever has it; revoke it?"); err != nil {
				return err
			}
			return r.each(ctx, token.Secret{}, func(ctx context.Context, pool rawPool, _ string) (cognito.Response, error) {
				return pool.RevokeToken(ctx, refresh)
			})
		})
	})
	r.define(c, false)
	c.Flags().StringVar(&r.value, "token", "", "the refresh token, `@FILE` or -")
	return c
}

func (r *rawToken) run(ctx context.Context, args []string, do func(context.Context, token.Secret) error) error {
	if r.value == "" {
		return usageError(r.c, "%s is needed: @FILE or - (standard input)", r.option)
	}
	r.values = prompt.NewValues(r.Stdin)
	if err := r.form(ctx, args, func() error { return r.values.Claim(r.option, r.value) }); err != nil {
		return err
	}
	if prompt.Literal(r.value) {
		r.warnLiteral(r.option)
	}
	refresh, err := r.values.Read(ctx, r.option, r.value)
	if err != nil {
		return withHelp(r.c, err)
	}
	if err := r.load(); err != nil {
		return err
	}
	r.tellVerbose()
	return do(ctx, refresh)
}

// confirm asks, where --force did not answer already.
func (r *raw) confirm(ctx context.Context, question string) error {
	switch {
	case r.force:
		return nil
	case !r.terminal.Present():
		return &token.Error{Kind: token.Usage, Message: "there is no terminal to confirm: " + question, Next: r.line() + " --force"}
	}
	yes, err := r.terminal.Confirm(ctx, question)
	if err == nil && !yes {
		err = &token.Error{Kind: token.Failure, Message: "nothing was changed"}
	}
	return err
}
