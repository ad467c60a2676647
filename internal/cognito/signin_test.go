package cognito

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// srpPool signs in by SRP and then asks the given challenges in turn; judge looks at each answer to those.
func srpPool(t *testing.T, user string, then []answer, judge func(r request) *answer) *fakePool {
	side := newSRPSide(user, testPassword)
	step := 0
	return newFakePool(t, func(r request, _ int) answer {
		switch {
		case r.op == opInitiate:
			step = 0
			return asks("PASSWORD_VERIFIER", side.challenge(r.in.AuthParameters["SRP_A"]), "")
		case r.in.ChallengeName == "PASSWORD_VERIFIER":
			if !side.accepts(r.in.ChallengeResponses) {
				return errIncorrect
			}
		default:
			if judge != nil {
				if a := judge(r); a != nil {
					return *a
				}
			}
		}
		if step == len(then) {
			return ok(tokens("refresh-1"))
		}
		step++
		return then[step-1]
	})
}

func TestSignInSRPWithEverything(t *testing.T) {
	pool := srpPool(t, testUserID, []answer{
		asks("NEW_PASSWORD_REQUIRED", map[string]string{
			"requiredAttributes": `["userAttributes.email","userAttributes.given_name"]`, "userAttributes": `{"email_verified":"true"}`,
			"USER_ID_FOR_SRP": testUserID,
		}, "session-1"),
		asks("SMS_MFA", map[string]string{"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS", "CODE_DELIVERY_DESTINATION": "+*******12"}, "session-2"),
		asks("SOFTWARE_TOKEN_MFA", nil, "session-3"),
	}, nil)
	o := testOptions(pool.URL)
	o.ClientSecret = token.NewSecret("client-secret")
	c := newTestClient(t, o)
	a := &answers{given: map[string][]string{
		"PASSWORD": {testPassword}, "NEW_PASSWORD": {"Brand-New-1"}, "userAttributes.email": {"a@example.com"},
		"userAttributes.given_name": {"Alice"}, "SMS_MFA_CODE": {"111111"}, "SOFTWARE_TOKEN_MFA_CODE": {"222 222"},
	}}
	got, err := c.SignIn(t.Context(), SignIn{Username: "alice@example.com", Metadata: map[string]string{"k": "v"}}, a)
	if err != nil {
		t.Fatal(err)
	}

	if want := "InitiateAuth PASSWORD_VERIFIER NEW_PASSWORD_REQUIRED SMS_MFA SOFTWARE_TOKEN_MFA"; pool.ops() != want {
		t.Errorf("requests %s, want %s", pool.ops(), want)
	}
	first := pool.request(0)
	if first.in.AuthParameters["USERNAME"] != "alice@example.com" || first.in.AuthFlow != "USER_SRP_AUTH" ||
		first.in.AuthParameters["SECRET_HASH"] != hashFor("alice@example.com", "client-secret") || first.in.ClientId != testClient {
		t.Errorf("InitiateAuth sent %+v", first.in)
	}
	sessions := []string{"", "session-1", "session-2", "session-3"}
	for i, session := range sessions {
		r := pool.request(i + 1)
		if (r.in.Session == nil) != (session == "") || deref(r.in.Session) != session {
			t.Errorf("request %d: session %q, want %q", i+1, deref(r.in.Session), session)
		}
		if r.in.ChallengeResponses["USERNAME"] != testUserID || r.in.ChallengeResponses["SECRET_HASH"] != hashFor(testUserID, "client-secret") {
			t.Errorf("request %d does not use USER_ID_FOR_SRP: %v", i+1, r.in.ChallengeResponses)
		}
		if r.in.ClientMetadata["k"] != "v" {
			t.Errorf("request %d has no client metadata", i+1)
		}
	}
	for i := range 5 {
		if h := pool.request(i).header; h.Get("Authorization") != "" || h.Get("X-Amz-Security-Token") != "" {
			t.Errorf("request %d is signed", i)
		}
	}
	want := map[string]string{
		"USERNAME": testUserID, "SECRET_HASH": hashFor(testUserID, "client-secret"), "NEW_PASSWORD": "Brand-New-1",
		"userAttributes.email": "a@example.com", "userAttributes.given_name": "Alice",
	}
	if sent := pool.request(2).in.ChallengeResponses; !reflect.DeepEqual(sent, want) {
		t.Errorf("NEW_PASSWORD_REQUIRED got %v, want %v", sent, want)
	}
	if sent := pool.request(4).in.ChallengeResponses["SOFTWARE_TOKEN_MFA_CODE"]; sent != "222222" {
		t.Errorf("code %q", sent)
	}
	checkResult(t, got)
	for _, q := range a.asked {
		if secret := strings.Contains(q.Name, "PASSWORD"); q.Secret != secret || q.Attempt != 1 || q.Label == "" || q.Note != "" {
			t.Errorf("question %+v", q)
		}
		if q.Name == "SMS_MFA_CODE" && !strings.Contains(q.Label, "+*******12") {
			t.Errorf("label %q does not say where the code went", q.Label)
		}
	}
}

