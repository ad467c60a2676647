// Package goauth answers the go command's GOAUTH protocol (go help goauth, Go 1.24 and newer).
//
// It guarantees that the first run, which names no URL, does nothing but answer for hosts whose session is live, that a
// response which no credential can change (404, 410, …) is answered at once and with nothing, and that a refused token is
// renewed before it is handed out again. It never asks anything.
package goauth

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper goauth [flags] [URL]

Answers the go command as one of its GOAUTH commands, for hosts that a profile binds with cognito_hosts. It never
asks anything: sign in before, with "cognito-credhelper login". Go hides what went wrong: see it with
"go mod download -x" or with "cognito-credhelper status".

Flags:
` + flags.HostUsage + `
Example:
  go env -w GOAUTH='/usr/local/bin/cognito-credhelper goauth --profile dev'
`

// Adapter is the verb goauth.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "goauth",
		Short: "Answer the go command (GOAUTH)",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one run. Go shows neither standard error nor the exit code, so that a person is told on the terminal; the
// run before the first request fails quietly, since nobody may need it.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	url, err := serve(ctx, c, s)
	if err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err, Terminal: url != ""}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) (url string, err error) {
	args := c.Args
	if n := len(args); n > 0 && strings.Contains(args[n-1], "://") {
		url, args = args[n-1], args[:n-1]
	}
	wanted := flags.NewCredential()
	p := flags.Parser{Args: args}
	for p.Next() {
		if !wanted.Take(&p) {
			p.Unknown()
		}
	}
	if p.Err != nil {
		return url, p.Err
	}
	r, err := wanted.HostRequest(c.Profile)
	if err != nil {
		return url, err
	}
	if url == "" {
		return url, answerAll(ctx, c, s, r)
	}
	return url, answerRetry(ctx, c, s, r, url)
}

// answerAll answers the run that comes before any request: every place that a live session answers for. A path that is bound
// by itself is among them, or Go would send it what its host gets.
func answerAll(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) error {
	hosts, err := s.Hosts(ctx, r)
	if err != nil {
		return err
	}
	var answer []byte
	for _, h := range hosts {
		one := r
		if one.Host, err = profiles.ParseHost(h.Host + h.Path); err != nil {
			return protocol.BadRequest(err)
		}
		got, err := s.HostCredential(ctx, one)
		if errors.Is(err, protocol.ErrNotBound) {
			continue // the profile changed meanwhile
		}
		if err != nil {
			return err
		}
		answer = set(answer, one.Host, got, "")
	}
	if len(answer) == 0 {
		return nil
	}
	_, err = c.Out.Write(answer)
	return err
}

// answerRetry answers the run after a response that is an error. Go repeats the request once where we answer something.
func answerRetry(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest, url string) error {
	said, err := protocol.ReadRequest(c.In, ends)
	if err != nil {
		return err
	}
	if !refused(said) {
		return nil
	}
	if r.Host, err = profiles.ParseHost(url); err != nil {
		return protocol.BadRequest(err)
	}
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		return nil
	}
	if err != nil {
		return err
	}
	sent, err := wasSent(ctx, s, r, said)
	if err != nil {
		return err
	}
	if sent {
		r.Rejected = protocol.FingerprintOf(got.Token.Value)
		if got, err = s.HostCredential(ctx, r); err != nil {
			return err
		}
	}
	// Go 1.24 finds what it is told of a whole host or of the very URL, not of a path above it.
	var also string
	if got.Path != "" {
		also = url
	}
	_, err = c.Out.Write(set(nil, r.Host, got, also))
	return err
}

// ends reports whether b has the whole head of a response.
func ends(b []byte) bool {
	return bytes.Contains(b, []byte("\n\n")) || bytes.Contains(b, []byte("\r\n\r\n"))
}

// refused reads the status line, such as "HTTP/2.0 401 Unauthorized": only 401 and 403 can be about a credential.
func refused(response []byte) bool {
	line, _, _ := strings.Cut(string(response), "\n")
	fields := strings.Fields(line)
	return len(fields) > 1 && strings.HasPrefix(fields[0], "HTTP/") && (fields[1] == "401" || fields[1] == "403")
}

// wasSent reports whether the request that was refused had our token in it, so that a newer one is needed. Go does not say
// so: it had one where the first run named the host, or where the server calls it invalid (RFC 6750 §3.1).
func wasSent(ctx context.Context, s protocol.Source, r protocol.HostRequest, response []byte) (bool, error) {
	if bytes.Contains(response, []byte("invalid_token")) {
		return true, nil
	}
	hosts, err := s.Hosts(ctx, r)
	if err != nil {
		return false, err
	}
	for _, h := range hosts {
		listed, err := profiles.ParseHost(h.Host)
		if err == nil && listed.Name == r.Host.Name && listed.Port == r.Host.Port && below(r.Host.Path, h.Path) {
			return true, nil
		}
	}
	return false, nil
}

// below reports whether Go sends to path what it was told of prefix; "" is the whole host.
func below(path, prefix string) bool {
	return prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/")
}

// set appends one set of the protocol: URL prefixes, an empty line, header fields, an empty line. Only https is ever asked.
// also is one more URL, if any.
func set(dst []byte, h profiles.Host, got protocol.HostCredential, also string) []byte {
	dst = append(dst, "https://"...)
	dst = append(dst, h.Authority()...)
	dst = append(dst, got.Path...)
	if also != "" {
		dst = append(append(dst, '\n'), also...)
	}
	dst = append(dst, "\n\nAuthorization: Bearer "...)
	dst = append(dst, got.Token.Value.Reveal()...)
	return append(dst, "\n\n"...)
}
