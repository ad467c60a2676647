package flags

import (
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// CredentialUsage describes the flags of Credential, for the Usage of an adapter.
const CredentialUsage = `  --profile NAME           profile to use (also --profile-name); else AWS_PROFILE, else "default"
  --profile-location FILE  search only this file for the profile
  --username NAME          session of this user, where the profile names another one
  --min-ttl DURATION       least remaining life to hand out: 90s, 15m, 1h, or seconds
`

// Credential holds the flags that say which credential is wanted; every verb that serves one profile has them. Make one with
// NewCredential.
type Credential struct {
	profile, location, username string
	minTTL                      time.Duration
}

// NewCredential is a Credential before any flag.
func NewCredential() Credential { return Credential{minTTL: Unset} }

// Take takes the flag at hand where it is one of its own; else it does nothing and is false.
func (c *Credential) Take(p *Parser) bool {
	switch p.Name {
	case "profile", "profile-name":
		p.String(&c.profile)
	case "profile-location":
		p.String(&c.location)
	case "username":
		p.String(&c.username)
	case "min-ttl":
		p.Duration(&c.minTTL)
	default:
		return false
	}
	return true
}

// Request gives what the flags ask for. getenv is asked for AWS_PROFILE only.
func (c *Credential) Request(getenv func(string) string) protocol.Request {
	r := protocol.Request{Profile: profiles.Select(c.profile, c.location, getenv), Username: c.username}
	switch {
	case c.minTTL > 0:
		r.MinTTL = c.minTTL
	case c.minTTL == 0: // "anything that has not expired"; 0 itself would mean the default
		r.MinTTL = time.Nanosecond
	}
	return r
}
