package cognito

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/smithy-go"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// printable reports whether text may go to a terminal: one line, no control or format character.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return r >= 0x80 && r <= 0x9f || unicode.Is(unicode.Cf, r)
	}) < 0
}

func TestAnswersOfSignIn(t *testing.T) {
	for _, tt := range []struct {
		code, text string
		kind       token.Kind
		message    string
		next       string
	}{
		{"NotAuthorizedException", "Incorrect username or password.", token.Refused, "user name or password is wrong", "cognito-credhelper login --profile dev"},
		{"NotAuthorizedException", "User is disabled.", token.Refused, "the user is disabled", "administrator"},
		{"NotAuthorizedException", "Password attempts exceeded", token.Unavailable, "too many wrong passwords", "wait"},
		{"NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.", token.Refused, "the temporary password has expired", "administrator"},
		{"NotAuthorizedException", "Unable to verify secret hash for client " + testClient, token.BadProfile, "does not accept the secret", "check cognito_client_secret in profile dev"},
		{"NotAuthorizedException", "SecretHash does not match for the client", token.BadProfile, "does not accept the secret", "check cognito_client_secret in profile dev"},
		{"NotAuthorizedException", "Client x is configured for secret but secret was not received", token.BadProfile, "has a secret, and none is configured", "set cognito_client_secret in profile dev"},
		{"NotAuthorizedException", "Client x is not configured for secret but secret was received", token.BadProfile, "has no secret, and one is configured", "remove cognito_client_secret in profile dev"},
		{"NotAuthorizedException", "Something new.", token.Refused, "Cognito refused: Something new", "login"},
		{"com.amazonaws.cognito#NotAuthorizedException", "incorrect username or password", token.Refused, "user name or password is wrong", "login"},
		{"UserNotFoundException", "User does not exist.", token.Refused, "no such user", "login"},
		{"UserNotConfirmedException", "User is not confirmed.", token.Refused, "not confirmed", "cognito-credhelper confirm --resend --profile dev"},
		{"PasswordResetRequiredException", "Password reset required for the user", token.Refused, "must be reset", "cognito-credhelper password reset --profile dev"},
		{"LimitExceededException", "Attempt limit exceeded, please try after some time.", token.Unavailable, "too many attempts", "wait"},
		{"TooManyRequestsException", "Rate exceeded", token.Unavailable, "too many requests", "wait a moment"},
		{"InvalidParameterException", "USER_SRP_AUTH is not enabled for the client.", token.BadProfile, "does not allow this flow", "cognito_auth_flow in profile dev"},
		{"InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client", token.BadProfile, "does not allow this flow", "cognito_auth_flow in profile dev"},
		{"InvalidParameterException", "Missing required parameter X", token.BadProfile, "parameter: Missing required parameter X", "check"},
		{"ResourceNotFoundException", "User pool client abc does not exist.", token.BadProfile, "the app client " + testClient, "check cognito_client_id"},
		{"ResourceNotFoundException", "User pool eu_x does not exist.", token.BadProfile, "the user pool " + testPool, "check cognito_user_pool_id"},
		{"UserLambdaValidationException", "PreAuthentication failed with error go away\x1b[2J.", token.Refused, "go away?[2J", "administrator"},
		{"UnexpectedLambdaException", "x", token.BadProfile, "a trigger of the user pool failed", "administrator"},
		{"InvalidLambdaResponseException", "x", token.BadProfile, "a trigger of the user pool gave", "administrator"},
		{"InvalidUserPoolConfigurationException", "x", token.BadProfile, "not configured for this", "administrator"},
		{"InvalidSmsRoleAccessPolicyException", "x", token.BadProfile, "text messages", "administrator"},
		{"ForbiddenException", "Request not allowed due to WAF block.", token.BadProfile, "a firewall", "WAF"},
		{"UnsupportedOperationException", "x", token.BadProfile, "does not allow this", "administrator"},
		{"OperationNotEnabledException", "x", token.BadProfile, "does not allow this", "administrator"},
		{"BrandNewException", "news", token.Refused, "Cognito refused: news", "login"},
		{"BrandNewException", "", token.Refused, "Cognito refused: BrandNewException", "login"},
	} {
		t.Run(tt.code+" "+tt.text, func(t *testing.T) {
			pool := newFakePool(t, func(request, int) answer { return fault(tt.code, tt.text) })
			_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
			e := wantError(t, err, tt.kind, tt.message)
			if !strings.Contains(e.Next, tt.next) {
				t.Errorf("hint %q, want %q in it", e.Next, tt.next)
			}
			for _, s := range []string{e.Message, e.Next, err.Error()} {
				if !printable(s) || strings.Contains(s, "{") {
					t.Errorf("not fit to print: %q", s)
				}
			}
			a := answered(err)
			if a.Status != 400 || a.RequestID != "req-1" || !a.Sent || a.Operation != opInitiate || a.Err != nil {
				t.Errorf("inside: %+v", a)
			}
			want := "InitiateAuth"
			if tt.code == "TooManyRequestsException" {
				want = "InitiateAuth InitiateAuth InitiateAuth"
			}
			if pool.ops() != want {
				t.Errorf("requests %s, want %s", pool.ops(), want)
			}
		})
	}
}

