package main

import (
	"slices"
	"strings"
)

// plan is what run.mjs is told.
type plan struct {
	Pools map[string]pool `json:"pools"`
	Cases []testCase      `json:"cases"`
}

// pool is a sandbox that runs.
type pool struct {
	Endpoint string `json:"endpoint"`
	PoolID   string `json:"poolId"`
}

// appClient is an app client; one with a secret is for clients that know secrets.
type appClient struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"`
}

// testCase is one way to sign in: Times times with the right answers, or once with each of the wrong passwords.
type testCase struct {
	Name     string    `json:"name"`
	Clients  []string  `json:"clients"` // that run it
	Kind     string    `json:"kind"`    // plain, setup, or device: see run.mjs
	Pool     string    `json:"pool"`
	Client   appClient `json:"client"`
	Username string    `json:"username"` // as typed
	Password string    `json:"password,omitempty"`
	Email    string    `json:"email"` // the claim that the ID token must have
	TOTP     string    `json:"totp,omitempty"`
	Times    int       `json:"times,omitempty"`
	Wrong    []string  `json:"wrong,omitempty"`

	Flow      string            `json:"flow,omitempty"` // as aws-amplify calls it; default USER_SRP_AUTH
	Preferred string            `json:"preferred,omitempty"`
	Asks      []string          `json:"asks,omitempty"`    // the challenges after the password, in order
	Choice    string            `json:"choice,omitempty"`  // in SELECT_MFA_TYPE and SELECT_CHALLENGE
	Answers   map[string]string `json:"answers,omitempty"` // to CUSTOM_CHALLENGE, by question
}

// person is a user of both pools.
type person struct {
	Username string `json:"username"`
	Password string `json:"password"`
	TOTP     string `json:"totp_secret,omitempty"`
	Email    string `json:"email"`
	Phone    string `json:"phone,omitempty"`
	SMS      bool   `json:"sms_mfa,omitempty"`
	EmailMFA bool   `json:"email_mfa,omitempty"`
}

