// Package pipkeyring answers in place of the program keyring, which pip (--keyring-provider subprocess) and uv ask for the
// password of a package index.
//
// It guarantees that only a bound host is answered, and https only: a host without a scheme, which pip asks for where it got
// nothing for the URL, may be meant for http, so that only a loopback address is answered. For whatever else keyring can do it gives protocol.ErrNotBound, and the
// complete program then runs the next keyring on PATH, so that what a user has in it stays within reach.
package pipkeyring

import (
	"context"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper keyring [flags] get SERVICE USER
       cognito-credhelper keyring [flags] get URL --mode creds

Answers pip and uv in place of the program keyring, for package indexes that a profile binds with cognito_hosts.
Anything else is left to the next keyring on PATH, also a host without https:// in front of it, which may be
meant for http. It never asks anything: sign in before, with "cognito-credhelper login".

Flags:
` + flags.HostUsage + `
Example (pip asks only where the URL has a user name, any one will do):
  ln -s cognito-credhelper ~/.local/bin/keyring    # then "cognito-credhelper keyring" is what pip runs
  pip download --keyring-provider subprocess --index-url https://me@pypi.example.com/simple/ somepackage
`

// verb is the verb, and the name that pip and uv look for.
const verb = "keyring"

// Adapter is the verb keyring.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  verb,
		Short: "Answer pip and uv in place of keyring",
		Usage: usage,
		Serve: Serve,
		Next: func(args []string) (string, []string) {
			flagged, rest := split(args)
			if len(rest) == 0 {
				return verb, flagged
			}
			return verb, rest
		},
	}
}

// Serve answers one question.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	flagged, rest := split(c.Args)
	wanted := flags.NewCredential()
	p := flags.Parser{Args: flagged}
	for p.Next() {
		if !wanted.Take(&p) {
			if len(rest) == 0 {
				return protocol.ErrNotBound // such as keyring --list-backends
			}
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
	service, both := question(rest)
	if service == "" {
		return protocol.ErrNotBound
	}
	if !strings.Contains(service, "://") {
		service = "http://" + service
	}
	if r.Host, err = profiles.ParseHost(service); err != nil {
		return protocol.ErrNotBound // a service of another kind
	}
	got, err := s.HostCredential(ctx, r)
	if err != nil {
		return err
	}
	answer := got.Token.Value.Reveal() + "\n"
	if both {
		answer = got.Name() + "\n" + answer
	}
	_, err = c.Out.Write([]byte(answer))
	return err
}

// split parts our own flags, which stand before the operation, from the operation and what is behind it.
func split(args []string) (flagged, rest []string) {
	for i := 0; i < len(args); i++ {
		if len(args[i]) == 0 || args[i][0] != '-' {
			return args[:i], args[i:]
		}
		if takesValue(args[i]) {
			i++
		}
	}
	return args, nil
}

func takesValue(flag string) bool {
	switch flag {
	case "--profile", "--profile-name", "--profile-location", "--username", "--min-ttl":
		return true
	}
	return false
}

// question reads "get SERVICE USER" and "get SERVICE --mode creds", in any order of flags as keyring has it. both asks for
// the user name, too. service is "" for anything else.
func question(args []string) (service string, both bool) {
	if len(args) == 0 || args[0] != "get" {
		return "", false
	}
	var words []string
	for i := 1; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--mode" && i+1 < len(args):
			i++
			both = args[i] == "creds"
		case a == "--mode=creds":
			both = true
		case a == "--mode=password":
		case len(a) > 0 && a[0] == '-':
			return "", false // --output json and whatever comes: keyring's own
		default:
			words = append(words, a)
		}
	}
	if len(words) == 2 || len(words) == 1 && both {
		return words[0], both
	}
	return "", false
}
