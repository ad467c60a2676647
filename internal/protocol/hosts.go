package protocol

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// ErrNotBound says that no profile binds the host, so that it gets nothing. Adapters answer it in their protocol's own way;
// where the protocol has none it is a wrong profile.
var ErrNotBound = errors.New("no profile binds this host")

// HostSource gives credentials to hosts that a profile binds. The binding decides which session is meant and what is
// handed out.
type HostSource interface {
	// HostCredential gives what the binding promises, or ErrNotBound.
	HostCredential(ctx context.Context, r HostRequest) (HostCredential, error)
	// Reject notes that r.Host refused the token r.Rejected, so that the next caller is given a renewed one. A token that is
	// not the stored one changes nothing, as does a host that nobody binds. It never ends a session and renews nothing.
	Reject(ctx context.Context, r HostRequest) error
	// Hosts lists what is bound and whose session is live, without wildcards; of r only Profile and Location count. It renews
	// nothing and does not use the network.
	Hosts(ctx context.Context, r HostRequest) ([]BoundHost, error)
	// SharedCredential gives the credential that every binding promises, for tools that do not say which host they ask for;
	// of r all but Host and Rejected counts. It is a NotSharedError where two bindings promise different ones, whoever is signed
	// in; ErrNotBound where there is none.
	SharedCredential(ctx context.Context, r HostRequest) (HostCredential, error)
}

// TokenStore keeps tokens that a tool got by itself and gave us to keep, one for each host. They have nothing to do with
// sessions.
type TokenStore interface {
	// StoredToken gives what StoreToken kept for the host; the empty secret where nothing is kept.
	StoredToken(ctx context.Context, h profiles.Host) (token.Secret, error)
	// StoreToken keeps a token, and document, which is what the tool sent, whole. A bound host is refused.
	StoreToken(ctx context.Context, h profiles.Host, t token.Secret, document []byte) error
	// ForgetToken removes what is kept for the host; nothing kept is no error.
	ForgetToken(ctx context.Context, h profiles.Host) error
}

// NotSharedError says that two places, each as in cognito_hosts, are promised different credentials.
type NotSharedError struct{ One, Two string }

func (e *NotSharedError) Error() string { return e.One + " and " + e.Two + " get different tokens" }

// HostRequest names a host that wants a credential.
type HostRequest struct {
	Host profiles.Host
	// Profile restricts the answer to this profile's bindings; "" means all profiles of the default files.
	Profile  string
	Location string // --profile-location: the only file to search; then Profile is not empty
	Username string // --username; "" for the profile's own session
	// MinTTL is the least remaining life; 0 means the profile's cognito_min_ttl or the default.
	MinTTL     time.Duration
	RenewFirst bool // as in Request
	// Rejected names a token that the host refused: one that is newer is handed out, at most one renewal in 30 s. Zero means
	// that nothing was refused.
	Rejected Fingerprint
}

// HostCredential is what a host gets.
type HostCredential struct {
	Token    token.Token
	Username string // user= of the binding, else --username, else cognito_username; "" when none names anybody
	Profile  string // whose binding it was
	Path     string // that the binding ends in; "" for the whole host
	Kind     string // of the binding: what the host gets
}

// NotBound is the error for protocols and people that must be told that no profile binds a host.
func NotBound(h profiles.Host) error {
	return &token.Error{
		Kind:    token.BadProfile,
		Message: "no profile binds " + h.Authority() + ", so it gets no token",
		Next:    "add it to cognito_hosts of the profile whose sign-in it may see",
	}
}

// BoundHost is a host that would be answered.
type BoundHost struct {
	Host     string // host[:port]
	Path     string // that the binding ends in; "" for the whole host
	Username string // user= of the binding, else cognito_username; "" when neither names anybody
}

// Fingerprint names a token without being one: its SHA-256.
type Fingerprint [sha256.Size]byte

// FingerprintOf gives the fingerprint of a token; zero for no token.
func FingerprintOf(t token.Secret) Fingerprint {
	if t.Empty() {
		return Fingerprint{}
	}
	return sha256.Sum256([]byte(t.Reveal()))
}

// BadRequest is the error for a request that is not answered because of its form: what is wrong with it, such as an error of
// profiles.ParseHost.
func BadRequest(cause error) error {
	return &token.Error{Kind: token.Failure, Message: "the request is refused: " + cause.Error()}
}

// The problems of a request before it is looked at.
var (
	errTooLarge = errors.New("it is larger than 1 MiB")
	errCutShort = errors.New("it cannot be read")
)

// ReadRequest reads until whole says that what was read is a whole request, or to the end of the input. A request that is
// larger than MaxRequest is an error.
func ReadRequest(in io.Reader, whole func([]byte) bool) ([]byte, error) {
	var b []byte
	chunk := make([]byte, 4096)
	for !whole(b) {
		n, err := in.Read(chunk)
		b = append(b, chunk[:n]...)
		switch {
		case len(b) > MaxRequest:
			return nil, BadRequest(errTooLarge)
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, BadRequest(errCutShort)
		}
	}
	return b, nil
}

// Name is the user name to answer with, where the protocol needs one: Username, else a word that stands for nobody, because
// the token itself says who it is for.
func (c HostCredential) Name() string { return nameOf(c.Username) }

// Name is that of HostCredential.
func (h BoundHost) Name() string { return nameOf(h.Username) }

func nameOf(username string) string {
	if username == "" {
		return "cognito"
	}
	return username
}
