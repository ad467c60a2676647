package plugin

import (
	"context"
	"time"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// limits are the longest that a call may take on the plugin's side, whatever the host says.
type limits struct{ call, login time.Duration }

// standing are the limits of every plugin; tests do not wait for them.
var standing = limits{call: time.Minute, login: 15 * time.Minute}

// server answers the wire by an implementation of some of the interfaces.
type server struct {
	pb.UnimplementedCredentialHelperServer
	impl   TokenProvider
	limits limits
}

var _ pb.CredentialHelperServer = (*server)(nil)

// answer is one unary call: what the implementation can do is found by its type, as optional powers are.
func answer[P any, R interface{ Validate() error }, A, W, V any](
	ctx context.Context, s *server, operation string, in W, from func(W) R, do func(P, context.Context, R) (A, error), to func(A) V,
) (V, error) {
	var none V
	p, ok := s.impl.(P)
	if !ok {
		return none, toStatus(unsupported(operation))
	}
	r := from(in)
	if err := r.Validate(); err != nil {
		return none, toStatus(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.call)
	defer cancel()
	a, err := do(p, ctx, r)
	if err != nil {
		return none, toStatus(err)
	}
	return to(a), nil
}

// GetTokens implements the wire.
func (s *server) GetTokens(ctx context.Context, in *pb.GetTokensRequest) (*pb.GetTokensResponse, error) {
	return answer(ctx, s, "GetTokens", in, getTokensRequestFromWire, TokenProvider.GetTokens, getTokensResponseToWire)
}

// GetAWSCredentials implements the wire.
func (s *server) GetAWSCredentials(ctx context.Context, in *pb.GetAWSCredentialsRequest) (*pb.GetAWSCredentialsResponse, error) {
	return answer(ctx, s, "GetAWSCredentials", in, getAWSCredentialsRequestFromWire, AWSCredentialsProvider.GetAWSCredentials, getAWSCredentialsResponseToWire)
}

// GetCredentialForHost implements the wire.
func (s *server) GetCredentialForHost(ctx context.Context, in *pb.GetCredentialForHostRequest) (*pb.GetCredentialForHostResponse, error) {
	return answer(ctx, s, "GetCredentialForHost", in, getCredentialForHostRequestFromWire, HostCredentialProvider.GetCredentialForHost, getCredentialForHostResponseToWire)
}

// Logout implements the wire.
func (s *server) Logout(ctx context.Context, in *pb.LogoutRequest) (*pb.LogoutResponse, error) {
	return answer(ctx, s, "Logout", in, logoutRequestFromWire, LogoutProvider.Logout, logoutResponseToWire)
}

// Status implements the wire.
func (s *server) Status(ctx context.Context, in *pb.StatusRequest) (*pb.StatusResponse, error) {
	return answer(ctx, s, "Status", in, statusRequestFromWire, StatusProvider.Status, statusResponseToWire)
}

// ListProfiles implements the wire.
func (s *server) ListProfiles(ctx context.Context, in *pb.ListProfilesRequest) (*pb.ListProfilesResponse, error) {
	return answer(ctx, s, "ListProfiles", in, listProfilesRequestFromWire, ProfileLister.ListProfiles, listProfilesResponseToWire)
}

// InitiateAuth implements the wire.
func (s *server) InitiateAuth(ctx context.Context, in *pb.InitiateAuthRequest) (*pb.AuthResponse, error) {
	return answer(ctx, s, "InitiateAuth", in, initiateAuthRequestFromWire, UserPoolProvider.InitiateAuth, authResponseToWire)
}

// RespondToAuthChallenge implements the wire.
func (s *server) RespondToAuthChallenge(ctx context.Context, in *pb.RespondToAuthChallengeRequest) (*pb.AuthResponse, error) {
	return answer(ctx, s, "RespondToAuthChallenge", in, respondRequestFromWire, UserPoolProvider.RespondToAuthChallenge, authResponseToWire)
}
