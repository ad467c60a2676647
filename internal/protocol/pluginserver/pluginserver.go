// Package pluginserver is our end of go-plugin: it answers a host application with what the complete program can do.
//
// It guarantees that every error has a code of package plugin and text that is safe to show, and that no answer but those of
// the raw operations has a refresh token in it. Questions of a sign-in go to the host, one at a time. It never reads the
// environment, never writes to a stream, and decides nothing about tokens.
package pluginserver

import (
	"context"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Program is what the complete program can do. Errors carry a token.Kind. Implementations must be safe for concurrent use.
type Program interface {
	// Token and AWSCredentials are those of protocol.Source.
	Token(ctx context.Context, r protocol.Request) (token.Token, error)
	AWSCredentials(ctx context.Context, r protocol.Request) (token.AWSCredentials, error)
	// HostCredential is that of protocol.HostSource.
	HostCredential(ctx context.Context, r protocol.HostRequest) (protocol.HostCredential, error)
	// Login signs in. Confirmations are asked by confirm.
	Login(ctx context.Context, s Session, r plugin.LoginRequest, a challenge.Answerer, confirm Confirm) (plugin.LoginResponse, error)
	Logout(ctx context.Context, s Session) (plugin.LogoutResponse, error)
	Status(ctx context.Context, s Session) (plugin.StatusResponse, error)
	Profiles(ctx context.Context, location string) ([]plugin.Profile, error)
	InitiateAuth(ctx context.Context, r plugin.InitiateAuthRequest) (plugin.AuthResponse, error)
	RespondToAuthChallenge(ctx context.Context, r plugin.RespondToAuthChallengeRequest) (plugin.AuthResponse, error)
	// LoginCommand is the command line with which a person signs in to the session.
	LoginCommand(s Session) string
}

// Session names a session: a profile's own, or another user's by Username.
type Session struct {
	Profile  profiles.Selection
	Username string
}

// Confirm asks a yes/no question.
type Confirm func(ctx context.Context, question string) (bool, error)

// Server is the Provider. Safe for concurrent use where the program is.
type Server struct {
	program Program
	getenv  func(string) string
	now     func() time.Time
}

var _ plugin.Provider = (*Server)(nil)

// New gives what the program can do to hosts. getenv is the plugin's environment, which says what profile is meant where a
// request names none.
func New(p Program, getenv func(string) string) *Server { return &Server{p, getenv, time.Now} }

func (s *Server) session(r plugin.Selection) Session {
	return Session{profiles.Select(r.Profile, r.Location, s.getenv), r.Username}
}

func (s *Server) request(r plugin.Selection, use token.Use, ttl time.Duration) protocol.Request {
	at := s.session(r)
	return protocol.Request{Profile: at.Profile, Username: at.Username, Use: use, MinTTL: ttl}
}

// GetTokens implements plugin.TokenProvider.
func (s *Server) GetTokens(ctx context.Context, r plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
	var got plugin.GetTokensResponse
	var err error
	if r.Use != plugin.UseID {
		got.Access, err = s.token(ctx, r, token.UseAccess)
	}
	if err == nil && r.Use != plugin.UseAccess {
		got.ID, err = s.token(ctx, r, token.UseID)
	}
	if err != nil {
		return plugin.GetTokensResponse{}, failure(ctx, err)
	}
	return got, nil
}

func (s *Server) token(ctx context.Context, r plugin.GetTokensRequest, use token.Use) (plugin.Token, error) {
	got, err := s.program.Token(ctx, s.request(r.Selection, use, r.MinTTL))
	return plugin.Token{Value: plugin.NewSecret(got.Value.Reveal()), Expires: got.Lifetime.Expires}, err
}

// GetAWSCredentials implements plugin.AWSCredentialsProvider.
func (s *Server) GetAWSCredentials(ctx context.Context, r plugin.GetAWSCredentialsRequest) (plugin.GetAWSCredentialsResponse, error) {
	got, err := s.program.AWSCredentials(ctx, s.request(r.Selection, "", r.MinTTL))
	if err != nil {
		return plugin.GetAWSCredentialsResponse{}, failure(ctx, err)
	}
	return plugin.GetAWSCredentialsResponse{
		AccessKeyID: got.AccessKeyID, SecretAccessKey: plugin.NewSecret(got.SecretAccessKey.Reveal()), SessionToken: plugin.NewSecret(got.SessionToken.Reveal()),
		AccountID: got.AccountID, Expires: got.Lifetime.Expires,
	}, nil
}

// GetCredentialForHost implements plugin.HostCredentialProvider.
func (s *Server) GetCredentialForHost(ctx context.Context, r plugin.GetCredentialForHostRequest) (plugin.GetCredentialForHostResponse, error) {
	host, err := profiles.ParseHost(r.URL)
	if err != nil {
		return plugin.GetCredentialForHostResponse{}, &plugin.Error{Code: plugin.CodeInvalidRequest, Message: "the URL is refused: " + err.Error()}
	}
	got, err := s.program.HostCredential(ctx, protocol.HostRequest{
		Host: host, Profile: r.Selection.Profile, Location: r.Selection.Location, Username: r.Selection.Username, MinTTL: r.MinTTL,
		Rejected: protocol.Fingerprint(r.Rejected),
	})
	if err != nil {
		return plugin.GetCredentialForHostResponse{}, failure(ctx, err)
	}
	return plugin.GetCredentialForHostResponse{
		Profile: got.Profile, Username: got.Username, Secret: plugin.NewSecret(got.Token.Value.Reveal()), Expires: got.Token.Lifetime.Expires,
	}, nil
}

// Logout implements plugin.LogoutProvider.
func (s *Server) Logout(ctx context.Context, r plugin.LogoutRequest) (plugin.LogoutResponse, error) {
	got, err := s.program.Logout(ctx, s.session(r.Selection))
	return got, failure(ctx, err)
}

// Status implements plugin.StatusProvider.
func (s *Server) Status(ctx context.Context, r plugin.StatusRequest) (plugin.StatusResponse, error) {
	got, err := s.program.Status(ctx, s.session(r.Selection))
	return got, failure(ctx, err)
}

// ListProfiles implements plugin.ProfileLister.
func (s *Server) ListProfiles(ctx context.Context, r plugin.ListProfilesRequest) (plugin.ListProfilesResponse, error) {
	got, err := s.program.Profiles(ctx, r.Location)
	return plugin.ListProfilesResponse{Profiles: got}, failure(ctx, err)
}

// InitiateAuth implements plugin.UserPoolProvider.
func (s *Server) InitiateAuth(ctx context.Context, r plugin.InitiateAuthRequest) (plugin.AuthResponse, error) {
	got, err := s.program.InitiateAuth(ctx, r)
	return got, failure(ctx, err)
}

// RespondToAuthChallenge implements plugin.UserPoolProvider.
func (s *Server) RespondToAuthChallenge(ctx context.Context, r plugin.RespondToAuthChallengeRequest) (plugin.AuthResponse, error) {
	got, err := s.program.RespondToAuthChallenge(ctx, r)
	return got, failure(ctx, err)
}
