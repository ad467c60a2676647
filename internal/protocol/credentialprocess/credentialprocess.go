// Package credentialprocess answers the AWS CLI and SDKs, which run us by a profile's credential_process line
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html).
//
// It guarantees one line of JSON in one write, always with Expiration (without it a host would keep the credentials for
// ever), and nothing on standard output when it fails. It never reads standard input, which several hosts leave open.
package credentialprocess

import (
	"context"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const usage = `Usage: cognito-credhelper credential-process [flags]

Prints temporary AWS credentials of a profile, as credential_process of the AWS CLI and SDKs wants them.
It never asks anything: sign in before, with "cognito-credhelper login".

Flags:
` + flags.CredentialUsage + `
Example, in ~/.aws/config:
  [profile dev]
  credential_process = /usr/local/bin/cognito-credhelper credential-process --profile dev
`

// Adapter is the verb credential-process.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "credential-process",
		Short: "Print AWS credentials for the AWS CLI and SDKs (credential_process)",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one call. Errors keep their kind and decide the exit code.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	wanted := flags.NewCredential()
	p := flags.Parser{Args: c.Args}
	for p.Next() {
		if !wanted.Take(&p) {
			p.Unknown()
		}
	}
	if p.Err != nil {
		return p.Err
	}
	r := wanted.Request(c.Getenv)
	r.Use = token.UseID // AWS credentials are bought with the ID token
	r.RenewFirst = true // botocore asks again at every API call once less than 15 minutes are left
	credentials, err := s.AWSCredentials(ctx, r)
	if err != nil {
		return err
	}
	answer, err := Encode(credentials)
	if err != nil {
		return err
	}
	_, err = c.Out.Write(answer)
	return err
}

// Encode writes the document by hand; its fields are those that every host reads, AccountId only when it is known.
func Encode(c token.AWSCredentials) ([]byte, error) {
	if c.AccessKeyID == "" || c.SecretAccessKey.Empty() || c.SessionToken.Empty() || c.Lifetime.Expires.IsZero() {
		return nil, &token.Error{Kind: token.Failure, Message: "the AWS credentials are incomplete"}
	}
	b := make([]byte, 0, 2048)
	b = append(b, `{"Version":1,"AccessKeyId":`...)
	b = jsonstring.Append(b, c.AccessKeyID)
	b = append(b, `,"SecretAccessKey":`...)
	b = jsonstring.Append(b, c.SecretAccessKey.Reveal())
	b = append(b, `,"SessionToken":`...)
	b = jsonstring.Append(b, c.SessionToken.Reveal())
	b = append(b, `,"Expiration":"`...)
	// Whole seconds with Z: botocore refuses numbers, the Go SDK any zone but Z or with a colon. The format cuts, so the
	// answer is never later than the truth.
	b = c.Lifetime.Expires.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, '"')
	if c.AccountID != "" {
		b = append(b, `,"AccountId":`...)
		b = jsonstring.Append(b, c.AccountID)
	}
	return append(b, "}\n"...), nil
}
