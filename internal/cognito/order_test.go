package cognito

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Property: whatever challenges come in whatever order, with usable parameters or not, a sign-in ends, after at most twelve
// answers, with tokens or an error of ours, and no error has the password in it.
func TestAnyChallengeAfterAnyOther(t *testing.T) {
	names := append(slices.Sorted(maps.Keys(challenges)), "A_NEW_ONE", "EMAIL_MFA")
	values := []string{"", "ff", "AAAA", "[]", `["SMS_MFA","EMAIL_MFA"]`, `["SOFTWARE_TOKEN_MFA"]`, `{"challenge":"x"}`, "\x1b[2J", testUserID}
	keys := []string{"SALT", "SRP_B", "SECRET_BLOCK", "USER_ID_FOR_SRP", "MFAS_CAN_CHOOSE", "MFAS_CAN_SETUP", "requiredAttributes", "CREDENTIAL_REQUEST_OPTIONS", "DEVICE_KEY"}
	faults := []answer{
		fault("CodeMismatchException", "Invalid code received for user"), fault("NotAuthorizedException", "Invalid session for the user."),
		fault("ExpiredCodeException", "Your software token has already been used once."), fault("ResourceNotFoundException", "Device does not exist."),
		fault("NotAuthorizedException", "Incorrect username or password."), fault("InvalidPasswordException", testPassword),
	}
	var script []answer
	pool := newFakePool(t, func(r request, _ int) answer {
		switch r.op {
		case opAssociate:
			return ok(map[string]string{"SecretCode": "JBSWY3DP", "Session": "s"})
		case opVerify:
			return ok(map[string]string{"Status": "SUCCESS", "Session": "s"})
		}
		next := ok(tokens("refresh-1"))
		if len(script) > 0 {
			next, script = script[0], script[1:]
		}
		return next
	})
	c := newTestClient(t, testOptions(pool.URL))
	asked := false
	ask := answererFunc(func(_ context.Context, q challenge.Question) (token.Secret, error) {
		switch {
		case len(q.Choices) > 0:
			return token.NewSecret(q.Choices[0]), nil
		case q.Name == challenge.Password:
			asked = true
			return token.NewSecret(testPassword), nil
		case q.Name == credentialName:
			return token.NewSecret("{}"), nil
		}
		return token.NewSecret("123456"), nil
	})
	rapid.Check(t, func(rt *rapid.T) {
		draw := func() answer {
			switch n := rapid.IntRange(0, 19).Draw(rt, "what"); {
			case n == 0:
				return ok(tokens("refresh-1"))
			case n < 4:
				return rapid.SampledFrom(faults).Draw(rt, "fault")
			}
			parameters := map[string]string{}
			for _, k := range keys {
				parameters[k] = rapid.SampledFrom(values).Draw(rt, k)
			}
			return asks(rapid.SampledFrom(names).Draw(rt, "name"), parameters, "s")
		}
		script, asked = nil, false
		for range 24 {
			script = append(script, draw())
		}
		before := pool.count()
		how := SignIn{
			Flow: rapid.SampledFrom(builtFlows()).Draw(rt, "flow"), Preferred: rapid.SampledFrom([]string{"", "SRP_A", "PASSWORD", "PASSWORD_SRP"}).Draw(rt, "preferred"),
			Username: "alice", Device: &Device{Key: "k", GroupKey: "g", Password: token.NewSecret("device-password")},
		}
		_, err := c.SignIn(t.Context(), how, ask)
		answers := 0
		for i := before; i < pool.count(); i++ {
			if pool.request(i).op == opRespond {
				answers++
			}
		}
		if answers > maxRounds {
			rt.Fatalf("%d answers", answers)
		}
		var e *token.Error
		if err != nil && (!errors.As(err, &e) || e.Message == "" || asked && strings.Contains(err.Error(), testPassword) || !printable(e.Message)) {
			rt.Fatalf("%v", err)
		}
	})
}
