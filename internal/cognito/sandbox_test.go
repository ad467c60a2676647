package cognito

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// person answers questions by name, in turn, where "code:KIND" stands for the code of that kind that the sandbox sent, and
// "passkey" for an assertion.
type person struct {
	t     *testing.T
	pool  *sandbox.Server
	name  string
	says  map[string][]string
	asked []challenge.Question
}

func (p *person) Answer(_ context.Context, q challenge.Question) (token.Secret, error) {
	p.asked = append(p.asked, q)
	left := p.says[q.Name]
	if len(left) == 0 {
		return token.Secret{}, fmt.Errorf("%s: %w", q.Name, challenge.ErrNoAnswer)
	}
	p.says[q.Name] = left[1:]
	said := left[0]
	if kind, ok := strings.CutPrefix(said, "code:"); ok {
		said = p.pool.Codes(p.name)[kind]
	}
	if said == "passkey" {
		said = assertion(q.Parameters[passkeyOptions])
	}
	return token.NewSecret(said), nil
}

func (p *person) names() string {
	var out []string
	for _, q := range p.asked {
		out = append(out, fmt.Sprintf("%s/%d", q.Name, q.Attempt))
	}
	return strings.Join(out, " ")
}

// assertion is what an authenticator would say to the options, as far as the sandbox looks.
func assertion(options string) string {
	var o struct{ Challenge string }
	_ = json.Unmarshal([]byte(options), &o)
	data, _ := json.Marshal(map[string]string{"type": "webauthn.get", "challenge": o.Challenge, "origin": "http://localhost"})
	out, _ := json.Marshal(map[string]any{"id": "cGFzc2tleQ", "type": "public-key", "response": map[string]string{"clientDataJSON": base64.RawURLEncoding.EncodeToString(data)}})
	return string(out)
}

const dana = "dana"

// sandboxPool is a user pool with one user, dana, who has everything.
func sandboxPool(t *testing.T, change func(*userpool.Config)) (*sandbox.Server, *Client, *person) {
	t.Helper()
	config := sandbox.DefaultConfig()
	config.UserPool.AllowTOTPReuse = true
	config.UserPool.Users = []userpool.User{{
		Username: dana, Password: testPassword, Email: "dana@example.com", Phone: "+15550100199", Passkeys: []string{"cGFzc2tleQ"},
		Attributes: map[string]string{"email_verified": "true", "phone_number_verified": "true"},
	}}
	if change != nil {
		change(&config.UserPool)
	}
	s, err := sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ready := s.Ready()
	c := newTestClient(t, Options{Region: ready.Region, UserPoolID: ready.UserPoolID, ClientID: ready.ClientID, Endpoint: ready.Endpoint, Profile: "dev"})
	return s, c, &person{t: t, pool: s, name: dana, says: map[string][]string{"PASSWORD": {testPassword}}}
}

func mustSignIn(t *testing.T, c *Client, s SignIn, p *person) Result {
	t.Helper()
	s.Username = dana
	got, err := c.SignIn(t.Context(), s, p)
	if err != nil {
		t.Fatalf("%v; asked %s", err, p.names())
	}
	if got.User.Name != dana || got.Refresh.Empty() {
		t.Fatalf("result %+v", got)
	}
	return got
}

