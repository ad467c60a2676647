package sts

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type xmlCredentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }

type assumedRoleUser struct{ Arn, AssumedRoleId string }

// longestChain is the longest life that a role's session can give another role.
const longestChain = time.Hour

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// wanted is what both ways to assume a role have in common.
type wanted struct {
	arn, name string
	lifetime  time.Duration
}

func readWanted(r Request) (wanted, error) {
	w := wanted{arn: r.Form.Get("RoleArn"), name: r.Form.Get("RoleSessionName")}
	if !sessionName.MatchString(w.name) {
		return w, wire.Errorf("ValidationError", `1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, w.name)
	}
	var err error
	w.lifetime, err = requestedLifetime(r)
	return w, err
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

func errAboveMaximum() error {
	return wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
}

func (s *Service) role(arn string) (Role, bool) {
	i := slices.IndexFunc(s.roles, func(x Role) bool { return x.ARN == arn })
	if i < 0 {
		return Role{}, false
	}
	return s.roles[i], true
}

func (r Role) max() time.Duration {
	if r.MaxSeconds == 0 {
		return time.Hour
	}
	return time.Duration(r.MaxSeconds) * time.Second
}

// assume issues the keys of a session that has been granted.
func (s *Service) assume(w wanted) (xmlCredentials, assumedRoleUser) {
	c := s.keys.Issue(w.arn, w.name, w.lifetime)
	who := identity{roleARN: w.arn, sessionName: w.name}
	return xmlCredentials{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expiration.Format(time.RFC3339)}, assumedRoleUser{who.arn(), who.userID()}
}

type assumeRoleResponse struct {
	XMLName  xml.Name         `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Result   assumeRoleResult `xml:"AssumeRoleResult"`
	Metadata metadata         `xml:"ResponseMetadata"`
}

type assumeRoleResult struct {
	Credentials     xmlCredentials
	AssumedRoleUser assumedRoleUser
}

// assumeRole is for a signed caller: an administrator, or the session of a role, whose keys a role chain goes on from.
func (s *Service) assumeRole(r Request) (any, error) {
	who, err := s.authenticate(r.HTTP, r.Body, "sts")
	if err != nil {
		return nil, err
	}
	wanted, err := readWanted(r)
	if err != nil {
		return nil, err
	}
	role, ok := s.role(wanted.arn)
	if !ok || !slices.Contains(role.Principals, who.roleARN) {
		return nil, forbidden("AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.arn(), wanted.arn)
	}
	switch {
	case !who.admin && wanted.lifetime > longestChain:
		return nil, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case wanted.lifetime > role.max():
		return nil, errAboveMaximum()
	}
	c, user := s.assume(wanted)
	return &assumeRoleResponse{Result: assumeRoleResult{c, user}, Metadata: metadata{wire.NewRequestID()}}, nil
}
