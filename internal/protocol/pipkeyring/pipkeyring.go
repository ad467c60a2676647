// Package pipkeyring answers in place of the program keyring, which pip (--keyring-provider subprocess) and uv ask for the
// password of a package index.
//
// It guarantees that only a bound host is answered, and https only: a host without a scheme, which pip asks for where it got
// nothing for the URL, may be meant for http, so that only a loopback address is answered. For whatever else keyring can do it gives protocol.ErrNotBound, and the
// complete program then runs the next keyring on PATH, so that what a user has in it stays within reach.
package pipkeyring

import (
	"cmp"
	"context"
	"strings"
	"unicode"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper keyring [flags] get SERVICE USER
       cognito-credhelper keyring [flags] get URL [USER] --mode creds [--output json]

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
	q, ok := read(rest)
	if !ok {
		return protocol.ErrNotBound
	}
	service := q.service
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
	_, err = c.Out.Write(q.answer(got))
	return err
}

// split parts our own flags, which stand first, from what keyring itself takes.
func split(args []string) (flagged, rest []string) {
	for i := 0; i < len(args); i++ {
		if len(args[i]) == 0 || args[i][0] != '-' || ofKeyring(args[i]) {
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

// ofKeyring tells the flags of keyring that pip (25.2 and newer) and uv give with a question, pip before the operation.
func ofKeyring(flag string) bool {
	name, _, _ := strings.Cut(flag, "=")
	return name == "--mode" || name == "--output"
}

// question is "get SERVICE USER", or with --mode creds "get SERVICE [USER]".
type question struct {
	service, user string
	creds         bool // the user name, too
	json          bool
}

// read takes flags in any place, as keyring does. ok is false for anything that is keyring's own.
func read(args []string) (q question, ok bool) {
	var words []string
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		if len(a) == 0 || a[0] != '-' {
			words = append(words, a)
			continue
		}
		if !ofKeyring(a) {
			return q, false
		}
		name, value, attached := strings.Cut(a, "=")
		if !attached && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		if !q.take(name, value) {
			return q, false
		}
	}
	if len(words) == 2 && q.creds {
		words = append(words, "")
	}
	if len(words) != 3 || words[0] != "get" || strings.ContainsFunc(words[2], unicode.IsControl) {
		return q, false
	}
	q.service, q.user = words[1], words[2]
	return q, true
}

func (q *question) take(name, value string) bool {
	switch name + "=" + value {
	case "--mode=creds":
		q.creds = true
	case "--mode=password":
		q.creds = false
	case "--output=json":
		q.json = true
	case "--output=plain":
		q.json = false
	default:
		return false
	}
	return true
}

// answer has the user name that was asked for, because a pip that asks for the password alone sends that one.
func (q question) answer(got protocol.HostCredential) []byte {
	user, password := cmp.Or(q.user, got.Name()), got.Token.Value.Reveal()
	if !q.json {
		if q.creds {
			password = user + "\n" + password
		}
		return []byte(password + "\n")
	}
	out := []byte{'{'}
	if q.creds {
		out = jsonstring.Append(append(out, `"username": `...), user)
		out = append(out, ", "...)
	}
	out = jsonstring.Append(append(out, `"password": `...), password)
	return append(out, "}\n"...)
}
