package userpool

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// user is one person. Every field is guarded by Pool.mu; the integers are replaced, never changed.
type user struct {
	label      string // the name in the configuration
	username   string // the real one: USER_ID_FOR_SRP
	sub        string
	salt, v    *big.Int
	attributes map[string]string
	aliases    []string
	groups     []string
	roles      []string
	status     string
	disabled   bool
	expired    bool // a temporary password out of time

	totp      []byte // of the registered authenticator
	totpOn    bool   // and asked for
	totpName  string
	newTOTP   []byte // given out, no code seen yet
	usedSteps map[int64]bool
	sms       bool
	email     bool
	preferred string
	codes     map[string]sentCode // by kind
	smsCode   string              // the last one sent by SMS, used up or not

	hasPassword bool
	passkeys    []string
	devices     []*device // oldest first

	failures    int
	lockedUntil time.Time
}

func (p *Pool) fold(name string) string {
	if p.config.CaseSensitive {
		return name
	}
	return strings.ToLower(name)
}

func (p *Pool) poolName() string {
	_, name, _ := strings.Cut(p.config.ID, "_")
	return name
}

// addUser is called by New, and with the lock held afterwards.
func (p *Pool) addUser(c User) error {
	if c.Username == "" {
		return fmt.Errorf("a user has no username")
	}
	u := &user{
		label: c.Username, username: c.Username, sub: c.Sub, attributes: snapshot(c.Attributes), aliases: c.Aliases,
		groups: c.Groups, roles: c.Roles, status: c.Status, disabled: c.Disabled, expired: c.PasswordExpired,
		sms: c.SMSMFA, email: c.EmailMFA, preferred: c.PreferredMFA, usedSteps: map[int64]bool{},
		totpName: "sandbox", codes: map[string]sentCode{}, passkeys: c.Passkeys,
	}
	if u.attributes == nil {
		u.attributes = map[string]string{}
	}
	u.addContact("email", c.Email)
	u.addContact("phone_number", c.Phone)
	if u.status == "" {
		u.status = Confirmed
	}
	if err := u.check(); err != nil {
		return err
	}
	if c.TOTPSecret != "" {
		secret, err := DecodeTOTPSecret(c.TOTPSecret)
		if err != nil {
			return fmt.Errorf("user %s: %w", c.Username, err)
		}
		u.totp, u.totpOn = secret, true
	}
	if u.sub == "" {
		u.sub = uuidOf(p.config.ID, c.Username)
	}
	if len(p.config.UsernameAttributes) > 0 {
		u.username = u.sub
	}
	if _, taken := p.users[p.fold(u.username)]; taken {
		return fmt.Errorf("user %s is there twice", c.Username)
	}
	p.setVerifier(u, c.Password)
	p.users[p.fold(u.username)] = u
	return nil
}

func (u *user) addContact(name, value string) {
	if value == "" {
		return
	}
	u.attributes[name] = value
	if u.attributes[name+"_verified"] == "" {
		u.attributes[name+"_verified"] = "true"
	}
}

func (u *user) check() error {
	if !slices.Contains([]string{Confirmed, Unconfirmed, ForceChangePassword, ResetRequired}, u.status) {
		return fmt.Errorf("user %s: status %q is not CONFIRMED, UNCONFIRMED, FORCE_CHANGE_PASSWORD, or RESET_REQUIRED", u.label, u.status)
	}
	if u.sms && u.attributes["phone_number"] == "" {
		return fmt.Errorf("user %s: sms_mfa needs a phone", u.label)
	}
	if u.email && u.attributes["email"] == "" {
		return fmt.Errorf("user %s: email_mfa needs an email", u.label)
	}
	return nil
}

// setVerifier sets a password; with "" the user has none, and nothing that anybody types is right.
func (p *Pool) setVerifier(u *user, password string) {
	u.hasPassword = password != ""
	if !u.hasPassword {
		password = opaque(32)
	}
	u.salt = newSalt()
	u.v = verifier(p.poolName(), u.username, password, u.salt)
}

func (p *Pool) passwordIs(u *user, password string) bool {
	got := verifier(p.poolName(), u.username, password, u.salt)
	return subtle.ConstantTimeCompare(got.Bytes(), u.v.Bytes()) == 1
}

// resolve finds who is meant by what somebody typed. Call with the lock held.
func (p *Pool) resolve(typed string) *user {
	if u, ok := p.users[p.fold(typed)]; ok {
		return u
	}
	names := append(slices.Clone(p.config.UsernameAttributes), p.config.AliasAttributes...)
	for _, u := range p.users {
		if u.hasAlias(typed, names, p.fold) {
			return u
		}
	}
	return nil
}

func (u *user) hasAlias(typed string, attributes []string, fold func(string) string) bool {
	for _, a := range attributes {
		if v := u.attributes[a]; v != "" && fold(v) == fold(typed) {
			return true
		}
	}
	return slices.ContainsFunc(u.aliases, func(a string) bool { return fold(a) == fold(typed) })
}

// named finds a user by the name in the configuration, for edits. Call with the lock held.
func (p *Pool) named(name string) *user {
	for _, u := range p.users {
		if u.label == name {
			return u
		}
	}
	return p.resolve(name)
}

// uuidOf is a UUID that follows from its parts.
func uuidOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// DecodeTOTPSecret reads a base32 secret as people write it: any case, spaces, with or without padding.
func DecodeTOTPSecret(s string) ([]byte, error) {
	s = strings.TrimRight(strings.ToUpper(strings.ReplaceAll(s, " ", "")), "=")
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("the TOTP secret is not base32")
	}
	return b, nil
}