func checkResult(t *testing.T, got Result) {
	t.Helper()
	if got.Refresh.Reveal() != "refresh-1" || got.User != (User{Name: "alice", Subject: testUserID}) || got.Date.IsZero() {
		t.Errorf("result %+v", got)
	}
	wantID := token.Lifetime{Issued: testNow, Expires: testNow.Add(time.Hour), Boot: 77 * time.Second}
	wantAccess := token.Lifetime{Issued: testNow, Expires: testNow.Add(15 * time.Minute), Boot: 77 * time.Second}
	if got.Tokens.ID.Lifetime != wantID || got.Tokens.Access.Lifetime != wantAccess {
		t.Errorf("lifetimes %+v %+v", got.Tokens.ID.Lifetime, got.Tokens.Access.Lifetime)
	}
	if got.Tokens.ID.Value.Reveal() != jwt(idClaims(testIssuer)) || got.Tokens.Access.Value.Reveal() != jwt(accessClaims(testIssuer)) {
		t.Error("the tokens are not those of the answer")
	}
}

func TestSignInPasswordFlow(t *testing.T) {
	pool := newFakePool(t, func(r request, n int) answer {
		if r.op == opInitiate && r.in.AuthParameters["PASSWORD"] == testPassword {
			return asks("EMAIL_OTP", map[string]string{"CODE_DELIVERY_DESTINATION": "a***@e***"}, "s")
		}
		return ok(tokens("refresh-1"))
	})
	a := &answers{given: map[string][]string{"USERNAME": {"alice"}, "PASSWORD": {testPassword}, "EMAIL_OTP_CODE": {"12345678"}}}
	got, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH"}, a)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, got)
	if a.names() != "USERNAME/1 PASSWORD/1 EMAIL_OTP_CODE/1" {
		t.Errorf("asked %s", a.names())
	}
	first := pool.request(0).in
	if _, sent := first.AuthParameters["SECRET_HASH"]; sent || first.AuthParameters["SRP_A"] != "" {
		t.Errorf("sent %v", first.AuthParameters)
	}
	if pool.request(1).in.ChallengeResponses["USERNAME"] != "alice" {
		t.Error("without USER_ID_FOR_SRP the typed name goes on")
	}
}

