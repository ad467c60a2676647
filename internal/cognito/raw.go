package cognito

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// The raw operations are the API's own, one request each: they ask nobody, keep nothing, and answer what Cognito answered.

// Initiate is one InitiateAuth.
type Initiate struct {
	Flow string // AuthFlow
	// Parameters are AuthParameters. SECRET_HASH is added where the client has a secret and it is not there.
	Parameters map[string]token.Secret
	Session    token.Secret // the challengeSession of a ConfirmSignUp
	Context    CallContext
}

// Respond is one RespondToAuthChallenge.
type Respond struct {
	Challenge string                  // ChallengeName
	Responses map[string]token.Secret // ChallengeResponses; SECRET_HASH as in Initiate
	Session   token.Secret
	Context   CallContext
}

// CallContext is what goes along with a call for the pool's triggers and its threat protection.
type CallContext struct {
	Metadata            map[string]string // ClientMetadata
	AnalyticsEndpointID string
	UserContextData     string // UserContextData.EncodedData
	UserIPAddress       string
}

// Response is what InitiateAuth, RespondToAuthChallenge, and GetTokensFromRefreshToken answer.
type Response struct {
	Tokens              *Tokens // AuthenticationResult
	ChallengeName       string
	ChallengeParameters map[string]string
	Session             token.Secret
	AvailableChallenges []string
	Meta                Meta
}

// Tokens is AuthenticationResult. The values are secrets: whoever prints them was asked to.
type Tokens struct {
	Access, ID, Refresh token.Secret
	ExpiresIn           int // seconds
	Type                string
	Device              *NewDevice
}

// NewDevice is NewDeviceMetadata.
type NewDevice struct{ Key, GroupKey string }

// Meta is what the answer's envelope says.
type Meta struct {
	RequestID     string
	Status        int
	ContentLength int64
}

// AWSKeys sign the operations that need a signature.
type AWSKeys struct {
	AccessKeyID     string
	SecretAccessKey token.Secret
	SessionToken    token.Secret
}

// Initiate sends InitiateAuth once. A flow that the operation does not take is refused before that; see Required.
func (c *Client) Initiate(ctx context.Context, in Initiate) (Response, error) {
	if _, err := Required(in.Flow); err != nil {
		return Response{}, err
	}
	s, err := c.initiate(ctx, in, nil)
	if err != nil {
		return Response{}, c.rotating(in.Flow, err)
	}
	return s.response(), nil
}

func (c *Client) initiate(ctx context.Context, in Initiate, secrets []token.Secret, options ...func(*cip.Options)) (step, error) {
	var out *cip.InitiateAuthOutput
	x, err := c.callWithSecret(ctx, opInitiate, append(secrets, carried(in.Parameters, in.Session)...), func(ctx context.Context, secret token.Secret) (err error) {
		out, err = c.api.InitiateAuth(ctx, &cip.InitiateAuthInput{
			AuthFlow:          types.AuthFlowType(in.Flow),
			ClientId:          aws.String(c.o.ClientID),
			AuthParameters:    c.parameters(in.Parameters, secret),
			ClientMetadata:    in.Context.Metadata,
			AnalyticsMetadata: in.Context.analytics(),
			UserContextData:   in.Context.user(),
			Session:           optional(in.Session.Reveal()),
		}, options...)
		return err
	})
	if err != nil {
		return step{}, err
	}
	return step{string(out.ChallengeName), out.ChallengeParameters, out.Session, out.AuthenticationResult, challengeNames(out.AvailableChallenges), x}, nil
}

// Respond sends RespondToAuthChallenge once.
func (c *Client) Respond(ctx context.Context, in Respond) (Response, error) {
	s, err := c.respond(ctx, in, optional(in.Session.Reveal()), nil)
	if err != nil {
		return Response{}, err
	}
	return s.response(), nil
}

func (c *Client) respond(ctx context.Context, in Respond, session *string, secrets []token.Secret) (step, error) {
	var out *cip.RespondToAuthChallengeOutput
	x, err := c.callWithSecret(ctx, opRespond, append(secrets, carried(in.Responses, token.NewSecret(aws.ToString(session)))...), func(ctx context.Context, secret token.Secret) (err error) {
		out, err = c.api.RespondToAuthChallenge(ctx, &cip.RespondToAuthChallengeInput{
			ChallengeName:      types.ChallengeNameType(in.Challenge),
			ClientId:           aws.String(c.o.ClientID),
			ChallengeResponses: c.parameters(in.Responses, secret),
			ClientMetadata:     in.Context.Metadata,
			AnalyticsMetadata:  in.Context.analytics(),
			UserContextData:    in.Context.user(),
			Session:            session,
		})
		return err
	})
	if err != nil {
		return step{}, c.withClock(err, x)
	}
	return step{string(out.ChallengeName), out.ChallengeParameters, out.Session, out.AuthenticationResult, nil, x}, nil
}

