package plugin

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// client is a Provider over the wire.
type client struct{ wire pb.CredentialHelperClient }

var _ Provider = (*client)(nil)

// NewClient gives the Provider at the other end of a connection. Package host makes the connection; use NewClient where you
// have one of your own. Its errors are *Error, or wrap one.
func NewClient(conn grpc.ClientConnInterface) Provider {
	return &client{pb.NewCredentialHelperClient(conn)}
}

// ask is one unary call.
func ask[R interface{ Validate() error }, A, W, V any](
	ctx context.Context, r R, to func(R) W, do func(context.Context, W, ...grpc.CallOption) (V, error), from func(V) A,
) (A, error) {
	var none A
	if err := r.Validate(); err != nil {
		return none, err
	}
	out, err := do(ctx, to(r))
	if err != nil {
		return none, fromStatus(ctx, err)
	}
	return from(out), nil
}

// GetTokens implements TokenProvider.
func (c *client) GetTokens(ctx context.Context, r GetTokensRequest) (GetTokensResponse, error) {
	return ask(ctx, r, getTokensRequestToWire, c.wire.GetTokens, getTokensResponseFromWire)
}

// GetAWSCredentials implements AWSCredentialsProvider.
func (c *client) GetAWSCredentials(ctx context.Context, r GetAWSCredentialsRequest) (GetAWSCredentialsResponse, error) {
	return ask(ctx, r, getAWSCredentialsRequestToWire, c.wire.GetAWSCredentials, getAWSCredentialsResponseFromWire)
}

// GetCredentialForHost implements HostCredentialProvider.
func (c *client) GetCredentialForHost(ctx context.Context, r GetCredentialForHostRequest) (GetCredentialForHostResponse, error) {
	return ask(ctx, r, getCredentialForHostRequestToWire, c.wire.GetCredentialForHost, getCredentialForHostResponseFromWire)
}

// Logout implements LogoutProvider.
func (c *client) Logout(ctx context.Context, r LogoutRequest) (LogoutResponse, error) {
	return ask(ctx, r, logoutRequestToWire, c.wire.Logout, logoutResponseFromWire)
}

// Status implements StatusProvider.
func (c *client) Status(ctx context.Context, r StatusRequest) (StatusResponse, error) {
	return ask(ctx, r, statusRequestToWire, c.wire.Status, statusResponseFromWire)
}

// ListProfiles implements ProfileLister.
func (c *client) ListProfiles(ctx context.Context, r ListProfilesRequest) (ListProfilesResponse, error) {
	return ask(ctx, r, listProfilesRequestToWire, c.wire.ListProfiles, listProfilesResponseFromWire)
}

// InitiateAuth implements UserPoolProvider.
func (c *client) InitiateAuth(ctx context.Context, r InitiateAuthRequest) (AuthResponse, error) {
	return ask(ctx, r, initiateAuthRequestToWire, c.wire.InitiateAuth, authResponseFromWire)
}

// RespondToAuthChallenge implements UserPoolProvider.
func (c *client) RespondToAuthChallenge(ctx context.Context, r RespondToAuthChallengeRequest) (AuthResponse, error) {
	return ask(ctx, r, respondRequestToWire, c.wire.RespondToAuthChallenge, authResponseFromWire)
}