var (
	bob   = person{Username: "bob", Password: "Tr0ub4dor&3", Email: "bob@example.com"}
	alice = person{Username: "alice", Password: "correct horse battery staple", Email: "alice@example.com", TOTP: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
	// zoe's password has two, three, and four byte characters: each client must hash UTF-8.
	zoe = person{Username: "zoe", Password: "Grüße-€-𝄞-1", Email: "zoe@example.com"}

	sam = person{Username: "sam", Password: "Sam's own 1", Email: "sam@example.com", Phone: "+15550100111", SMS: true}
	tom = person{Username: "tom", Password: "Tom's own 1", Email: "tom@example.com", Phone: "+15550100112", SMS: true, TOTP: alice.TOTP}
	eve = person{Username: "eve", Password: "Eve's own 1", Email: "eve@example.com", EmailMFA: true}
	// pat has no second factor, and so the choice among all first ones.
	pat = person{Username: "pat", Password: "Pat's own 1", Email: "pat@example.com", Phone: "+15550100113"}

	public       = appClient{ID: "1interop23456789public0000"}
	confidential = appClient{ID: "1interop23456789secret0000", Secret: "interop-client-secret-that-protects-nothing-at-all"}
)

// Pools: in one people have user names and may type an alias; in another they type an e-mail address and the user name is a
// UUID, which SRP and SECRET_HASH must then use; one wants MFA of everybody; one remembers devices.
const (
	byName  = "names"
	byEmail = "emails"
	forced  = "forced"
	devices = "devices"
)

var poolNames = []string{byName, byEmail, forced, devices}

// riddles are the rounds of CUSTOM_AUTH, question and answer.
var riddles = [][2]string{{"What is the colour of the sky?", "blue"}, {"And of grass?", "green"}}

// config is the sandbox's configuration of a pool.
func config(name string) map[string]any {
	userPool := map[string]any{
		"id":      "eu-central-1_Interop" + name,
		"clients": []map[string]any{{"id": public.ID}, {"id": confidential.ID, "secret": confidential.Secret}},
		"users":   []person{alice, bob, zoe, sam, tom, eve, pat},
	}
	var rounds []map[string]any
	for _, r := range riddles {
		rounds = append(rounds, map[string]any{"parameters": map[string]string{"question": r[0]}, "answer": r[1]})
	}
	userPool["custom_auth"] = map[string]any{"rounds": rounds}
	switch name {
	case byName:
		userPool["alias_attributes"] = []string{"email"}
	case byEmail:
		userPool["username_attributes"] = []string{"email"}
	case forced:
		userPool["mfa"] = "ON"
	case devices:
		userPool["devices"] = "ALWAYS"
	}
	return map[string]any{"user_pool": userPool}
}

// wrongFor are passwords near the right one, and never the right one.
func wrongFor(p person) []string {
	near := []string{
		p.Password + "x", p.Password[:len(p.Password)-1], " " + p.Password, p.Password + " ", strings.ToUpper(p.Password), strings.ToLower(p.Password),
		p.Password + p.Password, p.Password + "\n", p.Username, alice.Password + bob.Password, "0", strings.Repeat("x", 256),
	}
	return slices.DeleteFunc(near, func(s string) bool { return s == p.Password })
}

// cases are all cases: the sign-ins with a password times times, the others a few times.
func cases(times int) []testCase { return append(passwordCases(times), flowCases(min(times, few))...) }

// few is how often the cases run that no rare bit pattern could break.
const few = 3

// knowers are the clients for a case with this app client: only one can send a SECRET_HASH.
func knowers(c appClient) []string {
	if c.Secret != "" {
		return []string{"cognito-srp-helper"}
	}
	return clients
}

func passwordCases(times int) []testCase {
	right := func(name, pool string, c appClient, p person, typed string) testCase {
		t := testCase{Name: name, Clients: knowers(c), Kind: "plain", Pool: pool, Client: c, Username: typed, Password: p.Password, Email: p.Email, TOTP: p.TOTP, Times: times}
		if p.TOTP != "" {
			t.Asks = []string{"SOFTWARE_TOKEN_MFA"}
		}
		return t
	}
	wrong := func(name, pool string, c appClient, p person, typed string) testCase {
		return testCase{Name: name, Clients: knowers(c), Kind: "plain", Pool: pool, Client: c, Username: typed, Email: p.Email, Wrong: wrongFor(p)}
	}
	return []testCase{
		right("password", byName, public, bob, bob.Username),
		right("password and TOTP", byName, public, alice, alice.Username),
		right("password beyond ASCII", byName, public, zoe, zoe.Username),
		right("e-mail as an alias", byName, public, bob, bob.Email),
		right("e-mail, user name is a UUID", byEmail, public, bob, bob.Email),
		right("e-mail, user name is a UUID, TOTP", byEmail, public, alice, alice.Email),
		right("client secret", byName, confidential, bob, bob.Username),
		right("client secret and TOTP", byName, confidential, alice, alice.Username),
		right("client secret, e-mail as an alias", byName, confidential, bob, bob.Email),
		right("client secret, UUID, TOTP", byEmail, confidential, alice, alice.Email),
		wrong("wrong passwords refused", byName, public, bob, bob.Username),
		wrong("wrong passwords before TOTP refused", byName, public, alice, alice.Username),
		wrong("wrong passwords with e-mail refused", byEmail, public, bob, bob.Email),
		wrong("unknown user refused", byName, public, bob, "mallory"),
		wrong("wrong passwords with a secret refused", byName, confidential, bob, bob.Username),
	}
}

// flowCases are the other flows and challenges, for the clients that know them.
func flowCases(times int) []testCase {
	both, amplify := []string{"amazon-cognito-identity-js", "aws-amplify"}, []string{"aws-amplify"}
	in := func(name, pool string, by []string, p person, asks ...string) testCase {
		return testCase{Name: name, Clients: by, Kind: "plain", Pool: pool, Client: public, Username: p.Username, Password: p.Password, Email: p.Email,
			TOTP: p.TOTP, Times: times, Asks: asks}
	}
	with := func(t testCase, change func(*testCase)) testCase { change(&t); return t }
	custom := func(name, flow string, p person) testCase {
		t := in(name, byName, both, p, "CUSTOM_CHALLENGE", "CUSTOM_CHALLENGE")
		t.Flow, t.TOTP, t.Answers = flow, "", map[string]string{}
		for _, r := range riddles {
			t.Answers[r[0]] = r[1]
		}
		return t
	}
	choice := func(name string, change func(*testCase), asks ...string) testCase {
		t := in(name, byName, amplify, pat, asks...)
		t.Flow = "USER_AUTH"
		change(&t)
		return t
	}
	prefer := func(challenge string) func(*testCase) { return func(t *testCase) { t.Preferred = challenge } }
	choose := func(challenge string) func(*testCase) { return func(t *testCase) { t.Choice = challenge } }
	return []testCase{
		custom("custom auth", "CUSTOM_WITHOUT_SRP", bob),
		custom("custom auth after SRP", "CUSTOM_WITH_SRP", alice),
		in("SMS code", byName, both, sam, "SMS_MFA"),
		in("e-mail code", byName, amplify, eve, "EMAIL_OTP"),
		with(in("SMS chosen among factors", byName, both, tom, "SELECT_MFA_TYPE", "SMS_MFA"), func(t *testCase) { t.Choice = "SMS_MFA" }),
		with(in("TOTP chosen among factors", byName, both, tom, "SELECT_MFA_TYPE", "SOFTWARE_TOKEN_MFA"), func(t *testCase) { t.Choice = "SOFTWARE_TOKEN_MFA" }),
		with(in("MFA set-up", forced, both, person{Username: "new", Password: "New here 1", Email: "new@example.com"}, "MFA_SETUP"), func(t *testCase) { t.Kind = "setup" }),
		with(in("remembered device", devices, both, alice, "SOFTWARE_TOKEN_MFA"), func(t *testCase) { t.Kind = "device" }),
		choice("e-mail code as first factor", prefer("EMAIL_OTP"), "EMAIL_OTP"),
		choice("SMS code as first factor", prefer("SMS_OTP"), "SMS_OTP"),
		choice("SRP preferred", prefer("PASSWORD_SRP")),
		choice("password preferred", prefer("PASSWORD")),
		choice("e-mail code chosen", choose("EMAIL_OTP"), "SELECT_CHALLENGE", "EMAIL_OTP"),
		choice("password chosen", choose("PASSWORD"), "SELECT_CHALLENGE", "PASSWORD"),
		choice("SRP chosen", choose("PASSWORD_SRP"), "SELECT_CHALLENGE", "PASSWORD"),
	}
}

// expected is how much each case must count for a client.
func (p plan) expected(client string) map[string]int {
	want := map[string]int{}
	for _, c := range p.Cases {
		if slices.Contains(c.Clients, client) {
			want[c.Name] = max(c.Times, len(c.Wrong))
		}
	}
	return want
}