// Each first factor of USER_AUTH, chosen from the list and named beforehand.
func TestUserAuth(t *testing.T) {
	for _, tt := range []struct{ factor, name, says string }{
		{"PASSWORD", "PASSWORD", testPassword},
		{"PASSWORD_SRP", "PASSWORD", testPassword},
		{"EMAIL_OTP", "EMAIL_OTP_CODE", "code:EMAIL_OTP"},
		{"SMS_OTP", "SMS_OTP_CODE", "code:SMS_OTP"},
		{"WEB_AUTHN", "CREDENTIAL", "passkey"},
	} {
		for _, preferred := range []string{"", tt.factor} {
			t.Run(tt.factor+"/"+preferred, func(t *testing.T) {
				_, c, p := sandboxPool(t, nil)
				p.says = map[string][]string{"ANSWER": {tt.factor}, tt.name: {tt.says}}
				mustSignIn(t, c, SignIn{Flow: "USER_AUTH", Preferred: preferred}, p)
				want := "ANSWER/1 " + tt.name + "/1"
				if preferred != "" {
					want = tt.name + "/1"
				}
				if p.names() != want {
					t.Errorf("asked %s, want %s", p.names(), want)
				}
				if preferred == "" && !slices.Contains(p.asked[0].Choices, tt.factor) {
					t.Errorf("choices %v", p.asked[0].Choices)
				}
			})
		}
	}
}

// A preferred factor that the user does not have leads to the choice, and a single one is no choice.
func TestUserAuthWithoutThePreferred(t *testing.T) {
	_, c, p := sandboxPool(t, func(u *userpool.Config) { u.FirstFactors = []string{"PASSWORD", "EMAIL_OTP"} })
	p.says["ANSWER"] = []string{"PASSWORD"}
	mustSignIn(t, c, SignIn{Flow: "USER_AUTH", Preferred: "WEB_AUTHN"}, p)
	if p.names() != "ANSWER/1 PASSWORD/1" {
		t.Errorf("asked %s", p.names())
	}
}

func TestPasskeyHasNobodyToAsk(t *testing.T) {
	_, c, p := sandboxPool(t, nil)
	_, err := c.SignIn(t.Context(), SignIn{Flow: "USER_AUTH", Preferred: "WEB_AUTHN", Username: dana}, p)
	e := wantError(t, err, token.LoginNeeded, "needs a passkey")
	if !strings.Contains(e.Next, "--mfa-process") || !strings.Contains(e.Next, "cognito_preferred_challenge in profile dev") {
		t.Errorf("hint %q", e.Next)
	}
	p.says["CREDENTIAL"] = []string{`{"id":"another","type":"public-key","response":{"clientDataJSON":"e30"}}`, "not JSON"}
	_, err = c.SignIn(t.Context(), SignIn{Flow: "USER_AUTH", Preferred: "WEB_AUTHN", Username: dana}, p)
	wantError(t, err, token.Refused, "the answer was wrong")
	_, err = c.SignIn(t.Context(), SignIn{Flow: "USER_AUTH", Preferred: "WEB_AUTHN", Username: dana}, p)
	wantError(t, err, token.Failure, "the passkey's assertion is not JSON")
}

func riddles(u *userpool.Config) {
	u.CustomAuth.Rounds = []userpool.Round{
		{Parameters: map[string]string{"question": "what walks on four\x1b[2J legs"}, Answer: "a cat"},
		{Parameters: map[string]string{"question": "and now"}, Answer: "a dog"},
	}
}

func TestCustomAuth(t *testing.T) {
	for _, tt := range []struct{ preferred, asked string }{
		{"", "ANSWER/1 ANSWER/1 ANSWER/1"},
		{"SRP_A", "PASSWORD/1 ANSWER/1 ANSWER/1 ANSWER/1"},
	} {
		_, c, p := sandboxPool(t, riddles)
		p.says["ANSWER"] = []string{"a cow", "a cat", "a dog"}
		mustSignIn(t, c, SignIn{Flow: "CUSTOM_AUTH", Preferred: tt.preferred}, p)
		if p.names() != tt.asked {
			t.Errorf("asked %s, want %s", p.names(), tt.asked)
		}
		last := p.asked[len(p.asked)-1]
		if last.Parameters["question"] != "and now" || len(last.Parameters) != 1 || !last.Secret {
			t.Errorf("the last question was %+v", last)
		}
	}
	_, c, p := sandboxPool(t, riddles)
	p.says["ANSWER"] = []string{"a cow", "a cow", "a cow", "a cat"}
	_, err := c.SignIn(t.Context(), SignIn{Flow: "CUSTOM_AUTH", Username: dana}, p)
	wantError(t, err, token.Refused, "the answer was wrong: Cognito ended the sign-in")
}

