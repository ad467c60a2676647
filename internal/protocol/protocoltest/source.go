// Package protocoltest helps to test adapters: a source that answers from its fields and remembers what it was asked.
//
// It is for tests only; no program links it.
package protocoltest

import (
	"context"
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Source is a protocol.Source in memory. The zero value binds no host, keeps no token, and fails whoever asks for more. Not
// safe for concurrent use.
type Source struct {
	// Err is what every question ends in, where it is not nil.
	Err error
	// Tokens and AWS answer Token and AWSCredentials; what is empty is an error.
	Tokens token.Set
	AWS    token.AWSCredentials
	// Bound answers HostCredential by host[:port]; any other host is not bound. A host whose token was rejected is given
	// Renewed, where that is not empty.
	Bound   map[string]protocol.HostCredential
	Renewed token.Token
	// Listed answers Hosts, and Shared SharedCredential; nothing is bound where Shared is empty.
	Listed []protocol.BoundHost
	Shared protocol.HostCredential
	// Stored has the tokens that are kept, by host[:port]; StoreToken and ForgetToken change it. Documents has what came with
	// them.
	Stored    map[string]string
	Documents map[string]string

	// Asked, Wanted, and Rejected are the requests that came.
	Asked    []protocol.Request
	Wanted   []protocol.HostRequest
	Rejected []protocol.HostRequest
}

var _ protocol.Source = (*Source)(nil)

var errNothing = errors.New("the test has nothing to answer with")

// Token answers from Tokens.
func (s *Source) Token(_ context.Context, r protocol.Request) (token.Token, error) {
	s.Asked = append(s.Asked, r)
	t := s.Tokens.Get(r.Use)
	if s.Err == nil && t.Value.Empty() {
		return t, errNothing
	}
	return t, s.Err
}

// AWSCredentials answers with AWS.
func (s *Source) AWSCredentials(_ context.Context, r protocol.Request) (token.AWSCredentials, error) {
	s.Asked = append(s.Asked, r)
	if s.Err == nil && s.AWS.AccessKeyID == "" {
		return s.AWS, errNothing
	}
	return s.AWS, s.Err
}

// HostCredential answers from Bound.
func (s *Source) HostCredential(_ context.Context, r protocol.HostRequest) (protocol.HostCredential, error) {
	s.Wanted = append(s.Wanted, r)
	if s.Err != nil {
		return protocol.HostCredential{}, s.Err
	}
	c, ok := s.Bound[r.Host.Authority()]
	if !ok {
		return c, protocol.ErrNotBound
	}
	if !s.Renewed.Value.Empty() && r.Rejected == protocol.FingerprintOf(c.Token.Value) {
		c.Token = s.Renewed
	}
	return c, nil
}

// Reject remembers the request.
func (s *Source) Reject(_ context.Context, r protocol.HostRequest) error {
	s.Rejected = append(s.Rejected, r)
	return s.Err
}

// Hosts answers with Listed.
func (s *Source) Hosts(_ context.Context, r protocol.HostRequest) ([]protocol.BoundHost, error) {
	s.Wanted = append(s.Wanted, r)
	return s.Listed, s.Err
}

// SharedCredential answers with Shared.
func (s *Source) SharedCredential(_ context.Context, r protocol.HostRequest) (protocol.HostCredential, error) {
	s.Wanted = append(s.Wanted, r)
	if s.Err == nil && s.Shared.Token.Value.Empty() {
		return s.Shared, protocol.ErrNotBound
	}
	return s.Shared, s.Err
}

// StoredToken answers from Stored.
func (s *Source) StoredToken(_ context.Context, h profiles.Host) (token.Secret, error) {
	return token.NewSecret(s.Stored[h.Authority()]), s.Err
}

// StoreToken changes Stored.
func (s *Source) StoreToken(_ context.Context, h profiles.Host, t token.Secret, document []byte) error {
	if s.Err != nil {
		return s.Err
	}
	if s.Stored == nil {
		s.Stored, s.Documents = map[string]string{}, map[string]string{}
	}
	s.Stored[h.Authority()], s.Documents[h.Authority()] = t.Reveal(), string(document)
	return nil
}

// ForgetToken changes Stored.
func (s *Source) ForgetToken(_ context.Context, h profiles.Host) error {
	if s.Err == nil {
		delete(s.Stored, h.Authority())
		delete(s.Documents, h.Authority())
	}
	return s.Err
}

// Token is one hour of life from now, with this value.
func Token(value string) token.Token {
	now := time.Now()
	return token.Token{Value: token.NewSecret(value), Lifetime: token.Lifetime{Issued: now, Expires: now.Add(time.Hour)}}
}