// A raw operation's own line would only fail again.
func TestHintsOfWhatMends(t *testing.T) {
	for login, want := range map[string]string{
		"cognito-credhelper login --profile dev --username al":                   "cognito-credhelper password reset --profile dev --username al",
		"cognito-credhelper initiate-auth --profile dev --auth-flow CUSTOM_AUTH": "cognito-credhelper password reset --help",
	} {
		if got := (&Client{o: Options{Login: login}}).instead("password reset"); got != want {
			t.Errorf("%s: %s, want %s", login, got, want)
		}
	}
}

func TestHintsPerProfile(t *testing.T) {
	for profile, want := range map[string]string{
		"": "cognito-credhelper login", "default": "cognito-credhelper login", "dev": "cognito-credhelper login --profile dev",
		"my profile": "cognito-credhelper login --profile 'my profile'", "o'neil": `cognito-credhelper login --profile 'o'\''neil'`,
		"$(reboot)": "cognito-credhelper login --profile '$(reboot)'", "-x": "cognito-credhelper login --profile '-x'",
		"a\x1b\nb": "cognito-credhelper login --profile 'a? b'",
	} {
		if got := (&Client{o: Options{Profile: profile}}).loginCommand(); got != want {
			t.Errorf("%q: %s, want %s", profile, got, want)
		}
	}
	const whole = "cognito-credhelper login --profile dev --profile-location ./f"
	if got := (&Client{o: Options{Profile: "dev", Login: whole}}).loginCommand(); got != whole {
		t.Errorf("%s, want %s", got, whole)
	}
}

