package cognito

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	devicePage     = 60 // what ListDevices gives at most
	maxDevicePages = 20
)

// Delivery says where Cognito sent a code. The destination is masked by the server and is the server's text.
type Delivery struct {
	Medium      string // EMAIL, SMS
	Destination string
	Attribute   string
}

// Factors are the ways in which a user proves who they are.
type Factors struct {
	User      string
	MFA       []string // UserMFASettingList
	Preferred string   // PreferredMfaSetting
	First     []string // ConfiguredUserAuthFactors, where the pool tells
}

// DeviceInfo is one remembered device of the user.
type DeviceInfo struct {
	Key, Name, Remembered     string
	Created, LastSeen, Edited time.Time
}

// ForgotPassword sends a code to the user.
func (c *Client) ForgotPassword(ctx context.Context, username string, metadata map[string]string) (Delivery, error) {
	var out *cip.ForgotPasswordOutput
	_, err := c.callWithSecret(ctx, opForgotPassword, nil, func(ctx context.Context, secret token.Secret) (err error) {
		out, err = c.api.ForgotPassword(ctx, &cip.ForgotPasswordInput{
			ClientId: aws.String(c.o.ClientID), Username: aws.String(username), SecretHash: c.secretHash(username, secret), ClientMetadata: metadata,
		})
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	return delivery(out.CodeDeliveryDetails), nil
}

// ConfirmForgotPassword sets a new password with that code.
func (c *Client) ConfirmForgotPassword(ctx context.Context, username string, code, password token.Secret, metadata map[string]string) error {
	_, err := c.callWithSecret(ctx, opConfirmForgot, []token.Secret{code, password}, func(ctx context.Context, secret token.Secret) error {
		_, err := c.api.ConfirmForgotPassword(ctx, &cip.ConfirmForgotPasswordInput{
			ClientId: aws.String(c.o.ClientID), Username: aws.String(username), SecretHash: c.secretHash(username, secret),
			ConfirmationCode: aws.String(code.Reveal()), Password: aws.String(password.Reveal()), ClientMetadata: metadata,
		})
		return err
	})
	return err
}

// ChangePassword changes the signed-in user's password.
func (c *Client) ChangePassword(ctx context.Context, access, before, after token.Secret) error {
	_, err := c.call(ctx, opChangePassword, []token.Secret{access, before, after}, func(ctx context.Context) error {
		_, err := c.api.ChangePassword(ctx, &cip.ChangePasswordInput{
			AccessToken: aws.String(access.Reveal()), PreviousPassword: optional(before.Reveal()), ProposedPassword: aws.String(after.Reveal()),
		})
		return err
	})
	return err
}

// ConfirmSignUp confirms a new user with the code that was sent.
func (c *Client) ConfirmSignUp(ctx context.Context, username string, code token.Secret, metadata map[string]string) error {
	_, err := c.callWithSecret(ctx, opConfirmSignUp, []token.Secret{code}, func(ctx context.Context, secret token.Secret) error {
		_, err := c.api.ConfirmSignUp(ctx, &cip.ConfirmSignUpInput{
			ClientId: aws.String(c.o.ClientID), Username: aws.String(username), SecretHash: c.secretHash(username, secret),
			ConfirmationCode: aws.String(code.Reveal()), ClientMetadata: metadata,
		})
		return err
	})
	return err
}

// ResendConfirmation sends that code again.
func (c *Client) ResendConfirmation(ctx context.Context, username string, metadata map[string]string) (Delivery, error) {
	var out *cip.ResendConfirmationCodeOutput
	_, err := c.callWithSecret(ctx, opResend, nil, func(ctx context.Context, secret token.Secret) (err error) {
		out, err = c.api.ResendConfirmationCode(ctx, &cip.ResendConfirmationCodeInput{
			ClientId: aws.String(c.o.ClientID), Username: aws.String(username), SecretHash: c.secretHash(username, secret), ClientMetadata: metadata,
		})
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	return delivery(out.CodeDeliveryDetails), nil
}

// Factors asks for the signed-in user's factors.
func (c *Client) Factors(ctx context.Context, access token.Secret) (Factors, error) {
	var user *cip.GetUserOutput
	_, err := c.call(ctx, opGetUser, []token.Secret{access}, func(ctx context.Context) (err error) {
		user, err = c.api.GetUser(ctx, &cip.GetUserInput{AccessToken: aws.String(access.Reveal())})
		return err
	})
	if err != nil {
		return Factors{}, err
	}
	f := Factors{User: aws.ToString(user.Username), MFA: user.UserMFASettingList, Preferred: aws.ToString(user.PreferredMfaSetting)}
	f.First, err = c.firstFactors(ctx, access)
	return f, err
}

// AssociateTOTP begins to set up an authenticator app: the answer is the shared secret in base32.
func (c *Client) AssociateTOTP(ctx context.Context, access token.Secret) (token.Secret, error) {
	code, _, err := c.associate(ctx, &cip.AssociateSoftwareTokenInput{AccessToken: aws.String(access.Reveal())})
	return code, err
}

// VerifyTOTP ends it with the app's first code; name is the friendly device name.
func (c *Client) VerifyTOTP(ctx context.Context, access, code token.Secret, name string) error {
	_, err := c.verifyTOTP(ctx, &cip.VerifySoftwareTokenInput{
		AccessToken: aws.String(access.Reveal()), UserCode: aws.String(code.Reveal()), FriendlyDeviceName: optional(name),
	})
	return err
}

// PreferMFA turns factors (SMS_MFA, SOFTWARE_TOKEN_MFA, EMAIL_OTP) on and makes one preferred; an empty list turns MFA off.
// A factor that is off and stays off is not mentioned: a user pool refuses one that it is not set up for.
func (c *Client) PreferMFA(ctx context.Context, access token.Secret, enabled []string, preferred string) error {
	now, err := c.Factors(ctx, access)
	if err != nil {
		return err
	}
	is := func(name string) (on, preferredOne, mentioned bool) {
		on = slices.Contains(enabled, name)
		return on, on && name == preferred, on || slices.Contains(now.MFA, name)
	}
	in := &cip.SetUserMFAPreferenceInput{AccessToken: aws.String(access.Reveal())}
	if on, first, mention := is("SMS_MFA"); mention {
		in.SMSMfaSettings = &types.SMSMfaSettingsType{Enabled: on, PreferredMfa: first}
	}
	if on, first, mention := is("SOFTWARE_TOKEN_MFA"); mention {
		in.SoftwareTokenMfaSettings = &types.SoftwareTokenMfaSettingsType{Enabled: on, PreferredMfa: first}
	}
	if on, first, mention := is("EMAIL_OTP"); mention {
		in.EmailMfaSettings = &types.EmailMfaSettingsType{Enabled: on, PreferredMfa: first}
	}
	_, err = c.call(ctx, opSetMFA, []token.Secret{access}, func(ctx context.Context) error {
		_, err := c.api.SetUserMFAPreference(ctx, in)
		return err
	})
	return err
}

// Devices lists the user's remembered devices.
func (c *Client) Devices(ctx context.Context, access token.Secret) ([]DeviceInfo, error) {
	var found []DeviceInfo
	var page *string
	for range maxDevicePages {
		var out *cip.ListDevicesOutput
		_, err := c.call(ctx, opListDevices, []token.Secret{access}, func(ctx context.Context) (err error) {
			out, err = c.api.ListDevices(ctx, &cip.ListDevicesInput{AccessToken: aws.String(access.Reveal()), Limit: aws.Int32(devicePage), PaginationToken: page})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, d := range out.Devices {
			found = append(found, deviceInfo(d))
		}
		if page = out.PaginationToken; aws.ToString(page) == "" {
			break
		}
	}
	return found, nil
}

// ForgetDevice forgets one.
func (c *Client) ForgetDevice(ctx context.Context, access token.Secret, key string) error {
	_, err := c.call(ctx, opForgetDevice, []token.Secret{access}, func(ctx context.Context) error {
		_, err := c.api.ForgetDevice(ctx, &cip.ForgetDeviceInput{AccessToken: aws.String(access.Reveal()), DeviceKey: aws.String(key)})
		return err
	})
	return err
}

// firstFactors asks for the factors that can come first. A user pool that has no choice of them refuses, which is no error.
func (c *Client) firstFactors(ctx context.Context, access token.Secret) ([]string, error) {
	var out *cip.GetUserAuthFactorsOutput
	_, err := c.call(ctx, opGetFactors, []token.Secret{access}, func(ctx context.Context) (err error) {
		out, err = c.api.GetUserAuthFactors(ctx, &cip.GetUserAuthFactorsInput{AccessToken: aws.String(access.Reveal())})
		return err
	})
	switch {
	case err != nil && answered(err).Code != "" && token.KindOf(err) != token.Unavailable:
		return nil, nil
	case err != nil:
		return nil, err
	}
	var names []string
	for _, f := range out.ConfiguredUserAuthFactors {
		names = append(names, string(f))
	}
	return names, nil
}

// associate begins to set up an authenticator app, by access token or within a sign-in.
func (c *Client) associate(ctx context.Context, in *cip.AssociateSoftwareTokenInput) (code token.Secret, session *string, err error) {
	var out *cip.AssociateSoftwareTokenOutput
	secrets := []token.Secret{token.NewSecret(aws.ToString(in.AccessToken)), token.NewSecret(aws.ToString(in.Session))}
	x, err := c.call(ctx, opAssociate, secrets, func(ctx context.Context) (err error) {
		out, err = c.api.AssociateSoftwareToken(ctx, in)
		return err
	})
	if err != nil {
		return token.Secret{}, nil, err
	}
	if aws.ToString(out.SecretCode) == "" {
		return token.Secret{}, nil, c.notCognito(&Error{Operation: opAssociate, Status: x.status, Sent: true, Err: errors.New("no secret code in the answer")})
	}
	return token.NewSecret(*out.SecretCode), out.Session, nil
}

// verifyTOTP ends it. An answer other than SUCCESS is a wrong code.
func (c *Client) verifyTOTP(ctx context.Context, in *cip.VerifySoftwareTokenInput) (session *string, err error) {
	var out *cip.VerifySoftwareTokenOutput
	secrets := []token.Secret{token.NewSecret(aws.ToString(in.AccessToken)), token.NewSecret(aws.ToString(in.Session)), token.NewSecret(aws.ToString(in.UserCode))}
	x, err := c.call(ctx, opVerify, secrets, func(ctx context.Context) (err error) {
		out, err = c.api.VerifySoftwareToken(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	if out.Status != types.VerifySoftwareTokenResponseTypeSuccess {
		return nil, c.explain(&Error{Operation: opVerify, Code: "EnableSoftwareTokenMFAException", Status: x.status, RequestID: x.requestID, Sent: true})
	}
	return out.Session, nil
}

func (c *Client) secretHash(username string, secret token.Secret) *string {
	if secret.Empty() {
		return nil
	}
	return aws.String(srp.SecretHash(username, c.o.ClientID, secret.Reveal()))
}

func delivery(d *types.CodeDeliveryDetailsType) Delivery {
	if d == nil {
		return Delivery{}
	}
	return Delivery{Medium: string(d.DeliveryMedium), Destination: aws.ToString(d.Destination), Attribute: aws.ToString(d.AttributeName)}
}

// deviceInfo reads one device. Which attributes there are depends on the client that registered it.
func deviceInfo(d types.DeviceType) DeviceInfo {
	info := DeviceInfo{
		Key: aws.ToString(d.DeviceKey), Created: aws.ToTime(d.DeviceCreateDate), LastSeen: aws.ToTime(d.DeviceLastAuthenticatedDate),
		Edited: aws.ToTime(d.DeviceLastModifiedDate),
	}
	for _, a := range d.DeviceAttributes {
		switch name := strings.TrimPrefix(aws.ToString(a.Name), "dev:"); name {
		case "device_name":
			info.Name = aws.ToString(a.Value)
		case "device_remembered_status":
			info.Remembered = aws.ToString(a.Value)
		}
	}
	return info
}
