package userpool

import (
	"slices"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// signIn is one sign-in on its way from the first request to tokens: what a challenge session keeps from step to step.
type signIn struct {
	client   *Client
	user     *user             // nil: nobody has that name; every step then looks the same, and none opens
	username string            // the real name, or what stands for one
	metadata map[string]string // ClientMetadata of the request at hand
	device   string            // DEVICE_KEY of the request at hand

	custom       bool // CUSTOM_AUTH: rounds of challenges in the place of MFA
	round, wrong int  // of CUSTOM_AUTH
	choice       bool // USER_AUTH
	passkey      string
	totp         []byte // the secret that MFA_SETUP gave out
	verified     bool   // and that VerifySoftwareToken has seen a code of
}

// begin says who signs in, and lets the PreAuthentication trigger look. Call with the lock held.
//
// Assumed: for SRP, too, the trigger runs at the first request, since its ClientMetadata is what the trigger gets.
func (p *Pool) begin(s start) (*signIn, error) {
	typed, u, err := p.who(s)
	if err != nil {
		return nil, err
	}
	in := &signIn{client: s.client, user: u, username: p.realName(typed, u), metadata: s.in.ClientMetadata,
		device: s.in.AuthParameters["DEVICE_KEY"]}
	if u == nil {
		return in, nil
	}
	return in, p.fire("PreAuthentication", in)
}

// realName is the user's, or for a name that nobody has, one that looks like it.
func (p *Pool) realName(typed string, u *user) string {
	switch {
	case u != nil:
		return u.username
	case len(p.config.UsernameAttributes) > 0:
		return uuidOf(p.config.ID, "nobody", typed)
	}
	return typed
}

// mayGoOn refuses a user whose state ends a sign-in.
func (u *user) mayGoOn() error {
	switch {
	case u.disabled:
		return errNotAuthorized("User is disabled.")
	case u.status == Unconfirmed:
		return wire.Errorf("UserNotConfirmedException", "User is not confirmed.")
	case u.status == ResetRequired:
		return wire.Errorf("PasswordResetRequiredException", "Password reset required for the user")
	}
	return nil
}

// afterPassword is what a right password is followed by. Call with the lock held, as everything below.
func (p *Pool) afterPassword(in *signIn) (outcome, error) {
	u := in.user
	if err := u.mayGoOn(); err != nil {
		return outcome{}, err
	}
	if err := in.checkDevice(); err != nil {
		return outcome{}, err
	}
	if u.status != ForceChangePassword {
		return p.afterNewPassword(in)
	}
	if u.expired {
		return outcome{}, errNotAuthorized("Temporary password has expired and must be reset by an administrator.")
	}
	return p.newPasswordRequired(in)
}

// afterNewPassword goes on with the custom challenges, or with a second factor.
func (p *Pool) afterNewPassword(in *signIn) (outcome, error) {
	if in.custom {
		return p.customChallenge(in)
	}
	return p.secondFactor(in)
}

// secondFactor asks for the remembered device, or else for a second factor, or else grants tokens.
func (p *Pool) secondFactor(in *signIn) (outcome, error) {
	if in.remembered() {
		return p.deviceChallenge(in)
	}
	factors := in.user.factors()
	switch {
	case p.config.MFA == "OFF" || len(factors) == 0 && p.config.MFA == "OPTIONAL":
		return p.complete(in)
	case len(factors) == 0:
		return p.setupMFA(in)
	case slices.Contains(factors, in.user.preferred):
		return p.askFactor(in, in.user.preferred)
	case len(factors) == 1:
		return p.askFactor(in, factors[0])
	}
	return p.selectMFA(in, factors)
}

// complete is the end of a sign-in: the last triggers, then tokens.
func (p *Pool) complete(in *signIn) (outcome, error) {
	for _, trigger := range []string{"PostAuthentication", "PreTokenGeneration"} {
		if err := p.fire(trigger, in); err != nil {
			return outcome{}, err
		}
	}
	return outcome{grant: p.newGrant(in)}, nil
}
