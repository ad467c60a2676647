package sandbox

import (
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

func customServer(t *testing.T) (*Server, *testClient) {
	t.Helper()
	config := DefaultConfig()
	config.UserPool.CustomAuth = userpool.CustomAuth{WrongAnswers: 2, Rounds: []userpool.Round{
		{Parameters: params{"question": "What is the colour of the sky?"}, Answer: "blue"},
		{Parameters: params{"question": "And of grass?"}, Answer: "green"},
	}}
	s := newServer(t, config)
	return s, newClient(t, s, 2)
}

func TestCustomAuth(t *testing.T) {
	s, c := customServer(t)
	begin := func() answerOf {
		return c.initiate("CUSTOM_AUTH", params{"USERNAME": "bob"}).asks(t, "CUSTOM_CHALLENGE")
	}
	answer := func(a answerOf, text string) answerOf {
		t.Helper()
		return c.answers("CUSTOM_CHALLENGE", a.Session, params{"ANSWER": text})
	}
	a := begin()
	if a.ChallengeParameters["question"] != "What is the colour of the sky?" || a.ChallengeParameters["USERNAME"] != "bob" {
		t.Fatal(a.ChallengeParameters)
	}
	again := answer(a, "red").asks(t, "CUSTOM_CHALLENGE")
	if again.Session == a.Session || again.ChallengeParameters["question"] != a.ChallengeParameters["question"] {
		t.Error("after a wrong answer the same question comes in a new challenge session")
	}
	answer(a, "blue").refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	second := answer(again, "blue").asks(t, "CUSTOM_CHALLENGE")
	if second.ChallengeParameters["question"] != "And of grass?" {
		t.Error(second.ChallengeParameters)
	}
	answer(second, "green").grants(t)
	answer(answer(begin(), "red").asks(t, "CUSTOM_CHALLENGE"), "red").refused(t, "NotAuthorizedException", "Incorrect username or password.")

	for _, trigger := range []string{"DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse", "PostAuthentication"} {
		a := answer(begin(), "blue")
		if err := s.SetTriggerErrors(params{trigger: "the moon"}); err != nil {
			t.Fatal(err)
		}
		b := answer(a, "green")
		if trigger == "CreateAuthChallenge" {
			b = c.initiate("CUSTOM_AUTH", params{"USERNAME": "bob"})
		}
		b.refused(t, "UserLambdaValidationException", trigger+" failed with error the moon.")
		s.ForgetEvents()
	}
	if s.SetTriggerErrors(params{"NoTrigger": "x"}) == nil {
		t.Error("an unknown trigger was accepted")
	}
}

func TestCustomAuthWithSRP(t *testing.T) {
	_, c := customServer(t)
	prove := func(password string) answerOf {
		x := newSRP()
		a := c.initiate("CUSTOM_AUTH", params{"USERNAME": "alice", "CHALLENGE_NAME": "SRP_A", "SRP_A": x.bigA.Text(16)}).asks(t, "PASSWORD_VERIFIER")
		return c.respond("PASSWORD_VERIFIER", a.Session, c.claim(x, password, now(), a.ChallengeParameters))
	}
	prove("wrong").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	prove(alicesPassword).asks(t, "CUSTOM_CHALLENGE") // and no MFA, though alice has a factor
	c.initiate("CUSTOM_AUTH", params{"USERNAME": "alice", "CHALLENGE_NAME": "SRP_A"}).
		refused(t, "InvalidParameterException", "Missing required parameter SRP_A")
}

func TestCustomAuthRefusals(t *testing.T) {
	s, c := customServer(t)
	a := c.initiate("CUSTOM_AUTH", params{"USERNAME": "nobody"}).asks(t, "CUSTOM_CHALLENGE")
	a = c.respond("CUSTOM_CHALLENGE", a.Session, c.withHash(params{"USERNAME": "nobody", "ANSWER": "blue"}, "nobody")).asks(t, "CUSTOM_CHALLENGE")
	c.respond("CUSTOM_CHALLENGE", a.Session, c.withHash(params{"USERNAME": "nobody", "ANSWER": "blue"}, "nobody")).
		refused(t, "NotAuthorizedException", "Incorrect username or password.")
	if err := s.SetStatus("bob", "UNCONFIRMED"); err != nil {
		t.Fatal(err)
	}
	c.initiate("CUSTOM_AUTH", params{"USERNAME": "bob"}).refused(t, "UserNotConfirmedException", "User is not confirmed.")
	none := newClient(t, newServer(t, DefaultConfig()), 0)
	none.initiate("CUSTOM_AUTH", params{"USERNAME": "bob"}).
		refused(t, "InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool.")
	off := DefaultConfig()
	off.UserPool.Clients[0].Flows = []string{"ALLOW_USER_SRP_AUTH"}
	newClient(t, newServer(t, off), 0).initiate("CUSTOM_AUTH", params{"USERNAME": "bob"}).
		refused(t, "InvalidParameterException", "CUSTOM_AUTH is not enabled for the client.")
}

// ClientMetadata, AnalyticsMetadata, and UserContextData show byte for byte, and reach the triggers that AWS names.
func TestWhatComesAlong(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	odd := params{"é<&>\u2028": "line\nbreak \x1b[1m \u202e \"quotes\"", "empty": ""}
	a := c.do("InitiateAuth", m{"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": c.client, "ClientMetadata": odd,
		"AuthParameters":    params{"USERNAME": "bob", "PASSWORD": bobsPassword},
		"AnalyticsMetadata": m{"AnalyticsEndpointId": "end point"}, "UserContextData": m{"EncodedData": "e30=", "IpAddress": "192.0.2.1"}}).grants(t)
	c.do("GetTokensFromRefreshToken", m{"ClientId": c.client, "RefreshToken": a.AuthenticationResult.RefreshToken, "ClientMetadata": params{"k": "v"}})
	var got []string
	for _, e := range s.TriggerEvents() {
		got = append(got, e.Trigger)
	}
	if strings.Join(got, " ") != "PreAuthentication PostAuthentication PreTokenGeneration PreTokenGeneration" {
		t.Fatal(got)
	}
	events := s.TriggerEvents()
	first, last := events[0], events[3]
	if len(first.ValidationData) != 2 || first.ValidationData["é<&>\u2028"] != odd["é<&>\u2028"] || first.UserName != "bob" || first.ClientID != c.client {
		t.Errorf("%+v", first)
	}
	if last.ClientMetadata["k"] != "v" {
		t.Errorf("%+v", last)
	}
	contexts := s.RequestContexts()
	if len(contexts) != 1 || contexts[0] != (userpool.RequestContext{Operation: "InitiateAuth", AnalyticsEndpointID: "end point", EncodedData: "e30=", IPAddress: "192.0.2.1"}) {
		t.Errorf("%+v", contexts)
	}
	if err := s.SetTriggerErrors(params{"PreAuthentication": "not today", "PreTokenGeneration": "no claims"}); err != nil {
		t.Fatal(err)
	}
	c.signIn("bob", bobsPassword).refused(t, "UserLambdaValidationException", "PreAuthentication failed with error not today.")
	c.refresh(a.AuthenticationResult.RefreshToken).refused(t, "UserLambdaValidationException", "PreTokenGeneration failed with error no claims.")
	s.ForgetEvents()
	if len(s.TriggerEvents())+len(s.RequestContexts()) != 0 {
		t.Error("not forgotten")
	}
	c.tokens()
}