func TestAnswersToARefresh(t *testing.T) {
	for _, tt := range []struct {
		status     int
		code, text string
		class      Class
		kind       token.Kind
	}{
		{400, "NotAuthorizedException", "Refresh Token has expired", Dead, token.LoginNeeded},
		{400, "NotAuthorizedException", "refresh token has been REVOKED.", Dead, token.LoginNeeded},
		{400, "NotAuthorizedException", "Access Token has been revoked", Dead, token.LoginNeeded},
		{400, "RefreshTokenReuseException", "Refresh token reuse detected", Dead, token.LoginNeeded},
		{400, "UserNotFoundException", "User does not exist.", Dead, token.LoginNeeded},
		{400, "NotAuthorizedException", "User is disabled.", Blocked, token.Refused},
		{400, "NotAuthorizedException", "Invalid Refresh Token.", Blocked, token.Refused},
		{400, "NotAuthorizedException", "Invalid Refresh Token", Blocked, token.Refused},
		{400, "NotAuthorizedException", "Anything else", Blocked, token.Refused},
		{400, "NotAuthorizedException", "", Blocked, token.Refused},
		{400, "PasswordResetRequiredException", "Password reset required for the user", Blocked, token.Refused},
		{400, "UserNotConfirmedException", "User is not confirmed.", Blocked, token.Refused},
		{400, "NotAuthorizedException", "SecretHash does not match for the client", Configuration, token.BadProfile},
		{400, "NotAuthorizedException", "Unable to verify secret hash for client x", Configuration, token.BadProfile},
		{400, "NotAuthorizedException", "Client x is configured for secret but secret was not received", Configuration, token.BadProfile},
		{400, "NotAuthorizedException", "Client x is not configured for secret but secret was received", Configuration, token.BadProfile},
		{400, "InvalidUserPoolConfigurationException", "x", Configuration, token.BadProfile},
		{400, "ResourceNotFoundException", "User pool client x does not exist.", Configuration, token.BadProfile},
		{400, "ResourceNotFoundException", "Device does not exist.", Configuration, token.BadProfile},
		{400, "InvalidParameterException", "x", Configuration, token.BadProfile},
		{400, "UnsupportedOperationException", "x", Configuration, token.BadProfile},
		{400, "OperationNotEnabledException", "x", Configuration, token.BadProfile},
		{400, "UserLambdaValidationException", "PreTokenGeneration failed with error expired.", Configuration, token.BadProfile},
		{400, "UnexpectedLambdaException", "x", Configuration, token.BadProfile},
		{400, "InvalidLambdaResponseException", "x", Configuration, token.BadProfile},
		{403, "ForbiddenException", "x", Configuration, token.BadProfile},
		{400, "TooManyRequestsException", "Rate exceeded", Transient, token.Unavailable},
		{400, "ThrottlingException", "Rate exceeded", Transient, token.Unavailable},
		{400, "LimitExceededException", "x", Transient, token.Unavailable},
		{500, "InternalErrorException", "x", Transient, token.Unavailable},
		{503, "NotAuthorizedException", "Refresh Token has expired", Transient, token.Unavailable},
		{400, "BrandNewException", "revoked", Transient, token.Unavailable},
	} {
		t.Run(tt.code+" "+tt.text, func(t *testing.T) {
			pool := newFakePool(t, func(request, int) answer {
				a := fault(tt.code, tt.text)
				a.status = tt.status
				return a
			})
			got, err := newTestClient(t, testOptions(pool.URL)).Refresh(t.Context(), token.NewSecret("refresh-token-of-the-test"), "")
			wantError(t, err, tt.kind, "")
			if ClassOf(err) != tt.class || !got.Refresh.Empty() {
				t.Errorf("class %d, want %d", ClassOf(err), tt.class)
			}
			if pool.ops() != opRefresh {
				t.Errorf("requests %s: a refresh is sent once", pool.ops())
			}
		})
	}
	for _, err := range []error{nil, errors.New("x"), context.Canceled, &token.Error{Kind: token.LoginNeeded, Message: "x"}} {
		if ClassOf(err) != Transient {
			t.Errorf("%v: class %d: only an answer ends a session", err, ClassOf(err))
		}
	}
}

func TestServerTextRepeatsNoSecret(t *testing.T) {
	refresh := "refresh-token-of-the-test"
	long := strings.Repeat("eyJjdHkiOiJKV1Qi", 20)
	pool := newFakePool(t, func(request, int) answer {
		return fault("InvalidParameterException", "Value '"+refresh+"' and client-secret and "+long+" failed to satisfy constraint")
	})
	o := testOptions(pool.URL)
	o.ClientSecret = token.NewSecret("client-secret")
	_, err := newTestClient(t, o).Refresh(t.Context(), token.NewSecret(refresh), "")
	e := wantError(t, err, token.BadProfile, "Value '[redacted]' and [redacted] and [redacted] failed")
	if strings.Contains(fmt.Sprintf("%+v %#v", e, answered(err)), "eyJj") {
		t.Error("the token is in the error")
	}
	// A password that is a word of the sentence must not hide what the sentence is.
	wrong := newFakePool(t, func(request, int) answer { return errIncorrect })
	_, err = newTestClient(t, testOptions(wrong.URL)).SignIn(t.Context(), SignIn{Username: "alice"},
		&answers{given: map[string][]string{"PASSWORD": {"password"}}})
	wantError(t, err, token.Refused, "user name or password is wrong")
}

