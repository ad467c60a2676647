package cognito

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// RevokeToken sends RevokeToken once. The answer is its envelope only.
func (c *Client) RevokeToken(ctx context.Context, refresh token.Secret) (Response, error) {
	x, err := c.callWithSecret(ctx, opRevoke, []token.Secret{refresh}, func(ctx context.Context, secret token.Secret) error {
		_, err := c.api.RevokeToken(ctx, &cip.RevokeTokenInput{
			ClientId:     aws.String(c.o.ClientID),
			Token:        aws.String(refresh.Reveal()),
			ClientSecret: optional(secret.Reveal()),
		})
		return err
	})
	if err != nil {
		return Response{}, err
	}
	return step{x: x}.response(), nil
}

// Result checks the tokens of a raw answer as SignIn does, for whoever keeps them as a session, and registers the device that
// Cognito gave: without that, the session could not be renewed.
func (c *Client) Result(ctx context.Context, operation string, r Response) (Result, error) {
	x := &exchange{status: r.Meta.Status}
	if r.Tokens == nil {
		return c.result(operation, nil, x)
	}
	got, err := c.result(operation, &types.AuthenticationResultType{
		AccessToken:  optional(r.Tokens.Access.Reveal()),
		IdToken:      optional(r.Tokens.ID.Reveal()),
		RefreshToken: optional(r.Tokens.Refresh.Reveal()),
		ExpiresIn:    int32(min(r.Tokens.ExpiresIn, 1<<30)),
	}, x)
	if d := r.Tokens.Device; err == nil && d != nil {
		err = c.newDevice(ctx, nil, &types.NewDeviceMetadataType{DeviceKey: optional(d.Key), DeviceGroupKey: optional(d.GroupKey)}, &got)
	}
	return got, err
}
