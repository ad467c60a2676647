package plugin

import (
	"context"
	"time"
)

// TokenProvider gives tokens of a session. Implementations must be safe for concurrent use.
type TokenProvider interface {
	// GetTokens gives the tokens that the request names, with at least the wanted life left, renewing them where it must,
	// once for however many callers. It asks nobody: where a person is needed, the error has CodeLoginRequired and the command
	// to run as its hint. Other errors that callers must expect: CodeUnavailable, CodeRefused, CodeBadProfile. It returns soon
	// after ctx ends.
	GetTokens(ctx context.Context, r GetTokensRequest) (GetTokensResponse, error)
}

// TokenUse says which tokens are wanted.
type TokenUse int

// The uses. The zero value is the access token.
const (
	UseAccess TokenUse = iota
	UseID
	UseBoth
)

// GetTokensRequest names the tokens of a session.
type GetTokensRequest struct {
	Selection Selection
	Use       TokenUse
	// MinTTL is the least remaining life; 0 means the profile's cognito_min_ttl, else 5 minutes or a third of the life,
	// whichever is less. More than the whole life is CodeBadProfile.
	MinTTL time.Duration
}

// Validate reports what no plugin could take.
func (r GetTokensRequest) Validate() error {
	if r.Use < UseAccess || r.Use > UseBoth {
		return invalid("that use of a token is not known: it is access, ID, or both")
	}
	return first(r.Selection.Validate(), life(r.MinTTL))
}

// Token is one JSON web token.
type Token struct {
	Value   Secret
	Expires time.Time // by this machine's clock
}

// GetTokensResponse has the tokens that were asked for; any other is the zero Token. The refresh token is not among them.
type GetTokensResponse struct {
	Access Token
	ID     Token
}
