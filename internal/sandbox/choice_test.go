package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

const bobsPassword = "Tr0ub4dor&3"

// choiceServer has bob with every first factor.
func choiceServer(t *testing.T) (*Server, *testClient) {
	t.Helper()
	config := DefaultConfig()
	config.UserPool.Users[1].Passkeys = []string{"cGFzc2tleQ"}
	config.UserPool.Users = append(config.UserPool.Users,
		userpool.User{Username: "otto", Email: "otto@example.com"},
		userpool.User{Username: "nick", Status: "FORCE_CHANGE_PASSWORD", Password: "Temporary 1", Email: "nick@example.com"})
	s := newServer(t, config)
	return s, newClient(t, s, 2) // with a secret, so that each step proves its SECRET_HASH, too
}

func (c *testClient) choose(p params) answerOf {
	c.t.Helper()
	return c.initiate("USER_AUTH", p)
}

// answers sends a challenge's responses as bob.
func (c *testClient) answers(challenge, session string, p params) answerOf {
	c.t.Helper()
	p["USERNAME"] = "bob"
	return c.respond(challenge, session, c.withHash(p, "bob"))
}

func TestAvailableChallenges(t *testing.T) {
	s, c := choiceServer(t)
	for user, want := range map[string]string{
		"bob":    "PASSWORD_SRP PASSWORD EMAIL_OTP SMS_OTP WEB_AUTHN",
		"alice":  "PASSWORD_SRP PASSWORD", // has a second factor
		"nick":   "PASSWORD_SRP PASSWORD", // has a temporary password
		"otto":   "EMAIL_OTP",
		"nobody": "PASSWORD_SRP PASSWORD",
	} {
		a := c.choose(params{"USERNAME": user}).asks(t, "SELECT_CHALLENGE")
		if got := strings.Join(a.AvailableChallenges, " "); got != want || a.Session == "" {
			t.Errorf("%s: %s, want %s", user, got, want)
		}
	}
	for _, preferred := range []string{"EMAIL_OTP", "WEB_AUTHN", "NO_SUCH_THING"} { // not alice's: no error
		c.choose(params{"USERNAME": "alice", "PREFERRED_CHALLENGE": preferred}).asks(t, "SELECT_CHALLENGE")
	}
	off := DefaultConfig()
	off.UserPool.Clients[0].Flows = []string{"ALLOW_USER_SRP_AUTH"}
	newClient(t, newServer(t, off), 0).choose(params{"USERNAME": "bob"}).
		refused(t, "InvalidParameterException", "USER_AUTH flow not enabled for this client")
	if err := s.Disable("bob"); err != nil {
		t.Fatal(err)
	}
	c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": bobsPassword}).
		refused(t, "NotAuthorizedException", "User is disabled.")
}

func TestPreferredChallenges(t *testing.T) {
	s, c := choiceServer(t)
	c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": bobsPassword}).grants(t)
	c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": "wrong"}).
		refused(t, "NotAuthorizedException", "Incorrect username or password.")
	a := c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "PASSWORD"}).asks(t, "PASSWORD")
	c.answers("PASSWORD", a.Session, params{"PASSWORD": bobsPassword}).grants(t)

	x := newSRP()
	a = c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": x.bigA.Text(16)}).asks(t, "PASSWORD_VERIFIER")
	claim := c.claim(x, bobsPassword, now(), a.ChallengeParameters)
	c.respond("PASSWORD_VERIFIER", "", claim).refused(t, "NotAuthorizedException", "Invalid session for the user.")
	c.respond("PASSWORD_VERIFIER", a.Session, claim).grants(t)
	a = c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "PASSWORD_SRP"}).asks(t, "PASSWORD_SRP")
	x = newSRP()
	a = c.answers("PASSWORD_SRP", a.Session, params{"SRP_A": x.bigA.Text(16)}).asks(t, "PASSWORD_VERIFIER")
	c.respond("PASSWORD_VERIFIER", a.Session, c.claim(x, bobsPassword, now(), a.ChallengeParameters)).grants(t)

	for challenge, to := range map[string]string{"EMAIL_OTP": "b***@e***", "SMS_OTP": "+*******0123"} {
		a = c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": challenge}).asks(t, challenge)
		if a.ChallengeParameters["CODE_DELIVERY_DESTINATION"] != to || !slices.Equal(a.AvailableChallenges, []string{challenge}) {
			t.Errorf("%s: %v %v", challenge, a.ChallengeParameters, a.AvailableChallenges)
		}
		code := s.Codes("bob")[challenge]
		if len(code) != 8 {
			t.Errorf("%s: code %q", challenge, code)
		}
		for range 6 {
			c.answers(challenge, a.Session, params{challenge + "_CODE": "x"}).
				refused(t, "CodeMismatchException", "Invalid code or auth state for the user.")
		}
		c.answers(challenge, a.Session, params{challenge + "_CODE": code}).grants(t)
		c.answers(challenge, a.Session, params{challenge + "_CODE": code}).
			refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	}
}