func TestWrongPassword(t *testing.T) {
	pool := srpPool(t, "alice", nil, nil)
	a := &answers{given: map[string][]string{"PASSWORD": {"not it"}}}
	_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, a)
	e := wantError(t, err, token.Refused, "user name or password is wrong")
	if pool.ops() != "InitiateAuth PASSWORD_VERIFIER" {
		t.Errorf("requests %s", pool.ops())
	}
	if e.Next != "cognito-credhelper login --profile dev" {
		t.Errorf("hint %q", e.Next)
	}
	o := testOptions(pool.URL)
	o.Now = nil // the machine's clock, which is not the pool's
	_, err = newTestClient(t, o).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: map[string][]string{"PASSWORD": {"not it"}}})
	e = wantError(t, err, token.Refused, "user name or password is wrong")
	if !strings.Contains(e.Next, "clock is") || !strings.Contains(e.Next, "cognito-credhelper login --profile dev") {
		t.Errorf("hint %q", e.Next)
	}
}

// A machine whose clock is wrong signs with the service's time, which it has from the answer before; what it stores tells
// how far the two are apart.
func TestSignatureHasTheServicesTime(t *testing.T) {
	for _, ahead := range []time.Duration{-24 * time.Hour, -30 * time.Second, 0, 30 * time.Second, 24 * time.Hour} {
		pool := srpPool(t, "alice", nil, nil)
		o := testOptions(pool.URL)
		o.Now = func() token.Instant { return token.Instant{Wall: testNow.Add(ahead)} }
		got, err := newTestClient(t, o).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: map[string][]string{"PASSWORD": {testPassword}}})
		if err != nil {
			t.Fatal(err)
		}
		want := testNow
		if ahead.Abs() < time.Minute {
			want = want.Add(ahead) // as near as makes no difference
		}
		if sent := pool.request(1).in.ChallengeResponses["TIMESTAMP"]; sent != srp.Timestamp(want) {
			t.Errorf("clock ahead by %v: TIMESTAMP %q, want %q", ahead, sent, srp.Timestamp(want))
		}
		if got.Tokens.ID.Lifetime.Skew != -ahead || got.Tokens.Access.Lifetime.Skew != -ahead {
			t.Errorf("clock ahead by %v: skew %v", ahead, got.Tokens.ID.Lifetime.Skew)
		}
	}
}

// wantError checks kind and sentence, and that the error is fit to be shown.
func wantError(t *testing.T, err error, kind token.Kind, message string) *token.Error {
	t.Helper()
	var e *token.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *token.Error", err)
	}
	if token.KindOf(err) != kind || !strings.Contains(e.Message, message) {
		t.Errorf("got kind %d, %q (hint %q), want kind %d, %q", e.Kind, e.Message, e.Next, kind, message)
	}
	for _, text := range []string{e.Message, e.Next, err.Error(), fmt.Sprintf("%#v %+v", err, err)} {
		for _, secret := range []string{testPassword, "refresh-token-of-the-test", "client-secret"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q has a secret in it", text)
			}
		}
	}
	return e
}

func codes(name string, list ...string) map[string][]string {
	return map[string][]string{"PASSWORD": {testPassword}, name: list}
}

