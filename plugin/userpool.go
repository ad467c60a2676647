package plugin

import "context"

// UserPoolProvider has the two raw operations of Amazon Cognito, one request each. They ask nobody and keep nothing; their
// answers are what Cognito answered, the refresh token included. Implementations must be safe for concurrent use.
//
// Source: InitiateAuth and RespondToAuthChallenge in the Amazon Cognito user pools API reference.
type UserPoolProvider interface {
	// InitiateAuth begins a sign-in. What Cognito refuses is CodeRefused.
	InitiateAuth(ctx context.Context, r InitiateAuthRequest) (AuthResponse, error)
	// RespondToAuthChallenge answers a challenge. What Cognito refuses is CodeRefused.
	RespondToAuthChallenge(ctx context.Context, r RespondToAuthChallengeRequest) (AuthResponse, error)
}

// AppClient says which app client a raw operation is for.
type AppClient struct {
	// Selection names the profile that says where the user pool is; a default profile that does not exist is no error where
	// ClientID and Region are given. Its Username is not used.
	Selection Selection
	// ClientID is the app client's id; "" means the profile's. The profile's client secret goes with its own app client only.
	ClientID string
	Region   string // of the app client; "" means the profile's
}

func (a AppClient) validate() error {
	return first(a.Selection.Validate(), plainText("the app client's id", a.ClientID, maxName), plainText("the region", a.Region, maxName))
}

// CallContext is what goes along with a call for the user pool's triggers and its threat protection.
type CallContext struct {
	ClientMetadata      map[string]string
	AnalyticsEndpointID string // AnalyticsMetadata.AnalyticsEndpointId
	UserContextData     string // UserContextData.EncodedData
	UserIPAddress       string // UserContextData.IpAddress
}

func (c CallContext) validate() error {
	return first(
		entries("the client metadata", c.ClientMetadata), bounded("the user context data", c.UserContextData),
		plainText("the analytics endpoint", c.AnalyticsEndpointID, maxName), plainText("the user's IP address", c.UserIPAddress, maxName),
	)
}

// InitiateAuthRequest is Cognito's InitiateAuth.
type InitiateAuthRequest struct {
	AppClient AppClient
	AuthFlow  string
	// AuthParameters get a SECRET_HASH where the app client has a secret and there is none.
	AuthParameters map[string]Secret
	Session        Secret // of a confirmed sign-up
	Context        CallContext
}

// Validate reports what no plugin could take.
func (r InitiateAuthRequest) Validate() error {
	if r.AuthFlow == "" {
		return invalid("the auth flow is missing")
	}
	return first(
		r.AppClient.validate(), plainText("the auth flow", r.AuthFlow, maxName), entries("the auth parameters", r.AuthParameters),
		bounded("the session", r.Session.Reveal()), r.Context.validate(),
	)
}

// RespondToAuthChallengeRequest is Cognito's RespondToAuthChallenge.
type RespondToAuthChallengeRequest struct {
	AppClient     AppClient
	ChallengeName string
	// ChallengeResponses get a SECRET_HASH as AuthParameters do.
	ChallengeResponses map[string]Secret
	Session            Secret // that came with the challenge
	Context            CallContext
}

// Validate reports what no plugin could take.
func (r RespondToAuthChallengeRequest) Validate() error {
	if r.ChallengeName == "" {
		return invalid("the challenge's name is missing")
	}
	return first(
		r.AppClient.validate(), plainText("the challenge's name", r.ChallengeName, maxName), entries("the challenge responses", r.ChallengeResponses),
		bounded("the session", r.Session.Reveal()), r.Context.validate(),
	)
}

// AuthResponse is Cognito's answer to either: a challenge, or tokens.
type AuthResponse struct {
	ChallengeName        string // "" where there are tokens
	ChallengeParameters  map[string]string
	Session              Secret
	AuthenticationResult *AuthenticationResult // nil where there is a challenge
	AvailableChallenges  []string
}

// AuthenticationResult is Cognito's own.
type AuthenticationResult struct {
	AccessToken, IDToken, RefreshToken Secret
	ExpiresIn                          int // seconds
	TokenType                          string
	NewDeviceMetadata                  *NewDeviceMetadata // nil where no device was given
}

// NewDeviceMetadata is Cognito's own.
type NewDeviceMetadata struct{ DeviceKey, DeviceGroupKey string }