// GetTokens sends GetTokensFromRefreshToken once.
func (c *Client) GetTokens(ctx context.Context, refresh token.Secret, deviceKey string, metadata map[string]string) (Response, error) {
	s, err := c.getTokens(ctx, refresh, deviceKey, metadata)
	if err != nil {
		return Response{}, err
	}
	return s.response(), nil
}

func (c *Client) getTokens(ctx context.Context, refresh token.Secret, deviceKey string, metadata map[string]string) (step, error) {
	var out *cip.GetTokensFromRefreshTokenOutput
	x, err := c.callWithSecret(ctx, opRefresh, []token.Secret{refresh}, func(ctx context.Context, secret token.Secret) (err error) {
		out, err = c.api.GetTokensFromRefreshToken(ctx, &cip.GetTokensFromRefreshTokenInput{
			ClientId:       aws.String(c.o.ClientID),
			RefreshToken:   aws.String(refresh.Reveal()),
			ClientSecret:   optional(secret.Reveal()),
			DeviceKey:      optional(deviceKey),
			ClientMetadata: metadata,
		})
		return err
	})
	if err != nil {
		return step{x: x}, err
	}
	return step{tokens: out.AuthenticationResult, x: x}, nil
}

// AdminInitiate sends AdminInitiateAuth once, signed with keys. The context's user data does not go along: the signed
// operation has another form for it, which only a server in front of the user can fill in.
func (c *Client) AdminInitiate(ctx context.Context, keys AWSKeys, in Initiate) (Response, error) {
	if in.Context.UserContextData != "" || in.Context.UserIPAddress != "" {
		return Response{}, &token.Error{Kind: token.Usage, Message: "AdminInitiateAuth takes neither user context data nor a user's IP address", Next: "leave them out, or use cognito-credhelper initiate-auth"}
	}
	signed := func(o *cip.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey.Reveal(), SessionToken: keys.SessionToken.Reveal()}, nil
		})
	}
	var out *cip.AdminInitiateAuthOutput
	secrets := append(carried(in.Parameters, in.Session), keys.SecretAccessKey, keys.SessionToken)
	x, err := c.callWithSecret(ctx, opAdminInitiate, secrets, func(ctx context.Context, secret token.Secret) (err error) {
		out, err = c.api.AdminInitiateAuth(ctx, &cip.AdminInitiateAuthInput{
			AuthFlow:          types.AuthFlowType(in.Flow),
			ClientId:          aws.String(c.o.ClientID),
			UserPoolId:        aws.String(c.o.UserPoolID),
			AuthParameters:    c.parameters(in.Parameters, secret),
			ClientMetadata:    in.Context.Metadata,
			AnalyticsMetadata: in.Context.analytics(),
			Session:           optional(in.Session.Reveal()),
		}, signed)
		return err
	})
	if err != nil {
		return Response{}, err
	}
	s := step{string(out.ChallengeName), out.ChallengeParameters, out.Session, out.AuthenticationResult, challengeNames(out.AvailableChallenges), x}
	return s.response(), nil
}

// required are the AuthParameters of each flow that InitiateAuth takes. Source: InitiateAuth in the API reference.
var required = map[string][]string{
	"USER_SRP_AUTH":      {"USERNAME", "SRP_A"},
	"USER_PASSWORD_AUTH": {"USERNAME", "PASSWORD"},
	"USER_AUTH":          {"USERNAME"},
	"CUSTOM_AUTH":        {"USERNAME"},
	"REFRESH_TOKEN_AUTH": {"REFRESH_TOKEN"},
	"REFRESH_TOKEN":      {"REFRESH_TOKEN"},
}

// Required names the AuthParameters that a flow requires (SECRET_HASH aside). An unknown flow, and one that InitiateAuth does not take
// (ADMIN_NO_SRP_AUTH), is an error of kind token.Usage that lists the valid ones.
func Required(flow string) ([]string, error) {
	if names, ok := required[flow]; ok {
		return slices.Clone(names), nil
	}
	e := &token.Error{
		Kind:    token.Usage,
		Message: "InitiateAuth has no flow " + quoted(flow) + ": valid are " + strings.Join(slices.Sorted(maps.Keys(required)), ", "),
	}
	if strings.HasPrefix(flow, "ADMIN_") {
		e.Message = "the flow " + quoted(flow) + " is of AdminInitiateAuth only: valid are " + strings.Join(slices.Sorted(maps.Keys(required)), ", ")
		e.Next = "cognito-credhelper admin-initiate-auth --help"
	}
	return nil, e
}

// rotating explains why a refresh by InitiateAuth is refused where the app client rotates refresh tokens. AWS documents
// that the two do not go together, and not which error comes: a refusal that says what is wrong with the token is left alone.
func (c *Client) rotating(flow string, err error) error {
	e := answered(err)
	fits := e.is("UnsupportedOperation", "OperationNotEnabled", "InvalidParameter") || e.is("NotAuthorized") && e.says("rotat")
	if !strings.HasPrefix(flow, "REFRESH_TOKEN") || !fits || e.says("secret") {
		return err
	}
	return &token.Error{
		Kind:    token.BadProfile,
		Message: "the app client " + c.o.ClientID + " does not take " + flow + "; with refresh token rotation, which makes each refresh token good for one use, only GetTokensFromRefreshToken works",
		Next:    "cognito-credhelper get-tokens-from-refresh-token --help",
		Err:     e,
	}
}

