// Package terraformcredentials answers the credentials helper protocol of Terraform and OpenTofu
// (https://developer.hashicorp.com/terraform/internals/credentials-helpers).
//
// It guarantees that a host which a profile binds gets the token of that profile's session and no other, and that a token
// which "terraform login" got for another host is kept until "terraform logout" has it forgotten. No module can get a token by
// naming a host. Its reasons go to the terminal, too: Terraform often hides standard error.
package terraformcredentials

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonobject"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper terraform [flags] get|store|forget HOST

Answers Terraform and OpenTofu as a credentials helper, for hosts that a profile binds with cognito_hosts. It
never asks anything: sign in before, with "cognito-credhelper login". A token that "terraform login" got for
any other host is kept, and "terraform logout" has it forgotten; a bound host has the token of its sign-in.

Flags:
` + flags.HostUsage + `
Example, in ~/.terraformrc, with a link ~/.terraform.d/plugins/terraform-credentials-cognito:
  credentials_helper "cognito" { args = ["--profile", "dev"] }
  cognito-credhelper terraform get app.example.com
`

// Adapter is the verb terraform.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "terraform",
		Short: "Answer Terraform and OpenTofu as a credentials helper",
		Usage: usage,
		Serve: Serve,
		// terraform login gives a token.
		Unread: func(args []string) bool { return len(args) > 1 && args[len(args)-2] == "store" },
	}
}

// Serve answers one call.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err, Terminal: true}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	own := max(0, len(c.Args)-2) // Terraform puts its two words behind what the configuration says
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args[:own]}
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
	if len(c.Args) < 2 {
		return errWords
	}
	if r.Host, err = profiles.NewHost("https", c.Args[own+1], ""); err != nil {
		return protocol.BadRequest(err)
	}
	switch verb := c.Args[own]; verb {
	case "get":
		return get(ctx, c, s, r)
	case "store":
		return store(ctx, c, s, r.Host)
	case "forget":
		return s.ForgetToken(ctx, r.Host)
	default:
		return &token.Error{Kind: token.Usage, Message: "there is no terraform " + safetext.Line(verb, 40) + ": it is one of get, store, forget"}
	}
}

var errWords = &token.Error{Kind: token.Usage, Message: "terraform needs one of get, store, forget, and a host"}

// get answers with the session's token, else with one that was stored, else with an empty object: no credentials.
func get(ctx context.Context, c protocol.Call, s protocol.Source, r protocol.HostRequest) error {
	r.RenewFirst = true // one token must do for the whole run
	got, err := s.HostCredential(ctx, r)
	value := got.Token.Value
	if errors.Is(err, protocol.ErrNotBound) {
		value, err = s.StoredToken(ctx, r.Host)
	}
	if err != nil {
		return err
	}
	b := []byte("{}\n")
	if !value.Empty() {
		b = append([]byte(nil), `{"token":`...)
		b = jsonstring.Append(b, value.Reveal())
		b = append(b, "}\n"...)
	}
	_, err = c.Out.Write(b)
	return err
}

var errToken = errors.New("it has no token")

func store(ctx context.Context, c protocol.Call, s protocol.Source, h profiles.Host) error {
	document, err := protocol.ReadRequest(c.In, func([]byte) bool { return false })
	if err != nil {
		return err
	}
	given, err := jsonobject.Parse(document)
	if err != nil {
		return protocol.BadRequest(err)
	}
	value, ok := given.Get("token").String()
	if !ok || value == "" {
		return protocol.BadRequest(errToken)
	}
	return s.StoreToken(ctx, h, token.NewSecret(value), document)
}
