package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// credentialFlags are the cmdlets' flags for AWS credentials.
type credentialFlags struct{ access, secret, session, whole string }

func (f *credentialFlags) define(c *cobra.Command) {
	c.Flags().StringVar(&f.access, "access-key", "", "AWS access key `ID`, with --secret-key")
	c.Flags().StringVar(&f.secret, "secret-key", "", "its secret, `@FILE` or -")
	c.Flags().StringVar(&f.session, "session-token", "", "its session token, `@FILE` or -")
	c.Flags().StringVar(&f.whole, "credential", "", "AWS credentials as credential_process prints them, `@FILE` or -")
}

// claim checks the cmdlets' rules, and who reads standard input.
func (f *credentialFlags) claim(v *prompt.Values) error {
	switch {
	case f.secret != "" && f.access == "":
		return usageOf("--secret-key needs --access-key")
	case f.access != "" && f.secret == "":
		return usageOf("--access-key needs --secret-key")
	case f.session != "" && f.access == "":
		return usageOf("--session-token needs --access-key and --secret-key")
	case f.whole != "" && prompt.Literal(f.whole):
		return usageOf("--credential takes @FILE or -")
	}
	for _, o := range []struct{ option, raw string }{{"--secret-key", f.secret}, {"--session-token", f.session}, {"--credential", f.whole}} {
		if err := v.Claim(o.option, o.raw); err != nil {
			return err
		}
	}
	return nil
}

// awsKeys are AWS credentials and where they come from; "" for none.
type awsKeys struct {
	cognito.AWSKeys
	from string
}

// read gives the explicit credentials: keys before --credential.
func (f *credentialFlags) read(ctx context.Context, v *prompt.Values, literal func(...string), now time.Time) (awsKeys, error) {
	var none awsKeys
	var seen []string
	for _, o := range []struct{ option, raw string }{{"--secret-key", f.secret}, {"--session-token", f.session}} {
		if o.raw != "" && prompt.Literal(o.raw) {
			seen = append(seen, o.option)
		}
	}
	literal(seen...)
	if f.whole != "" && f.access == "" {
		return f.readWhole(ctx, v, now)
	}
	if f.access == "" {
		return none, nil
	}
	k := awsKeys{cognito.AWSKeys{AccessKeyID: f.access}, "--access-key"}
	var err error
	if k.SecretAccessKey, err = v.Read(ctx, "--secret-key", f.secret); err == nil && f.session != "" {
		k.SessionToken, err = v.Read(ctx, "--session-token", f.session)
	}
	return k, err
}

// readWhole reads the JSON of a credential_process.
func (f *credentialFlags) readWhole(ctx context.Context, v *prompt.Values, now time.Time) (awsKeys, error) {
	var in struct {
		Version                                   int
		AccessKeyID                               string `json:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	text, err := v.Read(ctx, "--credential", f.whole)
	if err != nil {
		return awsKeys{}, err
	}
	if json.Unmarshal([]byte(text.Reveal()), &in) != nil || in.Version != 1 || in.AccessKeyID == "" || in.SecretAccessKey == "" {
		return awsKeys{}, usageOf("--credential: the text is not what a credential_process prints: Version 1, AccessKeyId, SecretAccessKey")
	}
	if in.Expiration != "" {
		end, err := time.Parse(time.RFC3339, in.Expiration)
		if err != nil {
			return awsKeys{}, usageOf("--credential: Expiration is no time of RFC 3339")
		}
		if !end.After(now) {
			return awsKeys{}, usageOf("--credential: the credentials have expired")
		}
	}
	return awsKeys{cognito.AWSKeys{AccessKeyID: in.AccessKeyID, SecretAccessKey: token.NewSecret(in.SecretAccessKey), SessionToken: token.NewSecret(in.SessionToken)}, "--credential"}, nil
}

// signer finds the credentials of a signed operation: explicit ones, those of the profile, those of the environment.
func (r *raw) signer() error {
	p := r.target.Profile
	switch {
	case r.keys.from != "":
	case p.AccessKeyID != "" && !p.SecretAccessKey.Empty():
		r.keys = awsKeys{cognito.AWSKeys{
			AccessKeyID: p.AccessKeyID, SecretAccessKey: token.NewSecret(p.SecretAccessKey.Reveal()), SessionToken: token.NewSecret(p.SessionToken.Reveal()),
		}, "profile " + p.Name}
	case r.Getenv("AWS_ACCESS_KEY_ID") != "" && r.Getenv("AWS_SECRET_ACCESS_KEY") != "":
		r.keys = awsKeys{cognito.AWSKeys{
			AccessKeyID: r.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: token.NewSecret(r.Getenv("AWS_SECRET_ACCESS_KEY")),
			SessionToken: token.NewSecret(r.Getenv("AWS_SESSION_TOKEN")),
		}, "the environment"}
	default:
		return &token.Error{
			Kind:    token.BadProfile,
			Message: r.operation + " must be signed, and there are no AWS credentials",
			Next:    r.line() + " --credential @FILE",
		}
	}
	return nil
}
