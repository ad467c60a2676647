package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

// fakePool answers with what it holds, one error after the other, and keeps what it was asked.
type fakePool struct {
	calls   []string
	errs    []error
	factors cognito.Factors
	devices []cognito.DeviceInfo
}

func (f *fakePool) call(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	if len(f.errs) == 0 {
		return nil
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return err
}

func (f *fakePool) ForgotPassword(_ context.Context, user string, metadata map[string]string) (cognito.Delivery, error) {
	return cognito.Delivery{Medium: "EMAIL", Destination: "a***@e\x1b[2J***"}, f.call("forgot %s %v", user, metadata)
}

func (f *fakePool) ConfirmForgotPassword(_ context.Context, user string, code, password token.Secret, _ map[string]string) error {
	return f.call("reset %s %s %s", user, code.Reveal(), password.Reveal())
}

func (f *fakePool) ChangePassword(_ context.Context, access, before, after token.Secret) error {
	return f.call("change %s %s %s", access.Reveal(), before.Reveal(), after.Reveal())
}

func (f *fakePool) ConfirmSignUp(_ context.Context, user string, code token.Secret, _ map[string]string) error {
	return f.call("confirm %s %s", user, code.Reveal())
}

func (f *fakePool) ResendConfirmation(_ context.Context, user string, _ map[string]string) (cognito.Delivery, error) {
	return cognito.Delivery{Medium: "SMS", Destination: "+***1"}, f.call("resend %s", user)
}

func (f *fakePool) Factors(context.Context, token.Secret) (cognito.Factors, error) {
	return f.factors, f.call("factors")
}

func (f *fakePool) AssociateTOTP(context.Context, token.Secret) (token.Secret, error) {
	return token.NewSecret("JBSWY3DP"), f.call("associate")
}

func (f *fakePool) VerifyTOTP(_ context.Context, _, code token.Secret, name string) error {
	return f.call("verify %s %s", code.Reveal(), name)
}

func (f *fakePool) PreferMFA(_ context.Context, _ token.Secret, enabled []string, preferred string) error {
	return f.call("prefer %v %s", enabled, preferred)
}

func (f *fakePool) Devices(context.Context, token.Secret) ([]cognito.DeviceInfo, error) {
	return f.devices, f.call("devices")
}

func (f *fakePool) ForgetDevice(_ context.Context, _ token.Secret, key string) error {
	return f.call("forget %s", key)
}

// refusal is an answer of Cognito's as the user-pool client gives it.
func refusal(code, text string) error {
	next := "cognito-credhelper login --profile dev"
	if code == "PasswordResetRequired" {
		next = "cognito-credhelper password reset --profile dev"
	}
	return &token.Error{
		Kind: token.Refused, Message: "sentence about " + code, Next: next,
		Err: &cognito.Error{Operation: "Op", Code: code + "Exception", Message: text, Status: 400},
	}
}

func newErrandBench(t *testing.T) (*bench, *fakePool) {
	t.Helper()
	b, pool := newBench(t), &fakePool{}
	b.userPool = func(tokensource.Target) (userPool, error) { return pool, nil }
	b.fake.token = token.Token{Value: token.NewSecret("access")}
	return b, pool
}

func TestErrands(t *testing.T) {
	mismatch := refusal("CodeMismatch", "x")
	tests := []struct {
		name   string
		args   string
		errs   []error
		exit   int
		calls  string
		stderr string // its last lines
	}{
		{"reset in one go", "password reset --username al --answer CONFIRMATION_CODE=123 --answer NEW_PASSWORD=@@new", nil, 0,
			"reset al 123 @new", "cognito-credhelper: al has a new password\nhint: cognito-credhelper login --profile dev --username al\n"},
		{"reset without a code", "password reset --username al --client-metadata a=b", nil, 3, "forgot al map[a:b]",
			"cognito-credhelper: Cognito sent a code to a***@e?[2J*** by e-mail\n" +
				"cognito-credhelper: profile dev: password reset needs the code that Cognito sent, and there is nobody to ask\n" +
				"detail: nobody to ask\nhint: run in a terminal: cognito-credhelper password reset --profile dev --username al (or add --answer CONFIRMATION_CODE=VALUE)\n"},
		{"wrong codes", "password reset --username al --answer CONFIRMATION_CODE=1 --answer CONFIRMATION_CODE=2 --answer NEW_PASSWORD=new", []error{mismatch}, 0,
			"reset al 1 new|reset al 2 new", "hint: cognito-credhelper login --profile dev --username al\n"},
		{"wrong, and nobody knows better", "confirm --username al --answer CONFIRMATION_CODE=1", []error{mismatch}, 4, "confirm al 1",
			"hint: cognito-credhelper confirm --profile dev --username al\n"},
		{"three times wrong", "confirm --username al --answer CONFIRMATION_CODE=1 --answer CONFIRMATION_CODE=2 --answer CONFIRMATION_CODE=3", []error{mismatch, mismatch, mismatch}, 4,
			"confirm al 1|confirm al 2|confirm al 3",
			"cognito-credhelper: profile dev: the code was wrong, three times\ndetail: Op: CodeMismatchException: x\nhint: cognito-credhelper confirm --profile dev --username al\n"},
		{"expired", "confirm --username al --answer CONFIRMATION_CODE=1", []error{refusal("ExpiredCode", "x")}, 4, "confirm al 1",
			"hint: cognito-credhelper confirm --resend --profile dev --username al\n"},
		{"sent again", "confirm --resend --username al --answer CONFIRMATION_CODE=1", nil, 0, "resend al|confirm al 1",
			"cognito-credhelper: Cognito sent a code to +***1 by text message\ncognito-credhelper: al is confirmed\nhint: cognito-credhelper login --profile dev --username al\n"},
		{"a name that nobody asked for", "confirm --username al --answer CONFIRMATION_CODE=1 --answer SMS_MFA_CODE=1", nil, 0, "confirm al 1",
			"cognito-credhelper: warning: nobody asked for SMS_MFA_CODE\n"},
		{"change", "password change --answer PASSWORD=@@a --answer NEW_PASSWORD=@@b", nil, 0, "change access @a @b",
			"cognito-credhelper: profile dev: the password is changed\n"},
		{"change, the old one wrong first", "password change --answer PASSWORD=1 --answer PASSWORD=2 --answer NEW_PASSWORD=3", []error{refusal("NotAuthorized", "Incorrect username or password.")}, 0,
			"change access 1 3|change access 2 3", "cognito-credhelper: profile dev: the password is changed\n"},
		{"change, too weak", "password change --answer PASSWORD=1 --answer NEW_PASSWORD=2 --answer NEW_PASSWORD=3", []error{refusal("InvalidPassword", "short")}, 0,
			"change access 1 2|change access 1 3", "cognito-credhelper: profile dev: the password is changed\n"},
		{"mfa prefer", "mfa prefer SMS_MFA", nil, 0, "factors|prefer [EMAIL_OTP SMS_MFA] SMS_MFA", "cognito-credhelper: profile dev: a sign-in asks for SMS_MFA\n"},
		{"mfa prefer without a number", "mfa prefer SMS_MFA", []error{nil, refusal("InvalidParameter", "no phone")}, 4, "factors|prefer [EMAIL_OTP SMS_MFA] SMS_MFA",
			"hint: ask an administrator of the user pool for the address that SMS_MFA needs, then: cognito-credhelper mfa prefer SMS_MFA --profile dev\n"},
		{"mfa prefer none", "mfa prefer none", nil, 0, "prefer [] ", "cognito-credhelper: profile dev: no second factor is on any more\n"},
		{"a reset is due", "mfa list", []error{refusal("PasswordResetRequired", "x")}, 4, "factors", "hint: cognito-credhelper password reset --profile dev\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, pool := newErrandBench(t)
			pool.errs = tt.errs
			pool.factors = cognito.Factors{MFA: []string{"EMAIL_OTP"}, Preferred: "EMAIL_OTP"}
			if got := b.call(t, append(strings.Fields(tt.args), "--profile", "dev")...); got != tt.exit {
				t.Errorf("exit %d, want %d", got, tt.exit)
			}
			if got := strings.Join(pool.calls, "|"); got != tt.calls {
				t.Errorf("calls %s, want %s", got, tt.calls)
			}
			if !strings.HasSuffix(b.stderr.String(), tt.stderr) || b.stdout.Len() > 0 {
				t.Errorf("standard error:\n%swant at the end:\n%sstandard output %q", b.stderr.String(), tt.stderr, b.stdout.String())
			}
		})
	}
}

