// Package gcpexecutable answers Google Cloud's client libraries, which run us by an executable-sourced external account
// (https://google.aip.dev/auth/4117#determining-the-subject-token-in-executable-sourced-credentials).
//
// It guarantees one JSON document in one write, and exit code 0 also for a failure that the document tells: of a program that
// exits otherwise the libraries show the exit code only. It gives the ID token and nothing else, and never reads standard input.
package gcpexecutable

import (
	"context"
	"errors"
	"strconv"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const usage = `Usage: cognito-credhelper gcp [flags]

Prints the ID token of a profile as Google Cloud's workload identity federation wants it from an executable. It
never asks anything: sign in before, with "cognito-credhelper login". The workload identity pool's provider
must trust the user pool as OpenID Connect issuer, with the app client as audience.

Flags:
` + flags.CredentialUsage + `
Example, credential_source of an external_account file; programs need GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1:
  "executable": {"command": "/usr/local/bin/cognito-credhelper gcp --profile dev", "timeout_millis": 30000}
`

// tokenType is the one kind of token that we have for the libraries.
const tokenType = "urn:ietf:params:oauth:token-type:id_token"

// Adapter is the verb gcp.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "gcp",
		Short: "Print the ID token for Google Cloud's client libraries",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one call. A failure is in the answer, and in Err for a person.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	answer, err := serve(ctx, c, s)
	if answer == nil { // the front hands over, or the command line is wrong
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	if _, failed := c.Out.Write(answer); failed != nil {
		return protocol.Result{Exit: token.Failure.ExitCode(), Err: failed}
	}
	return protocol.Result{Err: err}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) ([]byte, error) {
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args}
	for p.Next() {
		if !wanted.Take(&p) {
			p.Unknown()
		}
	}
	if p.Err != nil {
		return nil, p.Err
	}
	if want := c.Getenv("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"); want != "" && want != tokenType {
		err := &token.Error{
			Kind: token.BadProfile, Message: "the external account wants a token of type " + safetext.Line(want, 100) + ", and the sign-in has an ID token",
			Next: "set subject_token_type of the external_account file to " + tokenType,
		}
		return refuse(err), err
	}
	r := wanted.Request(c.Getenv)
	r.Use = token.UseID
	t, err := s.Token(ctx, r)
	switch {
	case errors.Is(err, token.ErrMiss):
		return nil, err
	case err != nil:
		return refuse(err), err
	case t.Value.Empty() || t.Lifetime.Expires.IsZero():
		err = &token.Error{Kind: token.Failure, Message: "the session has no ID token"}
		return refuse(err), err
	}
	b := append(make([]byte, 0, 2048), `{"version":1,"success":true,"token_type":"`+tokenType+`","id_token":`...)
	b = jsonstring.Append(b, t.Value.Reveal())
	b = strconv.AppendInt(append(b, `,"expiration_time":`...), t.Lifetime.Expires.Unix(), 10)
	return append(b, "}\n"...), nil
}

// codes are what the libraries show beside the message.
var codes = map[token.Kind]string{token.LoginNeeded: "401", token.Refused: "403", token.BadProfile: "400", token.Unavailable: "503"}

const shown = 600 // runes of a message

func refuse(err error) []byte {
	code := codes[token.KindOf(err)]
	if code == "" {
		code = "500"
	}
	message := err.Error()
	var hint interface {
		error
		Hint() string
	}
	if errors.As(err, &hint) && hint.Hint() != "" {
		message += "; hint: " + hint.Hint()
	}
	b := jsonstring.Append([]byte(`{"version":1,"success":false,"code":`), code)
	b = jsonstring.Append(append(b, `,"message":`...), safetext.Line(message, shown))
	return append(b, "}\n"...)
}