// An answer is to the question that was asked: after a fresh start it is asked for again.
func TestCustomAuthThatExpires(t *testing.T) {
	s, c, p := sandboxPool(t, riddles)
	p.says["ANSWER"] = []string{"a cat", "a dog", "a cat", "a dog"}
	slow := answererFunc(func(ctx context.Context, q challenge.Question) (token.Secret, error) {
		if len(p.asked) == 1 {
			s.Advance(time.Hour)
		}
		return p.Answer(ctx, q)
	})
	if _, err := c.SignIn(t.Context(), SignIn{Flow: "CUSTOM_AUTH", Username: dana}, slow); err != nil {
		t.Fatal(err)
	}
	if p.names() != "ANSWER/1 ANSWER/1 ANSWER/1 ANSWER/1" || p.asked[2].Note != "the sign-in was started anew" {
		t.Errorf("asked %s, note %q", p.names(), p.asked[2].Note)
	}
}

type answererFunc func(context.Context, challenge.Question) (token.Secret, error)

func (f answererFunc) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	return f(ctx, q)
}

func TestSelectMFA(t *testing.T) {
	both := func(u *userpool.Config) { u.Users[0].SMSMFA, u.Users[0].EmailMFA = true, true }
	_, c, p := sandboxPool(t, both)
	p.says["ANSWER"], p.says["EMAIL_OTP_CODE"] = []string{"EMAIL_OTP"}, []string{"code:EMAIL_OTP"}
	mustSignIn(t, c, SignIn{}, p)
	if p.names() != "PASSWORD/1 ANSWER/1 EMAIL_OTP_CODE/1" {
		t.Errorf("asked %s", p.names())
	}
	_, c, p = sandboxPool(t, both)
	p.says["SMS_MFA_CODE"] = []string{"code:SMS_MFA"}
	mustSignIn(t, c, SignIn{MFA: "SMS_MFA"}, p)
	if p.names() != "PASSWORD/1 SMS_MFA_CODE/1" {
		t.Errorf("asked %s", p.names())
	}
}

func TestMFASetup(t *testing.T) {
	_, c, p := sandboxPool(t, func(u *userpool.Config) { u.MFA = "ON" })
	p.says["SOFTWARE_TOKEN_MFA_CODE"] = []string{"000000", "code:MFA_SETUP"}
	mustSignIn(t, c, SignIn{}, p)
	if p.names() != "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/2" {
		t.Errorf("asked %s", p.names())
	}
	first, second := p.asked[1], p.asked[2]
	if !strings.HasPrefix(first.URI.Reveal(), "otpauth://totp/dev:dana?secret=") || !first.URI.Equal(second.URI) || second.Note != "the code was wrong" {
		t.Errorf("URIs %q and %q, note %q", first.URI.Reveal(), second.URI.Reveal(), second.Note)
	}
	_, c, p = sandboxPool(t, func(u *userpool.Config) { u.MFA = "ON" })
	p.says["SOFTWARE_TOKEN_MFA_CODE"] = []string{"000000", "000001", "000002", "code:MFA_SETUP"}
	_, err := c.SignIn(t.Context(), SignIn{Username: dana}, p)
	wantError(t, err, token.Refused, "the code was wrong three times")
	_, c, p = sandboxPool(t, func(u *userpool.Config) { u.MFA, u.MFASetup = "ON", []string{"SMS_MFA"} })
	_, err = c.SignIn(t.Context(), SignIn{Username: dana}, p)
	wantError(t, err, token.Refused, "must set up MFA by SMS_MFA")
}