func TestErrandsOfWhoIsSignedInNeedASession(t *testing.T) {
	for _, args := range []string{"mfa list", "mfa setup", "mfa prefer none", "device list", "device forget k", "password change --answer PASSWORD=@@a"} {
		b, pool := newErrandBench(t)
		b.fake.err = &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in", Next: "cognito-credhelper login --profile dev"}
		got := b.call(t, append(strings.Fields(args), "--profile", "dev")...)
		if got != 3 || len(pool.calls) > 0 || !strings.HasSuffix(b.stderr.String(), "nobody is signed in\nhint: cognito-credhelper login --profile dev\n") {
			t.Errorf("%s: exit %d, calls %v: %s", args, got, pool.calls, b.stderr.String())
		}
	}
}

func TestMFASetUp(t *testing.T) {
	b, pool := newErrandBench(t)
	b.tty = fakeTerminal{present: true, answer: "123 456"}
	pool.factors.User = "al"
	if got := b.call(t, "mfa", "setup", "--name", "phone"); got != 0 {
		t.Fatalf("exit %d: %s", got, b.stderr.String())
	}
	if got := strings.Join(pool.calls, "|"); got != "factors|associate|verify 123456 phone|prefer [SOFTWARE_TOKEN_MFA] SOFTWARE_TOKEN_MFA" {
		t.Errorf("calls %s", got)
	}
	if strings.Contains(b.stderr.String()+b.stdout.String(), "JBSWY3DP") {
		t.Error("the secret left by another way than the terminal")
	}
}

