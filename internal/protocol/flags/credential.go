package flags

import (
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
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
	return protocol.Request{Profile: profiles.Select(c.profile, c.location, getenv), Username: c.username, MinTTL: c.life()}
}

// life is the least remaining life as a request has it.
func (c *Credential) life() time.Duration {
	switch {
	case c.minTTL > 0:
		return c.minTTL
	case c.minTTL == 0: // "anything that has not expired"; 0 itself would mean the default
		return time.Nanosecond
	default:
		return 0
	}
}

// HostUsage describes the same flags for a verb that serves hosts, for the Usage of an adapter.
const HostUsage = `  --profile NAME           only what this profile binds (also --profile-name); else every profile of the AWS
                           files is looked at, and AWS_PROFILE does not count
  --profile-location FILE  search only this file for the profile; needs --profile
  --username NAME          session of this user, where the profile names another one
  --min-ttl DURATION       least remaining life to hand out: 90s, 15m, 1h, or seconds
`

// HostRequest gives what the flags of a verb that serves hosts ask for; called is the profile in the name that we were
// called by (Call.Profile).
func (c *Credential) HostRequest(called string) (protocol.HostRequest, error) {
	r := protocol.HostRequest{Profile: c.profile, Location: c.location, Username: c.username, MinTTL: c.life()}
	switch {
	case r.Profile == "":
		r.Profile = called
	case called != "" && called != r.Profile:
		return r, &token.Error{Kind: token.Usage, Message: "the name of the program names profile " + safetext.Line(called, 40) + ", and --profile another one"}
	}
	if r.Location != "" && r.Profile == "" {
		return r, &token.Error{Kind: token.Usage, Message: "--profile-location needs --profile here"}
	}
	return r, nil
}
