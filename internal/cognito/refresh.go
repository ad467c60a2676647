package cognito

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Refresh renews the tokens by GetTokensFromRefreshToken, which works with rotation on and off. One request; no retry.
// deviceKey is that of the session's remembered device, or "".
//
// Errors are *token.Error, of the kind that belongs to their Class. A Result whose Refresh is not empty may come even with
// an error, when Cognito rotated and the tokens beside it were unusable: keep that refresh token.
func (c *Client) Refresh(ctx context.Context, refresh token.Secret, deviceKey string) (Result, error) {
	s, err := c.getTokens(ctx, refresh, deviceKey, nil)
	if err != nil {
		return Result{}, err
	}
	return c.result(opRefresh, s.tokens, s.x)
}

// Revoke revokes a refresh token and what came from it. A token that Cognito does not know is no error. One request.
func (c *Client) Revoke(ctx context.Context, refresh token.Secret) error {
	_, err := c.callWithSecret(ctx, opRevoke, []token.Secret{refresh}, func(ctx context.Context, secret token.Secret) error {
		_, err := c.api.RevokeToken(ctx, &cip.RevokeTokenInput{
			ClientId:     aws.String(c.o.ClientID),
			Token:        aws.String(refresh.Reveal()),
			ClientSecret: optional(secret.Reveal()),
		})
		return err
	})
	return err
}

// SignOutEverywhere ends all sessions of the user whose access token it is, on every machine: their refresh tokens are of no
// use any more (GlobalSignOut). The token must have the scope aws.cognito.signin.user.admin. One request.
func (c *Client) SignOutEverywhere(ctx context.Context, access token.Secret) error {
	_, err := c.call(ctx, opSignOut, []token.Secret{access}, func(ctx context.Context) error {
		_, err := c.api.GlobalSignOut(ctx, &cip.GlobalSignOutInput{AccessToken: aws.String(access.Reveal())})
		return err
	})
	return err
}

// optional leaves a member out where there is nothing to say.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
