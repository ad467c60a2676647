package plugin

import (
	"context"
	"crypto/sha256"
	"net/url"
	"time"
)

// HostCredentialProvider gives what a bound host is to be shown. Implementations must be safe for concurrent use.
type HostCredentialProvider interface {
	// GetCredentialForHost gives the credential that a profile binds (cognito_hosts) to the host of the URL. A host that
	// nothing binds is CodeNotBound: there is no default. Other errors are those of GetTokens.
	GetCredentialForHost(ctx context.Context, r GetCredentialForHostRequest) (GetCredentialForHostResponse, error)
}

// GetCredentialForHostRequest names a URL that is about to be asked.
type GetCredentialForHostRequest struct {
	// Selection says which profiles may answer: with an empty Profile every profile of the AWS tools' two files, else the named
	// one only. A Location needs a Profile.
	Selection Selection
	// URL counts by scheme, host, and path: https, or http for a loopback address that is bound. It has no user name and no
	// password.
	URL string
	// MinTTL is the least remaining life, as in GetTokensRequest.
	MinTTL time.Duration
	// Rejected is the Fingerprint of a secret that the host refused: one that is newer is given, by at most one renewal in 30
	// seconds. Zero where nothing was refused.
	Rejected [sha256.Size]byte
}

// Fingerprint names a secret without being one: its SHA-256.
func Fingerprint(s Secret) [sha256.Size]byte { return sha256.Sum256([]byte(s.Reveal())) }

// Validate reports what no plugin could take.
func (r GetCredentialForHostRequest) Validate() error {
	if err := first(r.Selection.Validate(), life(r.MinTTL), plainText("the URL", r.URL, maxName)); err != nil {
		return err
	}
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		return invalid("the URL is not one of a host, by https or http")
	case r.Selection.Location != "" && r.Selection.Profile == "":
		return invalid("the location of a profile needs the profile's name")
	case u.User != nil:
		return invalid("the URL has a user name in it, which must be left out")
	}
	return nil
}

// GetCredentialForHostResponse is what the host is to be shown.
type GetCredentialForHostResponse struct {
	Profile string // that binds the host
	// Username is for hosts that want one beside the secret (HTTP basic authentication); "" where none names anybody.
	Username string
	Secret   Secret    // the bearer token, or the password for HTTP basic authentication
	Expires  time.Time // by this machine's clock
}
