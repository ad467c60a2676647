package plugin

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// Both directions of each type, side by side, so that a field that is forgotten on one side is seen. An enum whose value
// this version does not know becomes the zero value in an answer; in a request it stays, and Validate refuses it.

func selectionToWire(s Selection) *pb.Selection {
	return &pb.Selection{Profile: s.Profile, ProfileLocation: s.Location, Username: s.Username}
}

func selectionFromWire(s *pb.Selection) Selection {
	return Selection{Profile: s.GetProfile(), Location: s.GetProfileLocation(), Username: s.GetUsername()}
}

// timeToWire leaves the zero time out.
func timeToWire(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFromWire(t *timestamppb.Timestamp) time.Time {
	if t == nil || !t.IsValid() {
		return time.Time{}
	}
	return t.AsTime()
}

func durationToWire(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// durationFromWire gives what is no valid duration as a negative one, which every Validate refuses.
func durationFromWire(d *durationpb.Duration) time.Duration {
	switch {
	case d == nil:
		return 0
	case !d.IsValid():
		return -1
	default:
		return d.AsDuration()
	}
}

func secretsToWire(m map[string]Secret) map[string]string {
	out := make(map[string]string, len(m))
	for name, value := range m {
		out[name] = value.Reveal()
	}
	return out
}

func secretsFromWire(m map[string]string) map[string]Secret {
	out := make(map[string]Secret, len(m))
	for name, value := range m {
		out[name] = NewSecret(value)
	}
	return out
}

func getTokensRequestToWire(r GetTokensRequest) *pb.GetTokensRequest {
	return &pb.GetTokensRequest{Selection: selectionToWire(r.Selection), Use: pb.TokenUse(r.Use), MinTtl: durationToWire(r.MinTTL)}
}

func getTokensRequestFromWire(r *pb.GetTokensRequest) GetTokensRequest {
	return GetTokensRequest{Selection: selectionFromWire(r.GetSelection()), Use: TokenUse(r.GetUse()), MinTTL: durationFromWire(r.GetMinTtl())}
}

func tokenToWire(t Token) *pb.Token {
	if t.Value.Empty() {
		return nil
	}
	return &pb.Token{Value: t.Value.Reveal(), Expires: timeToWire(t.Expires)}
}

func tokenFromWire(t *pb.Token) Token {
	return Token{Value: NewSecret(t.GetValue()), Expires: timeFromWire(t.GetExpires())}
}

func getTokensResponseToWire(r GetTokensResponse) *pb.GetTokensResponse {
	return &pb.GetTokensResponse{AccessToken: tokenToWire(r.Access), IdToken: tokenToWire(r.ID)}
}

func getTokensResponseFromWire(r *pb.GetTokensResponse) GetTokensResponse {
	return GetTokensResponse{Access: tokenFromWire(r.GetAccessToken()), ID: tokenFromWire(r.GetIdToken())}
}

func getAWSCredentialsRequestToWire(r GetAWSCredentialsRequest) *pb.GetAWSCredentialsRequest {
	return &pb.GetAWSCredentialsRequest{Selection: selectionToWire(r.Selection), MinTtl: durationToWire(r.MinTTL)}
}

func getAWSCredentialsRequestFromWire(r *pb.GetAWSCredentialsRequest) GetAWSCredentialsRequest {
	return GetAWSCredentialsRequest{Selection: selectionFromWire(r.GetSelection()), MinTTL: durationFromWire(r.GetMinTtl())}
}

func getAWSCredentialsResponseToWire(r GetAWSCredentialsResponse) *pb.GetAWSCredentialsResponse {
	return &pb.GetAWSCredentialsResponse{
		AccessKeyId: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey.Reveal(), SessionToken: r.SessionToken.Reveal(),
		AccountId: r.AccountID, Expires: timeToWire(r.Expires),
	}
}

func getAWSCredentialsResponseFromWire(r *pb.GetAWSCredentialsResponse) GetAWSCredentialsResponse {
	return GetAWSCredentialsResponse{
		AccessKeyID: r.GetAccessKeyId(), SecretAccessKey: NewSecret(r.GetSecretAccessKey()), SessionToken: NewSecret(r.GetSessionToken()),
		AccountID: r.GetAccountId(), Expires: timeFromWire(r.GetExpires()),
	}
}

func getCredentialForHostRequestToWire(r GetCredentialForHostRequest) *pb.GetCredentialForHostRequest {
	w := &pb.GetCredentialForHostRequest{Selection: selectionToWire(r.Selection), Url: r.URL, MinTtl: durationToWire(r.MinTTL)}
	if r.Rejected != [len(r.Rejected)]byte{} {
		w.RejectedSha256 = r.Rejected[:]
	}
	return w
}

func getCredentialForHostRequestFromWire(r *pb.GetCredentialForHostRequest) GetCredentialForHostRequest {
	in := GetCredentialForHostRequest{Selection: selectionFromWire(r.GetSelection()), URL: r.GetUrl(), MinTTL: durationFromWire(r.GetMinTtl())}
	copy(in.Rejected[:], r.GetRejectedSha256()) // of another length, it is the fingerprint of nothing
	return in
}

func getCredentialForHostResponseToWire(r GetCredentialForHostResponse) *pb.GetCredentialForHostResponse {
	return &pb.GetCredentialForHostResponse{
		Profile: r.Profile, Username: r.Username, Secret: r.Secret.Reveal(), Expires: timeToWire(r.Expires),
	}
}

func getCredentialForHostResponseFromWire(r *pb.GetCredentialForHostResponse) GetCredentialForHostResponse {
	return GetCredentialForHostResponse{
		Profile: r.GetProfile(), Username: r.GetUsername(), Secret: NewSecret(r.GetSecret()), Expires: timeFromWire(r.GetExpires()),
	}
}

func loginRequestToWire(r LoginRequest, canAsk bool) *pb.LoginStart {
	return &pb.LoginStart{
		Selection: selectionToWire(r.Selection), CanAsk: canAsk, Force: r.Force, IfNeeded: r.IfNeeded, MinTtl: durationToWire(r.MinTTL),
		ClientMetadata: r.ClientMetadata,
	}
}

func loginRequestFromWire(r *pb.LoginStart) LoginRequest {
	return LoginRequest{
		Selection: selectionFromWire(r.GetSelection()), Force: r.GetForce(), IfNeeded: r.GetIfNeeded(), MinTTL: durationFromWire(r.GetMinTtl()),
		ClientMetadata: r.GetClientMetadata(),
	}
}

func loginResponseToWire(r LoginResponse) *pb.LoginDone {
	return &pb.LoginDone{
		User: r.User, Expires: timeToWire(r.Expires), Kept: r.Kept, Revoked: r.Revoked, Slot: r.Slot, Warnings: r.Warnings, OwnSession: r.OwnSession,
	}
}

func loginResponseFromWire(r *pb.LoginDone) LoginResponse {
	return LoginResponse{
		User: r.GetUser(), Expires: timeFromWire(r.GetExpires()), Kept: r.GetKept(), Revoked: r.GetRevoked(), Slot: r.GetSlot(), Warnings: r.GetWarnings(),
		OwnSession: r.GetOwnSession(),
	}
}

func questionToWire(number uint32, q Question) *pb.Question {
	w := &pb.Question{
		Number: number, Kind: pb.QuestionKind(q.Kind), Name: q.Name, Challenge: q.Challenge, Label: q.Label, Secret: q.Secret, Choices: q.Choices,
		Attempt: uint32(q.Attempt), Note: q.Note, Deadline: timeToWire(q.Deadline), Parameters: q.Parameters, Uri: q.URI.Reveal(),
	}
	if q.Delivery != (Delivery{}) {
		w.Delivery = &pb.Delivery{Destination: q.Delivery.Destination, Medium: q.Delivery.Medium}
	}
	return w
}

func questionFromWire(w *pb.Question) Question {
	q := Question{
		Name: w.GetName(), Challenge: w.GetChallenge(), Label: w.GetLabel(), Secret: w.GetSecret(), Choices: w.GetChoices(),
		Attempt: int(w.GetAttempt()), Note: w.GetNote(), Deadline: timeFromWire(w.GetDeadline()), Parameters: w.GetParameters(), URI: NewSecret(w.GetUri()),
		Delivery: Delivery{Destination: w.GetDelivery().GetDestination(), Medium: w.GetDelivery().GetMedium()},
	}
	if _, known := pb.QuestionKind_name[int32(w.GetKind())]; known {
		q.Kind = QuestionKind(w.GetKind())
	}
	return q
}

func logoutRequestToWire(r LogoutRequest) *pb.LogoutRequest {
	return &pb.LogoutRequest{Selection: selectionToWire(r.Selection)}
}

func logoutRequestFromWire(r *pb.LogoutRequest) LogoutRequest {
	return LogoutRequest{Selection: selectionFromWire(r.GetSelection())}
}

func logoutResponseToWire(r LogoutResponse) *pb.LogoutResponse {
	return &pb.LogoutResponse{User: r.User, Nobody: r.Nobody, NotRevoked: errorToWire(r.NotRevoked)}
}

func logoutResponseFromWire(r *pb.LogoutResponse) LogoutResponse {
	return LogoutResponse{User: r.GetUser(), Nobody: r.GetNobody(), NotRevoked: errorFromWire(r.GetNotRevoked())}
}

func statusRequestToWire(r StatusRequest) *pb.StatusRequest {
	return &pb.StatusRequest{Selection: selectionToWire(r.Selection)}
}

func statusRequestFromWire(r *pb.StatusRequest) StatusRequest {
	return StatusRequest{Selection: selectionFromWire(r.GetSelection())}
}

func statusResponseToWire(r StatusResponse) *pb.StatusResponse {
	return &pb.StatusResponse{
		Profile: r.Profile, State: pb.SessionState(r.State), User: r.User, Subject: r.Subject, UserPoolId: r.UserPoolID, ClientId: r.ClientID,
		Region: r.Region, SignedInAt: timeToWire(r.SignedInAt), AccessTokenExpires: timeToWire(r.AccessTokenExpires),
		IdTokenExpires: timeToWire(r.IDTokenExpires), Slot: r.Slot, Problem: errorToWire(r.Problem),
	}
}

func statusResponseFromWire(r *pb.StatusResponse) StatusResponse {
	s := StatusResponse{
		Profile: r.GetProfile(), User: r.GetUser(), Subject: r.GetSubject(), UserPoolID: r.GetUserPoolId(), ClientID: r.GetClientId(),
		Region: r.GetRegion(), SignedInAt: timeFromWire(r.GetSignedInAt()), AccessTokenExpires: timeFromWire(r.GetAccessTokenExpires()),
		IDTokenExpires: timeFromWire(r.GetIdTokenExpires()), Slot: r.GetSlot(), Problem: errorFromWire(r.GetProblem()),
	}
	if _, known := pb.SessionState_name[int32(r.GetState())]; known {
		s.State = SessionState(r.GetState())
	}
	return s
}

func listProfilesRequestToWire(r ListProfilesRequest) *pb.ListProfilesRequest {
	return &pb.ListProfilesRequest{ProfileLocation: r.Location}
}

func listProfilesRequestFromWire(r *pb.ListProfilesRequest) ListProfilesRequest {
	return ListProfilesRequest{Location: r.GetProfileLocation()}
}

func listProfilesResponseToWire(r ListProfilesResponse) *pb.ListProfilesResponse {
	w := &pb.ListProfilesResponse{}
	for _, p := range r.Profiles {
		w.Profiles = append(w.Profiles, &pb.Profile{
			Name: p.Name, UserPoolId: p.UserPoolID, ClientId: p.ClientID, Region: p.Region, Username: p.Username, AwsCredentials: p.AWSCredentials, Hosts: p.Hosts,
		})
	}
	return w
}

func listProfilesResponseFromWire(w *pb.ListProfilesResponse) ListProfilesResponse {
	var r ListProfilesResponse
	for _, p := range w.GetProfiles() {
		r.Profiles = append(r.Profiles, Profile{
			Name: p.GetName(), UserPoolID: p.GetUserPoolId(), ClientID: p.GetClientId(), Region: p.GetRegion(), Username: p.GetUsername(),
			AWSCredentials: p.GetAwsCredentials(), Hosts: p.GetHosts(),
		})
	}
	return r
}

func contextToWire(c CallContext) *pb.CallContext {
	return &pb.CallContext{
		ClientMetadata: c.ClientMetadata, AnalyticsEndpointId: c.AnalyticsEndpointID, UserContextData: c.UserContextData, UserIpAddress: c.UserIPAddress,
	}
}

func contextFromWire(c *pb.CallContext) CallContext {
	return CallContext{
		ClientMetadata: c.GetClientMetadata(), AnalyticsEndpointID: c.GetAnalyticsEndpointId(), UserContextData: c.GetUserContextData(),
		UserIPAddress: c.GetUserIpAddress(),
	}
}

func initiateAuthRequestToWire(r InitiateAuthRequest) *pb.InitiateAuthRequest {
	return &pb.InitiateAuthRequest{
		Selection: selectionToWire(r.AppClient.Selection), ClientId: r.AppClient.ClientID, Region: r.AppClient.Region, AuthFlow: r.AuthFlow,
		AuthParameters: secretsToWire(r.AuthParameters), Session: r.Session.Reveal(), Context: contextToWire(r.Context),
	}
}

func initiateAuthRequestFromWire(r *pb.InitiateAuthRequest) InitiateAuthRequest {
	return InitiateAuthRequest{
		AppClient: AppClient{selectionFromWire(r.GetSelection()), r.GetClientId(), r.GetRegion()}, AuthFlow: r.GetAuthFlow(),
		AuthParameters: secretsFromWire(r.GetAuthParameters()), Session: NewSecret(r.GetSession()), Context: contextFromWire(r.GetContext()),
	}
}

func respondRequestToWire(r RespondToAuthChallengeRequest) *pb.RespondToAuthChallengeRequest {
	return &pb.RespondToAuthChallengeRequest{
		Selection: selectionToWire(r.AppClient.Selection), ClientId: r.AppClient.ClientID, Region: r.AppClient.Region, ChallengeName: r.ChallengeName,
		ChallengeResponses: secretsToWire(r.ChallengeResponses), Session: r.Session.Reveal(), Context: contextToWire(r.Context),
	}
}

func respondRequestFromWire(r *pb.RespondToAuthChallengeRequest) RespondToAuthChallengeRequest {
	return RespondToAuthChallengeRequest{
		AppClient: AppClient{selectionFromWire(r.GetSelection()), r.GetClientId(), r.GetRegion()}, ChallengeName: r.GetChallengeName(),
		ChallengeResponses: secretsFromWire(r.GetChallengeResponses()), Session: NewSecret(r.GetSession()), Context: contextFromWire(r.GetContext()),
	}
}

func authResponseToWire(r AuthResponse) *pb.AuthResponse {
	w := &pb.AuthResponse{
		ChallengeName: r.ChallengeName, ChallengeParameters: r.ChallengeParameters, Session: r.Session.Reveal(), AvailableChallenges: r.AvailableChallenges,
	}
	if a := r.AuthenticationResult; a != nil {
		w.AuthenticationResult = &pb.AuthenticationResult{
			AccessToken: a.AccessToken.Reveal(), IdToken: a.IDToken.Reveal(), RefreshToken: a.RefreshToken.Reveal(), ExpiresIn: int32(a.ExpiresIn), TokenType: a.TokenType,
		}
		if d := a.NewDeviceMetadata; d != nil {
			w.AuthenticationResult.NewDeviceMetadata = &pb.NewDeviceMetadata{DeviceKey: d.DeviceKey, DeviceGroupKey: d.DeviceGroupKey}
		}
	}
	return w
}

func authResponseFromWire(w *pb.AuthResponse) AuthResponse {
	r := AuthResponse{
		ChallengeName: w.GetChallengeName(), ChallengeParameters: w.GetChallengeParameters(), Session: NewSecret(w.GetSession()),
		AvailableChallenges: w.GetAvailableChallenges(),
	}
	if a := w.GetAuthenticationResult(); a != nil {
		r.AuthenticationResult = &AuthenticationResult{
			AccessToken: NewSecret(a.GetAccessToken()), IDToken: NewSecret(a.GetIdToken()), RefreshToken: NewSecret(a.GetRefreshToken()),
			ExpiresIn: int(a.GetExpiresIn()), TokenType: a.GetTokenType(),
		}
		if d := a.GetNewDeviceMetadata(); d != nil {
			r.AuthenticationResult.NewDeviceMetadata = &NewDeviceMetadata{d.GetDeviceKey(), d.GetDeviceGroupKey()}
		}
	}
	return r
}
