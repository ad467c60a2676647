package real

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

var apiserver = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"major":"1","minor":"36","gitVersion":"v1.36.0"}`)
})

// getVersion asks the API server for its version, by the version of the exec plugin API that is named.
func getVersion(t *testing.T, s *stage.Stage, host, kubectl, api string) {
	t.Helper()
	s.Write(".kube/config", `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://`+host+`", certificate-authority: "`+s.CA()+`"}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/`+api+`
      command: "`+s.Program("cognito-credhelper")+`"
      args: [kubernetes, --profile, sandbox]
      interactiveMode: IfAvailable
`)
	out := run(t, s.Command("", kubectl, "get", "--raw", "/version"))
	if !strings.Contains(out, "v1.36.0") {
		t.Error(out)
	}
}

func getsRaw(t *testing.T, kubectl, api string) {
	t.Helper()
	s, g, host := guarded(t, "id", "Bearer", apiserver)
	getVersion(t, s, host, kubectl, api)
	wantToken(t, g, "Bearer", s.Token("id"))
}

func TestKubectlGetRaw(t *testing.T) {
	getsRaw(t, need(t, "kubectl", "kubectl", "version", "--client"), "v1")
}