func TestSelectedChallenges(t *testing.T) {
	s, c := choiceServer(t)
	choose := func() string { return c.choose(params{"USERNAME": "bob"}).asks(t, "SELECT_CHALLENGE").Session }
	c.answers("SELECT_CHALLENGE", choose(), params{"ANSWER": "PASSWORD", "PASSWORD": bobsPassword}).grants(t)
	a := c.answers("SELECT_CHALLENGE", choose(), params{"ANSWER": "PASSWORD"}).asks(t, "PASSWORD")
	c.answers("PASSWORD", a.Session, params{"PASSWORD": "wrong"}).refused(t, "NotAuthorizedException", "Incorrect username or password.")
	c.answers("PASSWORD", a.Session, params{"PASSWORD": bobsPassword}).
		refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")

	x := newSRP()
	a = c.answers("SELECT_CHALLENGE", choose(), params{"ANSWER": "PASSWORD_SRP", "SRP_A": x.bigA.Text(16)}).asks(t, "PASSWORD_VERIFIER")
	c.respond("PASSWORD_VERIFIER", a.Session, c.claim(x, bobsPassword, now(), a.ChallengeParameters)).grants(t)
	a = c.answers("SELECT_CHALLENGE", choose(), params{"ANSWER": "EMAIL_OTP"}).asks(t, "EMAIL_OTP")
	s.Advance(3 * time.Minute)
	c.answers("EMAIL_OTP", a.Session, params{"EMAIL_OTP_CODE": s.Codes("bob")["EMAIL_OTP"]}).
		refused(t, "NotAuthorizedException", "Invalid session for the user, session is expired.")
	session := choose()
	c.answers("SELECT_CHALLENGE", session, params{"ANSWER": "TELEPATHY"}).
		refused(t, "InvalidParameterException", "Selected challenge TELEPATHY is not available")
	c.answers("SELECT_CHALLENGE", session, params{}).refused(t, "InvalidParameterException", "Missing required parameter ANSWER")
}

// Nobody's challenges look like everybody's, and never open.
func TestSimulatedChoice(t *testing.T) {
	_, c := choiceServer(t)
	session := c.choose(params{"USERNAME": "nobody"}).asks(t, "SELECT_CHALLENGE").Session
	c.respond("SELECT_CHALLENGE", session, c.withHash(params{"USERNAME": "nobody", "ANSWER": "PASSWORD", "PASSWORD": "x"}, "nobody")).
		refused(t, "NotAuthorizedException", "Incorrect username or password.")
	x := newSRP()
	a := c.choose(params{"USERNAME": "nobody", "PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": x.bigA.Text(16)}).asks(t, "PASSWORD_VERIFIER")
	c.respond("PASSWORD_VERIFIER", a.Session, c.claim(x, "x", now(), a.ChallengeParameters)).
		refused(t, "NotAuthorizedException", "Incorrect username or password.")
	c.initiate("USER_PASSWORD_AUTH", params{"USERNAME": "otto", "PASSWORD": ""}).
		refused(t, "InvalidParameterException", "Missing required parameter PASSWORD")
	c.signIn("otto", "").refused(t, "NotAuthorizedException", "Incorrect username or password.")
}

// assertion is what a browser would give for a challenge.
func assertion(id, challenge string) string {
	client, _ := json.Marshal(params{"type": "webauthn.get", "challenge": challenge, "origin": "https://localhost"})
	text, _ := json.Marshal(m{"id": id, "rawId": id, "type": "public-key", "response": params{"clientDataJSON": base64.RawURLEncoding.EncodeToString(client)}})
	return string(text)
}

func challengeIn(t *testing.T, a answerOf) string {
	t.Helper()
	var options struct{ Challenge, RpID string }
	if err := json.Unmarshal([]byte(a.ChallengeParameters["CREDENTIAL_REQUEST_OPTIONS"]), &options); err != nil || options.RpID != "localhost" {
		t.Fatalf("%v: %v", a.ChallengeParameters, err)
	}
	return options.Challenge
}

func TestPasskey(t *testing.T) {
	_, c := choiceServer(t)
	begin := func() answerOf {
		return c.choose(params{"USERNAME": "bob", "PREFERRED_CHALLENGE": "WEB_AUTHN"}).asks(t, "WEB_AUTHN")
	}
	a := begin()
	c.answers("WEB_AUTHN", a.Session, params{"CREDENTIAL": assertion("cGFzc2tleQ", challengeIn(t, a))}).grants(t)
	for name, credential := range map[string]func(challenge string) string{
		"other passkey":   func(challenge string) string { return assertion("b3RoZXI", challenge) },
		"other challenge": func(string) string { return assertion("cGFzc2tleQ", "AAAA") },
		"no challenge":    func(string) string { return assertion("cGFzc2tleQ", "") },
	} {
		t.Run(name, func(t *testing.T) {
			a := begin()
			c.answers("WEB_AUTHN", a.Session, params{"CREDENTIAL": credential(challengeIn(t, a))}).
				refused(t, "NotAuthorizedException", "Incorrect username or password.")
		})
	}
	c.answers("WEB_AUTHN", begin().Session, params{"CREDENTIAL": "{"}).refused(t, "InvalidParameterException", "CREDENTIAL is not valid JSON.")
	c.answers("WEB_AUTHN", begin().Session, params{"CREDENTIAL": "{}"}).refused(t, "InvalidParameterException", "CREDENTIAL has no valid clientDataJSON.")
	a = c.choose(params{"USERNAME": "bob"}).asks(t, "SELECT_CHALLENGE")
	c.answers("SELECT_CHALLENGE", a.Session, params{"ANSWER": "WEB_AUTHN", "CREDENTIAL": assertion("cGFzc2tleQ", challengeIn(t, a))}).grants(t)
	a = c.choose(params{"USERNAME": "bob"}).asks(t, "SELECT_CHALLENGE")
	c.answers("SELECT_CHALLENGE", a.Session, params{"ANSWER": "WEB_AUTHN"}).asks(t, "WEB_AUTHN")
}