func TestAnswersThatAreNotCognito(t *testing.T) {
	html := "<html>\x1b[31m Bad Gateway"
	for name, tt := range map[string]struct {
		answer
		message  string
		attempts int
	}{
		"HTML 502":      {answer{status: 502, raw: html}, "something that is not Cognito (HTTP 502)", 3},
		"HTML 403":      {answer{status: 403, raw: html}, "something that is not Cognito (HTTP 403)", 1},
		"HTML 200":      {answer{status: 200, raw: html}, "something that is not Cognito (HTTP 200)", 1},
		"empty 400":     {answer{status: 400}, "something that is not Cognito (HTTP 400)", 1},
		"JSON, no type": {answer{status: 404, raw: `{"error":"not found"}`}, "something that is not Cognito (HTTP 404)", 1},
		"JSON array":    {answer{status: 200, raw: `[1]`}, "something that is not Cognito (HTTP 200)", 1},
		"empty object":  {answer{status: 200, raw: `{}`}, "something that is not Cognito (HTTP 200)", 1},
		"2 MB":          {answer{status: 200, raw: strings.Repeat(" ", 2<<20)}, "more than 1 MiB", 1},
		"2 MB error":    {answer{status: 400, raw: `{"__type":"X","message":"` + strings.Repeat("a", 2<<20) + `"}`}, "more than 1 MiB", 1},
		"dropped":       {answer{drop: true}, " broke before the answer came", 3},
		"deep JSON":     {answer{status: 400, raw: strings.Repeat("[", 200_000)}, "not Cognito (HTTP 400)", 1},
		"redirect": {answer{status: 307, raw: "{}", header: map[string]string{"Location": "/elsewhere"}},
			"something that is not Cognito (HTTP 307)", 1},
	} {
		t.Run(name, func(t *testing.T) {
			pool := newFakePool(t, func(request, int) answer { return tt.answer })
			c := newTestClient(t, testOptions(pool.URL))
			_, err := c.SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
			e := wantError(t, err, token.Unavailable, tt.message)
			if want := strings.TrimSpace(strings.Repeat("InitiateAuth ", tt.attempts)); pool.ops() != want {
				t.Errorf("requests %s, want %s", pool.ops(), want)
			}
			if !printable(err.Error()) || strings.Contains(err.Error(), "Gateway") || e.Next == "" {
				t.Errorf("error %q, hint %q", err, e.Next)
			}
			before := pool.count()
			_, err = c.Refresh(t.Context(), token.NewSecret("refresh-token-of-the-test"), "")
			wantError(t, err, token.Unavailable, tt.message)
			if pool.count() != before+1 || ClassOf(err) != Transient || !answered(err).Sent {
				t.Errorf("%d requests for a refresh, class %d, sent %t", pool.count()-before, ClassOf(err), answered(err).Sent)
			}
		})
	}
}

