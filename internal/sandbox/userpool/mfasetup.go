package userpool

import (
	"encoding/base32"
	"encoding/json"
	"slices"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

const setup = "MFA_SETUP"

// setupMFA is for a user without a second factor in a pool that wants one.
func (p *Pool) setupMFA(in *signIn) (outcome, error) {
	list, err := json.Marshal(p.config.MFASetup)
	if err != nil {
		return outcome{}, err
	}
	next, _ := p.challenge(in, setup, map[string]string{"MFAS_CAN_SETUP": string(list), "USER_ID_FOR_SRP": in.username})
	return next, nil
}

// answerSetup goes on after VerifySoftwareToken.
func (p *Pool) answerSetup(_ reply, s *challengeSession) (outcome, error) {
	if !s.verified {
		// Assumed: nobody published what AWS answers to a setup that nobody has set up.
		return outcome{}, wire.Errorf("SoftwareTokenMFANotFoundException", "Software Token MFA has not been verified")
	}
	return p.complete(&s.signIn)
}

type softwareTokenInput struct {
	AccessToken        string
	Session            string
	UserCode           string
	FriendlyDeviceName string
}

// softwareTokenOutput is the answer of both operations.
type softwareTokenOutput struct {
	SecretCode string `json:",omitempty"`
	Status     string `json:",omitempty"`
	Session    string `json:",omitempty"`
}

// associateSoftwareToken gives out a new secret, within a sign-in or to somebody signed in.
func (p *Pool) associateSoftwareToken(call wire.Call, in softwareTokenInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	secret := []byte(opaque(15)) // 20 bytes, as RFC 4226 recommends
	out := softwareTokenOutput{SecretCode: base32.StdEncoding.EncodeToString(secret)}
	if in.AccessToken != "" {
		u, err := p.bearer(call, in.AccessToken)
		if err != nil {
			return nil, err
		}
		u.newTOTP = secret
		return out, nil
	}
	s, err := p.setupSession(in.Session)
	if err != nil {
		return nil, err
	}
	s.used, s.totp, s.user.newTOTP = true, secret, secret
	out.Session, _ = p.newSession(&s.signIn, setup)
	return out, nil
}

func (p *Pool) setupSession(session string) (*challengeSession, error) {
	s, err := p.findSession(session, setup)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.config.MFASetup, totpMFA) {
		return nil, wire.Errorf("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
	}
	return s, s.open(p.clock.Now())
}

// verifySoftwareToken takes the first code of a secret that was given out. Within a sign-in the factor is on from then on;
// otherwise it waits for SetUserMFAPreference.
func (p *Pool) verifySoftwareToken(call wire.Call, in softwareTokenInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in.AccessToken != "" {
		u, err := p.bearer(call, in.AccessToken)
		if err != nil {
			return nil, err
		}
		return softwareTokenOutput{Status: "SUCCESS"}, p.registerTOTP(u, u.newTOTP, in)
	}
	s, err := p.setupSession(in.Session)
	if err != nil {
		return nil, err
	}
	if err := p.registerTOTP(s.user, s.totp, in); err != nil {
		s.used = p.tooMany(s)
		return nil, err
	}
	s.used, s.verified, s.user.totpOn = true, true, true
	out := softwareTokenOutput{Status: "SUCCESS"}
	out.Session, _ = p.newSession(&s.signIn, setup)
	return out, nil
}

// registerTOTP makes secret the user's authenticator if the code is one of its codes.
func (p *Pool) registerTOTP(u *user, secret []byte, in softwareTokenInput) error {
	if secret == nil {
		return errInvalidParameter("Software token has not been associated.") // assumed
	}
	if in.UserCode == "" {
		return errInvalidParameter("Missing required parameter UserCode")
	}
	fresh := &user{totp: secret, usedSteps: map[int64]bool{}}
	if err := p.useTOTP(fresh, in.UserCode); err != nil {
		return wire.Errorf("EnableSoftwareTokenMFAException", "Code mismatch")
	}
	u.totp, u.usedSteps, u.newTOTP, u.totpName = secret, fresh.usedSteps, nil, in.FriendlyDeviceName
	return nil
}
