// Package printtoken is the verb token: it prints one token of a session, for scripts and for hosts without a protocol
// of their own.
//
// It guarantees that the token is the only secret it prints, in one write, and that nothing is on standard output when it
// fails. It never prints the refresh token and never reads standard input.
package printtoken

import (
	"context"
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper token [flags]

Prints a token of a profile's session, the access token by default, renewed when it must be.
It never asks anything: sign in before, with "cognito-credhelper login".

Flags:
` + flags.CredentialUsage + `  --use access|id          which token (default access)
  --host HOST[:PORT][/PATH]  what the cognito_hosts of any profile (of --profile's, if it is given) hold out for this
                           host; AWS_PROFILE does not count, and the binding says which token
  --format FORMAT          raw (default): the token
                           header: Authorization: Bearer TOKEN
                           headers-json: {"headers":{"Authorization":["Bearer TOKEN"]}}
                           token-json: {"token":"TOKEN","token_type":"Bearer","expires":"2026-11-23T01:37:45Z"}
  --claims                 print what the token says (its payload, signature not checked) instead of the token

Examples:
  curl -H "$(cognito-credhelper token --profile dev --format header)" https://api.example.com/
  cognito-credhelper token --profile dev --use id --claims
  cognito-credhelper token --host api.example.com/v2 --format header
`

// Claims prints what a token says, never the token.
type Claims func(token.Token) ([]byte, error)

// Adapter is the verb token. claims may be nil (in the front, which cannot afford to read JSON): --claims then is a miss,
// so that the complete program answers it.
func Adapter(claims Claims) protocol.Adapter {
	return protocol.Adapter{
		Verb:  "token",
		Short: "Print an access or ID token",
		Usage: usage,
		Serve: func(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
			if err := serve(ctx, c, s, claims); err != nil {
				return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
			}
			return protocol.Result{}
		},
	}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source, claims Claims) error {
	o, err := parse(c.Args)
	if err != nil {
		return err
	}
	if o.claims && claims == nil {
		return token.ErrMiss
	}
	t, err := o.token(ctx, c, s)
	if err != nil {
		return err
	}
	if t.Value.Empty() {
		return &token.Error{Kind: token.Failure, Message: "the session has no such token"}
	}
	var answer []byte
	if o.claims {
		answer, err = claims(t)
	} else {
		answer = encode(t, o.format)
	}
	if err != nil {
		return err
	}
	_, err = c.Out.Write(answer)
	return err
}

// token asks for the token of a profile, or of what binds a host.
func (o options) token(ctx context.Context, c protocol.Call, s protocol.Source) (token.Token, error) {
	if o.host == "" {
		r := o.wanted.Request(c.Getenv)
		r.Use = token.Use(o.use)
		return s.Token(ctx, r)
	}
	r, err := o.wanted.HostRequest(c.Profile)
	if err != nil {
		return token.Token{}, err
	}
	if r.Host, err = profiles.ParseHost(o.host); err != nil {
		return token.Token{}, &token.Error{Kind: token.Usage, Message: "--host: " + err.Error()}
	}
	got, err := s.HostCredential(ctx, r)
	if errors.Is(err, protocol.ErrNotBound) {
		return token.Token{}, protocol.NotBound(r.Host)
	}
	return got.Token, err
}

type options struct {
	wanted flags.Credential
	host   string
	use    string
	format string
	claims bool
}

func parse(args []string) (options, error) {
	o := options{wanted: flags.NewCredential()}
	p := flags.Parser{Args: args}
	for p.Next() {
		switch {
		case o.wanted.Take(&p):
		case p.Name == "use":
			p.Choice(&o.use, string(token.UseAccess), string(token.UseID))
		case p.Name == "host":
			p.String(&o.host)
		case p.Name == "format":
			p.Choice(&o.format, "raw", "header", "headers-json", "token-json")
		case p.Name == "claims":
			p.Bool(&o.claims)
		default:
			p.Unknown()
		}
	}
	if p.Err != nil {
		return o, p.Err
	}
	if o.host != "" && o.use != "" {
		return o, &token.Error{Kind: token.Usage, Message: "--use and --host exclude each other: the binding says which token"}
	}
	if o.use == "" {
		o.use = string(token.UseAccess)
	}
	if o.claims && o.format != "" {
		return o, &token.Error{Kind: token.Usage, Message: "--claims and --format exclude each other"}
	}
	return o, nil
}

func encode(t token.Token, format string) []byte {
	value := t.Value.Reveal()
	b := make([]byte, 0, len(value)+128)
	switch format {
	case "header":
		b = append(b, "Authorization: Bearer "...)
		b = append(b, value...)
	case "headers-json":
		b = append(b, `{"headers":{"Authorization":[`...)
		b = jsonstring.Append(b, "Bearer "+value)
		b = append(b, "]}}"...)
	case "token-json":
		b = append(b, `{"token":`...)
		b = jsonstring.Append(b, value)
		b = append(b, `,"token_type":"Bearer","expires":"`...)
		b = t.Lifetime.Expires.UTC().AppendFormat(b, time.RFC3339)
		b = append(b, `"}`...)
	default:
		b = append(b, value...)
	}
	return append(b, '\n')
}
