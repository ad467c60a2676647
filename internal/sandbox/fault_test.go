package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const refreshOperation = "GetTokensFromRefreshToken"

func faulty(t *testing.T, f Fault) (*Server, *testClient, string) {
	t.Helper()
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 3)
	token := c.tokens().AuthenticationResult.RefreshToken
	f.Operation = refreshOperation
	if err := s.SetFault(f); err != nil {
		t.Fatal(err)
	}
	return s, c, token
}

// Every fault of one request must leave the next request alone; worked says whether the token was used up.
func TestFaults(t *testing.T) {
	for _, x := range []struct {
		fault  Fault
		status int
		code   string
		worked bool
	}{
		{Fault{Kind: "internal"}, 500, "InternalErrorException", false},
		{Fault{Kind: "fail-after"}, 500, "InternalErrorException", true},
		{Fault{Kind: "throttle"}, 400, "TooManyRequestsException", false},
		{Fault{Kind: "error", Code: "UserLambdaValidationException", Message: "PreAuthentication failed with error no."}, 400, "UserLambdaValidationException", false},
		{Fault{Kind: "error", Status: 403, Code: "ForbiddenException"}, 403, "ForbiddenException", false},
		{Fault{Kind: "html-502"}, 502, "", false},
		{Fault{Kind: "slow", DelayMS: 20}, 200, "", true},
		{Fault{Kind: "slow-answer", DelayMS: 20}, 200, "", true},
		{Fault{Kind: "no-expires-in"}, 200, "", true},
		{Fault{Kind: "skew-date", SkewSeconds: -3600}, 200, "", true},
		{Fault{Kind: "reply", Body: json.RawMessage(`{"ChallengeName": "NEW"}`)}, 200, "", false},
	} {
		t.Run(x.fault.Kind+x.fault.Code, func(t *testing.T) {
			_, c, token := faulty(t, x.fault)
			begin := time.Now()
			a := c.refresh(token)
			if a.Status != x.status || a.Type != x.code || a.Message != x.fault.Message && x.fault.Message != "" {
				t.Fatal(a)
			}
			if time.Since(begin) < x.fault.Delay() {
				t.Error("the answer came too early")
			}
			if missing := a.AuthenticationResult.ExpiresIn == 0; missing != (x.fault.Kind == "no-expires-in" || !x.worked || x.status != 200) {
				t.Errorf("ExpiresIn %d", a.AuthenticationResult.ExpiresIn)
			}
			checkDate(t, a.Header, time.Duration(x.fault.SkewSeconds)*time.Second)
			if page := strings.HasPrefix(a.Header.Get("Content-Type"), "text/html"); page != (x.fault.Kind == "html-502") {
				t.Errorf("Content-Type %q", a.Header.Get("Content-Type"))
			}
			next := c.refresh(token)
			if reused := next.Type == "RefreshTokenReuseException"; reused != x.worked {
				t.Errorf("the next request: %s", next)
			}
		})
	}
}

func checkDate(t *testing.T, h http.Header, skew time.Duration) {
	t.Helper()
	d, err := http.ParseTime(h.Get("Date"))
	if off := d.Sub(time.Now().Add(skew)).Abs(); err != nil || off > time.Minute {
		t.Errorf("Date is %q, %v off (%v)", h.Get("Date"), off, err)
	}
}

func TestDroppedConnections(t *testing.T) {
	for kind, worked := range map[string]bool{"drop-before": false, "drop-after": true} {
		t.Run(kind, func(t *testing.T) {
			s, c, token := faulty(t, Fault{Kind: kind})
			s.ResetRequests()
			if _, err := c.post("AWSCognitoIdentityProviderService."+refreshOperation, c.refreshInput(token)); err == nil {
				t.Fatal("there was an answer")
			}
			if n := s.Requests()[refreshOperation]; n != 1 {
				t.Fatalf("%d requests: the transport sent it again", n)
			}
			if a := c.refresh(token); (a.Type == "RefreshTokenReuseException") != worked {
				t.Errorf("the next request: %s", a)
			}
		})
	}
}

