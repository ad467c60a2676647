package plugintest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

// go-plugin never ends its readers of the standard streams that it replaces: its process ends instead.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"))
}

func subject(p plugin.Provider, f *plugintest.Fake) plugintest.Subject {
	return plugintest.Subject{
		Provider: p, Selection: plugin.Selection{Profile: plugintest.Profile}, Missing: plugin.Selection{Profile: "missing"},
		Bound: plugintest.URL, Unbound: "https://other.example.com/", User: plugintest.User,
		Answer: func(t testing.TB, q plugin.Question) string {
			answers := map[string]string{"USERNAME": plugintest.User, "PASSWORD": plugintest.Password, "SMS_MFA_CODE": plugintest.Code}
			answer, ok := answers[q.Name]
			if !ok {
				t.Errorf("unexpected question %q", q.Name)
			}
			return answer
		},
		Expire:   func(testing.TB) { f.Expire() },
		Renewals: func(testing.TB) int { return f.Renewals() },
	}
}

func TestContractInProcess(t *testing.T) {
	f := &plugintest.Fake{}
	plugintest.Run(t, subject(f, f))
}

func TestContractOverRPC(t *testing.T) {
	f := &plugintest.Fake{}
	p, _ := plugintest.Served(t, f)
	plugintest.Run(t, subject(p, f))
}
