// Package library drives our adapters through the libraries that host programs are built with: what those accept, the
// programs accept. No test here is ever skipped.
package library

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	svchost "github.com/hashicorp/terraform-svchost"
	"github.com/hashicorp/terraform-svchost/auth"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

var installed stage.Installed

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "clients-")
		if err == nil {
			defer os.RemoveAll(folder)
			installed, err = stage.Install(folder)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// guarded opens a guarded server and a user whose profile is bound to it.
func guarded(t *testing.T, use, challenge string, h http.Handler) (*stage.Stage, *stage.Guard, string) {
	t.Helper()
	l := stage.Listen(t)
	s := stage.New(t, installed, l.Addr().String()+" = "+use)
	g := s.Guard(use, challenge, h)
	s.Serve(l, false, g)
	s.Enter()
	return s, g, l.Addr().String()
}

func TestTerraformSvchost(t *testing.T) {
	s, _, host := guarded(t, "access", "Bearer", http.NotFoundHandler())
	source := auth.HelperProgramCredentialsSource(s.Program("terraform-credentials-cognito"))

	got, err := source.ForHost(svchost.Hostname(host))
	if err != nil {
		t.Fatal(err)
	}
	if got == nil || got.Token() != s.Token("access") {
		t.Errorf("a bound host got %v", got)
	}
	const other = svchost.Hostname("app.example.com")
	if got, err := source.ForHost(other); err != nil || got != nil {
		t.Errorf("a host that is not bound got %v, %v", got, err)
	}
	if err := source.StoreForHost(other, auth.HostCredentialsToken("of-terraform-login")); err != nil {
		t.Fatal(err)
	}
	if got, err := source.ForHost(other); err != nil || got == nil || got.Token() != "of-terraform-login" {
		t.Errorf("what terraform login stored came back as %v, %v", got, err)
	}
	if err := source.ForgetForHost(other); err != nil {
		t.Fatal(err)
	}
	if got, err := source.ForHost(other); err != nil || got != nil {
		t.Errorf("what was forgotten came back as %v, %v", got, err)
	}
}

func TestDockerCredentialHelpersClient(t *testing.T) {
	s, _, host := guarded(t, "access", "Basic", http.NotFoundHandler())
	helper := client.NewShellProgramFunc(s.Program("docker-credential-cognito"))

	for _, server := range []string{host, "https://" + host, "https://" + host + "/v2/"} {
		got, err := client.Get(helper, server)
		if err != nil || got.Secret != s.Token("access") || got.Username == "" {
			t.Errorf("%s: %v", server, err)
		}
	}
	if _, err := client.Get(helper, "registry.example.com"); !credentials.IsErrCredentialsNotFound(err) {
		t.Errorf("a registry that is not bound: %v", err)
	}
	listed, err := client.List(helper)
	if err != nil || len(listed) != 1 {
		t.Errorf("list: %v, %v", listed, err)
	}
	// docker login stores what the user typed; we keep our own, and it must not fail.
	if err := client.Store(helper, &credentials.Credentials{ServerURL: host, Username: "someone", Secret: "typed"}); err != nil {
		t.Errorf("store: %v", err)
	}
	before := s.Token("access")
	if err := client.Erase(helper, host); err != nil {
		t.Errorf("erase: %v", err)
	}
	if got, err := client.Get(helper, host); err != nil || got.Secret == "" {
		t.Errorf("erase ended the session: %v (token before was %d bytes)", err, len(before))
	}
}

func TestGoContainerRegistry(t *testing.T) {
	s, g, host := guarded(t, "access", `Basic realm="registry"`, registry.New(registry.Logger(discard(t))))
	s.Write(".docker/config.json", `{"credHelpers": {"`+host+`": "cognito"}}`)
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(host + "/team/app:1")
	if err != nil {
		t.Fatal(err)
	}
	transport := remote.WithTransport(s.Transport())
	if err := remote.Write(tag, image, remote.WithAuthFromKeychain(authn.DefaultKeychain), transport); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(tag, remote.WithAuthFromKeychain(authn.DefaultKeychain), transport); err != nil {
		t.Fatal(err)
	}
	wantTokens(t, g, s.Token("access"))
}

func TestClientGo(t *testing.T) {
	version := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"major":"1","minor":"36","gitVersion":"v1.36.0"}`)
	})
	for _, api := range []string{"v1", "v1beta1"} {
		t.Run(api, func(t *testing.T) {
			s, g, host := guarded(t, "id", "Bearer", version)
			file := s.Write(".kube/config", kubeconfig(s, host, api))
			config, err := clientcmd.BuildConfigFromFlags("", file)
			if err != nil {
				t.Fatal(err)
			}
			set, err := discovery.NewDiscoveryClientForConfig(config)
			if err != nil {
				t.Fatal(err)
			}
			got, err := set.ServerVersion()
			if err != nil || got.Minor != "36" {
				t.Fatalf("%v, %v", got, err)
			}
			wantTokens(t, g, s.Token("id"))
		})
	}
}

func kubeconfig(s *stage.Stage, host, api string) string {
	return `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://` + host + `", certificate-authority: "` + s.CA() + `"}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/` + api + `
      command: "` + s.Program("cognito-credhelper") + `"
      args: [kubernetes, --profile, sandbox]
      interactiveMode: Never
`
}

func TestProcessCreds(t *testing.T) {
	s := stage.New(t, installed)
	s.Enter()
	provider := processcreds.NewProvider("'" + s.Program("cognito-credhelper") + "' credential-process --profile sandbox")
	got, err := provider.Retrieve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.AccessKeyID, "ASIA") || !got.CanExpire || time.Until(got.Expires) < 15*time.Minute {
		t.Errorf("expires %v, can expire: %v", got.Expires, got.CanExpire)
	}
	if n := s.Requests()["GetCredentialsForIdentity"]; n != 1 {
		t.Errorf("%d exchanges", n)
	}
}

// wantTokens wants every request that carried a credential to have carried this one, and at least one.
func wantTokens(t *testing.T, g *stage.Guard, token string) {
	t.Helper()
	log := g.Log()
	if len(log) == 0 {
		t.Fatal("no request carried a token")
	}
	for _, seen := range log {
		if !seen.Good || seen.Token != token {
			t.Errorf("%s: %s, good: %v, the session's: %v", seen.Path, seen.Scheme, seen.Good, seen.Token == token)
		}
	}
}
