package plugintest

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Fake is a Provider in memory, for tests of hosts. It knows the profile "dev", of the user pool us-east-1_Fake, which binds
// https://api.example.com, and the user alice with the password "correct horse" and the code 123456. Nobody is signed in at
// first. Safe for concurrent use.
type Fake struct {
	mu       sync.Mutex
	signedIn bool
	renewals int
	ends     time.Time // of the tokens
}

var _ plugin.Provider = (*Fake)(nil)

// The fake's user.
const (
	Profile  = "dev"
	User     = "alice"
	Password = "correct horse"
	Code     = "123456"
	URL      = "https://api.example.com/v1"
)

// SignedIn is a Fake that alice is signed in to.
func SignedIn() *Fake { return &Fake{signedIn: true, ends: time.Now().Add(Life)} }

// Life is how long the fake's tokens live.
const Life = time.Hour

// Expire ends the tokens, so that the next use renews them.
func (f *Fake) Expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends = time.Time{}
}

// Renewals is how often tokens were renewed.
func (f *Fake) Renewals() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renewals
}

func (f *Fake) profile(s plugin.Selection) error {
	if s.Profile != Profile && s.Profile != "" {
		return &plugin.Error{Code: plugin.CodeBadProfile, Message: fmt.Sprintf("profile %q is not there", s.Profile), Hint: "use profile " + Profile}
	}
	return nil
}

// session gives the tokens' end, renewed where it must be; f.mu is held.
func (f *Fake) session(ctx context.Context, s plugin.Selection, ttl time.Duration) (time.Time, error) {
	if err := f.profile(s); err != nil {
		return time.Time{}, err
	}
	switch {
	case ctx.Err() != nil:
		return time.Time{}, ctx.Err()
	case !f.signedIn:
		return time.Time{}, loginRequired()
	case ttl > Life:
		return time.Time{}, &plugin.Error{Code: plugin.CodeBadProfile, Message: "the wanted life is longer than the whole"}
	case time.Until(f.ends) < max(ttl, time.Minute):
		f.ends = time.Now().Add(Life)
		f.renewals++
	}
	return f.ends, nil
}

func loginRequired() error {
	return &plugin.Error{Code: plugin.CodeLoginRequired, Message: "nobody is signed in", Hint: "cognito-credhelper login --profile " + Profile}
}

func (f *Fake) text(what string) plugin.Secret {
	return plugin.NewSecret(fmt.Sprintf("%s-%d", what, f.renewals))
}

// GetTokens implements plugin.TokenProvider.
func (f *Fake) GetTokens(ctx context.Context, r plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ends, err := f.session(ctx, r.Selection, r.MinTTL)
	if err != nil {
		return plugin.GetTokensResponse{}, err
	}
	var got plugin.GetTokensResponse
	if r.Use != plugin.UseID {
		got.Access = plugin.Token{Value: f.text("access"), Expires: ends}
	}
	if r.Use != plugin.UseAccess {
		got.ID = plugin.Token{Value: f.text("id"), Expires: ends}
	}
	return got, nil
}

// GetAWSCredentials implements plugin.AWSCredentialsProvider.
func (f *Fake) GetAWSCredentials(ctx context.Context, r plugin.GetAWSCredentialsRequest) (plugin.GetAWSCredentialsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ends, err := f.session(ctx, r.Selection, r.MinTTL)
	if err != nil {
		return plugin.GetAWSCredentialsResponse{}, err
	}
	return plugin.GetAWSCredentialsResponse{
		AccessKeyID: "ASIAFAKE", SecretAccessKey: f.text("key"), SessionToken: f.text("session"), AccountID: "123456789012", Expires: ends,
	}, nil
}

