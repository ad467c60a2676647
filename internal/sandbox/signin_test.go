package sandbox

import (
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

const alicesPassword = "correct horse battery staple"

func TestSRPWithTOTP(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	a := c.signIn("alice", alicesPassword)
	if a.ChallengeName != "SOFTWARE_TOKEN_MFA" || a.Session == "" {
		t.Fatalf("after the password: %s", a)
	}
	good := params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": s.TOTP("alice")}
	for range 2 {
		wrong := c.respond("SOFTWARE_TOKEN_MFA", a.Session, params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": "x"})
		wrong.refused(t, "CodeMismatchException", "Invalid code received for user")
	}
	b := c.respond("SOFTWARE_TOKEN_MFA", a.Session, good)
	if b.AuthenticationResult.AccessToken == "" {
		t.Fatalf("after the code: %s", b)
	}
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, good).refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	a = c.signIn("alice", alicesPassword)
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, good).refused(t, "ExpiredCodeException", "Your software token has already been used once.")
	s.Advance(30 * time.Second)
	good["SOFTWARE_TOKEN_MFA_CODE"] = s.TOTP("alice")
	if b = c.respond("SOFTWARE_TOKEN_MFA", a.Session, good); b.AuthenticationResult.AccessToken == "" {
		t.Fatalf("with the next code: %s", b)
	}
}

func TestTOTPWindow(t *testing.T) {
	for steps, accepted := range map[int]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		s := newServer(t, DefaultConfig())
		c := newClient(t, s, 0)
		a := c.signIn("alice", alicesPassword)
		d := time.Duration(steps) * 30 * time.Second
		s.Advance(d)
		code := s.TOTP("alice")
		s.Advance(-d)
		b := c.respond("SOFTWARE_TOKEN_MFA", a.Session, params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code})
		if got := b.AuthenticationResult.AccessToken != ""; got != accepted {
			t.Errorf("a code %d steps away: %s", steps, b)
		}
	}
}

// Every exchange is random: salts and keys with a set top bit and hexadecimal numbers of odd length come by themselves.
func TestManySignIns(t *testing.T) {
	c := newClient(t, newServer(t, DefaultConfig()), 2)
	for range 20 {
		c.tokens()
		c.signIn("bob", "wrong").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	}
}

func TestPasswordVerifierRefusals(t *testing.T) {
	s := newServer(t, DefaultConfig())
	for time.Now().Add(s.clock.Visible()).UTC().Day() != 5 { // a day with one digit
		s.AdvanceWithDate(24 * time.Hour)
	}
	wall := s.clock.Wall()
	good := wall.Format("Mon Jan 2 15:04:05 UTC 2006")
	c := newClient(t, s, 0)
	answer := func(stamp string, change func(params)) answerOf {
		x, a := c.startSRP("bob")
		p := c.claim(x, "Tr0ub4dor&3", stamp, a.ChallengeParameters)
		change(p)
		return c.respond("PASSWORD_VERIFIER", "", p)
	}
	if a := answer(good, func(params) {}); a.AuthenticationResult.IdToken == "" {
		t.Fatalf("the control case: %s", a)
	}
	for name, stamp := range map[string]string{
		"padded day":    wall.Format("Mon Jan 02 15:04:05 UTC 2006"),
		"spaced day":    wall.Format("Mon Jan _2 15:04:05 UTC 2006"),
		"wrong weekday": wall.AddDate(0, 0, 1).Format("Mon") + good[3:],
		"other zone":    strings.Replace(good, "UTC", "GMT", 1),
		"old":           wall.Add(-6 * time.Minute).Format("Mon Jan 2 15:04:05 UTC 2006"),
		"early":         wall.Add(6 * time.Minute).Format("Mon Jan 2 15:04:05 UTC 2006"),
		"RFC 3339":      wall.Format(time.RFC3339),
	} {
		t.Run(name, func(t *testing.T) {
			answer(stamp, func(params) {}).refused(t, "NotAuthorizedException", "Incorrect username or password.")
		})
	}
	for name, change := range map[string]func(params){
		"other user":   func(p params) { p["USERNAME"] = "alice" },
		"no signature": func(p params) { p["PASSWORD_CLAIM_SIGNATURE"] = "AAAA" },
		"no base64":    func(p params) { p["PASSWORD_CLAIM_SIGNATURE"] = "!" },
		"other block":  func(p params) { p["PASSWORD_CLAIM_SECRET_BLOCK"] = "AAAA" },
		"other time":   func(p params) { p["TIMESTAMP"] = wall.Add(time.Second).Format("Mon Jan 2 15:04:05 UTC 2006") },
	} {
		t.Run(name, func(t *testing.T) {
			answer(good, change).refused(t, "NotAuthorizedException", "Incorrect username or password.")
		})
	}
	answer(good, func(p params) { delete(p, "TIMESTAMP") }).refused(t, "InvalidParameterException", "Missing required parameter TIMESTAMP")
}

