// Package bazelcredential answers Bazel's credential helper protocol (the EngFlow credential-helper specification).
//
// It guarantees that only a host that a profile binds is given a header, and that the answer says until when it holds, so
// that Bazel neither keeps it too long nor asks for each file. It never asks anything.
package bazelcredential

import (
	"context"
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonobject"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper bazel [flags] get

Answers Bazel as a credential helper, for hosts that a profile binds with cognito_hosts; any other host gets no
header. It never asks anything: sign in before, with "cognito-credhelper login". Bazel passes no arguments: to
restrict it to a profile, name it bazel-credential-cognito-PROFILE.

Flags:
` + flags.HostUsage + `
Example, in .bazelrc (the link is what "cognito-credhelper bazel get" is run by):
  common --credential_helper=*.example.com=/usr/local/bin/bazel-credential-cognito
`

// Adapter is the verb bazel.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "bazel",
		Short: "Answer Bazel as a credential helper",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one request. Bazel shows standard error where the exit code is not 0, and goes on without a header.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

var errURI = errors.New("it has no uri")

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	r, err := request(c)
	if err != nil {
		return err
	}
	text, err := protocol.ReadRequest(c.In, ends)
	if err != nil {
		return err
	}
	asked, err := jsonobject.Parse(text)
	if err != nil {
		return protocol.BadRequest(err)
	}
	uri, ok := asked.Get("uri").String()
	if !ok {
		return protocol.BadRequest(errURI)
	}
	if r.Host, err = profiles.ParseHost(uri); err != nil {
		return protocol.BadRequest(err)
	}
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		_, err = c.Out.Write([]byte(`{"headers":{}}` + "\n"))
		return err
	}
	if err != nil {
		return err
	}
	_, err = c.Out.Write(answer(got))
	return err
}

// request reads the command line: flags, then what Bazel wants done.
func request(c protocol.Call) (protocol.HostRequest, error) {
	last := len(c.Args) - 1
	if last < 0 || c.Args[last] != "get" {
		return protocol.HostRequest{}, &token.Error{Kind: token.Usage, Message: "bazel needs get, the only thing that it can be asked for"}
	}
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args[:last]}
	for p.Next() {
		if !wanted.Take(&p) {
			p.Unknown()
		}
	}
	if p.Err != nil {
		return protocol.HostRequest{}, p.Err
	}
	return wanted.HostRequest(c.Profile)
}

// ends reports whether b has a whole request. Bazel closes the pipe behind it; a person may type one line.
func ends(b []byte) bool { return len(b) > 0 && b[len(b)-1] == '\n' }

func answer(got protocol.HostCredential) []byte {
	b := append([]byte(nil), `{"headers":{"Authorization":[`...)
	b = jsonstring.Append(b, "Bearer "+got.Token.Value.Reveal())
	b = append(b, "]}"...)
	if end := got.Token.Lifetime.Expires; !end.IsZero() {
		b = append(b, `,"expires":"`...)
		b = end.UTC().AppendFormat(b, time.RFC3339)
		b = append(b, '"')
	}
	return append(b, "}\n"...)
}
