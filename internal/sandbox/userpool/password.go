package userpool

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// tryPassword is a password step with the password itself. Call with the lock held.
func (p *Pool) tryPassword(in *signIn, password string) (outcome, error) {
	return p.provePassword(in, func() bool { return in.user != nil && p.passwordIs(in.user, password) })
}

// provePassword is the end of every password step: right or wrong, the user's state, then what comes next.
// Call with the lock held.
func (p *Pool) provePassword(in *signIn, right func() bool) (outcome, error) {
	u := in.user
	if u == nil {
		right() // a block is used up even when nobody is behind it
		return outcome{}, errWrongPassword()
	}
	if err := p.judgePassword(u, right); err != nil {
		return outcome{}, err
	}
	return p.afterPassword(in)
}

// judgePassword counts wrong passwords, and lets none through while the user is locked out.
func (p *Pool) judgePassword(u *user, right func() bool) error {
	if p.clock.Now().Before(u.lockedUntil) {
		return errNotAuthorized("Password attempts exceeded")
	}
	if !right() {
		p.failed(u)
		return errWrongPassword()
	}
	u.failures = 0
	return nil
}

// failed counts a wrong password, and locks for 1 s, then 2 s, up to 15 min.
func (p *Pool) failed(u *user) {
	u.failures++
	if p.config.LockoutAfter == 0 || u.failures < p.config.LockoutAfter {
		return
	}
	wait := time.Second << min(u.failures-p.config.LockoutAfter, 10)
	u.lockedUntil = p.clock.Now().Add(min(wait, 15*time.Minute))
}

func (p *Pool) newPasswordRequired(in *signIn) (outcome, error) {
	u := in.user
	missing := []string{}
	for _, name := range p.missingAttributes(u) {
		missing = append(missing, "userAttributes."+name)
	}
	names, err := json.Marshal(missing)
	if err != nil {
		return outcome{}, err
	}
	known, err := json.Marshal(u.attributes)
	if err != nil {
		return outcome{}, err
	}
	next, _ := p.challenge(in, "NEW_PASSWORD_REQUIRED", map[string]string{
		"requiredAttributes": string(names), "userAttributes": string(known), "USER_ID_FOR_SRP": u.username,
	})
	return next, nil
}

func (p *Pool) missingAttributes(u *user) []string {
	var missing []string
	for _, name := range p.config.RequiredAttributes {
		if u.attributes[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

// answerNewPassword judges NEW_PASSWORD_REQUIRED: the policy, then the attributes; nothing changes unless both are right.
func (p *Pool) answerNewPassword(r reply, s *challengeSession) (outcome, error) {
	u := s.user
	password, err := r.response("NEW_PASSWORD")
	if err != nil {
		return outcome{}, err
	}
	if err := p.config.PasswordPolicy.check(password); err != nil {
		return outcome{}, err
	}
	given := map[string]string{}
	for key, value := range r.in.ChallengeResponses {
		if name, ok := strings.CutPrefix(key, "userAttributes."); ok {
			given[name] = value
		}
	}
	if err := p.checkAttributes(u, given); err != nil {
		return outcome{}, err
	}
	maps.Copy(u.attributes, given)
	u.status = Confirmed
	p.setVerifier(u, password)
	return p.afterNewPassword(&s.signIn)
}

func (p *Pool) checkAttributes(u *user, given map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if name == "sub" || strings.HasSuffix(name, "_verified") {
			return errNotAuthorized("Cannot modify the non-mutable attribute " + name)
		}
		if u.attributes[name] != "" && u.attributes[name] != given[name] && (name == "email" || name == "phone_number") {
			return errNotAuthorized("Cannot modify an already provided " + name)
		}
	}
	for _, name := range p.missingAttributes(u) {
		if given[name] == "" {
			return errInvalidParameter("Attributes did not conform to the schema: %s: The attribute is required", name)
		}
	}
	return nil
}

// check holds a new password against the policy, in the order in which AWS complains.
func (po Policy) check(password string) error {
	var complaint string
	switch {
	case len(password) < po.MinimumLength:
		complaint = "Password not long enough"
	case po.RequireUppercase && !strings.ContainsFunc(password, unicode.IsUpper):
		complaint = "Password must have uppercase characters"
	case po.RequireLowercase && !strings.ContainsFunc(password, unicode.IsLower):
		complaint = "Password must have lowercase characters"
	case po.RequireNumbers && !strings.ContainsAny(password, "0123456789"):
		complaint = "Password must have numeric characters"
	case po.RequireSymbols && !strings.ContainsAny(password, "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= "):
		complaint = "Password must have symbol characters"
	default:
		return nil
	}
	return wire.Errorf("InvalidPasswordException", "Password did not conform with policy: %s", complaint)
}
