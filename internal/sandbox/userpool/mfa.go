package userpool

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

const (
	totpMFA  = "SOFTWARE_TOKEN_MFA"
	totpStep = 30 // seconds
)

// factors are the second factors that are on.
func (u *user) factors() []string {
	var f []string
	for _, x := range []struct {
		name string
		on   bool
	}{{smsMFA, u.sms}, {totpMFA, u.totpOn}, {emailOTP, u.email}} {
		if x.on {
			f = append(f, x.name)
		}
	}
	return f
}

func (p *Pool) askFactor(in *signIn, factor string) (outcome, error) {
	switch factor {
	case totpMFA:
		next, _ := p.challenge(in, totpMFA, map[string]string{"FRIENDLY_DEVICE_NAME": in.user.totpName, "USER_ID_FOR_SRP": in.username})
		return next, nil
	case emailOTP:
		return p.askCode(in, emailOTP, "EMAIL")
	}
	return p.askCode(in, smsMFA, "SMS")
}

// askCode sends a code and asks for it.
func (p *Pool) askCode(in *signIn, kind, medium string) (outcome, error) {
	if err := p.fire("CustomMessage", in); err != nil {
		return outcome{}, err
	}
	parameters := in.user.delivery(medium)
	if !in.choice {
		parameters["USER_ID_FOR_SRP"] = in.username
	}
	next, s := p.challenge(in, kind, parameters)
	s.code = p.send(in.user, kind, medium)
	return next, nil
}

func (p *Pool) selectMFA(in *signIn, factors []string) (outcome, error) {
	list, err := json.Marshal(factors)
	if err != nil {
		return outcome{}, err
	}
	next, _ := p.challenge(in, "SELECT_MFA_TYPE", map[string]string{"MFAS_CAN_CHOOSE": string(list), "USER_ID_FOR_SRP": in.username})
	return next, nil
}

func (p *Pool) answerSelectMFA(r reply, s *challengeSession) (outcome, error) {
	choice, err := r.response("ANSWER")
	if err != nil {
		return outcome{}, err
	}
	if !slices.Contains(s.user.factors(), choice) {
		return outcome{}, errInvalidParameter("Invalid MFA type %s", choice)
	}
	return p.askFactor(&s.signIn, choice)
}

// answerCode judges SMS_MFA, EMAIL_OTP, and SMS_OTP. The one-time passwords of USER_AUTH have a sentence of their own.
func (p *Pool) answerCode(r reply, s *challengeSession) (outcome, error) {
	code, err := r.response(s.challenge + "_CODE")
	if err != nil {
		return outcome{}, err
	}
	if s.user == nil || !same(code, s.code) {
		if s.choice {
			return outcome{}, wire.Errorf("CodeMismatchException", "Invalid code or auth state for the user.")
		}
		return outcome{}, errWrongCode()
	}
	return p.complete(&s.signIn)
}

func (p *Pool) answerTOTP(r reply, s *challengeSession) (outcome, error) {
	code, err := r.response("SOFTWARE_TOKEN_MFA_CODE")
	if err != nil {
		return outcome{}, err
	}
	if !s.user.totpOn {
		return outcome{}, wire.Errorf("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled for the user")
	}
	if err := p.useTOTP(s.user, code); err != nil {
		return outcome{}, err
	}
	return p.complete(&s.signIn)
}

// useTOTP accepts a code of the step before, of, or after now, each step once.
func (p *Pool) useTOTP(u *user, code string) error {
	now := p.clock.Now().Unix() / totpStep
	for step := now - 1; step <= now+1; step++ {
		if subtle.ConstantTimeCompare([]byte(code), []byte(totpAt(u.totp, step))) != 1 {
			continue
		}
		if u.usedSteps[step] && !p.config.AllowTOTPReuse {
			return wire.Errorf("ExpiredCodeException", "Your software token has already been used once.")
		}
		u.usedSteps[step] = true
		return nil
	}
	return errWrongCode()
}

func errWrongCode() error {
	return wire.Errorf("CodeMismatchException", "Invalid code received for user")
}

// TOTP is the six-digit code of a secret at a time (RFC 6238 with SHA-1 and 30 seconds).
func TOTP(secret []byte, at time.Time) string { return totpAt(secret, at.Unix()/totpStep) }

func totpAt(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1000000)
}
