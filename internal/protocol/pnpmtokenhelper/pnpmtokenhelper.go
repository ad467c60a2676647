// Package pnpmtokenhelper answers pnpm's tokenHelper setting: a program without arguments that prints the value of an
// Authorization header.
//
// pnpm does not say which registry it asks for, so it guarantees an answer only where that cannot matter: all that the profile
// binds must be given the same token. It never asks anything.
package pnpmtokenhelper

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper pnpm [flags]

Prints what pnpm wants of a tokenHelper: "Bearer TOKEN", for the hosts that a profile binds with cognito_hosts.
pnpm passes no arguments and does not say which registry it asks for: to restrict the answer to a profile, name
the program pnpm-token-cognito-PROFILE. A profile that agrees with another one but for its cognito_hosts shares
the sign-in. It never asks anything: sign in before, with "cognito-credhelper login".

Flags:
  --host HOST[:PORT][/PATH]  the registry that is meant, where the bound hosts get different tokens
` + flags.HostUsage + `
Example, in ~/.npmrc (pnpm reads it from there only; the link is what "cognito-credhelper pnpm" is run by):
  //npm.example.com/:tokenHelper=/usr/local/bin/pnpm-token-cognito-dev
`

// Adapter is the verb pnpm.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "pnpm",
		Short: "Answer pnpm as a token helper",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one run. pnpm shows standard error where the exit code is not 0.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	r, host, err := request(c)
	if err != nil {
		return err
	}
	var got protocol.HostCredential
	if host == "" {
		got, err = only(ctx, s, r)
	} else {
		got, err = named(ctx, s, r, host)
	}
	if err != nil {
		return err
	}
	_, err = c.Out.Write([]byte("Bearer " + got.Token.Value.Reveal() + "\n"))
	return err
}

func request(c protocol.Call) (r protocol.HostRequest, host string, err error) {
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args}
	for p.Next() {
		switch {
		case wanted.Take(&p):
		case p.Name == "host":
			p.String(&host)
		default:
			p.Unknown()
		}
	}
	if p.Err != nil {
		return r, "", p.Err
	}
	r, err = wanted.HostRequest(c.Profile)
	return r, host, err
}

// named gives the credential of a registry that the command line names.
func named(ctx context.Context, s protocol.Source, r protocol.HostRequest, host string) (protocol.HostCredential, error) {
	var err error
	if r.Host, err = profiles.ParseHost(host); err != nil {
		return protocol.HostCredential{}, protocol.BadRequest(err)
	}
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		err = protocol.NotBound(r.Host)
	}
	return got, err
}

// only gives the credential that all bound hosts share, whoever is signed in: with a session ended, another one's token must not
// take its place.
func only(ctx context.Context, s protocol.Source, r protocol.HostRequest) (protocol.HostCredential, error) {
	got, err := s.SharedCredential(ctx, r)
	var differ *protocol.NotSharedError
	switch {
	case errors.Is(err, protocol.ErrNotBound):
		err = &token.Error{
			Kind:    token.BadProfile,
			Message: "no profile binds a registry, so none gets a token",
			Next:    "add it to cognito_hosts of the profile whose sign-in it may see",
		}
	case errors.As(err, &differ):
		err = &token.Error{
			Kind:    token.BadProfile,
			Message: differ.One + " and " + differ.Two + " get different tokens, and pnpm does not say which registry it asks for: give it a profile of its own, and name the program pnpm-token-cognito-PROFILE",
			Next:    "cognito-credhelper pnpm --help",
		}
	}
	return got, err
}
