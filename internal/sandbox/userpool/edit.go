package userpool

import (
	"fmt"
	"slices"
)

// Edit is a change to a user; nil and "" leave things as they are.
type Edit struct {
	Password   string            `json:"password,omitempty"`
	Status     string            `json:"status,omitempty"`
	Disabled   *bool             `json:"disabled,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Groups     []string          `json:"groups,omitempty"`
	Delete     bool              `json:"delete,omitempty"`
	// RevokeAll ends every sign-in of the user.
	RevokeAll bool `json:"revoke_all,omitempty"`
	// ForgetDevices forgets every remembered device, as an administrator does.
	ForgetDevices bool `json:"forget_devices,omitempty"`
}

// EditUser changes the user whom the configuration calls name; an unknown name or state is an error, and nothing changes.
func (p *Pool) EditUser(name string, e Edit) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.named(name)
	if u == nil {
		return fmt.Errorf("there is no user %q", name)
	}
	if e.Status != "" && !slices.Contains([]string{Confirmed, Unconfirmed, ForceChangePassword, ResetRequired}, e.Status) {
		return fmt.Errorf("%q is not a user status", e.Status)
	}
	p.apply(u, e)
	return nil
}

func (p *Pool) apply(u *user, e Edit) {
	if e.Password != "" {
		p.setVerifier(u, e.Password)
	}
	if e.Status != "" {
		u.status = e.Status
	}
	if e.Disabled != nil {
		u.disabled = *e.Disabled
	}
	for k, v := range e.Attributes {
		u.attributes[k] = v
	}
	if e.Groups != nil {
		u.groups = e.Groups
	}
	if e.RevokeAll {
		p.revokeAll(u)
	}
	if e.ForgetDevices {
		u.devices = nil
	}
	if e.Delete {
		delete(p.users, p.fold(u.username))
	}
}

// SetSecrets changes the live secrets of an app client, which must have had one. Requests on their way go on with the old ones.
func (p *Pool) SetSecrets(client, secret, next string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, ok := p.clients[client]
	if !ok || old.Secret == "" || secret == "" {
		return fmt.Errorf("there is no app client %q with a secret, or no new secret", client)
	}
	c := *old
	c.Secret, c.SecretNext = secret, next
	p.clients[client] = &c
	return nil
}

// AddUser adds a user to the running pool.
func (p *Pool) AddUser(u User) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addUser(u)
}

// CurrentTOTP is the code that a user's authenticator shows now, by the sandbox's clock; false when the user has none.
func (p *Pool) CurrentTOTP(name string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.named(name)
	if u == nil || u.totp == nil {
		return "", false
	}
	return TOTP(u.totp, p.clock.Now()), true
}

// LastSMS is the last code "sent" to a user; false when there was none.
func (p *Pool) LastSMS(name string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.named(name)
	if u == nil || u.smsCode == "" {
		return "", false
	}
	return u.smsCode, true
}
