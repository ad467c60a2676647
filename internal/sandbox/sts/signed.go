package sts

import (
	"errors"
	"net/http"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// jsonCodes are how the services with AWS JSON call what the Query protocol calls otherwise.
var jsonCodes = map[string]string{
	"MissingAuthenticationToken": "MissingAuthenticationTokenException",
	"InvalidClientTokenId":       "UnrecognizedClientException",
	"SignatureDoesNotMatch":      "InvalidSignatureException",
	"IncompleteSignature":        "IncompleteSignatureException",
	"ExpiredToken":               "ExpiredTokenException",
}

// Authorize lets a signed request to an operation of another service pass if an administrator signed it. Its errors are in
// the words of the services with AWS JSON: sessions of roles, which nobody gave the permission, are told so.
func (s *Service) Authorize(r *http.Request, body []byte, service, operation string) error {
	who, err := s.authenticate(r, body, service)
	var e *wire.Error
	if errors.As(err, &e) {
		return wire.Errorf(jsonCodes[e.Code], "%s", e.Message)
	}
	if err != nil || who.admin {
		return err
	}
	return wire.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s:%s because no identity-based policy allows the %s:%s action",
		who.arn(), service, operation, service, operation)
}