// parameters adds SECRET_HASH where the client has a secret and it is not there. It must be over the request's own USERNAME.
func (c *Client) parameters(in map[string]token.Secret, secret token.Secret) map[string]string {
	out := make(map[string]string, len(in)+1)
	for name, value := range in {
		out[name] = value.Reveal()
	}
	if user, given := out["USERNAME"], out["SECRET_HASH"]; given == "" && user != "" && !secret.Empty() {
		out["SECRET_HASH"] = srp.SecretHash(user, c.o.ClientID, secret.Reveal())
	}
	return out
}

// factorNames are answers that are no secrets.
var factorNames = []string{"SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_OTP", "EMAIL_MFA", "PASSWORD", "PASSWORD_SRP", "WEB_AUTHN", "SRP_A"}

// carried are the secrets of a request: everything but names.
func carried(in map[string]token.Secret, more ...token.Secret) []token.Secret {
	for name, value := range in {
		public := slices.Contains([]string{"USERNAME", "CHALLENGE_NAME", "PREFERRED_CHALLENGE", "DEVICE_KEY"}, name) || strings.HasPrefix(name, attributePrefix)
		if !public && !slices.Contains(factorNames, value.Reveal()) {
			more = append(more, value)
		}
	}
	return more
}

func (c CallContext) analytics() *types.AnalyticsMetadataType {
	if c.AnalyticsEndpointID == "" {
		return nil
	}
	return &types.AnalyticsMetadataType{AnalyticsEndpointId: &c.AnalyticsEndpointID}
}

func (c CallContext) user() *types.UserContextDataType {
	if c.UserContextData == "" && c.UserIPAddress == "" {
		return nil
	}
	return &types.UserContextDataType{EncodedData: optional(c.UserContextData), IpAddress: optional(c.UserIPAddress)}
}

func challengeNames(in []types.ChallengeNameType) []string {
	var out []string
	for _, name := range in {
		out = append(out, string(name))
	}
	return out
}

func (s step) response() Response {
	r := Response{
		ChallengeName: s.name, ChallengeParameters: s.parameters, Session: token.NewSecret(aws.ToString(s.session)),
		AvailableChallenges: s.available,
		Meta:                Meta{RequestID: s.x.requestID, Status: s.x.status, ContentLength: int64(s.x.length)},
	}
	if t := s.tokens; t != nil {
		r.Tokens = &Tokens{
			Access: token.NewSecret(aws.ToString(t.AccessToken)), ID: token.NewSecret(aws.ToString(t.IdToken)),
			Refresh: token.NewSecret(aws.ToString(t.RefreshToken)), ExpiresIn: int(t.ExpiresIn), Type: aws.ToString(t.TokenType),
		}
		if d := t.NewDeviceMetadata; d != nil {
			r.Tokens.Device = &NewDevice{aws.ToString(d.DeviceKey), aws.ToString(d.DeviceGroupKey)}
		}
	}
	return r
}

// Complete sends InitiateAuth and answers every challenge through a, as SignIn does; the last response is its answer. It keeps nothing.
// USERNAME and PASSWORD may be among the parameters; an SRP_A and a
// DEVICE_KEY may not, because only who made them can prove the password or the device.
func (c *Client) Complete(ctx context.Context, in Initiate, a challenge.Answerer) (Response, error) {
	if _, err := Required(in.Flow); err != nil {
		return Response{}, err
	}
	if strings.HasPrefix(in.Flow, "REFRESH_TOKEN") {
		return c.Initiate(ctx, in)
	}
	if _, given := in.Parameters["SRP_A"]; given {
		return Response{}, &token.Error{Kind: token.Usage, Message: "only who made SRP_A can answer what follows from it", Next: "leave SRP_A out"}
	}
	if _, given := in.Parameters["DEVICE_KEY"]; given {
		return Response{}, &token.Error{Kind: token.Usage, Message: "only who has the device's password can answer what follows from DEVICE_KEY", Next: "leave DEVICE_KEY out"}
	}
	l, err := c.signIn(SignIn{Flow: in.Flow, Username: in.Parameters[challenge.Username].Reveal(), Preferred: preferred(in.Parameters)}, a)
	if err != nil {
		return Response{}, err
	}
	l.context, l.given = in.Context, in
	if password := in.Parameters[challenge.Password]; !password.Empty() {
		l.typed[challenge.Password] = password
	}
	at, err := l.run(ctx)
	if err != nil {
		return Response{}, err
	}
	return at.response(), nil
}

// preferred is the first challenge that the parameters of InitiateAuth ask for.
func preferred(in map[string]token.Secret) string {
	if p := in["PREFERRED_CHALLENGE"]; !p.Empty() {
		return p.Reveal()
	}
	return in["CHALLENGE_NAME"].Reveal()
}
