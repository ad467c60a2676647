package userpool

import (
	"errors"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// FuzzOperations: whatever the body, an operation answers, or refuses in AWS's words with status 400; it never panics, and
// leaves the pool unlocked.
func FuzzOperations(f *testing.F) {
	for i, body := range []string{
		`{"AuthFlow":"USER_AUTH","ClientId":"c","AuthParameters":{"USERNAME":"u","PREFERRED_CHALLENGE":"EMAIL_OTP"}}`,
		`{"AuthFlow":"CUSTOM_AUTH","ClientId":"c","AuthParameters":{"USERNAME":"nobody","CHALLENGE_NAME":"SRP_A","SRP_A":"2"}}`,
		`{"ChallengeName":"DEVICE_PASSWORD_VERIFIER","ClientId":"c","ChallengeResponses":{"USERNAME":"u","DEVICE_KEY":null}}`,
		`{"AccessToken":"a.b.c","DeviceKey":"x","DeviceSecretVerifierConfig":{"Salt":"AA=="}}`,
		`{"Session":"s","UserCode":"123456"}`, `{"ClientId":"c","Username":"u","Password":"long enough","ConfirmationCode":"1"}`, `[]`, `null`,
	} {
		f.Add(uint(i), []byte(body))
	}
	key, err := jwt.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	p, err := New(Config{ID: "r_p", MFA: "OPTIONAL", Devices: "ALWAYS", Clients: []Client{{ID: "c"}},
		CustomAuth: CustomAuth{Rounds: []Round{{Answer: "x"}}},
		Users:      []User{{Username: "u", Password: "p", Email: "u@example.com", Phone: "+15550100", Passkeys: []string{"k"}}}}, &clock.Clock{}, key, key)
	if err != nil {
		f.Fatal(err)
	}
	operations := p.Operations()
	maps.Copy(operations, p.SignedOperations())
	names := slices.Sorted(maps.Keys(operations))
	f.Fuzz(func(t *testing.T, which uint, body []byte) {
		name := names[which%uint(len(names))]
		_, err := operations[name](wire.Call{Endpoint: "http://localhost", Body: body, HTTP: httptest.NewRequest("POST", "/", nil)})
		var e *wire.Error
		if err != nil && (!errors.As(err, &e) || e.HTTPStatus() != 400 || e.Message == "") {
			t.Errorf("%s %s: %v", name, body, err)
		}
		if !p.mu.TryLock() {
			t.Fatalf("%s %s: the pool stays locked", name, body)
		}
		p.mu.Unlock()
	})
}
