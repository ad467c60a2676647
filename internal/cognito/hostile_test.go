package cognito

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// nasty has an escape, an OSC, a change of direction, an invisible character, and a line break.
const nasty = "\x1b[2J\x1b]0;title\a\u202ereversed\u200bhidden\u009b31m\n"

// Property: whatever text a server puts anywhere, what a person is told has one printable line of bounded length.
func TestServerTextIsHarmless(t *testing.T) {
	long := strings.Repeat(nasty, 4000)
	for name, a := range map[string]answer{
		"error's text":        fault("NotAuthorizedException", long),
		"error's code":        fault(long, "x"),
		"trigger's text":      fault("UserLambdaValidationException", "PreAuthentication failed with error "+long),
		"challenge's name":    asks(long, nil, "s"),
		"parameters":          asks("A_NEW_ONE", map[string]string{long: long, "b": long}, "s"),
		"MFAS_CAN_CHOOSE":     asks("SELECT_MFA_TYPE", map[string]string{"MFAS_CAN_CHOOSE": long}, "s"),
		"MFAS_CAN_SETUP":      asks("MFA_SETUP", map[string]string{"MFAS_CAN_SETUP": `["` + strings.Repeat(`\u001b[2J\u202e`, 4000) + `"]`}, "s"),
		"requiredAttributes":  asks("NEW_PASSWORD_REQUIRED", map[string]string{"requiredAttributes": `["` + strings.Repeat(`\u001b[2J\u202e`, 4000) + `"]`}, "s"),
		"passkey's options":   asks("WEB_AUTHN", map[string]string{"CREDENTIAL_REQUEST_OPTIONS": long}, "s"),
		"code's destination":  asks("SMS_MFA", map[string]string{"CODE_DELIVERY_DESTINATION": long}, "s"),
		"two megabytes":       fault("NotAuthorizedException", strings.Repeat("x", 2<<20)),
		"two megabytes asked": asks("CUSTOM_CHALLENGE", map[string]string{"q": strings.Repeat("x", 2<<20)}, "s"),
	} {
		pool := newFakePool(t, func(request, int) answer { return a })
		given := &answers{given: map[string][]string{"PASSWORD": {testPassword}, "NEW_PASSWORD": {"New-Password-1"}}}
		_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Flow: "USER_PASSWORD_AUTH", Username: "alice"}, given)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		e := wantError(t, err, token.KindOf(err), "")
		for _, text := range []string{e.Message, e.Next, answered(err).Error()} {
			if !printable(text) || utf8.RuneCountInString(text) > 700 {
				t.Errorf("%s: %.200q (%d)", name, text, len(text))
			}
		}
	}
}

// A question's parameters are as the server sent them, for a program may need every byte, and bounded.
func TestPublicParametersAreBounded(t *testing.T) {
	many := map[string]string{"USERNAME": "alice", "USER_ID_FOR_SRP": "alice", "question": strings.Repeat("\u20ac", 300_000)}
	for i := range 200 {
		many["p"+strings.Repeat("x", i)] = nasty
	}
	got := public(many)
	if len(got) != maxParameters {
		t.Errorf("%d parameters", len(got))
	}
	for name, value := range got {
		if len(value) > maxParameter || !utf8.ValidString(value) || name == "USERNAME" || name == "USER_ID_FOR_SRP" {
			t.Errorf("%.20s: %d bytes", name, len(value))
		}
	}
	if got := public(map[string]string{"USERNAME": "alice"}); got != nil {
		t.Errorf("nothing to show: %v", got)
	}
	if got := public(map[string]string{"q": nasty}); got["q"] != nasty {
		t.Errorf("%q", got["q"])
	}
}

// A factor that this version does not know is one more kind of code where SELECT_MFA_TYPE listed it, and only there.
func TestUnknownFactorThatWasListed(t *testing.T) {
	offer := asks("SELECT_MFA_TYPE", map[string]string{"MFAS_CAN_CHOOSE": `["EMAIL_MFA","SMS_MFA"]`}, "s1")
	pool := srpPool(t, "alice", []answer{offer, asks("EMAIL_MFA", nil, "s2")}, nil)
	a := &answers{given: map[string][]string{"PASSWORD": {testPassword}, "EMAIL_MFA_CODE": {"123456"}}}
	if _, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice", MFA: "EMAIL_OTP"}, a); err != nil {
		t.Fatal(err)
	}
	if pool.request(2).in.ChallengeResponses["ANSWER"] != "EMAIL_MFA" || pool.request(3).in.ChallengeResponses["EMAIL_MFA_CODE"] != "123456" {
		t.Errorf("sent %v and %v", pool.request(2).in.ChallengeResponses, pool.request(3).in.ChallengeResponses)
	}
	pool = srpPool(t, "alice", []answer{asks("EMAIL_MFA", nil, "s2")}, nil)
	_, err := newTestClient(t, testOptions(pool.URL)).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: map[string][]string{"PASSWORD": {testPassword}}})
	wantError(t, err, token.Refused, "the challenge EMAIL_MFA, which this version does not know")
}