func TestSecretBlock(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	x, a := c.startSRP("bob")
	if n := len(a.ChallengeParameters["SECRET_BLOCK"]); n < 1024 || a.Session != "" {
		t.Fatalf("block of %d characters, session %q", n, a.Session)
	}
	claim := c.claim(x, "Tr0ub4dor&3", now(), a.ChallengeParameters)
	if b := c.respond("PASSWORD_VERIFIER", "", claim); b.AuthenticationResult.IdToken == "" {
		t.Fatal(b)
	}
	c.respond("PASSWORD_VERIFIER", "", claim).refused(t, "NotAuthorizedException", "Incorrect username or password.")

	x, a = c.startSRP("bob")
	s.Advance(4 * time.Minute)
	c.respond("PASSWORD_VERIFIER", "", c.claim(x, "Tr0ub4dor&3", now(), a.ChallengeParameters)).
		refused(t, "NotAuthorizedException", "Incorrect username or password.")

	x, a = c.startSRP("bob")
	other := newClient(t, s, 1)
	other.respond("PASSWORD_VERIFIER", "", other.claim(x, "Tr0ub4dor&3", now(), a.ChallengeParameters)).
		refused(t, "NotAuthorizedException", "Incorrect username or password.")
}

func TestInitiateAuthRefusals(t *testing.T) {
	n, _ := new(big.Int).SetString(testPrime, 16)
	config := DefaultConfig()
	config.UserPool.Clients[1].Flows = []string{"ALLOW_REFRESH_TOKEN_AUTH"}
	config.UserPool.Clients[1].ShowUnknownUsers = true
	s := newServer(t, config)
	c, narrow := newClient(t, s, 0), newClient(t, s, 1)
	for _, x := range []struct {
		name, flow    string
		client        *testClient
		parameters    params
		code, message string
	}{
		{"SRP off", "USER_SRP_AUTH", narrow, params{"USERNAME": "bob", "SRP_A": "2"}, "InvalidParameterException", "USER_SRP_AUTH is not enabled for the client."},
		{"password off", "USER_PASSWORD_AUTH", narrow, params{"USERNAME": "bob", "PASSWORD": "x"}, "InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"},
		{"A = 0", "USER_SRP_AUTH", c, params{"USERNAME": "bob", "SRP_A": "0"}, "InvalidParameterException", "SRP_A is not valid."},
		{"A = 2N", "USER_SRP_AUTH", c, params{"USERNAME": "bob", "SRP_A": new(big.Int).Lsh(n, 1).Text(16)}, "InvalidParameterException", "SRP_A is not valid."},
		{"A no number", "USER_SRP_AUTH", c, params{"USERNAME": "bob", "SRP_A": "xyz"}, "InvalidParameterException", "SRP_A is not valid."},
		{"no A", "USER_SRP_AUTH", c, params{"USERNAME": "bob"}, "InvalidParameterException", "Missing required parameter SRP_A"},
		{"no name", "USER_PASSWORD_AUTH", c, params{"PASSWORD": "x"}, "InvalidParameterException", "Missing required parameter USERNAME"},
		{"wrong password", "USER_PASSWORD_AUTH", c, params{"USERNAME": "bob", "PASSWORD": "x"}, "NotAuthorizedException", "Incorrect username or password."},
		{"nobody", "USER_PASSWORD_AUTH", c, params{"USERNAME": "nobody", "PASSWORD": "x"}, "NotAuthorizedException", "Incorrect username or password."},
		{"admin flow", "ADMIN_NO_SRP_AUTH", c, params{}, "InvalidParameterException", "Initiate Auth method not supported."},
		{"rotation", "REFRESH_TOKEN_AUTH", c, params{"REFRESH_TOKEN": "x"}, "InvalidParameterException", "REFRESH_TOKEN_AUTH flow not enabled for this client"},
		{"no such token", "REFRESH_TOKEN", narrow, params{"REFRESH_TOKEN": "x"}, "NotAuthorizedException", "Invalid Refresh Token."},
	} {
		t.Run(x.name, func(t *testing.T) {
			x.client.do("InitiateAuth", m{"AuthFlow": x.flow, "ClientId": x.client.client, "AuthParameters": x.parameters}).refused(t, x.code, x.message)
		})
	}
	c.do("InitiateAuth", m{"AuthFlow": "USER_SRP_AUTH", "ClientId": "none"}).refused(t, "ResourceNotFoundException", "User pool client none does not exist.")
	if a := c.do("InitiateAuth", m{"AuthFlow": "NO_FLOW", "ClientId": c.client}); a.Type != "InvalidParameterException" || !strings.HasPrefix(a.Message, "1 validation error detected: Value 'NO_FLOW' at 'authFlow'") {
		t.Errorf("unknown flow: %s", a)
	}
	if a := c.do("InitiateAuth", []int{1}); a.Type != "SerializationException" {
		t.Errorf("a list for an object: %s", a)
	}
	if a := c.do("NoOperation", m{}); a.Type != "UnknownOperationException" {
		t.Errorf("unknown operation: %s", a)
	}
	if a := c.respond("NO_CHALLENGE", "", nil); a.Type != "InvalidParameterException" {
		t.Errorf("unknown challenge: %s", a)
	}
}