func TestWrongCodes(t *testing.T) {
	mismatch := fault("CodeMismatchException", "Invalid code received for user")
	closedSession := fault("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	tests := map[string]struct {
		given   []string
		single  bool // the pool closes a challenge after any answer
		ops     string
		asked   string
		kind    token.Kind
		message string
	}{
		"twice wrong, then right": {
			given: []string{"000000", "000001", "123456"},
			ops:   "InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA",
			asked: "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/2 SOFTWARE_TOKEN_MFA_CODE/3",
		},
		"the challenge is closed: signs in anew with what was typed": {
			given: []string{"000000", "123456"}, single: true,
			ops: "InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA" +
				" InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA",
			asked: "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/2",
		},
		"closed each time": {
			given: []string{"000000", "000001", "123456"}, single: true,
			ops: "InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA" +
				" InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA" +
				" InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA",
			asked: "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/2 SOFTWARE_TOKEN_MFA_CODE/3",
		},
		"three wrong": {
			given: []string{"000000", "000001", "000002", "123456"},
			ops:   "InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA SOFTWARE_TOKEN_MFA",
			asked: "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/2 SOFTWARE_TOKEN_MFA_CODE/3",
			kind:  token.Refused, message: "the code was wrong three times",
		},
		"one prepared answer, wrong": {
			given: []string{"000000"},
			ops:   "InitiateAuth PASSWORD_VERIFIER SOFTWARE_TOKEN_MFA",
			asked: "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/2",
			kind:  token.Refused, message: "the code was wrong",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			used := false
			pool := srpPool(t, "alice", []answer{asks("SOFTWARE_TOKEN_MFA", nil, "s")}, func(r request) *answer {
				if tt.single && used {
					used = false // the next one is that of a fresh sign-in
					return &closedSession
				}
				if r.in.ChallengeResponses["SOFTWARE_TOKEN_MFA_CODE"] != "123456" {
					used = true
					return &mismatch
				}
				return nil
			})
			a := &answers{given: codes("SOFTWARE_TOKEN_MFA_CODE", tt.given...)}
			got, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, a)
			if tt.message == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkResult(t, got)
			} else {
				wantError(t, err, tt.kind, tt.message)
			}
			if pool.ops() != tt.ops {
				t.Errorf("requests %s\nwant     %s", pool.ops(), tt.ops)
			}
			if a.names() != tt.asked {
				t.Errorf("asked %s\nwant  %s", a.names(), tt.asked)
			}
			for _, q := range a.asked {
				if q.Attempt > 1 && q.Note != "the code was wrong" {
					t.Errorf("note %q", q.Note)
				}
			}
		})
	}
}

func TestUsedCodeAsksForTheNext(t *testing.T) {
	used := fault("ExpiredCodeException", "Your software token has already been used once.")
	pool := srpPool(t, "alice", []answer{asks("SOFTWARE_TOKEN_MFA", nil, "s")}, func(r request) *answer {
		if r.in.ChallengeResponses["SOFTWARE_TOKEN_MFA_CODE"] == "111111" {
			return &used
		}
		return nil
	})
	a := &answers{given: codes("SOFTWARE_TOKEN_MFA_CODE", "111111", "222222")}
	if _, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, a); err != nil {
		t.Fatal(err)
	}
	if note := a.asked[2].Note; !strings.Contains(note, "wait for the next one") {
		t.Errorf("note %q", note)
	}
}

func TestExpiredChallengeStartsOverOnce(t *testing.T) {
	expired := fault("NotAuthorizedException", "Invalid session for the user, session is expired.")
	for _, tt := range []struct {
		challenge string
		expires   int
		asked     string
		ok        bool
	}{
		{"SOFTWARE_TOKEN_MFA", 1, "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1", true},
		{"SMS_MFA", 1, "PASSWORD/1 SMS_MFA_CODE/1 SMS_MFA_CODE/1", true}, // a new code was sent
		{"SOFTWARE_TOKEN_MFA", 2, "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1", false},
	} {
		t.Run(fmt.Sprint(tt.challenge, tt.expires), func(t *testing.T) {
			n := 0
			pool := srpPool(t, testUserID, []answer{asks(tt.challenge, nil, "s")}, func(request) *answer {
				if n++; n <= tt.expires {
					return &expired
				}
				return nil
			})
			a := &answers{given: codes(tt.challenge+"_CODE", "111111", "222222")}
			_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "a@b.c"}, a)
			if tt.ok && err != nil {
				t.Fatal(err)
			}
			if !tt.ok {
				wantError(t, err, token.Refused, "the sign-in took too long")
			}
			once := "InitiateAuth PASSWORD_VERIFIER " + tt.challenge
			if pool.ops() != once+" "+once {
				t.Errorf("requests %s", pool.ops())
			}
			if a.names() != tt.asked {
				t.Errorf("asked %s, want %s", a.names(), tt.asked)
			}
			if again := pool.request(3).in.AuthParameters; again["USERNAME"] != "a@b.c" || again["SRP_A"] == pool.request(0).in.AuthParameters["SRP_A"] {
				t.Error("a fresh start needs the typed name and a fresh A")
			}
		})
	}
}

