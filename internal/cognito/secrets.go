package cognito

import (
	"context"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// PreferSecretNext begins with the app client's second secret, where there are two: a session remembers that Cognito took
// that one. Call it before the first request.
func (c *Client) PreferSecretNext() { c.second.Store(true) }

// usesNext reports whether the second secret is the one that works.
func (c *Client) usesNext() bool {
	return c.second.Load() && !c.o.ClientSecret.Empty() && !c.o.ClientSecretNext.Empty()
}

// secret is the app client's secret; second is the other one, where there are two.
func (c *Client) secret(second bool) token.Secret {
	if second && !c.o.ClientSecretNext.Empty() || c.o.ClientSecret.Empty() {
		return c.o.ClientSecretNext
	}
	return c.o.ClientSecret
}

// callWithSecret is call for what needs the app client's secret. Where Cognito does not take it and there are two, the
// other one is tried once; whatever else Cognito then says shows that it took that one. A request that was refused for its
// secret had no other effect, so that even a refresh may go out again.
func (c *Client) callWithSecret(ctx context.Context, operation string, secrets []token.Secret, do func(context.Context, token.Secret) error) (*exchange, error) {
	second := c.second.Load()
	x, err := c.call(ctx, operation, secrets, func(ctx context.Context) error { return do(ctx, c.secret(second)) })
	if !c.secretRefused(err) {
		return x, err
	}
	x2, err2 := c.call(ctx, operation, secrets, func(ctx context.Context) error { return do(ctx, c.secret(!second)) })
	if c.secretRefused(err2) {
		return x, err
	}
	// Without an answer nothing is known about the secret; but the request may have been carried out, which the first
	// error would hide.
	if err2 == nil || answered(err2).Code != "" {
		c.second.Store(!second)
	}
	return x2, err2
}

func (c *Client) secretRefused(err error) bool {
	e := answered(err)
	return !c.o.ClientSecret.Empty() && !c.o.ClientSecretNext.Empty() && e.is("NotAuthorized", "Unauthorized", "InvalidParameter") && (e.says("secret") || e.says("hash"))
}