func TestMFASetupThatExpires(t *testing.T) {
	s, c, p := sandboxPool(t, func(u *userpool.Config) { u.MFA = "ON" })
	p.says["SOFTWARE_TOKEN_MFA_CODE"] = []string{"123456", "code:MFA_SETUP"}
	slow := answererFunc(func(ctx context.Context, q challenge.Question) (token.Secret, error) {
		if len(p.asked) == 1 {
			s.Advance(time.Hour)
		}
		return p.Answer(ctx, q)
	})
	if _, err := c.SignIn(t.Context(), SignIn{Username: dana}, slow); err != nil {
		t.Fatal(err)
	}
	if p.names() != "PASSWORD/1 SOFTWARE_TOKEN_MFA_CODE/1 SOFTWARE_TOKEN_MFA_CODE/1" || p.asked[1].URI.Equal(p.asked[2].URI) ||
		p.asked[2].Note != "the sign-in was started anew, with a new secret for the app" {
		t.Errorf("asked %s, note %q", p.names(), p.asked[2].Note)
	}
}

func remembering(devices string) func(*userpool.Config) {
	return func(u *userpool.Config) {
		u.Devices = devices
		u.Users[0].SMSMFA = true
		riddles(u)
	}
}

func TestDevices(t *testing.T) {
	s, c, p := sandboxPool(t, remembering("ALWAYS"))
	p.says["PASSWORD"] = []string{testPassword, testPassword, testPassword, testPassword, testPassword}
	p.says["SMS_MFA_CODE"] = []string{"code:SMS_MFA", "code:SMS_MFA", "code:SMS_MFA"}
	first := mustSignIn(t, c, SignIn{}, p)
	if first.Device == nil || first.Device.Password.Empty() || first.DeviceErr != nil || first.ForgetDevice {
		t.Fatalf("device %+v, %v", first.Device, first.DeviceErr)
	}
	for _, tt := range []struct {
		key string
		ok  bool
	}{{first.Device.Key, true}, {"", false}} {
		_, err := c.Refresh(t.Context(), first.Refresh, tt.key)
		if (err == nil) != tt.ok {
			t.Errorf("refresh with device %q: %v", tt.key, err)
		}
	}
	p.asked = nil
	again := mustSignIn(t, c, SignIn{Device: first.Device, DeviceUsers: []string{dana}}, p)
	if p.names() != "PASSWORD/1" || again.Device != nil || again.ForgetDevice {
		t.Errorf("with a remembered device: asked %s, device %+v", p.names(), again.Device)
	}
	p.asked, p.says["ANSWER"] = nil, []string{"a cat", "a dog"}
	mustSignIn(t, c, SignIn{Flow: "CUSTOM_AUTH", Device: first.Device}, p)
	if p.names() != "ANSWER/1 ANSWER/1" {
		t.Errorf("CUSTOM_AUTH with a remembered device: asked %s", p.names())
	}
	p.asked = nil
	other := mustSignIn(t, c, SignIn{Device: first.Device, DeviceUsers: []string{"bob"}}, p)
	if p.names() != "PASSWORD/1 SMS_MFA_CODE/1" || other.Device == nil {
		t.Errorf("another user's device: asked %s, device %+v", p.names(), other.Device)
	}
	if n := s.Requests()["ConfirmDevice"]; n != 2 {
		t.Errorf("%d devices were confirmed", n)
	}
}

// A device that Cognito forgot, and one whose password is not ours any more, is left out once, and nobody is told.
func TestDeviceThatCognitoForgot(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *Client, Result){
		"forgotten": func(t *testing.T, c *Client, r Result) {
			if err := c.ForgetDevice(t.Context(), r.Tokens.Access.Value, r.Device.Key); err != nil {
				t.Fatal(err)
			}
		},
		"wrong password": func(_ *testing.T, _ *Client, r Result) { r.Device.Password = token.NewSecret("another") },
	} {
		t.Run(name, func(t *testing.T) {
			_, c, p := sandboxPool(t, remembering("ALWAYS"))
			p.says["PASSWORD"] = []string{testPassword, testPassword}
			p.says["SMS_MFA_CODE"] = []string{"code:SMS_MFA", "code:SMS_MFA"}
			first := mustSignIn(t, c, SignIn{}, p)
			spoil(t, c, first)
			p.asked = nil
			got := mustSignIn(t, c, SignIn{Device: first.Device}, p)
			if p.names() != "PASSWORD/1 SMS_MFA_CODE/1" || p.asked[1].Note != "" {
				t.Errorf("asked %s", p.names())
			}
			if !got.ForgetDevice || got.Device == nil || got.Device.Key == first.Device.Key {
				t.Errorf("forget %t, device %+v", got.ForgetDevice, got.Device)
			}
		})
	}
}

