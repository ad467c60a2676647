package cognito

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func secretsOf(pairs ...string) map[string]token.Secret {
	out := map[string]token.Secret{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = token.NewSecret(pairs[i+1])
	}
	return out
}

// What the caller gives goes out as it is, once, and what Cognito answers comes back.
func TestRawInitiateAndRespond(t *testing.T) {
	pool := newFakePool(t, func(r request, n int) answer {
		if r.op == opInitiate {
			return ok(map[string]any{
				"ChallengeName": "SELECT_CHALLENGE", "ChallengeParameters": map[string]string{"k": "v"}, "Session": "session-1",
				"AvailableChallenges": []string{"PASSWORD", "A_NEW_ONE"},
			})
		}
		return ok(tokens("refresh-1"))
	})
	o := testOptions(pool.URL)
	o.ClientSecret = token.NewSecret("client-secret")
	c := newTestClient(t, o)
	in := Initiate{Flow: "USER_AUTH", Parameters: secretsOf("USERNAME", "alice", "PREFERRED_CHALLENGE", "EMAIL_OTP"), Session: token.NewSecret("session-0"),
		Context: CallContext{Metadata: map[string]string{"m": "1"}}}
	got, err := c.Initiate(t.Context(), in)
	if err != nil || got.ChallengeName != "SELECT_CHALLENGE" || got.ChallengeParameters["k"] != "v" || got.Session.Reveal() != "session-1" ||
		!reflect.DeepEqual(got.AvailableChallenges, []string{"PASSWORD", "A_NEW_ONE"}) || got.Tokens != nil {
		t.Errorf("%+v, %v", got, err)
	}
	sent := pool.request(0).in
	want := map[string]string{"USERNAME": "alice", "PREFERRED_CHALLENGE": "EMAIL_OTP", "SECRET_HASH": hashFor("alice", "client-secret")}
	if !reflect.DeepEqual(sent.AuthParameters, want) || deref(sent.Session) != "session-0" || sent.ClientMetadata["m"] != "1" || len(in.Parameters) != 2 {
		t.Errorf("sent %+v", sent)
	}
	done, err := c.Respond(t.Context(), Respond{Challenge: "SELECT_CHALLENGE", Responses: secretsOf("USERNAME", "alice", "SECRET_HASH", "mine"), Session: got.Session})
	if err != nil || done.Tokens == nil || done.Tokens.Refresh.Reveal() != "refresh-1" || done.Tokens.ExpiresIn != 900 || done.ChallengeName != "" {
		t.Errorf("%+v, %v", done, err)
	}
	if sent := pool.request(1).in; sent.ChallengeResponses["SECRET_HASH"] != "mine" || deref(sent.Session) != "session-1" {
		t.Errorf("sent %+v", sent)
	}
}

// A raw call is one request, whatever comes back.
func TestRawIsSentOnce(t *testing.T) {
	pool := newFakePool(t, func(request, int) answer {
		return answer{status: 500, body: map[string]string{"__type": "InternalErrorException"}}
	})
	_, err := newTestClient(t, testOptions(pool.URL)).Initiate(t.Context(), Initiate{Flow: "CUSTOM_AUTH", Parameters: secretsOf("USERNAME", "alice")})
	wantError(t, err, token.Unavailable, "internal error")
	if pool.count() != 1 {
		t.Errorf("%d requests", pool.count())
	}
}

