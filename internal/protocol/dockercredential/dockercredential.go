// Package dockercredential answers the credential helper protocol of the docker CLI, which crane, oras, helm, skopeo, podman,
// and OpenTofu speak, too (https://github.com/docker/docker-credential-helpers).
//
// It guarantees that only a registry that a profile binds is answered, that "not found" is said only where that is the
// truth (any other failure must not make a client go on without a credential), and that docker login and logout work. It
// keeps no password and erases nothing.
package dockercredential

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonobject"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper docker [flags] get|store|erase|list|version

Answers docker and its kin as a credential helper, for registries that a profile binds with cognito_hosts. It
never asks anything: sign in before, with "cognito-credhelper login". store keeps nothing and erase erases
nothing, so that "docker login" and "docker logout" work. As docker-credential-cognito-NAME, a link to this
program, it serves profile NAME only.

Flags:
` + flags.HostUsage + `
Example, in ~/.docker/config.json, with a link docker-credential-cognito on PATH:
  {"credHelpers": {"registry.example.com": "cognito"}}
  echo registry.example.com | cognito-credhelper docker get
`

// The protocol's own sentences: its clients compare them.
const (
	notFound   = "credentials not found in native keychain"
	noServer   = "no credentials server URL"
	noUsername = "no credentials username"
)

// Adapter is the verb docker.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "docker",
		Short: "Answer docker, crane, oras, helm, and skopeo as a credential helper",
		Usage: usage,
		Serve: Serve,
		// docker login gives a password.
		Unread: func(args []string) bool { return len(args) > 0 && args[len(args)-1] == "store" },
	}
}

// Serve answers one action. The protocol has one exit code for every failure, with the sentence on standard output; it goes to
// standard error, too, since some clients show only that.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	r, action, err := command(c)
	if err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	switch action {
	case "get":
		err = get(ctx, c, s, r)
	case "store":
		return store(ctx, c, s, r)
	case "erase":
		_, err = server(c)
	case "list":
		err = list(ctx, c, s, r)
	case "version":
		_, err = c.Out.Write([]byte("docker-credential-cognito (cognito-credhelper) " + version.Number() + "\n"))
	default:
		err = sentence("docker-credential-cognito: unknown action: " + safetext.Line(action, 40))
	}
	return end(c, err)
}

func command(c protocol.Call) (r protocol.HostRequest, action string, err error) {
	if len(c.Args) == 0 {
		return r, "", &token.Error{Kind: token.Usage, Message: "docker needs one of get, store, erase, list, version"}
	}
	last := len(c.Args) - 1
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args[:last]}
	for p.Next() {
		if !wanted.Take(&p) {
			p.Unknown()
		}
	}
	if action = c.Args[last]; p.Err == nil && strings.HasPrefix(action, "-") {
		p.Err = &token.Error{Kind: token.Usage, Message: "docker needs one of get, store, erase, list, version behind " + safetext.Line(action, 40)}
	}
	if p.Err != nil {
		return r, "", p.Err
	}
	r, err = wanted.HostRequest(c.Profile)
	return r, action, err
}

// sentence is a failure that the protocol has words for.
type sentence string

func (s sentence) Error() string { return string(s) }

// end says what failed in the protocol's way. A miss says nothing: the complete program is asked instead.
func end(c protocol.Call, err error) protocol.Result {
	var own sentence
	switch {
	case err == nil:
		return protocol.Result{}
	case errors.Is(err, token.ErrMiss), token.KindOf(err) == token.Interrupted:
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	case errors.As(err, &own):
		_, err = c.Out.Write([]byte(string(own) + "\n"))
		return protocol.Result{Exit: 1, Err: err}
	}
	if _, failed := c.Out.Write([]byte(safetext.Line(explained(err), 1000) + "\n")); failed != nil {
		err = failed
	}
	return protocol.Result{Exit: 1, Err: err}
}

// explained is an error with what to do about it in one line, since the client shows but one.
func explained(err error) string {
	text := err.Error()
	var e *token.Error
	if errors.As(err, &e) && e.Next != "" {
		text += "; " + e.Next
	}
	return text
}

var errLines = errors.New("it has more than one line")

// server reads the one line of get and erase.
func server(c protocol.Call) (string, error) {
	text, err := protocol.ReadRequest(c.In, func(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 })
	if err != nil {
		return "", err
	}
	line, more, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case len(more) > 0:
		return "", protocol.BadRequest(errLines)
	case len(line) == 0:
		return "", sentence(noServer)
	}
	return string(line), nil
}

func get(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) error {
	url, err := server(c)
	if err != nil {
		return err
	}
	if r.Host, err = profiles.ParseHost(url); err != nil {
		return protocol.BadRequest(err)
	}
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		return sentence(notFound)
	}
	if err != nil {
		return err
	}
	secret := got.Token.Value.Reveal()
	b := make([]byte, 0, len(secret)+256)
	b = append(b, `{"ServerURL":`...)
	b = jsonstring.Append(b, url)
	b = append(b, `,"Username":`...)
	b = jsonstring.Append(b, got.Name())
	b = append(b, `,"Secret":`...)
	b = jsonstring.Append(b, secret)
	_, err = c.Out.Write(append(b, "}\n"...))
	return err
}

// store takes what docker login gives and keeps nothing: the next get answers from the session. A person whose password for
// another registry is dropped is told so; to fail would break a login that has just succeeded.
func store(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) protocol.Result {
	text, err := protocol.ReadRequest(c.In, func([]byte) bool { return false })
	if err != nil {
		return end(c, err)
	}
	given, err := jsonobject.Parse(text)
	if err != nil {
		return end(c, protocol.BadRequest(err))
	}
	url, _ := given.Get("ServerURL").String()
	user, _ := given.Get("Username").String()
	switch {
	case url == "":
		return end(c, sentence(noServer))
	case user == "":
		return end(c, sentence(noUsername))
	}
	if r.Host, err = profiles.ParseHost(url); err != nil {
		return end(c, protocol.BadRequest(err))
	}
	if _, err = s.HostCredential(ctx, r); errors.Is(err, protocol.ErrNotBound) {
		return protocol.Result{Err: &token.Error{
			Kind:    token.BadProfile,
			Message: "what you gave for " + r.Host.Authority() + " is not kept: this helper has credentials of bound registries only",
			Next:    "name another helper for it under credHelpers in docker's config.json",
		}}
	}
	return protocol.Result{}
}

func list(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) error {
	hosts, err := s.Hosts(ctx, r)
	if err != nil {
		return err
	}
	b := []byte("{")
	for _, h := range hosts {
		if h.Path != "" {
			continue // docker has one credential for a registry
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(jsonstring.Append(b, h.Host), ':')
		b = jsonstring.Append(b, h.Name())
	}
	_, err = c.Out.Write(append(b, "}\n"...))
	return err
}