func TestDevicesAreShown(t *testing.T) {
	b, pool := newErrandBench(t)
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"device_key":"us_1"}`))
	b.fake.token = token.Token{Value: token.NewSecret("e30." + payload + ".x")}
	pool.devices = []cognito.DeviceInfo{{Key: "us_1", Name: "a\x1b[2Jb", LastSeen: noon}, {Key: "us_2", Created: noon.Add(time.Second / 2)}}
	b.call(t, "device", "list")
	printed(t, "standard output", &b.stdout, "us_1  a?[2Jb  last seen "+clockTime(noon, noon)+"  (this session's)\nus_2  \n")
	b.stdout.Reset()
	b.call(t, "device", "list", "--json")
	for _, want := range []string{`"last_seen_at": "2026-11-20T12:00:00Z"`, `"created_at": "2026-11-20T12:00:00Z"`, `"name": "a\u001b[2Jb"`, `"this": true`, `"this": false`} {
		if !strings.Contains(b.stdout.String(), want) {
			t.Errorf("no %s in %s", want, b.stdout.String())
		}
	}
	b.stderr.Reset()
	b.call(t, "device", "forget", "us_1")
	if !strings.Contains(b.stderr.String(), "warning: it is this session's own") {
		t.Errorf("standard error %s", b.stderr.String())
	}
}

func TestDeviceKeyOfOddTokens(t *testing.T) {
	for _, odd := range []string{"", "a", "a.b", "a.!.c", "a.e30.c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{"device_key":7}`)) + ".c"} {
		if got := deviceKey(token.NewSecret(odd)); got != "" {
			t.Errorf("%q: %q", odd, got)
		}
	}
}

func TestLoginMendsAndGoesOn(t *testing.T) {
	b, pool := newErrandBench(t)
	b.tty = fakeTerminal{present: true, yes: true, answer: "typed"}
	var seen []string
	failures := []error{refusal("UserNotConfirmed", "x"), refusal("PasswordResetRequired", "x"), nil}
	b.sessions = func() (sessions, error) {
		return &scriptedLogin{fakeSessions: &b.fake, login: func(o tokensource.LoginOptions) error {
			for _, name := range []string{challenge.Username, challenge.Password} {
				a, err := o.Answers.Answer(t.Context(), challenge.Question{Name: name, Attempt: 1})
				if err != nil {
					t.Error(err)
				}
				seen = append(seen, a.Reveal())
			}
			if yes, err := o.Confirm(t.Context(), "replace?"); !yes || err != nil {
				t.Errorf("confirmed: %v, %v", yes, err)
			}
			err := failures[0]
			failures = failures[1:]
			return err
		}}, nil
	}
	if got := b.call(t, "login", "--profile", "dev"); got != 0 {
		t.Fatalf("exit %d: %s", got, b.stderr.String())
	}
	if got := strings.Join(pool.calls, "|"); got != "resend typed|confirm typed typed|forgot typed map[]|reset typed typed typed" {
		t.Errorf("calls %s", got)
	}
	if len(seen) != 6 {
		t.Errorf("answers %v", seen)
	}
	asked := strings.Join(b.tty.asked, "|")
	if strings.Count(asked, "USERNAME") != 1 || strings.Count(asked, "|PASSWORD") != 1 || strings.Count(asked, "replace?") != 1 {
		t.Errorf("the person was asked: %s", asked)
	}
}

func TestLoginOffersNothingToNobody(t *testing.T) {
	for _, tty := range []fakeTerminal{{}, {present: true, answer: "typed"}} {
		b, pool := newErrandBench(t)
		b.tty = tty
		b.fake.err = refusal("PasswordResetRequired", "x")
		got := b.call(t, "login", "--profile", "dev", "--username", "al")
		if got != 4 || len(pool.calls) > 0 || !strings.Contains(b.stderr.String(), "sentence about PasswordResetRequired") {
			t.Errorf("exit %d, calls %v: %s", got, pool.calls, b.stderr.String())
		}
	}
}

// scriptedLogin is fakeSessions with a login of its own.
type scriptedLogin struct {
	*fakeSessions
	login func(tokensource.LoginOptions) error
}

func (s *scriptedLogin) Login(_ context.Context, _ tokensource.Target, o tokensource.LoginOptions) (tokensource.LoginResult, error) {
	err := s.login(o)
	return tokensource.LoginResult{User: "al"}, err
}

func TestWrongAnswersAreOfTheQuestionsAsked(t *testing.T) {
	if name, _ := wrongAnswer(refusal("CodeMismatch", ""), []challenge.Question{{Name: "PASSWORD"}}); name != "" {
		t.Errorf("a wrong code was about %s", name)
	}
	if name, _ := wrongAnswer(errors.New("x"), []challenge.Question{codeQuestion()}); name != "" {
		t.Errorf("a broken wire was about %s", name)
	}
}