func TestUnknownUsers(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[1].ShowUnknownUsers = true
	s := newServer(t, config)
	hidden, legacy := newClient(t, s, 0), newClient(t, s, 1)
	legacy.signIn("nobody", "x").refused(t, "UserNotFoundException", "User does not exist.")
	_, a := hidden.startSRP("nobody")
	_, b := hidden.startSRP("nobody")
	if a.ChallengeName != "PASSWORD_VERIFIER" || a.ChallengeParameters["SALT"] != b.ChallengeParameters["SALT"] {
		t.Fatalf("the simulated challenge: %s, then %s", a, b)
	}
	hidden.signIn("nobody", "x").refused(t, "NotAuthorizedException", "Incorrect username or password.")
}

func TestUserStates(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	try := func(code, message string) {
		t.Helper()
		c.signIn("bob", "Tr0ub4dor&3").refused(t, code, message)
		c.signIn("bob", "wrong").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.SetStatus("bob", "UNCONFIRMED"))
	try("UserNotConfirmedException", "User is not confirmed.")
	must(s.SetStatus("bob", "RESET_REQUIRED"))
	try("PasswordResetRequiredException", "Password reset required for the user")
	must(s.Confirm("bob"))
	must(s.Disable("bob"))
	try("NotAuthorizedException", "User is disabled.")
	must(s.Enable("bob"))
	c.tokens()
	must(s.SetPassword("bob", "Something else 1"))
	c.signIn("bob", "Tr0ub4dor&3").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	if a := c.signIn("BOB", "Something else 1"); a.AuthenticationResult.IdToken == "" {
		t.Fatalf("the new password, the name in capitals: %s", a)
	}
	must(s.DeleteUser("bob"))
	c.signIn("bob", "Something else 1").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	if s.SetPassword("bob", "x") == nil || s.SetStatus("alice", "ODD") == nil {
		t.Error("an edit of nobody, or to no status, must fail")
	}
}

