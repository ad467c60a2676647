package userpool

import (
	"slices"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type respondInput struct {
	ClientID           string `json:"ClientId"`
	ChallengeName      string
	ChallengeResponses map[string]string
	Session            string
	ClientMetadata     map[string]string
	requestContext
}

// reply is one answer to a challenge.
type reply struct {
	call   wire.Call
	client *Client
	in     respondInput
}

func (r reply) response(name string) (string, error) {
	return required(r.in.ChallengeResponses, name)
}

// challengeNames are all values of ChallengeNameType.
var challengeNames = []string{"SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE", "MFA_SETUP", "PASSWORD_VERIFIER",
	"CUSTOM_CHALLENGE", "SELECT_CHALLENGE", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER", "ADMIN_NO_SRP_AUTH",
	"NEW_PASSWORD_REQUIRED", "SMS_OTP", "PASSWORD", "WEB_AUTHN", "PASSWORD_SRP"}

// sessionAnswer judges an answer to a challenge that has a challenge session, with the lock held.
type sessionAnswer func(reply, *challengeSession) (outcome, error)

// sessionChallenges is the table from challenge to who judges its answer.
func (p *Pool) sessionChallenges() map[string]sessionAnswer {
	return map[string]sessionAnswer{
		"NEW_PASSWORD_REQUIRED": p.answerNewPassword,
		"SOFTWARE_TOKEN_MFA":    p.answerTOTP,
		"SMS_MFA":               p.answerCode,
		"EMAIL_OTP":             p.answerCode,
		"SMS_OTP":               p.answerCode,
		"SELECT_MFA_TYPE":       p.answerSelectMFA,
		"MFA_SETUP":             p.answerSetup,
		"SELECT_CHALLENGE":      p.answerSelectChallenge,
		"PASSWORD":              p.answerPassword,
		"PASSWORD_SRP":          p.answerPasswordSRP,
		"WEB_AUTHN":             p.answerPasskey,
		"CUSTOM_CHALLENGE":      p.answerCustom,
		"DEVICE_SRP_AUTH":       p.answerDeviceSRP,
	}
}

func (p *Pool) respondToAuthChallenge(call wire.Call, in respondInput) (any, error) {
	client, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	r := reply{call: call, client: client, in: in}
	p.note("RespondToAuthChallenge", in.requestContext)
	if in.ChallengeName == "PASSWORD_VERIFIER" || in.ChallengeName == "DEVICE_PASSWORD_VERIFIER" {
		return p.answerVerifier(r)
	}
	judge, ok := p.sessionChallenges()[in.ChallengeName]
	if !ok && slices.Contains(challengeNames, in.ChallengeName) {
		return nil, errNotAuthorized("Invalid session for the user.")
	}
	if !ok {
		return nil, badEnum("challengeName", in.ChallengeName, challengeNames)
	}
	return p.answerInSession(r, judge)
}

// answerInSession opens the challenge session, lets judge decide, and closes the session unless the answer was only wrong.
func (p *Pool) answerInSession(r reply, judge sessionAnswer) (any, error) {
	if _, err := r.response("USERNAME"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	next, err := func() (outcome, error) {
		s, err := p.openSession(r)
		if err != nil {
			return outcome{}, err
		}
		next, err := judge(r, s)
		s.used = s.used || err == nil || p.tooMany(s)
		return next, err
	}()
	p.mu.Unlock()
	return p.finish(r.call, next, err)
}

// tooMany counts a wrong answer and says whether the session is closed by it.
func (p *Pool) tooMany(s *challengeSession) bool {
	s.failures++
	return p.config.CodeAttempts > 0 && s.failures >= p.config.CodeAttempts
}

// outcome is how a step ended well: with a challenge, or with a grant of tokens.
type outcome struct {
	challenge *challengeOutput
	grant     *grant
}

type challengeOutput struct {
	ChallengeName       string
	ChallengeParameters map[string]string
	Session             string   `json:",omitempty"`
	AvailableChallenges []string `json:",omitempty"`
}

type authOutput struct {
	AuthenticationResult *authenticationResult
	ChallengeParameters  map[string]string
}

// finish turns an outcome into an answer. It signs, which is slow, and so runs without the lock.
func (p *Pool) finish(call wire.Call, o outcome, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if o.challenge != nil {
		return o.challenge, nil
	}
	result, err := p.sign(call.Endpoint, o.grant)
	if err != nil {
		return nil, err
	}
	return authOutput{AuthenticationResult: result, ChallengeParameters: map[string]string{}}, nil
}
