// Package sts is AWS STS in memory, as far as temporary credentials from a sign-in need it: AssumeRoleWithWebIdentity and
// GetCallerIdentity over the Query protocol.
//
// It guarantees that a token is verified before keys are issued, and that a signed request is answered only for keys that
// the sandbox issued, with a Signature Version 4 that is right, timely, and not expired. It never trusts a hash or a date
// that the signature does not cover.
package sts

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// Provider is an OpenID Connect provider that roles trust. Verify gives the claims of a token of this provider, with jwt's
// errors.
type Provider interface {
	Issuer(endpoint string) string
	VerifyToken(endpoint, token string) (jwt.Claims, error)
}

// Role is a role that tokens of the trusted providers may assume. MaxSeconds defaults to 3600.
type Role struct {
	ARN        string `json:"arn"`
	MaxSeconds int    `json:"max_seconds,omitempty"`
	// Audiences are the app client and identity pool ids whose tokens may assume it; default all.
	Audiences []string `json:"audiences,omitempty"`
}

// Service is safe for concurrent use.
type Service struct {
	keys  *Keys
	roles []Role
	trust []Provider
}

// New makes a service that issues and knows keys.
func New(keys *Keys, roles []Role, trust ...Provider) *Service {
	return &Service{keys: keys, roles: roles, trust: trust}
}

// Request is one call of the Query protocol.
type Request struct {
	Endpoint string
	HTTP     *http.Request
	Form     url.Values // of the query and of the body
	Body     []byte
}

// Parse reads a Query-protocol request; false when it is none.
func Parse(endpoint string, r *http.Request, body []byte) (Request, bool) {
	form := r.URL.Query()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		posted, err := url.ParseQuery(string(body))
		if err != nil {
			return Request{}, false
		}
		for name, values := range posted {
			form[name] = append(form[name], values...)
		}
	}
	return Request{Endpoint: endpoint, HTTP: r, Form: form, Body: body}, form.Get("Action") != ""
}

// Action is the operation's name.
func (r Request) Action() string { return r.Form.Get("Action") }

// Do answers one request with a value for XML, or an *wire.Error.
func (s *Service) Do(r Request) (any, error) {
	operations := map[string]func(Request) (any, error){
		"AssumeRoleWithWebIdentity": s.assumeRoleWithWebIdentity,
		"GetCallerIdentity":         s.getCallerIdentity,
	}
	op, ok := operations[r.Action()]
	if !ok {
		return nil, wire.Errorf("InvalidAction", "Could not find operation %s for version %s", r.Action(), r.Form.Get("Version"))
	}
	return op(r)
}

type metadata struct{ RequestId string }

type callerIdentityResponse struct {
	XMLName  xml.Name       `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Result   callerIdentity `xml:"GetCallerIdentityResult"`
	Metadata metadata       `xml:"ResponseMetadata"`
}

type callerIdentity struct{ Arn, UserId, Account string }

func (s *Service) getCallerIdentity(r Request) (any, error) {
	who, err := s.authenticate(r.HTTP, r.Body, "sts")
	if err != nil {
		return nil, err
	}
	return &callerIdentityResponse{
		Result:   callerIdentity{Arn: who.arn(), UserId: who.userID(), Account: account(who.roleARN)},
		Metadata: metadata{wire.NewRequestID()},
	}, nil
}

// account is the fifth part of an ARN.
func account(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// arn is the ARN of a session of a role; a role's path is not in it.
func (i identity) arn() string {
	if i.admin {
		return i.roleARN
	}
	partition := "aws"
	if parts := strings.SplitN(i.roleARN, ":", 3); len(parts) == 3 {
		partition = parts[1]
	}
	name := i.roleARN[strings.LastIndexByte(i.roleARN, '/')+1:]
	return "arn:" + partition + ":sts::" + account(i.roleARN) + ":assumed-role/" + name + "/" + i.sessionName
}

func (i identity) userID() string {
	if i.admin {
		return i.AccessKeyID
	}
	return roleID(i.roleARN) + ":" + i.sessionName
}

type assumeResponse struct {
	XMLName  xml.Name     `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Result   assumeResult `xml:"AssumeRoleWithWebIdentityResult"`
	Metadata metadata     `xml:"ResponseMetadata"`
}

type assumeResult struct {
	Credentials                 xmlCredentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedRoleUser
	Provider, Audience          string
}

type xmlCredentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }

type assumedRoleUser struct{ Arn, AssumedRoleId string }

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

func (s *Service) assumeRoleWithWebIdentity(r Request) (any, error) {
	arn, name := r.Form.Get("RoleArn"), r.Form.Get("RoleSessionName")
	if !sessionName.MatchString(name) {
		return nil, wire.Errorf("ValidationError", `1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, name)
	}
	lifetime, err := requestedLifetime(r)
	if err != nil {
		return nil, err
	}
	claims, err := s.webIdentity(r)
	if err != nil {
		return nil, err
	}
	role := slices.IndexFunc(s.roles, func(x Role) bool { return x.ARN == arn })
	if role < 0 || !s.roles[role].trusts(claims.String("aud")) {
		return nil, forbidden("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if lifetime > s.roles[role].max() {
		return nil, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return assumed(s.keys.Issue(arn, name, lifetime), identity{roleARN: arn, sessionName: name}, claims), nil
}

func (r Role) max() time.Duration {
	if r.MaxSeconds == 0 {
		return time.Hour
	}
	return time.Duration(r.MaxSeconds) * time.Second
}

func (r Role) trusts(audience string) bool {
	return r.Audiences == nil || slices.Contains(r.Audiences, audience)
}

func requestedLifetime(r Request) (time.Duration, error) {
	text := r.Form.Get("DurationSeconds")
	if text == "" {
		return time.Hour, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 900 || n > 43200 {
		return 0, wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200", text)
	}
	return time.Duration(n) * time.Second, nil
}

// webIdentity verifies the token.
func (s *Service) webIdentity(r Request) (jwt.Claims, error) {
	token := r.Form.Get("WebIdentityToken")
	issuer := jwt.Issuer(token)
	i := slices.IndexFunc(s.trust, func(t Provider) bool { return t.Issuer(r.Endpoint) == issuer })
	switch {
	case issuer == "":
		return nil, wire.Errorf("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	case i < 0:
		return nil, wire.Errorf("InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s", issuer)
	}
	claims, err := s.trust[i].VerifyToken(r.Endpoint, token)
	var expired *jwt.ExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, wire.Errorf("ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", expired.Now, expired.Expiry)
	case err != nil:
		return nil, wire.Errorf("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	case claims.String("aud") == "":
		return nil, wire.Errorf("InvalidIdentityToken", "Missing a required claim: aud")
	}
	return claims, nil
}

func assumed(c Credentials, who identity, claims jwt.Claims) any {
	return &assumeResponse{
		Result: assumeResult{
			Credentials:                 xmlCredentials{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expiration.Format(time.RFC3339)},
			SubjectFromWebIdentityToken: claims.String("sub"),
			AssumedRoleUser:             assumedRoleUser{who.arn(), who.userID()},
			Provider:                    strings.TrimPrefix(strings.TrimPrefix(claims.String("iss"), "https://"), "http://"),
			Audience:                    claims.String("aud"),
		},
		Metadata: metadata{wire.NewRequestID()},
	}
}