func TestSecretHash(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 2)
	c.tokens()
	bare := *c
	bare.secret = ""
	_, a := bare.startSRP("bob")
	a.refused(t, "NotAuthorizedException", "Client "+c.client+" is configured for secret but secret was not received")
	wrong := *c
	wrong.secret = "another"
	_, a = wrong.startSRP("bob")
	a.refused(t, "NotAuthorizedException", "Unable to verify secret hash for client "+c.client)
	x, a := c.startSRP("bob")
	wrong.respond("PASSWORD_VERIFIER", "", wrong.claim(x, "Tr0ub4dor&3", now(), a.ChallengeParameters)).
		refused(t, "NotAuthorizedException", "Unable to verify secret hash for client "+c.client)
	public := newClient(t, s, 0)
	public.secret = "x"
	_, a = public.startSRP("bob")
	a.refused(t, "NotAuthorizedException", "Client "+public.client+" is not configured for secret but secret was received")
}

// sample is the configuration that the documentation shows.
func sample(t *testing.T) Config {
	t.Helper()
	data, err := os.ReadFile("../../cmd/cognito-sandbox/testdata/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAliasesInAPoolOfUUIDs(t *testing.T) {
	s := newServer(t, sample(t))
	c := newClient(t, s, 1)
	for _, typed := range []string{"carol@example.com", "CAROL@example.com", "dave@example.com", "+15550100199"} {
		x, a := c.startSRP(typed)
		id := a.ChallengeParameters["USER_ID_FOR_SRP"]
		if len(id) != 36 {
			t.Fatalf("%s: USER_ID_FOR_SRP is %q", typed, id)
		}
		password := "Carol's first 1"
		if !strings.Contains(strings.ToLower(typed), "carol") {
			password = "Dave's first 1"
		}
		good := c.claim(x, password, now(), a.ChallengeParameters)
		if b := c.respond("PASSWORD_VERIFIER", "", good); b.Session == "" {
			t.Fatalf("%s: %s", typed, b)
		}
		x, a = c.startSRP(typed)
		bad := c.withHash(c.claim(x, password, now(), a.ChallengeParameters), typed) // hash over what was typed
		c.respond("PASSWORD_VERIFIER", "", bad).refused(t, "NotAuthorizedException", "Unable to verify secret hash for client "+c.client)
	}
	_, a := c.startSRP("carol")
	a.refused(t, "UserNotFoundException", "User does not exist.")
	next := *c
	next.secret = "sample-secret-2"
	if _, a := next.startSRP("carol@example.com"); a.ChallengeName == "" {
		t.Errorf("the second live secret: %s", a)
	}
}

func TestNewPassword(t *testing.T) {
	config := DefaultConfig()
	p := &config.UserPool
	p.PasswordPolicy = userpool.Policy{MinimumLength: 10, RequireUppercase: true, RequireLowercase: true, RequireNumbers: true, RequireSymbols: true}
	p.RequiredAttributes = []string{"email", "name"}
	p.Users[1].Status = "FORCE_CHANGE_PASSWORD"
	s := newServer(t, config)
	c := newClient(t, s, 0)
	a := c.signIn("bob", "Tr0ub4dor&3")
	var known map[string]string
	if json.Unmarshal([]byte(a.ChallengeParameters["userAttributes"]), &known) != nil || known["email"] != "bob@example.com" {
		t.Fatalf("userAttributes: %v", a.ChallengeParameters)
	}
	if a.ChallengeName != "NEW_PASSWORD_REQUIRED" || a.ChallengeParameters["requiredAttributes"] != `["userAttributes.name"]` {
		t.Fatalf("%s %v", a, a.ChallengeParameters)
	}
	respond := func(password string, extra params) answerOf {
		r := params{"USERNAME": "bob", "NEW_PASSWORD": password}
		for k, v := range extra {
			r[k] = v
		}
		return c.respond("NEW_PASSWORD_REQUIRED", a.Session, r)
	}
	for password, complaint := range map[string]string{
		"Short 1":         "Password not long enough",
		"without upper 1": "Password must have uppercase characters",
		"WITHOUT LOWER 1": "Password must have lowercase characters",
		"Without number":  "Password must have numeric characters",
		"WithoutSymbol1":  "Password must have symbol characters",
	} {
		respond(password, nil).refused(t, "InvalidPasswordException", "Password did not conform with policy: "+complaint)
	}
	respond("Good enough 1", nil).refused(t, "InvalidParameterException", "Attributes did not conform to the schema: name: The attribute is required")
	respond("Good enough 1", params{"userAttributes.email_verified": "true"}).refused(t, "NotAuthorizedException", "Cannot modify the non-mutable attribute email_verified")
	respond("Good enough 1", params{"userAttributes.email": "x@example.com"}).refused(t, "NotAuthorizedException", "Cannot modify an already provided email")
	b := respond("Good enough 1", params{"userAttributes.name": "Bob"})
	if claims(t, b.AuthenticationResult.IdToken)["name"] != "Bob" {
		t.Fatalf("after the new password: %s", b)
	}
	c.signIn("bob", "Tr0ub4dor&3").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	if b := c.signIn("bob", "Good enough 1"); b.AuthenticationResult.IdToken == "" {
		t.Fatalf("signing in with it: %s", b)
	}
}

func TestTemporaryPasswordOutOfTime(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Users[1].Status, config.UserPool.Users[1].PasswordExpired = "FORCE_CHANGE_PASSWORD", true
	newClient(t, newServer(t, config), 0).signIn("bob", "Tr0ub4dor&3").
		refused(t, "NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.")
}

func TestSMSAndChoice(t *testing.T) {
	config := DefaultConfig()
	bob := &config.UserPool.Users[1]
	bob.SMSMFA, bob.TOTPSecret = true, config.UserPool.Users[0].TOTPSecret
	s := newServer(t, config)
	c := newClient(t, s, 0)
	a := c.signIn("bob", "Tr0ub4dor&3")
	if a.ChallengeName != "SELECT_MFA_TYPE" || a.ChallengeParameters["MFAS_CAN_CHOOSE"] != `["SMS_MFA","SOFTWARE_TOKEN_MFA"]` {
		t.Fatalf("%s %v", a, a.ChallengeParameters)
	}
	b := c.respond("SELECT_MFA_TYPE", a.Session, params{"USERNAME": "bob", "ANSWER": "SMS_MFA"})
	if b.ChallengeName != "SMS_MFA" || b.ChallengeParameters["CODE_DELIVERY_DESTINATION"] != "+*******0123" {
		t.Fatalf("%s %v", b, b.ChallengeParameters)
	}
	c.respond("SMS_MFA", b.Session, params{"USERNAME": "bob", "SMS_MFA_CODE": "x"}).refused(t, "CodeMismatchException", "Invalid code received for user")
	d := c.respond("SMS_MFA", b.Session, params{"USERNAME": "bob", "SMS_MFA_CODE": s.SMS("bob")})
	if d.AuthenticationResult.IdToken == "" {
		t.Fatal(d)
	}
	if s.SMS("alice") != "" || s.TOTP("nobody") != "" {
		t.Error("codes for people who have none")
	}
}

func TestChallengeSessions(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.CodeAttempts = 2
	s := newServer(t, config)
	c := newClient(t, s, 0)
	begin := func() string { return c.signIn("alice", alicesPassword).Session }
	code := func(session, username, code string) answerOf {
		return c.respond("SOFTWARE_TOKEN_MFA", session, params{"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": code})
	}
	session := begin()
	s.Advance(179 * time.Second)
	code(session, "alice", "x").refused(t, "CodeMismatchException", "Invalid code received for user")
	s.Advance(time.Second)
	code(session, "alice", s.TOTP("alice")).refused(t, "NotAuthorizedException", "Invalid session for the user, session is expired.")
	code("none", "alice", "x").refused(t, "NotAuthorizedException", "Invalid session for the user.")
	code("", "alice", "x").refused(t, "InvalidParameterException", "Missing required parameter Session")
	session = begin()
	code(session, "bob", s.TOTP("alice")).refused(t, "NotAuthorizedException", "Invalid session for the user.")
	c.respond("SMS_MFA", session, params{"USERNAME": "alice", "SMS_MFA_CODE": "1"}).refused(t, "NotAuthorizedException", "Invalid session for the user.")
	code(session, "alice", "x").refused(t, "CodeMismatchException", "Invalid code received for user")
	code(session, "alice", "x").refused(t, "CodeMismatchException", "Invalid code received for user")
	code(session, "alice", s.TOTP("alice")).refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	session = begin()
	if err := s.Disable("alice"); err != nil {
		t.Fatal(err)
	}
	code(session, "alice", s.TOTP("alice")).refused(t, "NotAuthorizedException", "User is disabled.")
}

func TestLockout(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.LockoutAfter = 2
	s := newServer(t, config)
	c := newClient(t, s, 0)
	for range 2 {
		c.signIn("bob", "wrong").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	}
	c.signIn("bob", "Tr0ub4dor&3").refused(t, "NotAuthorizedException", "Password attempts exceeded")
	s.Advance(2 * time.Second)
	c.tokens()
}

func TestBadConfigurations(t *testing.T) {
	for _, text := range []string{
		`{"user_pool":{"id":"nounderscore"}}`, `{"user_pool":{"mfa":"MAYBE"}}`, `{"user_pool":{"clients":[]}}`, `{"user_pol":{}}`,
		`{"user_pool":{"clients":[{"id":"a","grace_seconds":61}]}}`, `{"user_pool":{"clients":[{"id":"a"},{"id":"a"}]}}`,
		`{"user_pool":{"clients":[{"id":"a","rotation":true,"flows":["ALLOW_REFRESH_TOKEN_AUTH"]}]}}`,
		`{"user_pool":{"clients":[{"id":"a","access_token_seconds":-1}]}}`, `{"user_pool":{"clients":[{}]}}`,
		`{"user_pool":{"users":[{"username":"a","totp_secret":"1"}]}}`, `{"user_pool":{"users":[{"username":"a"},{"username":"A"}]}}`,
		`{"user_pool":{"users":[{"username":"a","status":"ODD"}]}}`, `{"user_pool":{"users":[{"username":"a","sms_mfa":true}]}}`,
		`{"user_pool":{"mfa":"ON","first_factors":["EMAIL_OTP"]}}`, `{"user_pool":{"first_factors":["HOPE"]}}`, `{"user_pool":{"devices":"SOME"}}`,
		`{"user_pool":{"triggers":{"PreHistory":"x"}}}`, `{"user_pool":{"users":[{"username":"a","email_mfa":true}]}}`, `{"aws_keys":[{"access_key_id":"x"}]}`,
		`{"identity_pool":{"id":"x"}}`, `{"identity_pool":{"authenticated_role":"x"}}`, `{"faults":[{"kind":"odd","operation":"*"}]}`, `{"faults":[{"kind":"hang"}]}`,
	} {
		c, err := ParseConfig([]byte(text))
		if err == nil {
			_, err = New(c)
		}
		if err == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}