func TestAdminInitiateIsSigned(t *testing.T) {
	pool := newFakePool(t, func(request, int) answer { return ok(tokens("refresh-1")) })
	c := newTestClient(t, testOptions(pool.URL))
	keys := AWSKeys{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: token.NewSecret("secret-access-key"), SessionToken: token.NewSecret("session-token")}
	in := Initiate{Flow: "ADMIN_USER_PASSWORD_AUTH", Parameters: secretsOf("USERNAME", "alice", "PASSWORD", testPassword)}
	if got, err := c.AdminInitiate(t.Context(), keys, in); err != nil || got.Tokens == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	h := pool.request(0).header
	if !strings.HasPrefix(h.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || h.Get("X-Amz-Security-Token") != "session-token" {
		t.Errorf("headers %v", h)
	}
	if sent := pool.request(0).in; sent.AuthFlow != "ADMIN_USER_PASSWORD_AUTH" || sent.AuthParameters["PASSWORD"] != testPassword {
		t.Errorf("sent %+v", sent)
	}
	in.Context.UserIPAddress = "192.0.2.1"
	_, err := c.AdminInitiate(t.Context(), keys, in)
	wantError(t, err, token.Usage, "IP address")
}

func TestRequired(t *testing.T) {
	for flow, want := range map[string]string{
		"USER_SRP_AUTH": "USERNAME SRP_A", "USER_PASSWORD_AUTH": "USERNAME PASSWORD", "USER_AUTH": "USERNAME", "CUSTOM_AUTH": "USERNAME",
		"REFRESH_TOKEN_AUTH": "REFRESH_TOKEN", "REFRESH_TOKEN": "REFRESH_TOKEN",
	} {
		if got, err := Required(flow); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v", flow, got, err)
		}
	}
	_, err := Required("ADMIN_NO_SRP_AUTH")
	if e := wantError(t, err, token.Usage, "is of AdminInitiateAuth only"); e.Next != "cognito-credhelper admin-initiate-auth --help" {
		t.Errorf("hint %q", e.Next)
	}
}

// Only a refusal that can be rotation's is told as that; what is wrong with the token itself stays.
func TestRotationIsNamedWhereItFits(t *testing.T) {
	for _, tt := range []struct {
		code, message string
		named         bool
	}{
		{"UnsupportedOperationException", "x", true},
		{"InvalidParameterException", "REFRESH_TOKEN_AUTH is not enabled for the client.", true},
		{"NotAuthorizedException", "Refresh token rotation is enabled.", true},
		{"NotAuthorizedException", "Refresh Token has expired", false},
		{"NotAuthorizedException", "Invalid Refresh Token.", false},
		{"InvalidParameterException", "Unable to verify secret hash for client", false},
		{"TooManyRequestsException", "Rate exceeded", false},
	} {
		pool := newFakePool(t, func(request, int) answer { return fault(tt.code, tt.message) })
		_, err := newTestClient(t, testOptions(pool.URL)).Initiate(t.Context(), Initiate{Flow: "REFRESH_TOKEN", Parameters: secretsOf("REFRESH_TOKEN", "the-refresh-token")})
		if got := strings.Contains(err.Error(), "rotation, which makes"); got != tt.named || answered(err).Code != tt.code {
			t.Errorf("%s %q: %v", tt.code, tt.message, err)
		}
	}
}

// Every call is told about when it has ended, and nothing that it carried.
func TestObserve(t *testing.T) {
	pool := newFakePool(t, func(r request, n int) answer {
		a := ok(tokens("refresh-1"))
		switch n {
		case 0:
			a = fault("NotAuthorizedException", "Incorrect username or password.")
		case 2:
			return answer{drop: true}
		}
		a.header = map[string]string{"X-Amzn-Requestid": "req-7"}
		return a
	})
	o := testOptions(pool.URL)
	var calls []Call
	o.Observe = func(c Call) { calls = append(calls, c) }
	c := newTestClient(t, o)
	for range 2 {
		_, _ = c.Initiate(t.Context(), Initiate{Flow: "USER_PASSWORD_AUTH", Parameters: secretsOf("USERNAME", "alice", "PASSWORD", testPassword)})
	}
	_, _ = c.Factors(t.Context(), token.NewSecret("access"))
	want := []Call{
		{At: testNow, Operation: opInitiate, Region: "eu-central-1", Status: 400, Code: "NotAuthorizedException", RequestID: "req-7"},
		{At: testNow, Operation: opInitiate, Region: "eu-central-1", Status: 200, RequestID: "req-7"},
		{At: testNow, Operation: opGetUser, Region: "eu-central-1"},
	}
	for i := range calls {
		if calls[i].Took <= 0 {
			t.Errorf("%s took no time", calls[i].Operation)
		}
		calls[i].Took = 0
	}
	if !reflect.DeepEqual(calls, want) {
		t.Errorf("got  %+v\nwant %+v", calls, want)
	}
}