func TestDeviceThatTheUserMayRefuse(t *testing.T) {
	for _, tt := range []struct {
		says    []string
		updates int
		next    string
	}{
		{[]string{"yes"}, 1, "PASSWORD/1"},
		{[]string{"no"}, 0, "PASSWORD/1 SMS_MFA_CODE/1"},
		{nil, 0, "PASSWORD/1 SMS_MFA_CODE/1"}, // nobody to ask
	} {
		s, c, p := sandboxPool(t, remembering("OPT_IN"))
		p.says["PASSWORD"] = []string{testPassword, testPassword}
		p.says["SMS_MFA_CODE"] = []string{"code:SMS_MFA", "code:SMS_MFA"}
		p.says["DEVICE_REMEMBERED"] = tt.says
		first := mustSignIn(t, c, SignIn{}, p)
		if first.Device == nil || first.DeviceErr != nil || s.Requests()["UpdateDeviceStatus"] != tt.updates {
			t.Fatalf("%v: device %+v, %v, %d updates", tt.says, first.Device, first.DeviceErr, s.Requests()["UpdateDeviceStatus"])
		}
		if _, err := c.Refresh(t.Context(), first.Refresh, first.Device.Key); err != nil {
			t.Errorf("%v: %v", tt.says, err)
		}
		p.asked = nil
		mustSignIn(t, c, SignIn{Device: first.Device}, p)
		if p.names() != tt.next {
			t.Errorf("%v: asked %s, want %s", tt.says, p.names(), tt.next)
		}
	}
}

// A device that cannot be confirmed does not undo the sign-in.
func TestDeviceThatCannotBeConfirmed(t *testing.T) {
	pool := newFakePool(t, func(r request, _ int) answer {
		if r.op == opConfirmDevice {
			return fault("TooManyRequestsException", "Rate exceeded")
		}
		out := tokens("refresh-1")
		out["AuthenticationResult"].(map[string]any)["NewDeviceMetadata"] = map[string]string{"DeviceKey": "eu-central-1_k", "DeviceGroupKey": "-g"}
		return ok(out)
	})
	got, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH", Username: "alice"}, &answers{given: codes("x")})
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, got)
	wantError(t, got.DeviceErr, token.Unavailable, "busy")
	if got.Device == nil || got.Device.Key != "eu-central-1_k" || !got.Device.Password.Empty() {
		t.Errorf("device %+v", got.Device)
	}
}