func TestNewPasswordPolicy(t *testing.T) {
	refused := fault("InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	pool := srpPool(t, "alice", []answer{asks("NEW_PASSWORD_REQUIRED", map[string]string{"requiredAttributes": "[]"}, "s")}, func(r request) *answer {
		if len(r.in.ChallengeResponses["NEW_PASSWORD"]) < 8 {
			return &refused
		}
		return nil
	})
	a := &answers{given: codes("NEW_PASSWORD", "short", "long-enough-1")}
	if _, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, a); err != nil {
		t.Fatal(err)
	}
	if q := a.asked[2]; q.Attempt != 2 || !strings.Contains(q.Note, "not long enough") {
		t.Errorf("asked again with %+v", q)
	}
}

func TestNobodyToAsk(t *testing.T) {
	pool := srpPool(t, "alice", []answer{asks("SOFTWARE_TOKEN_MFA", nil, "s")}, nil)
	c := newTestClient(t, testOptions(pool.URL))
	_, err := c.SignIn(t.Context(), SignIn{}, &answers{})
	e := wantError(t, err, token.LoginNeeded, "the sign-in needs the user name")
	if !strings.Contains(e.Next, "cognito-credhelper login --profile dev") || !strings.Contains(e.Next, "--username NAME") || !errors.Is(err, challenge.ErrNoAnswer) {
		t.Errorf("hint %q, error %v", e.Next, err)
	}
	if pool.ops() != "" {
		t.Errorf("requests %s before the user was known", pool.ops())
	}
	_, err = c.SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
	e = wantError(t, err, token.LoginNeeded, "the sign-in needs the code from the authenticator app")
	if !strings.Contains(e.Next, "--answer SOFTWARE_TOKEN_MFA_CODE=") {
		t.Errorf("hint %q", e.Next)
	}
	_, err = c.SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: map[string][]string{"PASSWORD": {"", "", ""}}})
	wantError(t, err, token.Usage, "no password for alice was given")
}

func TestFlowsThatAreRefusedBeforeTheNetwork(t *testing.T) {
	pool := newFakePool(t, func(request, int) answer { return ok(tokens("r")) })
	c := newTestClient(t, testOptions(pool.URL))
	const valid = "CUSTOM_AUTH, USER_AUTH, USER_PASSWORD_AUTH, USER_SRP_AUTH"
	for flow, message := range map[string]string{
		"browser": "browser is not built yet", "ADMIN_NO_SRP_AUTH": `there is no flow "ADMIN_NO_SRP_AUTH": valid are ` + valid,
		"REFRESH_TOKEN_AUTH": "valid are " + valid, "x\x1b[31m": `there is no flow "x?[31m"`,
	} {
		a := &answers{}
		_, err := c.SignIn(t.Context(), SignIn{Flow: flow, Username: "alice"}, a)
		e := wantError(t, err, token.BadProfile, message)
		if e.Next != "set cognito_auth_flow in profile dev to one of: "+valid || len(a.asked) > 0 {
			t.Errorf("hint %q, asked %v", e.Next, a.asked)
		}
	}
	for _, flow := range []string{"ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH", "user_srp_auth", "browser", ""} {
		_, err := c.Initiate(t.Context(), Initiate{Flow: flow})
		wantError(t, err, token.Usage, "valid are CUSTOM_AUTH, REFRESH_TOKEN, REFRESH_TOKEN_AUTH, USER_AUTH, USER_PASSWORD_AUTH, USER_SRP_AUTH")
	}
	if pool.count() != 0 {
		t.Errorf("requests %s", pool.ops())
	}
}

