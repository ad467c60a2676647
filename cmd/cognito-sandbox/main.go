// Command cognito-sandbox is a local Amazon Cognito: a user pool, an identity pool, and STS on loopback.
//
// It guarantees one line of JSON on standard output when it is ready, and that it ends within a second of SIGTERM or
// SIGINT. It never listens anywhere but on loopback, and forgets everything when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `cognito-sandbox is a local Amazon Cognito user pool, identity pool, and STS, for demos and tests.

usage:
  cognito-sandbox serve [--addr 127.0.0.1:0] [--config FILE.json] [--write-profile FILE]
  cognito-sandbox totp --user NAME [--endpoint URL | --config FILE.json | --secret BASE32]
  cognito-sandbox code --user NAME --kind KIND --endpoint URL

example:
  cognito-sandbox serve --addr 127.0.0.1:9229 --write-profile sandbox.ini &
  cognito-sandbox totp --user alice --endpoint http://127.0.0.1:9229

--write-profile writes [profile sandbox]; with AWS_CONFIG_FILE naming that file, "cognito-credhelper configure --profile
sandbox" adds the credential_process line by which AWS tools ask for their credentials.

The configuration is JSON; what it leaves out is as without one. Members: user_pool (id, clients, users, mfa, devices,
custom_auth, …), identity_pool, roles, aws_keys (for AdminInitiateAuth), faults;
testdata/sample.json has nearly all of them, package internal/sandbox documents each. For instance:
  {"user_pool": {"clients": [{"id": "me", "rotation": true, "grace_seconds": 0, "access_token_seconds": 60}],
                 "users": [{"username": "zoe", "password": "Zoe's own 1", "totp_secret": "JBSWY3DPEHPK3PXP"}]}}

While it serves, the control path looks at it and disturbs it:
  GET    /_sandbox/requests          requests per operation since the last reset
  POST   /_sandbox/requests/reset
  GET    /_sandbox/faults            the faults to come
  POST   /_sandbox/faults            {"operation":"GetTokensFromRefreshToken","kind":"drop-after","count":1}
  DELETE /_sandbox/faults
  GET    /_sandbox/totp?user=alice   the code that the user's authenticator shows now
  GET    /_sandbox/sms?user=bob      the last code sent to the user
  GET    /_sandbox/codes?user=bob    every code that the user could type now; &kind=KIND for one
  GET    /_sandbox/triggers          what Lambda triggers were given, ClientMetadata byte for byte
  POST   /_sandbox/triggers          {"PreAuthentication":"not today"} makes one fail; "" lets it work again; DELETE forgets all
  GET    /_sandbox/contexts          AnalyticsMetadata and UserContextData as they came
  POST   /_sandbox/clients/ID        {"secret":…,"secret_next":…}: the live secrets of an app client
  POST   /_sandbox/advance           {"seconds":3600}; with "date":true the Date header moves too
  POST   /_sandbox/users             a new user, as in the configuration
  POST   /_sandbox/users/alice       {"password":…,"status":…,"disabled":…,"attributes":…,"groups":…,
                                     "revoke_all":true,"forget_devices":true,"delete":true}
kinds of fault: internal, fail-after, html-502, throttle, error (code, message, status), slow and slow-answer (delay_ms), drop-before,
  drop-after, skew-date (skew_seconds), no-expires-in, reply (body), hang. "count": -1 lasts until DELETE; "operation": "*" hits all.
kinds of code: SMS_MFA, SMS_OTP, EMAIL_OTP, SOFTWARE_TOKEN_MFA, MFA_SETUP (of the secret given out last), SIGN_UP, FORGOT_PASSWORD.
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its surroundings given. Exit codes: 0 ok, 1 failure, 2 usage.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, args, stdout)
	var bad *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &bad):
		fmt.Fprintf(stderr, "cognito-sandbox: %v\nsee: cognito-sandbox --help\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "cognito-sandbox: %v\n", err)
	return 1
}

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }

func badUsage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func dispatch(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return badUsage("say what to do: serve, totp, or code")
	}
	switch args[0] {
	case "serve":
		return serve(ctx, args[1:], stdout)
	case "totp":
		return totp(ctx, args[1:], stdout)
	case "code":
		return code(ctx, args[1:], stdout)
	case "help", "--help", "-help", "-h":
		return help(stdout)
	}
	return badUsage("there is no command %q", args[0])
}

func help(w io.Writer) error {
	_, err := io.WriteString(w, usage)
	return err
}

// parse reads the flags of a command, which takes no other arguments.
func parse(f *flag.FlagSet, args []string, stdout io.Writer) (done bool, err error) {
	f.SetOutput(io.Discard)
	err = f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return true, help(stdout)
	case err != nil:
		return false, &usageError{err}
	case f.NArg() > 0:
		return false, badUsage("%s takes no argument %q", f.Name(), f.Arg(0))
	}
	return false, nil
}