// The second secret is tried once when the first is not accepted, and is the first to be tried from then on; and the other
// way round, when a profile has moved on.
func TestSecondClientSecret(t *testing.T) {
	s, c, p := sandboxPool(t, nil)
	const client = "1example23456789secret0000"
	first, next := "the-first-secret-of-the-client", "the-second-secret-of-the-client"
	if err := s.SetSecrets(client, next, ""); err != nil {
		t.Fatal(err)
	}
	o := c.o
	o.ClientID, o.ClientSecret, o.ClientSecretNext = client, token.NewSecret(first), token.NewSecret(next)
	var calls []string
	o.Observe = func(c Call) { calls = append(calls, c.Operation+" "+c.Code) }
	c = newTestClient(t, o)
	p.says["PASSWORD"] = []string{testPassword, testPassword}
	got := mustSignIn(t, c, SignIn{}, p)
	if !got.SecretNext || strings.Join(calls, ", ") != "InitiateAuth NotAuthorizedException, InitiateAuth , RespondToAuthChallenge " {
		t.Errorf("second %t, calls %q", got.SecretNext, calls)
	}
	for _, tt := range []struct {
		prefer bool
		calls  int
	}{{false, 2}, {true, 1}} {
		c, calls = newTestClient(t, o), nil
		if tt.prefer {
			c.PreferSecretNext()
		}
		renewed, err := c.Refresh(t.Context(), got.Refresh, "")
		if err != nil || !renewed.SecretNext || len(calls) != tt.calls {
			t.Errorf("prefer %t: second %t, calls %q, %v", tt.prefer, renewed.SecretNext, calls, err)
		}
	}
	c, calls = newTestClient(t, o), nil
	if err := c.Revoke(t.Context(), got.Refresh); err != nil || len(calls) != 2 {
		t.Errorf("revoke: %q, %v", calls, err)
	}
	if err := s.SetSecrets(client, first, ""); err != nil {
		t.Fatal(err)
	}
	c = newTestClient(t, o)
	c.PreferSecretNext()
	if back := mustSignIn(t, c, SignIn{}, p); back.SecretNext {
		t.Error("the first secret works again, and the second is still preferred")
	}
	if err := s.SetSecrets(client, "a third one that nobody knows here", ""); err != nil {
		t.Fatal(err)
	}
	c, calls = newTestClient(t, o), nil
	_, err := c.SignIn(t.Context(), SignIn{Username: dana}, &person{pool: s, name: dana, says: map[string][]string{"PASSWORD": {testPassword}}})
	wantError(t, err, token.BadProfile, "does not accept the secret")
	if len(calls) != 2 {
		t.Errorf("calls %q", calls)
	}
}

// The raw refresh against a client that rotates names rotation and what to use.
func TestRawRefreshOfARotatingClient(t *testing.T) {
	_, c, p := sandboxPool(t, nil)
	got := mustSignIn(t, c, SignIn{}, p)
	for _, flow := range []string{"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"} {
		_, err := c.Initiate(t.Context(), Initiate{Flow: flow, Parameters: map[string]token.Secret{"REFRESH_TOKEN": got.Refresh}})
		e := wantError(t, err, token.BadProfile, "with refresh token rotation")
		if e.Next != "cognito-credhelper get-tokens-from-refresh-token --help" {
			t.Errorf("hint %q", e.Next)
		}
	}
	out, err := c.GetTokens(t.Context(), got.Refresh, "", nil)
	if err != nil || out.Tokens == nil || out.Tokens.Refresh.Empty() || out.Meta.Status != 200 || out.Meta.RequestID == "" || out.Meta.ContentLength == 0 {
		t.Errorf("%+v, %v", out.Meta, err)
	}
}

// Complete answers like SignIn and gives the last response.
func TestComplete(t *testing.T) {
	s, c, p := sandboxPool(t, func(u *userpool.Config) { u.Users[0].SMSMFA = true })
	p.says["SMS_MFA_CODE"] = []string{"code:SMS_MFA"}
	out, err := c.Complete(t.Context(), Initiate{
		Flow: "USER_SRP_AUTH", Parameters: map[string]token.Secret{"USERNAME": token.NewSecret(dana)},
		Context: CallContext{Metadata: map[string]string{"k": "v"}, AnalyticsEndpointID: "pinpoint", UserContextData: "encoded", UserIPAddress: "192.0.2.1"},
	}, p)
	if err != nil || out.Tokens == nil || out.Tokens.Access.Empty() || out.Tokens.Type != "Bearer" || out.Tokens.ExpiresIn == 0 || out.ChallengeName != "" {
		t.Fatalf("%+v, %v", out, err)
	}
	if seen := fmt.Sprintf("%+v", s.RequestContexts()); strings.Count(seen, "pinpoint") != 3 || strings.Count(seen, "192.0.2.1") != 3 {
		t.Errorf("the context did not go along with each request: %s", seen)
	}
	_, err = c.Complete(t.Context(), Initiate{Flow: "USER_SRP_AUTH", Parameters: map[string]token.Secret{"SRP_A": token.NewSecret("ff")}}, p)
	wantError(t, err, token.Usage, "SRP_A")
}

