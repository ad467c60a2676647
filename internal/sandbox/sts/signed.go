package sts

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

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
	who, err := s.caller(r, body, service)
	if err != nil || who.admin {
		return err
	}
	return wire.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s:%s because no identity-based policy allows the %s:%s action",
		who.arn(), service, operation, service, operation)
}

// Caller gives the keys that signed a request to an operation that every role may call. Its errors are those of Authorize.
func (s *Service) Caller(r *http.Request, body []byte, service string) (Credentials, error) {
	who, err := s.caller(r, body, service)
	return who.Credentials, err
}

func (s *Service) caller(r *http.Request, body []byte, service string) (identity, error) {
	who, err := s.authenticate(r, body, service)
	var e *wire.Error
	if errors.As(err, &e) {
		return who, wire.Errorf(jsonCodes[e.Code], "%s", e.Message)
	}
	return who, err
}

// GitPassword checks what git sends to CodeCommit: a key id with the session token behind a %, and a date with a signature of
// the method GIT behind it. The host is signed without its port.
func (s *Service) GitPassword(user, password, host, path string) error {
	id, session, _ := strings.Cut(user, "%")
	who, ok := s.keys.find(id)
	if !ok || subtle.ConstantTimeCompare([]byte(who.SessionToken), []byte(session)) != 1 {
		return forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	const dated = len("20060102T150405Z")
	if len(password) < dated {
		return incomplete("the password has no date")
	}
	date, err := time.Parse(amzDate, password[:dated])
	if err != nil {
		return incomplete("the password's date cannot be read")
	}
	name, _, _ := strings.Cut(host, ":")
	for _, region := range []string{"eu-central-1", "us-east-1"} {
		sig := signature{day: password[:8], region: region, service: "codecommit", date: password[:dated-1]}
		want := sign(who.SecretAccessKey, sig, "GIT\n"+path+"\n\nhost:"+name+"\n\nhost\n")
		if subtle.ConstantTimeCompare([]byte(want), []byte(password[dated:])) == 1 {
			return s.checkTime(date, sig)
		}
	}
	return forbidden("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
}