// GetCredentialForHost implements plugin.HostCredentialProvider.
func (f *Fake) GetCredentialForHost(ctx context.Context, r plugin.GetCredentialForHostRequest) (plugin.GetCredentialForHostResponse, error) {
	if err := r.Validate(); err != nil {
		return plugin.GetCredentialForHostResponse{}, err
	}
	if u, err := url.Parse(r.URL); err != nil || u.Scheme != "https" || u.Host != "api.example.com" {
		return plugin.GetCredentialForHostResponse{}, &plugin.Error{Code: plugin.CodeNotBound, Message: "no profile binds that host"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Rejected == plugin.Fingerprint(f.text("access")) {
		f.ends = time.Time{}
	}
	ends, err := f.session(ctx, r.Selection, r.MinTTL)
	if err != nil {
		return plugin.GetCredentialForHostResponse{}, err
	}
	return plugin.GetCredentialForHostResponse{Profile: Profile, Secret: f.text("access"), Expires: ends}, nil
}

// Login implements plugin.LoginProvider.
func (f *Fake) Login(ctx context.Context, r plugin.LoginRequest, ask plugin.Asker) (plugin.LoginResponse, error) {
	if err := f.profile(r.Selection); err != nil {
		return plugin.LoginResponse{}, err
	}
	f.mu.Lock()
	kept := r.IfNeeded && f.signedIn
	ends := f.ends
	f.mu.Unlock()
	if kept {
		return plugin.LoginResponse{User: User, Expires: ends, Kept: true, Slot: "memory"}, nil
	}
	if ask == nil {
		return plugin.LoginResponse{}, loginRequired()
	}
	for _, q := range []struct {
		plugin.Question
		want string
	}{
		{plugin.Question{Kind: plugin.QuestionUsername, Name: "USERNAME", Label: "user name"}, User},
		{plugin.Question{Kind: plugin.QuestionPassword, Name: "PASSWORD", Label: "password", Secret: true}, Password},
		{plugin.Question{
			Kind: plugin.QuestionCode, Name: "SMS_MFA_CODE", Challenge: "SMS_MFA", Label: "code",
			Delivery: plugin.Delivery{Destination: "+*******9", Medium: "SMS"}, Deadline: time.Now().Add(time.Minute),
		}, Code},
	} {
		if err := rightAnswer(ctx, ask, q.Question, q.want); err != nil {
			return plugin.LoginResponse{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signedIn, f.ends = true, time.Now().Add(Life)
	return plugin.LoginResponse{User: User, Expires: f.ends, Slot: "memory"}, nil
}

func rightAnswer(ctx context.Context, ask plugin.Asker, q plugin.Question, want string) error {
	for q.Attempt = 1; q.Attempt <= 3; q.Attempt++ {
		got, err := ask.Ask(ctx, q)
		if err != nil {
			return err
		}
		if got.Reveal() == want {
			return nil
		}
		q.Note = "that is wrong"
	}
	return &plugin.Error{Code: plugin.CodeRefused, Message: "wrong three times"}
}

// Logout implements plugin.LogoutProvider.
func (f *Fake) Logout(_ context.Context, r plugin.LogoutRequest) (plugin.LogoutResponse, error) {
	if err := f.profile(r.Selection); err != nil {
		return plugin.LogoutResponse{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.signedIn {
		return plugin.LogoutResponse{Nobody: true}, nil
	}
	f.signedIn = false
	return plugin.LogoutResponse{User: User}, nil
}

// Status implements plugin.StatusProvider.
func (f *Fake) Status(_ context.Context, r plugin.StatusRequest) (plugin.StatusResponse, error) {
	if err := f.profile(r.Selection); err != nil {
		return plugin.StatusResponse{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := plugin.StatusResponse{Profile: Profile, State: plugin.StateSignedOut, UserPoolID: "us-east-1_Fake", ClientID: "fakeclient", Region: "us-east-1"}
	if f.signedIn {
		s.State, s.User, s.AccessTokenExpires, s.IDTokenExpires, s.Slot = plugin.StateSignedIn, User, f.ends, f.ends, "memory"
	}
	return s, nil
}

// ListProfiles implements plugin.ProfileLister.
func (f *Fake) ListProfiles(context.Context, plugin.ListProfilesRequest) (plugin.ListProfilesResponse, error) {
	return plugin.ListProfilesResponse{Profiles: []plugin.Profile{{
		Name: Profile, UserPoolID: "us-east-1_Fake", ClientID: "fakeclient", Region: "us-east-1", AWSCredentials: true, Hosts: []string{"api.example.com"},
	}}}, nil
}

// InitiateAuth implements plugin.UserPoolProvider.
func (f *Fake) InitiateAuth(_ context.Context, r plugin.InitiateAuthRequest) (plugin.AuthResponse, error) {
	if r.AuthFlow != "USER_PASSWORD_AUTH" || r.AuthParameters["PASSWORD"].Reveal() != Password || r.AuthParameters["USERNAME"].Reveal() != User {
		return plugin.AuthResponse{}, &plugin.Error{Code: plugin.CodeRefused, Message: "wrong user name or password"}
	}
	return plugin.AuthResponse{
		ChallengeName: "SMS_MFA", ChallengeParameters: map[string]string{"CODE_DELIVERY_DESTINATION": "+*******9"}, Session: plugin.NewSecret("challenge"),
	}, nil
}

// RespondToAuthChallenge implements plugin.UserPoolProvider.
func (f *Fake) RespondToAuthChallenge(_ context.Context, r plugin.RespondToAuthChallengeRequest) (plugin.AuthResponse, error) {
	if r.ChallengeName != "SMS_MFA" || r.Session.Reveal() != "challenge" || r.ChallengeResponses["SMS_MFA_CODE"].Reveal() != Code {
		return plugin.AuthResponse{}, &plugin.Error{Code: plugin.CodeRefused, Message: "wrong code"}
	}
	return plugin.AuthResponse{AuthenticationResult: &plugin.AuthenticationResult{
		AccessToken: f.text("access"), IDToken: f.text("id"), RefreshToken: plugin.NewSecret("refresh"), ExpiresIn: 3600, TokenType: "Bearer",
		NewDeviceMetadata: &plugin.NewDeviceMetadata{DeviceKey: "device", DeviceGroupKey: "group"},
	}}, nil
}