// A raw answer that becomes a session can be renewed also where the user pool remembers devices.
func TestRawResultRegistersTheDevice(t *testing.T) {
	_, c, p := sandboxPool(t, func(u *userpool.Config) { u.Devices = "OPT_IN" })
	out, err := c.Complete(t.Context(), Initiate{Flow: "USER_PASSWORD_AUTH", Parameters: secretsOf("USERNAME", dana, "PASSWORD", testPassword)}, p)
	if err != nil || out.Tokens.Device == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	got, err := c.Result(t.Context(), opInitiate, out)
	if err != nil || got.Device == nil || got.Device.Password.Empty() || got.DeviceErr != nil || len(p.asked) != 0 {
		t.Fatalf("%+v, %v, asked %s", got.Device, err, p.names())
	}
	if _, err := c.Refresh(t.Context(), got.Refresh, got.Device.Key); err != nil {
		t.Error(err)
	}
}

// Every code may be wrong at first, also where one wrong answer closes the challenge session, and an old sign-in is begun anew.
func TestEveryCode(t *testing.T) {
	for _, tt := range []struct {
		name, flow, preferred string
		change                func(*userpool.User)
	}{
		{"EMAIL_OTP", "USER_AUTH", "EMAIL_OTP", func(*userpool.User) {}},
		{"SMS_OTP", "USER_AUTH", "SMS_OTP", func(*userpool.User) {}},
		{"EMAIL_OTP", "", "", func(u *userpool.User) { u.EmailMFA = true }},
		{"SMS_MFA", "", "", func(u *userpool.User) { u.SMSMFA = true }},
		{"SOFTWARE_TOKEN_MFA", "", "", func(u *userpool.User) { u.TOTPSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" }},
	} {
		for _, attempts := range []int{0, 1} {
			t.Run(fmt.Sprint(tt.flow, tt.name, attempts), func(t *testing.T) {
				s, c, p := sandboxPool(t, func(u *userpool.Config) { u.CodeAttempts = attempts; tt.change(&u.Users[0]) })
				p.says[tt.name+"_CODE"] = []string{"000000", "000000", "code:" + tt.name}
				wrong := answererFunc(func(ctx context.Context, q challenge.Question) (token.Secret, error) {
					if q.Attempt == 3 && q.Note != "the code was wrong" && !strings.Contains(q.Note, "started anew") {
						t.Errorf("note %q", q.Note)
					}
					return p.Answer(ctx, q)
				})
				how := SignIn{Flow: tt.flow, Preferred: tt.preferred, Username: dana}
				if _, err := c.SignIn(t.Context(), how, wrong); err != nil {
					t.Fatalf("%v; asked %s", err, p.names())
				}
				p.says["PASSWORD"], p.says[tt.name+"_CODE"], p.asked = []string{testPassword}, []string{"code:" + tt.name, "code:" + tt.name}, nil
				slow := answererFunc(func(ctx context.Context, q challenge.Question) (token.Secret, error) {
					if q.Name == tt.name+"_CODE" && len(p.asked) < 2 {
						said, err := p.Answer(ctx, q)
						s.Advance(200 * time.Second)
						p.asked = append(p.asked, q)
						return said, err
					}
					return p.Answer(ctx, q)
				})
				s.Advance(time.Minute)
				if _, err := c.SignIn(t.Context(), how, slow); err != nil {
					t.Fatalf("%v; asked %s", err, p.names())
				}
			})
		}
	}
}
