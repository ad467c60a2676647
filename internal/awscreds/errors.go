package awscreds

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const shown = 300 // runes of server text in a sentence

// tokenLike finds what may be a token: messages about a parameter repeat its value, and Logins has the ID token. The
// sentence is printed, and kept in the session's record of attempts.
var tokenLike = regexp.MustCompile(`[A-Za-z0-9._+/=-]{64,}`)

// failure gives an error of the identity pool its kind and its sentence.
func failure(operation string, err error) error {
	var known *token.Error
	if errors.As(err, &known) {
		return err
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return unreachable(operation, err)
	}
	said := safetext.Line(tokenLike.ReplaceAllLiteralString(api.ErrorMessage(), "[redacted]"), shown)
	switch api.ErrorCode() {
	case "NotAuthorizedException":
		return refused(said)
	case "ResourceNotFoundException":
		return &token.Error{Kind: token.BadProfile, Message: "the identity pool does not exist (" + said + ")", Next: "check cognito_identity_pool_id"}
	case "InvalidParameterException", "InvalidIdentityPoolConfigurationException", "ResourceConflictException":
		return &token.Error{Kind: token.BadProfile, Message: "the identity pool refused the request (" + said + ")", Next: "check cognito_identity_pool_id, cognito_logins_key, and the roles of the identity pool"}
	case "LimitExceededException":
		return &token.Error{Kind: token.Refused, Message: "the identity pool has reached a limit (" + said + ")"}
	case "TooManyRequestsException", "ThrottlingException", "InternalErrorException", "ExternalServiceException":
		return &token.Error{Kind: token.Unavailable, Message: "the identity pool is busy or has a fault (" + api.ErrorCode() + ")", Next: "try again"}
	}
	return unreachable(operation, err)
}

// refused sorts NotAuthorizedException, which only its message tells apart.
func refused(said string) error {
	lower := strings.ToLower(said)
	switch {
	case strings.Contains(lower, "token expired"):
		return &token.Error{Kind: token.Unavailable, Message: "the identity pool says that the ID token has expired (" + said + ")", Next: "check this machine's clock, then try again"}
	case strings.Contains(lower, "supported provider"):
		return &token.Error{Kind: token.BadProfile, Message: "the identity pool does not take this user pool's tokens (" + said + ")", Next: "add the user pool and app client to the identity pool, or set cognito_logins_key"}
	}
	return &token.Error{Kind: token.Refused, Message: "the identity pool gave no credentials (" + said + ")", Next: "ask an administrator of the identity pool about its roles and rules"}
}

func unreachable(operation string, err error) error {
	if errors.Is(err, context.Canceled) {
		return &token.Error{Kind: token.Interrupted, Message: "interrupted"}
	}
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) && response.HTTPStatusCode() == 403 {
		return &token.Error{Kind: token.BadProfile, Message: operation + " was forbidden on the way to the identity pool (HTTP 403)", Next: "check proxies and web access rules"}
	}
	return &token.Error{Kind: token.Unavailable, Message: "the identity pool cannot be reached (" + safetext.Line(operation, shown) + ")", Next: "check the network, then try again"}
}
