package userpool

import (
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// accountInput is the input of the operations on an account that need no sign-in.
type accountInput struct {
	ClientID         string `json:"ClientId"`
	SecretHash       string
	Username         string
	Password         string
	ConfirmationCode string
	Session          string
	UserAttributes   []attribute
	ClientMetadata   map[string]string
	requestContext
}

// Lifetimes of codes, as the user pools guide says.
const (
	signUpLifetime = 24 * time.Hour
	resetLifetime  = time.Hour
)

// account is one account operation: who it is about, with the client and the secret hash checked.
type account struct {
	signIn
	in accountInput
}

// aboutAccount checks what all account operations check, and runs one with the lock held. The user is nil when there is none
// by that name and the client hides it.
func (p *Pool) aboutAccount(operation string, in accountInput, do func(*account) (any, error)) (any, error) {
	c, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if in.Username == "" {
		return nil, errInvalidParameter("Missing required parameter USERNAME")
	}
	if err := c.checkSecretHash(in.SecretHash, in.Username, c.hashMismatch()); err != nil {
		return nil, err
	}
	p.note(operation, in.requestContext)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := &account{signIn: signIn{client: c, user: p.resolve(in.Username), metadata: in.ClientMetadata}, in: in}
	a.username = p.realName(in.Username, a.user)
	if a.user == nil && c.ShowUnknownUsers && operation != "SignUp" {
		return nil, wire.Errorf("UserNotFoundException", "Username/client id combination not found.")
	}
	return do(a)
}

type signUpOutput struct {
	UserConfirmed       bool
	UserSub             string
	CodeDeliveryDetails *codeDelivery `json:",omitempty"`
	Session             string        `json:",omitempty"`
}

func (p *Pool) signUp(_ wire.Call, in accountInput) (any, error) {
	return p.aboutAccount("SignUp", in, func(a *account) (any, error) {
		if a.user != nil {
			return nil, wire.Errorf("UsernameExistsException", "User already exists")
		}
		if in.Password != "" { // without one, the user will sign in by other factors
			if err := p.config.PasswordPolicy.check(in.Password); err != nil {
				return nil, err
			}
		}
		if err := p.fire("PreSignUp", &a.signIn); err != nil {
			return nil, err
		}
		u, err := p.newUser(in)
		if err != nil {
			return nil, err
		}
		out := signUpOutput{UserSub: u.sub}
		if to, ok := u.contact(false); ok {
			p.send(u, signUpCode, to.DeliveryMedium)
			out.CodeDeliveryDetails = &to
		}
		return out, nil
	})
}

// newUser adds somebody who signed up, unconfirmed, with nothing verified.
func (p *Pool) newUser(in accountInput) (*user, error) {
	attributes := map[string]string{}
	for _, a := range in.UserAttributes {
		attributes[a.Name] = a.Value
	}
	for _, name := range p.config.UsernameAttributes { // the name typed is one of these
		if attributes[name] == "" && (name == "email") == isEmail(in.Username) {
			attributes[name] = in.Username
		}
	}
	c := User{Username: in.Username, Password: in.Password, Status: Unconfirmed, Attributes: attributes}
	if err := p.addUser(c); err != nil {
		return nil, errInvalidParameter("%v", err)
	}
	return p.named(in.Username), nil
}

func isEmail(name string) bool { return maskEmail(name) != "***" }

func (p *Pool) confirmSignUp(_ wire.Call, in accountInput) (any, error) {
	return p.aboutAccount("ConfirmSignUp", in, func(a *account) (any, error) {
		u := a.user
		switch {
		case in.ConfirmationCode == "":
			return nil, errInvalidParameter("Missing required parameter ConfirmationCode")
		case u == nil:
			return nil, errExpiredCode()
		case u.status != Unconfirmed:
			return nil, errNotAuthorized("User cannot be confirmed. Current status is " + u.status)
		}
		if err := p.useCode(u, signUpCode, in.ConfirmationCode, signUpLifetime); err != nil {
			return nil, err
		}
		if err := p.fire("PostConfirmation", &a.signIn); err != nil {
			return nil, err
		}
		u.status = Confirmed
		u.verify()
		session, _ := p.newSession(&a.signIn, confirmed)
		return struct{ Session string }{session}, nil
	})
}

// verify marks the contact that a code was sent to as verified.
func (u *user) verify() {
	if to, ok := u.contact(false); ok {
		u.attributes[to.AttributeName+"_verified"] = "true"
	}
}

type deliveryOutput struct{ CodeDeliveryDetails codeDelivery }

func (p *Pool) resendConfirmationCode(_ wire.Call, in accountInput) (any, error) {
	return p.aboutAccount("ResendConfirmationCode", in, func(a *account) (any, error) {
		if a.user == nil {
			return simulatedDelivery(), nil
		}
		if a.user.status != Unconfirmed {
			return nil, errInvalidParameter("User is already confirmed.")
		}
		to, ok := a.user.contact(false)
		if !ok {
			return nil, errInvalidParameter("Cannot resend codes. Auto verification not turned on.")
		}
		return p.sendAccountCode(a, signUpCode, to)
	})
}

func (p *Pool) sendAccountCode(a *account, kind string, to codeDelivery) (any, error) {
	if err := p.fire("CustomMessage", &a.signIn); err != nil {
		return nil, err
	}
	p.send(a.user, kind, to.DeliveryMedium)
	return deliveryOutput{to}, nil
}

// simulatedDelivery is what a client that hides unknown users is told about them.
func simulatedDelivery() any { return deliveryOutput{codeDelivery{"email", "EMAIL", "n***@e***"}} }

func (p *Pool) forgotPassword(_ wire.Call, in accountInput) (any, error) {
	return p.aboutAccount("ForgotPassword", in, func(a *account) (any, error) {
		u := a.user
		if u == nil {
			return simulatedDelivery(), nil
		}
		to, ok := u.contact(true)
		switch {
		case u.disabled:
			return nil, errNotAuthorized("User is disabled.")
		case u.status == ForceChangePassword:
			return nil, errNotAuthorized("User password cannot be reset in the current state.")
		case !ok:
			return nil, errInvalidParameter("Cannot reset password for the user as there is no registered/verified email or phone_number")
		}
		return p.sendAccountCode(a, forgotPassword, to)
	})
}

// confirmForgotPassword judges the new password first, so that a code isn't lost to one that the policy refuses.
func (p *Pool) confirmForgotPassword(_ wire.Call, in accountInput) (any, error) {
	return p.aboutAccount("ConfirmForgotPassword", in, func(a *account) (any, error) {
		switch {
		case in.ConfirmationCode == "":
			return nil, errInvalidParameter("Missing required parameter ConfirmationCode")
		case a.user == nil:
			return nil, errWrongVerification()
		}
		if err := p.config.PasswordPolicy.check(in.Password); err != nil {
			return nil, err
		}
		if err := p.useCode(a.user, forgotPassword, in.ConfirmationCode, resetLifetime); err != nil {
			return nil, err
		}
		p.setVerifier(a.user, in.Password)
		a.user.failures, a.user.lockedUntil = 0, time.Time{}
		if a.user.status == ResetRequired {
			a.user.status = Confirmed
		}
		return struct{}{}, p.fire("PostConfirmation", &a.signIn)
	})
}
