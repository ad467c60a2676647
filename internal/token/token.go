// Package token is the vocabulary of the program: tokens and AWS credentials, how long they live, and the kinds of
// error that decide an exit code.
//
// It guarantees that nothing here prints a secret, whatever the verb. It never does I/O, reads no clock, and imports
// nothing beyond the small packages that the front can afford (no fmt, no encoding/json).
package token

// Use says which of the two JSON web tokens of a sign-in is meant. The values are those of Cognito's own claim
// token_use.
type Use string

// The two uses.
const (
	UseID     Use = "id"
	UseAccess Use = "access"
)

// Token is one JSON web token and its life.
type Token struct {
	Value    Secret
	Lifetime Lifetime
}

// Set is the pair of tokens that one sign-in or refresh gave. The refresh token is not part of it on purpose: code that
// handles a Set cannot leak what renews it.
type Set struct {
	Access Token
	ID     Token
}

// Get returns the token of the given use.
func (s Set) Get(u Use) Token {
	if u == UseID {
		return s.ID
	}
	return s.Access
}

// AWSCredentials are temporary credentials for AWS APIs.
type AWSCredentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	AccountID       string // "" when unknown
	Lifetime        Lifetime
}
