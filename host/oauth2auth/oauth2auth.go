// Package oauth2auth gives a plugin's tokens to programs that take an oauth2.TokenSource.
//
// A client made with oauth2.NewClient sends the token to every host that it is used for: use it for one API only, or package
// httpauth, which asks for the binding of each host. It keeps nothing and never asks a person.
package oauth2auth

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// source is the oauth2.TokenSource.
type source struct {
	ctx       context.Context // an oauth2.TokenSource is given none
	from      plugin.TokenProvider
	selection plugin.Selection
	use       plugin.TokenUse
}

var _ oauth2.TokenSource = (*source)(nil)

// New gives one of a session's tokens: plugin.UseAccess or plugin.UseID. The end of ctx ends calls of its Token. from is a
// *host.Client, or any other provider. Safe for concurrent use.
func New(ctx context.Context, from plugin.TokenProvider, s plugin.Selection, use plugin.TokenUse) oauth2.TokenSource {
	return &source{ctx, from, s, use}
}

// Token asks the plugin. The token has no refresh token: the plugin renews it. Errors are *plugin.Error.
func (s *source) Token() (*oauth2.Token, error) {
	got, err := s.from.GetTokens(s.ctx, plugin.GetTokensRequest{Selection: s.selection, Use: s.use})
	if err != nil {
		return nil, err
	}
	token := got.Access
	if s.use == plugin.UseID {
		token = got.ID
	}
	return &oauth2.Token{AccessToken: token.Value.Reveal(), TokenType: "Bearer", Expiry: token.Expires}, nil
}
