// Package gitcredential answers git's credential helper protocol (https://git-scm.com/docs/git-credential#IOFMT) in every
// version from 1.7.9 on.
//
// It guarantees that only a host that a profile binds is answered, that a request which could mean two things is refused,
// and that nothing git tells us changes a session but this: a token that git says was refused is renewed before it is
// handed out again. It stores nothing and erases nothing.
package gitcredential

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const usage = `Usage: cognito-credhelper git [flags] get|store|erase

Answers git as a credential helper, for hosts that a profile binds with cognito_hosts; any other host is left
to the next helper. It never asks anything: sign in before, with "cognito-credhelper login". store keeps
nothing, and erase only has the token renewed that git found refused.

Flags:
` + flags.HostUsage + `
Example, in ~/.gitconfig:
  [credential "https://git.example.com"]
  	helper =
  	helper = /usr/local/bin/cognito-credhelper git --profile dev
`

// Adapter is the verb git.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "git",
		Short: "Answer git as a credential helper",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one operation. git does not look at the exit code; people do.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	if len(c.Args) == 0 {
		return &token.Error{Kind: token.Usage, Message: "git needs one of get, store, erase"}
	}
	last := len(c.Args) - 1 // git puts the operation behind what the configuration says
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args[:last]}
	for p.Next() {
		if !wanted.Take(&p) {
			p.Unknown()
		}
	}
	if p.Err != nil {
		return p.Err
	}
	r, err := wanted.HostRequest(c.Profile)
	if err != nil {
		return err
	}
	switch operation := c.Args[last]; {
	case operation == "get":
		return get(ctx, c, s, r)
	case operation == "erase":
		return erase(ctx, c, s, r)
	case operation != "" && operation[0] == '-':
		return &token.Error{Kind: token.Usage, Message: "git needs one of get, store, erase behind " + safetext.Line(operation, 40)}
	default:
		// store, and what a later git may say: read it all, since a git before 2.18 dies of a closed pipe.
		_, err := protocol.ReadRequest(c.In, ends)
		return err
	}
}

// get answers with the credential of the host, or with nothing where no profile binds it.
func get(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) error {
	asked, err := read(c.In)
	if err != nil || asked.foreign() {
		return err
	}
	if r.Host, err = asked.place(); err != nil {
		return err
	}
	r.Rejected = asked.rejected
	got, err := s.HostCredential(ctx, r)
	switch {
	case errors.Is(err, protocol.ErrNotBound):
		return nil
	case err != nil:
		return quit(c, err)
	case got.Username != "" && asked.username != "" && got.Username != asked.username:
		return &token.Error{
			Kind:    token.BadProfile,
			Message: "git asks for the credential of " + asked.username + " at " + r.Host.Authority() + ", and profile " + got.Profile + " binds it to " + got.Username,
			Next:    "take the user name out of the URL, or change user= in cognito_hosts",
		}
	}
	_, err = c.Out.Write(asked.answer(got))
	return err
}

// quit has git stop where a person must sign in, or Cognito cannot be reached: a question for a user name and a password
// would only hide why. It passes the error on.
func quit(c protocol.Call, err error) error {
	switch token.KindOf(err) {
	case token.LoginNeeded, token.Refused, token.Unavailable:
		if _, failed := c.Out.Write([]byte("quit=1\n")); failed != nil {
			return failed
		}
	}
	return err
}

// erase notes that the host refused what git names; there is nothing to erase.
func erase(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) error {
	asked, err := read(c.In)
	if err != nil || asked.foreign() {
		return err
	}
	if r.Host, err = asked.place(); err != nil {
		return err
	}
	if r.Rejected = protocol.FingerprintOf(asked.secret); r.Rejected == (protocol.Fingerprint{}) {
		return nil
	}
	return s.Reject(ctx, r)
}
