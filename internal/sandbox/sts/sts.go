// Package sts is AWS STS in memory, as far as temporary credentials from a sign-in need it: AssumeRoleWithWebIdentity,
// AssumeRole for role chains, and GetCallerIdentity over the Query protocol.
//
// It guarantees that a token is verified before keys are issued, and that a signed request is answered only for keys that
// the sandbox issued, with a Signature Version 4 that is right, timely, and not expired. It never trusts a hash or a date
// that the signature does not cover.
package sts

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	// Audiences are the app client and identity pool ids whose tokens may assume it; default all, and an empty list nobody's.
	Audiences []string `json:"audiences,omitempty"`
	// Principals are the ARNs of the roles and users that may take it with AssumeRole; default none.
	Principals []string `json:"principals,omitempty"`
}

// Trusts reports whether tokens for an audience may assume the role.
func (r Role) Trusts(audience string) bool {
	return r.Audiences == nil || slices.Contains(r.Audiences, audience)
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
		"AssumeRole":                s.assumeRole,
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
