package detach

import (
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
)

// Caller and worker must mean the same folders: what the worker saves, or spills, its caller looks for.
func TestWorkerFindsTheSameFolders(t *testing.T) {
	asked := func(name string) string {
		if !slices.Contains(variables, name) {
			t.Errorf("the worker does not get %s", name)
		}
		return ""
	}
	_, _, _ = statefolder.Find(asked)
	statefolder.Spill(asked)
}

// Only what is named goes to the worker: no key, no credential, no secret of another program.
func TestWorkerEnvironment(t *testing.T) {
	got := Environment([]string{
		"HOME=/h", "PATH=/bin", "COGNITO_CREDHELPER_KEY=canary", "COGNITO_CREDHELPER_FRONT=x", "COGNITO_CREDHELPER_HOME=/s", "https_proxy=p",
		"AWS_SECRET_ACCESS_KEY=canary", "AWS_SESSION_TOKEN=canary", "GITHUB_TOKEN=canary", "AWS_CONFIG_FILE=f", "HOMEX=y", "novalue",
	})
	if want := "HOME=/h COGNITO_CREDHELPER_HOME=/s https_proxy=p AWS_CONFIG_FILE=f GOMAXPROCS=1"; strings.Join(got, " ") != want {
		t.Errorf("the worker gets %q", got)
	}
}

// Who sets the number of processors means it.
func TestWorkerKeepsAGivenNumberOfProcessors(t *testing.T) {
	if got := Environment([]string{"GOMAXPROCS=4"}); !slices.Equal(got, []string{"GOMAXPROCS=4"}) {
		t.Errorf("the worker gets %q", got)
	}
}