func TestUnknownChallenge(t *testing.T) {
	pool := srpPool(t, "alice", []answer{asks("QUANTUM_MFA", map[string]string{"b": "two\x1b]0;x\a\u202e", "a": "one"}, "s")}, nil)
	_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
	e := wantError(t, err, token.Refused, "the challenge QUANTUM_MFA")
	if !strings.Contains(e.Message, "(a=one, b=two?]0;x??)") {
		t.Errorf("message %q", e.Message)
	}
	// A verifier without the A that it belongs to.
	other := newFakePool(t, func(request, int) answer { return asks("PASSWORD_VERIFIER", map[string]string{"SALT": "1"}, "s") })
	_, err = newTestClient(t, testOptions(other.URL)).SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH", Username: "alice"}, &answers{given: codes("x")})
	wantError(t, err, token.Refused, "the challenge PASSWORD_VERIFIER")
}

func TestRoundsAreBounded(t *testing.T) {
	pool := newFakePool(t, func(request, int) answer { return asks("SMS_OTP", nil, "s") })
	many := make([]string, 40)
	for i := range many {
		many[i] = "123456"
	}
	a := &answers{given: codes("SMS_OTP_CODE", many...)}
	_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH", Username: "alice"}, a)
	wantError(t, err, token.Refused, "more than 12 questions")
	if n := strings.Count(pool.ops(), "SMS_OTP"); n != 12 {
		t.Errorf("%d answers were sent", n)
	}
	if len(a.asked) != 1+12 {
		t.Errorf("%d questions: an accepted code is no answer to the next challenge", len(a.asked))
	}
}

func TestUnsafeServerValues(t *testing.T) {
	for name, change := range map[string]func(map[string]string){
		"B = 0":        func(p map[string]string) { p["SRP_B"] = "0" },
		"no salt":      func(p map[string]string) { delete(p, "SALT") },
		"broken block": func(p map[string]string) { p["SECRET_BLOCK"] = "!" },
	} {
		pool := newFakePool(t, func(r request, _ int) answer {
			p := newSRPSide("alice", testPassword).challenge(r.in.AuthParameters["SRP_A"])
			change(p)
			return asks("PASSWORD_VERIFIER", p, "")
		})
		_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
		wantError(t, err, token.Failure, "the sign-in was stopped")
		if pool.ops() != "InitiateAuth" {
			t.Errorf("%s: requests %s", name, pool.ops())
		}
	}
	pool := srpPool(t, "alice", []answer{asks("NEW_PASSWORD_REQUIRED", map[string]string{"requiredAttributes": "{"}, "s")}, nil)
	_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
	wantError(t, err, token.Failure, "the required attributes are not usable")
}

