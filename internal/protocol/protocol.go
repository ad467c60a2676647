// Package protocol is the shape of every host protocol that we answer: one call in, one result out. Each adapter lives in
// a folder below, named after its protocol's own term.
//
// It guarantees nothing by itself and does nothing: it is a leaf that adapters, the front, and the complete program
// share, so that both executables run the very same adapters.
package protocol

import (
	"context"
	"io"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// MaxRequest is the most that an adapter reads of one request, in bytes.
const MaxRequest = 1 << 20

// Call is one run of a machine verb.
type Call struct {
	Args []string // after the verb
	// Profile is the suffix of the name that we were called by, as in docker-credential-cognito-dev; "" without one.
	Profile string
	Getenv  func(string) string // the environment; never os.Getenv
	In      io.Reader           // the request, for protocols that send one; never read otherwise
	Out     io.Writer           // the protocol's answer, written in one Write
	// Resumed says that the front handed this call over after it had waited for another process.
	Resumed bool
}

// Result is how a call ended. The adapter sets Exit by its protocol's own rule, else by token.Kind.ExitCode.
type Result struct {
	Exit int
	// Err is nil when the protocol was answered. token.ErrMiss (wrapped) and errors of kind token.Usage make the front
	// hand the call over; the complete program prints any other.
	Err error
	// Terminal asks for Err's sentence on the terminal too, because this host hides standard error.
	Terminal bool
}

// Adapter serves one host protocol.
type Adapter struct {
	Verb  string                                             // the machine verb, such as "credential-process"
	Short string                                             // one line of help
	Usage string                                             // flags and an example, for --help
	Serve func(ctx context.Context, c Call, s Source) Result // pure: no global, no environment, no file
	// Greeting is what the host wants to read before it sends its request; "" for nothing. Whoever runs the adapter writes it,
	// once for a call, also where the front hands the call over. nil for protocols without one.
	Greeting func(args []string) string
	// Next names the program that answers what no profile binds, and its arguments: the complete program runs the next one of
	// that name on PATH where Serve ends in ErrNotBound. nil for protocols that ask the next helper by themselves.
	Next func(args []string) (program string, rest []string)
	// Unread says of which arguments the front must not even read the request, because only the complete program can answer
	// and a secret may be in it. nil: of none.
	Unread func(args []string) bool
}

// Source gives credentials of sessions that exist; it never asks a person and never opens a browser. Errors carry a
// token.Kind. The front's own Source returns token.ErrMiss for whatever is not warm, unexpired, and unambiguous.
type Source interface {
	Token(ctx context.Context, r Request) (token.Token, error)
	AWSCredentials(ctx context.Context, r Request) (token.AWSCredentials, error)
	HostSource
	TokenStore
}

// Request names the credential that is wanted.
type Request struct {
	Profile  profiles.Selection
	Username string    // --username; "" for the profile's own session
	Use      token.Use // which token; unused for AWS credentials
	// MinTTL is the least remaining life, from --min-ttl; 0 means the profile's cognito_min_ttl or the default.
	MinTTL time.Duration
	// RenewFirst asks to renew what is due before it is handed out, where its life is over 45 minutes: hosts that ask
	// again at each use near the end (credential_process) gain by it.
	RenewFirst bool
}
