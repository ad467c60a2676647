package cognito

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	deviceSRP              = "DEVICE_SRP_AUTH"
	devicePasswordVerifier = "DEVICE_PASSWORD_VERIFIER"
	rememberName           = "DEVICE_REMEMBERED"

	devicePasswordBytes = 40
	deviceSaltBytes     = 16
)

func (d Device) identity() srp.Identity { return srp.Identity{Group: d.GroupKey, Name: d.Key} }

// usersDevice reports whether the device is of who signs in. One that was never confirmed has no password and proves nothing.
func (l *login) usersDevice() bool {
	typed := l.typed[challenge.Username].Reveal()
	return !l.device.Password.Empty() && (len(l.how.DeviceUsers) == 0 || slices.Contains(l.how.DeviceUsers, typed))
}

// respondDeviceSRP begins to prove the device, which stands for a second factor.
func respondDeviceSRP(_ context.Context, l *login, at *step) (map[string]string, error) {
	if l.device == nil {
		return nil, noDevice(at)
	}
	h, err := srp.Start(rand.Reader)
	if err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "the sign-in cannot be prepared", Err: err}
	}
	l.proof = h
	return map[string]string{"SRP_A": h.A()}, nil
}

// respondDeviceVerifier proves it: the same arithmetic as a user's, with the group's key for the user pool's name.
func respondDeviceVerifier(_ context.Context, l *login, at *step) (map[string]string, error) {
	if l.device == nil || l.proof == nil {
		return nil, noDevice(at)
	}
	return l.prove(l.proof, l.device.identity(), l.device.Password, at)
}

func noDevice(at *step) error {
	return &token.Error{
		Kind:    token.Refused,
		Message: "Cognito asks for the challenge " + at.name + ", and this computer is no device of the user's",
		Next:    askAdministrator + " to forget the user's devices",
	}
}

// forgetDevice tells whether Cognito does not know the device that went along, or does not believe its proof, and leaves it out
// from here on. The password of a device is ours, so a wrong one is nobody's typing error.
func (l *login) forgetDevice(at step, err error) bool {
	e := answered(err)
	unknown := e.is("ResourceNotFound") && e.says("device")
	refused := e.is("NotAuthorized") && (at.name == deviceSRP || at.name == devicePasswordVerifier) && !closed(e)
	if l.device == nil || !unknown && !refused {
		return false
	}
	l.device, l.forgotten = nil, true
	return true
}

// newDevice registers this computer where Cognito gave it a key. Without that, the refresh token would be of no use. The
// sign-in has succeeded: what fails here is told, and does not undo it. a may be nil.
func (c *Client) newDevice(ctx context.Context, a challenge.Answerer, m *types.NewDeviceMetadataType, got *Result) error {
	if m == nil || aws.ToString(m.DeviceKey) == "" {
		return nil
	}
	d := Device{Key: *m.DeviceKey, GroupKey: aws.ToString(m.DeviceGroupKey)}
	ask, err := c.confirmDevice(ctx, got.Tokens.Access.Value, &d)
	if err == nil && ask {
		d.Refused, err = c.remember(ctx, a, got.Tokens.Access.Value, d)
	}
	got.Device = &d
	if errors.Is(ctx.Err(), context.Canceled) {
		return &token.Error{Kind: token.Interrupted, Message: "interrupted", Err: ctx.Err()}
	}
	got.DeviceErr = err
	return nil
}

// confirmDevice draws the device's password and tells Cognito its verifier. ask says that the user pool leaves it to the user
// whether the device is remembered.
func (c *Client) confirmDevice(ctx context.Context, access token.Secret, d *Device) (ask bool, err error) {
	password, salt := make([]byte, devicePasswordBytes), make([]byte, deviceSaltBytes)
	for _, b := range [][]byte{password, salt} {
		if _, err := rand.Read(b); err != nil {
			return false, err
		}
	}
	salt[0] |= 1 // no leading zero byte; which of the two encodings of such a salt Cognito hashes is nowhere said
	salt[0] &= 0x7f
	secret := token.NewSecret(base64.StdEncoding.EncodeToString(password))
	in := &cip.ConfirmDeviceInput{
		AccessToken: aws.String(access.Reveal()),
		DeviceKey:   aws.String(d.Key),
		DeviceSecretVerifierConfig: &types.DeviceSecretVerifierConfigType{
			PasswordVerifier: aws.String(base64.StdEncoding.EncodeToString(srp.Verifier(d.identity(), secret.Reveal(), salt))),
			Salt:             aws.String(base64.StdEncoding.EncodeToString(salt)),
		},
	}
	var out *cip.ConfirmDeviceOutput
	_, err = c.call(ctx, opConfirmDevice, []token.Secret{access, secret}, func(ctx context.Context) (err error) {
		out, err = c.api.ConfirmDevice(ctx, in)
		return err
	})
	if err != nil {
		return false, err
	}
	d.Password = secret
	return out.UserConfirmationNecessary, nil
}

// remember asks whether the device may stand for a second factor, and tells Cognito a yes. Nobody to ask is a no: it can be
// asked again at the next login after a logout, and costs one code more until then.
func (c *Client) remember(ctx context.Context, a challenge.Answerer, access token.Secret, d Device) (refused bool, err error) {
	if a == nil {
		return true, nil
	}
	answer, err := a.Answer(ctx, challenge.Question{
		Name: rememberName, Label: "remember this computer, so that it stands for the second factor", Choices: []string{"yes", "no"}, Attempt: 1,
	})
	if errors.Is(err, challenge.ErrNoAnswer) || err == nil && answer.Reveal() != "yes" {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	_, err = c.call(ctx, opUpdateDevice, []token.Secret{access}, func(ctx context.Context) error {
		_, err := c.api.UpdateDeviceStatus(ctx, &cip.UpdateDeviceStatusInput{
			AccessToken: aws.String(access.Reveal()), DeviceKey: aws.String(d.Key), DeviceRememberedStatus: types.DeviceRememberedStatusTypeRemembered,
		})
		return err
	})
	return err != nil, err
}
