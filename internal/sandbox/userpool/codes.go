package userpool

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// Kinds of codes that are "sent", as the control path names them: the challenge's name, or what the code is for.
const (
	smsMFA         = "SMS_MFA"
	emailOTP       = "EMAIL_OTP"
	smsOTP         = "SMS_OTP"
	signUpCode     = "SIGN_UP"
	forgotPassword = "FORGOT_PASSWORD"
)

// digits is how long a code of a kind is: the eight digits of one-time passwords were seen on real pools, SMS_MFA's six are
// in the documentation. Assumed for e-mail as MFA: the same as for e-mail as the first factor.
func digits(kind string) int {
	if kind == emailOTP || kind == smsOTP {
		return 8
	}
	return 6
}

// send makes a code and "sends" it by EMAIL or SMS. Call with the lock held.
func (p *Pool) send(u *user, kind, medium string) string {
	code := randomCode(digits(kind))
	u.codes[kind] = sentCode{code: code, at: p.clock.Now()}
	if medium == "SMS" {
		u.smsCode = code
	}
	return code
}

// sentCode is the last code of a kind that was sent to a user.
type sentCode struct {
	code     string
	at       time.Time
	failures int
}

// useCode accepts the last code of a kind, once, within lifetime. The messages are those of ConfirmSignUp and
// ConfirmForgotPassword. Call with the lock held.
func (p *Pool) useCode(u *user, kind, code string, lifetime time.Duration) error {
	sent, ok := u.codes[kind]
	switch {
	case !ok || p.clock.Now().Sub(sent.at) >= lifetime:
		return errExpiredCode()
	case p.config.CodeAttempts > 0 && sent.failures >= p.config.CodeAttempts:
		return wire.Errorf("LimitExceededException", "Attempt limit exceeded, please try after some time.")
	case !same(code, sent.code):
		sent.failures++
		u.codes[kind] = sent
		return errWrongVerification()
	}
	delete(u.codes, kind)
	return nil
}

func errExpiredCode() error {
	return wire.Errorf("ExpiredCodeException", "Invalid code provided, please request a code again.")
}

func errWrongVerification() error {
	return wire.Errorf("CodeMismatchException", "Invalid verification code provided, please try again.")
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func randomCode(digits int) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		panic(err) // the system has no randomness: nothing here can go on
	}
	return fmt.Sprintf("%0*d", digits, n)
}

// delivery is how a challenge says where a code went.
func (u *user) delivery(medium string) map[string]string {
	destination := maskPhone(u.attributes["phone_number"])
	if medium == "EMAIL" {
		destination = maskEmail(u.attributes["email"])
	}
	return map[string]string{"CODE_DELIVERY_DELIVERY_MEDIUM": medium, "CODE_DELIVERY_DESTINATION": destination}
}

// codeDelivery is how the account operations say it.
type codeDelivery struct{ AttributeName, DeliveryMedium, Destination string }

// contact is where a code for the account goes: a verified e-mail address, or else a verified number.
func (u *user) contact(verified bool) (codeDelivery, bool) {
	usable := func(name string) bool {
		return u.attributes[name] != "" && (!verified || u.attributes[name+"_verified"] == "true")
	}
	switch {
	case usable("email"):
		return codeDelivery{"email", "EMAIL", maskEmail(u.attributes["email"])}, true
	case usable("phone_number"):
		return codeDelivery{"phone_number", "SMS", maskPhone(u.attributes["phone_number"])}, true
	}
	return codeDelivery{}, false
}

// maskPhone shows the end of a number as AWS does.
func maskPhone(phone string) string {
	if len(phone) < 5 {
		return "+***"
	}
	return fmt.Sprintf("+%s%s", strings.Repeat("*", len(phone)-5), phone[len(phone)-4:])
}

// maskEmail shows the first letter on each side of the @ as AWS does.
func maskEmail(address string) string {
	name, host, ok := strings.Cut(address, "@")
	if !ok || name == "" || host == "" {
		return "***"
	}
	return name[:1] + "***@" + host[:1] + "***"
}

// Codes are the last codes "sent" to a user, by kind, without used-up ones of the account operations. The authenticator's is
// under SOFTWARE_TOKEN_MFA, and that of a secret given out but not verified yet under MFA_SETUP.
func (p *Pool) Codes(name string) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]string{}
	u := p.named(name)
	if u == nil {
		return out
	}
	for _, kind := range slices.Sorted(maps.Keys(u.codes)) {
		out[kind] = u.codes[kind].code
	}
	for kind, secret := range map[string][]byte{totpMFA: u.totp, setup: u.newTOTP} {
		if secret != nil {
			out[kind] = TOTP(secret, p.clock.Now())
		}
	}
	return out
}