func TestRetriesOfInitiateAuth(t *testing.T) {
	fail := fault("InternalErrorException", "x")
	fail.status = 500
	pool := newFakePool(t, func(_ request, n int) answer {
		if n < 2 {
			return fail
		}
		return ok(tokens("refresh-1"))
	})
	got, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH", Username: "alice"}, &answers{given: codes("x")})
	if err != nil || pool.count() != 3 {
		t.Fatalf("%v after %d requests", err, pool.count())
	}
	checkResult(t, got)

	// An answer to a challenge may have been carried out: it goes out once.
	other := srpPool(t, "alice", nil, nil)
	serve := other.serve
	other.serve = func(r request, n int) answer {
		if r.op == opRespond {
			return fail
		}
		return serve(r, n)
	}
	_, err = newTestClient(t, testOptions(other.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
	wantError(t, err, token.Unavailable, "internal error")
	if other.ops() != "InitiateAuth PASSWORD_VERIFIER" {
		t.Errorf("requests %s", other.ops())
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := newTestClient(t, testOptions("http://"+address))
	_, err = c.Refresh(t.Context(), token.NewSecret("refresh-token-of-the-test"), "")
	e := wantError(t, err, token.Unavailable, "cannot reach 127.0.0.1")
	if a := answered(err); a.Sent || a.Status != 0 || a.Code != "" || ClassOf(err) != Transient {
		t.Errorf("inside: %+v", a)
	}
	if !strings.Contains(err.Error(), "refused") || strings.Contains(e.Message, "http") {
		t.Errorf("error %v", err)
	}
}

// FuzzSentence has the properties that no byte below 0x20 and no 0x7f to 0x9f comes through from a server, that no secret
// does, and that every answer gets a sentence.
func FuzzSentence(f *testing.F) {
	f.Add("NotAuthorizedException", "Incorrect username or password.", 400)
	f.Add("UserLambdaValidationException", "\x1b]52;c;aGk=\a\u202e\u200b\x9b31m\r\n", 400)
	f.Add("", "refresh-token-of-the-test", 500)
	f.Add("InvalidParameterException", "{login} {in} {text} 'refresh-token-of-the-test'", 403)
	c, err := New(testOptions(""))
	if err != nil {
		f.Fatal(err)
	}
	secret := token.NewSecret("refresh-token-of-the-test")
	f.Fuzz(func(t *testing.T, code, message string, status int) {
		for _, op := range []string{opInitiate, opRefresh} {
			x := &exchange{status: status, json: true, host: "cognito-idp.eu-central-1.amazonaws.com"}
			err := c.failure(t.Context(), op, &fakeAPIError{code, message}, x, []token.Secret{secret})
			var e *token.Error
			if !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("no sentence: %v", err)
			}
			for _, s := range []string{e.Message, e.Next, err.Error(), answered(err).Message, answered(err).Code} {
				if !printable(s) {
					t.Errorf("not fit to print: %q", s)
				}
				if strings.Contains(s, secret.Reveal()) {
					t.Errorf("secret in %q", s)
				}
			}
			if op == opRefresh && e.Kind != ClassOf(err).kind() {
				t.Errorf("kind %d does not belong to class %d", e.Kind, ClassOf(err))
			}
		}
	})
}

type fakeAPIError struct{ code, message string }

func (e *fakeAPIError) Error() string                 { return e.message }
func (e *fakeAPIError) ErrorCode() string             { return e.code }
func (e *fakeAPIError) ErrorMessage() string          { return e.message }
func (e *fakeAPIError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

func TestRedirectIsNotFollowed(t *testing.T) {
	reached := false
	elsewhere := newFakePool(t, func(request, int) answer { reached = true; return ok(tokens("x")) })
	pool := newFakePool(t, func(request, int) answer {
		return answer{status: http.StatusPermanentRedirect, raw: "{}", header: map[string]string{"Location": elsewhere.URL}}
	})
	_, err := newTestClient(t, testOptions(pool.URL)).Refresh(t.Context(), token.NewSecret("r"), "")
	wantError(t, err, token.Unavailable, "HTTP 308")
	if reached {
		t.Error("the refresh token went elsewhere")
	}
}

func TestTimeIsUp(t *testing.T) {
	pool := newFakePool(t, func(request, int) answer { return ok(tokens("x")) })
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := newTestClient(t, testOptions(pool.URL)).Refresh(ctx, token.NewSecret("refresh-token-of-the-test"), "")
	wantError(t, err, token.Unavailable, "did not answer in time")
	if answered(err).Sent || ClassOf(err) != Transient || pool.ops() != "" {
		t.Errorf("%+v, requests %s", answered(err), pool.ops())
	}
}