func TestRequiredAttributesCannotBecomeOtherResponses(t *testing.T) {
	got, err := requiredAttributes(`["USERNAME","userAttributes.email","email","SECRET_HASH"]`)
	want := []string{"userAttributes.SECRET_HASH", "userAttributes.USERNAME", "userAttributes.email"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	pool := newFakePool(t, func(request, int) answer { cancel(); return answer{drop: true} })
	c := newTestClient(t, testOptions(pool.URL))
	_, err := c.SignIn(ctx, SignIn{Username: "alice"}, &answers{given: codes("x")})
	wantError(t, err, token.Interrupted, "interrupted")
	_, err = c.SignIn(ctx, SignIn{Username: "alice"}, &answers{given: codes("x")})
	wantError(t, err, token.Interrupted, "interrupted")
}

func TestTokensOfSomebodyElse(t *testing.T) {
	for name, tt := range map[string]struct {
		id, access func(map[string]any)
		detail     string
	}{
		"audience":   {id: func(m map[string]any) { m["aud"] = "other" }, detail: "another app client"},
		"client":     {access: func(m map[string]any) { m["client_id"] = "other" }, detail: "another app client"},
		"issuer":     {id: func(m map[string]any) { m["iss"] = "https://evil.example/" + testPool }, detail: "another user pool"},
		"swapped":    {id: func(m map[string]any) { m["token_use"] = "access" }, detail: "token_use"},
		"no subject": {access: func(m map[string]any) { delete(m, "sub") }, detail: "names no user"},
	} {
		t.Run(name, func(t *testing.T) {
			id, access := idClaims(testIssuer), accessClaims(testIssuer)
			if tt.id != nil {
				tt.id(id)
			}
			if tt.access != nil {
				tt.access(access)
			}
			pool := newFakePool(t, func(request, int) answer {
				return ok(map[string]any{"AuthenticationResult": map[string]any{"IdToken": jwt(id), "AccessToken": jwt(access), "RefreshToken": "rotated"}})
			})
			c := newTestClient(t, testOptions(pool.URL))
			got, err := c.SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH", Username: "alice"}, &answers{given: codes("x")})
			wantError(t, err, token.BadProfile, "the endpoint's tokens are not those of the app client")
			if !strings.Contains(err.Error(), tt.detail) || !got.Tokens.ID.Value.Empty() {
				t.Errorf("%v", err)
			}
			got, err = c.Refresh(t.Context(), token.NewSecret("r"), "")
			wantError(t, err, token.Unavailable, "the endpoint's tokens")
			if ClassOf(err) != Transient || got.Refresh.Reveal() != "rotated" {
				t.Errorf("class %d, refresh token %q", ClassOf(err), got.Refresh.Reveal())
			}
		})
	}
}

func TestIssuers(t *testing.T) {
	o := testOptions("http://127.0.0.1:4711")
	o.Region = "eu-west-1" // a replica of a pool whose home is eu-central-1
	c := newTestClient(t, o)
	for issuer, want := range map[string]bool{
		"https://cognito-idp.eu-central-1.amazonaws.com/" + testPool:           true,
		"https://cognito-idp.eu-west-1.amazonaws.com/" + testPool:              true,
		"https://issuer-cognito-idp.eu-west-1.amazonaws.com/" + testPool:       true,
		"https://cognito-idp.eu-west-1.amazonaws.com.cn/" + testPool:           true,
		"http://127.0.0.1:4711/" + testPool:                                    true,
		"http://cognito-idp.eu-west-1.amazonaws.com/" + testPool:               false,
		"https://cognito-idp.us-east-1.amazonaws.com/" + testPool:              false,
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_other":          false,
		"https://cognito-idp.eu-west-1.evil.example/" + testPool:               false,
		"https://evil.example/cognito-idp.eu-west-1.amazonaws.com/" + testPool: false,
		"http://127.0.0.1:4712/" + testPool:                                    false,
		"":                                                                     false,
	} {
		if got := c.issues(issuer); got != want {
			t.Errorf("%s: %t", issuer, got)
		}
	}
}

func TestAcceptedCodeIsNotUsedAgain(t *testing.T) {
	expired := fault("NotAuthorizedException", "Invalid session for the user, session is expired.")
	first := true
	pool := srpPool(t, "alice", []answer{asks("SOFTWARE_TOKEN_MFA", nil, "s1"), asks("SMS_MFA", nil, "s2")}, func(r request) *answer {
		if r.in.ChallengeName == "SMS_MFA" && first {
			first = false
			return &expired
		}
		return nil
	})
	given := codes("SOFTWARE_TOKEN_MFA_CODE", "111111", "222222")
	given["SMS_MFA_CODE"] = []string{"333333", "444444"}
	a := &answers{given: given}
	if _, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, a); err != nil {
		t.Fatal(err)
	}
	if want := "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SMS_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/1 SMS_MFA_CODE/1"; a.names() != want {
		t.Errorf("asked %s, want %s", a.names(), want)
	}
	if second := pool.request(6).in.ChallengeResponses["SOFTWARE_TOKEN_MFA_CODE"]; second != "222222" {
		t.Errorf("code %q", second)
	}
}
