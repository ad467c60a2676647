// Package cargocredential answers Cargo's credential provider protocol, version 1 (the Cargo book, "Credential Provider
// Protocol"), and prints a token for cargo:token-from-stdout.
//
// It guarantees that only a registry whose index a profile binds is answered, that every failure is told in the protocol's
// own form, which Cargo shows, and that neither login nor logout touches a session. It serves one request for a run, as
// Cargo makes it.
package cargocredential

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonobject"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper cargo [flags] [--cargo-plugin]

Answers Cargo as a credential provider, for registries whose index a profile binds with cognito_hosts. Without
--cargo-plugin it prints what cargo:token-from-stdout wants. It never asks anything: sign in before, with
"cognito-credhelper login".

Flags:
` + flags.HostUsage + `
Example, in ~/.cargo/config.toml:
  [registries.team]
  index = "sparse+https://crates.example.com/index/"
  credential-provider = ["/usr/local/bin/cognito-credhelper", "cargo", "--profile", "dev"]
`

// verb is the verb, which Cargo puts into the request where the configuration names the program and not a helper's name.
const verb = "cargo"

// plugin is the only argument that Cargo gives by itself.
const plugin = "--cargo-plugin"

// Adapter is the verb cargo.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  verb,
		Short: "Answer Cargo as a credential provider",
		Usage: usage,
		Serve: Serve,
		Greeting: func(args []string) string {
			if isPlugin(args) {
				return "{\"v\":[1]}\n"
			}
			return ""
		},
	}
}

func isPlugin(args []string) bool { return len(args) > 0 && args[len(args)-1] == plugin }

// Serve answers one request. As a plugin it ends with 0 and says in its answer what went wrong: Cargo prints that, and
// would print a second error for another exit code.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if !isPlugin(c.Args) {
		if err := printToken(ctx, c, s); err != nil {
			return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
		}
		return protocol.Result{}
	}
	_, err := hostRequest(c, c.Args[:len(c.Args)-1])
	if err != nil { // a command line that no Cargo wrote
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	text, err := protocol.ReadRequest(c.In, ends)
	if err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	if len(text) == 0 {
		return protocol.Result{} // Cargo asks nothing more
	}
	answer, err := respond(ctx, c, s, text)
	if errors.Is(err, token.ErrMiss) {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	if err != nil {
		answer = failure(err)
	}
	if _, err := c.Out.Write(answer); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

// ends reports whether b has a whole request: one line.
func ends(b []byte) bool { return len(b) > 0 && b[len(b)-1] == '\n' }

var errVersion = errors.New("it is not version 1 of the protocol")

// respond gives the answer to one request.
func respond(ctx context.Context, c protocol.Call, s protocol.Source, text []byte) ([]byte, error) {
	asked, err := jsonobject.Parse(text)
	if err != nil {
		return nil, protocol.BadRequest(err)
	}
	if asked.Get("v") != "1" {
		return nil, protocol.BadRequest(errVersion)
	}
	r, ok, err := request(c, asked)
	if err != nil {
		return nil, err
	}
	if !ok {
		return otherRegistry, nil
	}
	switch kind, _ := asked.Get("kind").String(); kind {
	case "get":
		return get(ctx, s, r)
	case "login":
		return login(ctx, s, r)
	case "logout":
		return logout(ctx, s, r)
	default:
		return []byte(`{"Err":{"kind":"operation-not-supported"}}` + "\n"), nil
	}
}

// otherRegistry makes Cargo ask its next provider. It is never written to.
var otherRegistry = []byte(`{"Err":{"kind":"url-not-supported"}}` + "\n")

// request reads which registry is meant, and the flags: those before --cargo-plugin, and those of the configuration, which
// Cargo sends along. ok is false where the index is no web server's.
func request(c protocol.Call, asked jsonobject.Object) (r protocol.HostRequest, ok bool, err error) {
	args := append([]string(nil), c.Args[:len(c.Args)-1]...)
	sent, _ := asked.Get("args").Array()
	for i, a := range sent {
		s, ok := a.String()
		if ok && (i > 0 || s != verb) {
			args = append(args, s)
		}
	}
	if r, err = hostRequest(c, args); err != nil {
		return r, false, err
	}
	registry, _ := asked.Get("registry").Object()
	index, _ := registry.Get("index-url").String()
	r.Host, ok, err = place(index)
	return r, ok, err
}

func hostRequest(c protocol.Call, args []string) (protocol.HostRequest, error) {
	wanted := flags.NewCredential()
	p := flags.Parser{Args: args}
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

// place reads the URL of an index: "sparse+https://…/" or a git repository's.
func place(index string) (h profiles.Host, ok bool, err error) {
	index = strings.TrimPrefix(strings.TrimPrefix(index, "sparse+"), "registry+")
	if !strings.HasPrefix(index, "https://") && !strings.HasPrefix(index, "http://") {
		return h, false, nil
	}
	if h, err = profiles.ParseHost(index); err != nil {
		return h, false, protocol.BadRequest(err)
	}
	return h, true, nil
}

// get answers with a token. Cargo sends it as it stands, so that the scheme belongs to it.
func get(ctx context.Context, s protocol.Source, r protocol.HostRequest) ([]byte, error) {
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		return otherRegistry, nil
	}
	if err != nil {
		return nil, err
	}
	b := append([]byte(nil), `{"Ok":{"kind":"get","token":`...)
	b = jsonstring.Append(b, authorization(got))
	if end := got.Token.Lifetime.Expires; end.IsZero() {
		b = append(b, `,"cache":"never"`...)
	} else {
		b = append(b, `,"cache":"expires","expiration":`...)
		b = strconv.AppendInt(b, end.Unix(), 10)
	}
	return append(b, `,"operation_independent":true}}`+"\n"...), nil
}

// authorization is the value of the header. CodeArtifact is documented to take its token without a scheme:
// https://docs.aws.amazon.com/codeartifact/latest/ug/configure-use-cargo.html
func authorization(got protocol.HostCredential) string {
	if got.Kind == "codeartifact" {
		return got.Token.Value.Reveal()
	}
	return "Bearer " + got.Token.Value.Reveal()
}

// login is done where a session is there; otherwise a person must sign in, which no tool can do for them.
func login(ctx context.Context, s protocol.Source, r protocol.HostRequest) ([]byte, error) {
	_, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		return otherRegistry, nil
	}
	if err != nil {
		return nil, err
	}
	return []byte(`{"Ok":{"kind":"login"}}` + "\n"), nil
}

// logout refuses: the sign-in serves other tools, too.
func logout(ctx context.Context, s protocol.Source, r protocol.HostRequest) ([]byte, error) {
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		return otherRegistry, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, &token.Error{
		Kind:    token.Refused,
		Message: "cargo logout does not end the sign-in, which serves other tools too",
		Next:    "cognito-credhelper logout --profile " + profiles.ShellWord(got.Profile),
	}
}

// failure is an error as Cargo prints it: the sentence, and below it what to do.
func failure(err error) []byte {
	b := append([]byte(nil), `{"Err":{"kind":"other","message":`...)
	b = jsonstring.Append(b, err.Error())
	b = append(b, `,"caused-by":[`...)
	var told *token.Error
	if errors.As(err, &told) && told.Next != "" {
		b = jsonstring.Append(b, "run: "+told.Next)
	}
	return append(b, "]}}\n"...)
}

// printToken is for cargo:token-from-stdout, which names the registry in the environment.
func printToken(ctx context.Context, c protocol.Call, s protocol.Source) error {
	r, err := hostRequest(c, c.Args)
	if err != nil {
		return err
	}
	index := c.Getenv("CARGO_REGISTRY_INDEX_URL")
	if index == "" {
		return &token.Error{Kind: token.Usage, Message: "Cargo runs this, and says which registry is meant in CARGO_REGISTRY_INDEX_URL"}
	}
	h, ok, err := place(index)
	if err != nil {
		return err
	}
	r.Host = h
	got, err := protocol.HostCredential{}, protocol.ErrNotBound
	if ok {
		got, err = s.HostCredential(ctx, r)
	}
	if errors.Is(err, protocol.ErrNotBound) {
		return protocol.NotBound(h)
	}
	if err != nil {
		return err
	}
	_, err = c.Out.Write([]byte(authorization(got) + "\n"))
	return err
}
