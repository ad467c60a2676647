package userpool

import (
	"slices"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type changePasswordInput struct{ AccessToken, PreviousPassword, ProposedPassword string }

// changePassword leaves sign-ins as they are.
func (p *Pool) changePassword(call wire.Call, in changePasswordInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if in.ProposedPassword == "" {
		return nil, errInvalidParameter("Missing required parameter ProposedPassword")
	}
	if u.hasPassword { // who has none sets the first one with no other
		if err := p.judgePassword(u, func() bool { return p.passwordIs(u, in.PreviousPassword) }); err != nil {
			return nil, err
		}
	}
	if err := p.config.PasswordPolicy.check(in.ProposedPassword); err != nil {
		return nil, err
	}
	p.setVerifier(u, in.ProposedPassword)
	return struct{}{}, nil
}

type mfaSettings struct{ Enabled, PreferredMfa bool }

type mfaPreferenceInput struct {
	AccessToken              string
	SMSMfaSettings           *mfaSettings
	SoftwareTokenMfaSettings *mfaSettings
	EmailMfaSettings         *mfaSettings
}

// factorChange is what a request asks of one factor; nil leaves it as it is.
type factorChange struct {
	factor  string
	set     *mfaSettings
	on      *bool
	lacks   bool   // the user lacks what the factor needs
	refusal string // and is told so
}

func (in mfaPreferenceInput) changes(u *user) []factorChange {
	all := []factorChange{
		{smsMFA, in.SMSMfaSettings, &u.sms, u.attributes["phone_number"] == "", "User does not have delivery config set to turn on SMS_MFA"},
		{totpMFA, in.SoftwareTokenMfaSettings, &u.totpOn, u.totp == nil, "User has not verified software token mfa"},
		{emailOTP, in.EmailMfaSettings, &u.email, u.attributes["email"] == "", "User does not have delivery config set to turn on EMAIL_OTP"},
	}
	return slices.DeleteFunc(all, func(c factorChange) bool { return c.set == nil })
}

// setUserMFAPreference changes the factors that are named, all or none of them.
func (p *Pool) setUserMFAPreference(call wire.Call, in mfaPreferenceInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, err
	}
	changes := in.changes(u)
	if err := checkChanges(changes); err != nil {
		return nil, err
	}
	for _, c := range changes {
		*c.on = c.set.Enabled
		if c.set.PreferredMfa {
			u.preferred = c.factor
		} else if u.preferred == c.factor {
			u.preferred = ""
		}
	}
	return struct{}{}, nil
}

// checkChanges refuses what cannot be. The last two sentences are assumed.
func checkChanges(changes []factorChange) error {
	preferred := 0
	for _, c := range changes {
		if c.set.Enabled && c.lacks {
			return errInvalidParameter("%s", c.refusal)
		}
		if c.set.PreferredMfa && !c.set.Enabled {
			return errInvalidParameter("Invalid MFA setting. %s cannot be preferred without being enabled", c.factor)
		}
		if c.set.PreferredMfa {
			preferred++
		}
	}
	if preferred > 1 {
		return errInvalidParameter("Only one MFA method can be set as preferred")
	}
	return nil
}

type authFactorsOutput struct {
	Username                  string
	ConfiguredUserAuthFactors []string
	UserMFASettingList        []string `json:",omitempty"`
	PreferredMfaSetting       string   `json:",omitempty"`
}

func (p *Pool) getUserAuthFactors(call wire.Call, in accessTokenInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, err
	}
	out := authFactorsOutput{Username: u.username, ConfiguredUserAuthFactors: []string{}, UserMFASettingList: u.factors(), PreferredMfaSetting: u.preferredFactor()}
	for _, f := range p.available(&signIn{user: u}) {
		if f != passwordSRP { // both challenges of a password are the one factor PASSWORD
			out.ConfiguredUserAuthFactors = append(out.ConfiguredUserAuthFactors, f)
		}
	}
	return out, nil
}

// preferredFactor is the one said to be, or the only one.
func (u *user) preferredFactor() string {
	factors := u.factors()
	switch {
	case slices.Contains(factors, u.preferred):
		return u.preferred
	case len(factors) == 1:
		return factors[0]
	}
	return ""
}