func TestHangEndsWithTheClientOrTheSandbox(t *testing.T) {
	s, c, token := faulty(t, Fault{Kind: "hang", Count: 2})
	body, _ := json.Marshal(c.refreshInput(token))
	try := func(ctx context.Context) error {
		r, _ := http.NewRequestWithContext(ctx, "POST", s.URL()+"/", bytes.NewReader(body))
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+refreshOperation)
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if try(ctx) == nil {
		t.Fatal("there was an answer")
	}
	done := make(chan error, 1)
	go func() { done <- try(t.Context()) }()
	for s.Requests()[refreshOperation] < 2 {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	if <-done == nil {
		t.Fatal("there was an answer")
	}
}

func TestFaultCounts(t *testing.T) {
	s, c, token := faulty(t, Fault{Kind: "internal", Count: 2})
	if err := s.SetFault(Fault{Operation: "*", Kind: "throttle", Count: -1}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{500, 500, 400, 400, 400} {
		if a := c.refresh(token); a.Status != want {
			t.Fatalf("%s, want %d", a, want)
		}
	}
	if n := len(s.Faults()); n != 1 {
		t.Errorf("%d faults left", n)
	}
	s.ClearFaults()
	c.mustRefresh(token)
	if n := s.Requests()[refreshOperation]; n != 6 {
		t.Errorf("%d requests counted", n)
	}
	for _, bad := range []Fault{{Kind: "internal"}, {Operation: "*", Kind: "odd"}, {Operation: "*", Kind: "error"}} {
		if s.SetFault(bad) == nil {
			t.Errorf("accepted: %+v", bad)
		}
	}
}

func TestMovedDate(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	s.Advance(time.Hour)
	checkDate(t, c.tokens().Header, 0) // a client with a right clock still gets in
	s.AdvanceWithDate(-time.Hour)
	a := c.signIn("bob", "Tr0ub4dor&3")
	a.refused(t, "NotAuthorizedException", "Incorrect username or password.")
	checkDate(t, a.Header, -time.Hour)
}

func TestControlPath(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	call := func(method, path, body, origin string) (int, string) {
		t.Helper()
		r, _ := http.NewRequest(method, s.URL()+"/_sandbox"+path, strings.NewReader(body))
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, strings.TrimSpace(string(b))
	}
	want := func(status int, answer, method, path, body string) {
		t.Helper()
		if got, text := call(method, path, body, ""); got != status || answer != "" && text != answer {
			t.Errorf("%s %s %s: %d %s", method, path, body, got, text)
		}
	}
	token := c.tokens().AuthenticationResult.RefreshToken
	want(200, `{"InitiateAuth":1,"RespondToAuthChallenge":1}`, "GET", "/requests", "")
	want(200, `{}`, "POST", "/requests/reset", "")
	want(200, `{}`, "GET", "/requests", "")
	want(200, `{"code":"`+s.TOTP("alice")+`"}`, "GET", "/totp?user=alice", "")
	want(404, "", "GET", "/totp?user=bob", "")
	want(404, "", "GET", "/sms?user=bob", "")
	want(200, `{"SOFTWARE_TOKEN_MFA":"`+s.TOTP("alice")+`"}`, "GET", "/codes?user=alice", "")
	want(200, `{"code":"`+s.TOTP("alice")+`"}`, "GET", "/codes?user=alice&kind=SOFTWARE_TOKEN_MFA", "")
	want(200, `{}`, "GET", "/codes?user=nobody", "")
	want(404, "", "GET", "/codes?user=alice&kind=SMS_MFA", "")
	want(200, "", "DELETE", "/triggers", "")
	want(200, `[]`, "GET", "/triggers", "")
	want(200, `[]`, "GET", "/contexts", "")
	want(400, "", "POST", "/triggers", `{"PreHistory":"x"}`)
	want(200, "", "POST", "/triggers", `{"PreAuthentication":"x"}`)
	c.signIn("bob", bobsPassword).refused(t, "UserLambdaValidationException", "PreAuthentication failed with error x.")
	want(200, `[{"trigger":"PreAuthentication","userName":"bob","clientId":"`+c.client+`"}]`, "GET", "/triggers", "")
	want(200, "", "POST", "/triggers", `{"PreAuthentication":""}`)
	want(200, "", "POST", "/clients/"+DefaultConfig().UserPool.Clients[2].ID, `{"secret":"a","secret_next":"b"}`)
	want(400, "", "POST", "/clients/none", `{"secret":"a"}`)
	want(200, "", "POST", "/users/bob", `{"forget_devices":true}`)
	want(200, "", "POST", "/faults", `[{"operation":"GetTokensFromRefreshToken","kind":"internal"},{"operation":"GetUser","kind":"throttle"}]`)
	want(200, "", "POST", "/faults", `{"operation":"GetTokensFromRefreshToken","kind":"throttle"}`)
	want(400, "", "POST", "/faults", `{"operation":"GetUser","kind":"throttle","conut":3}`)
	want(400, "", "POST", "/faults", `{"operation":"GetUser","kind":"odd"}`)
	if a := c.refresh(token); a.Status != 500 {
		t.Error(a)
	}
	want(200, "", "DELETE", "/faults", "")
	want(200, `[]`, "GET", "/faults", "")
	want(200, "", "POST", "/advance", `{"seconds":3600}`)
	want(400, "", "POST", "/advance", `{"minutes":3600}`)
	want(200, "", "POST", "/users/bob", `{"disabled":true}`)
	c.refresh(token).refused(t, "NotAuthorizedException", "User is disabled.")
	want(400, "", "POST", "/users/nobody", `{"disabled":true}`)
	want(200, "", "POST", "/users", `{"username":"zoe","password":"Zoe's own 1"}`)
	want(400, "", "POST", "/users", `{"username":"zoe","password":"Zoe's own 1"}`)
	if a := c.signIn("zoe", "Zoe's own 1"); a.AuthenticationResult.IdToken == "" {
		t.Error(a)
	}
	if status, _ := call("POST", "/users/zoe", `{"delete":true}`, "https://example.com"); status != 403 {
		t.Errorf("a web page got %d", status)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for addr, good := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, "0.0.0.0:0": false, ":0": false, "192.0.2.1:80": false, "example.com:1": false, "x": false} {
		if err := CheckLoopback(addr); (err == nil) != good {
			t.Errorf("%s: %v", addr, err)
		}
	}
	s := newServer(t, DefaultConfig())
	if s.Start("127.0.0.1:0") == nil {
		t.Error("started twice")
	}
}
