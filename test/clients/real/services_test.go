package real

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cgi"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// The services of AWS by the names that they have there. A proxy leads to servers of the test, whose credentials the sandbox gave
// for a signature that it checked, or checks itself.
const (
	ecrHost      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
	artifactHost = "my-domain-123456789012.d.codeartifact.eu-central-1.amazonaws.com"
	commitHost   = "git-codecommit.eu-central-1.amazonaws.com"
	clusterHost  = "0123456789.gr7.eu-central-1.eks.amazonaws.com"

	ecrService      = "api.ecr.eu-central-1.amazonaws.com"
	artifactService = "codeartifact.eu-central-1.amazonaws.com"
)

// customer is a user with a profile "aws" whose AWS credentials come from the sandbox and whose services are at AWS.
type customer struct {
	*stage.Stage
	cloud *stage.Cloud
	t     *testing.T
}

func newCustomer(t *testing.T) *customer {
	t.Helper()
	s := stage.New(t, installed)
	s.Share("aws")
	file := filepath.Join(".aws", "credentials")
	s.Write(file, read(t, filepath.Join(s.Home, file))+"region = eu-central-1\ncognito_identity_pool_id = "+s.Value("cognito_identity_pool_id")+
		"\ncognito_identity_endpoint_url = "+s.Endpoint+"\n")
	return &customer{Stage: s, t: t}
}

// command is a client program that reaches AWS. Programs that setup named are found first.
func (c *customer) command(folder, program string, args ...string) *exec.Cmd {
	cmd := c.Command(folder, program, args...)
	cmd.Env = append(cmd.Env, c.cloud.Env()...)
	for _, v := range cmd.Env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			cmd.Env = append(cmd.Env, "PATH="+filepath.Join(c.Home, "links")+string(os.PathListSeparator)+path)
		}
	}
	cmd.Env = append(cmd.Env, "CARGO_HOME="+filepath.Join(c.Home, ".cargo"), "RUSTUP_HOME="+rustup(), "KUBECONFIG="+filepath.Join(c.Home, "kubeconfig"))
	return cmd
}

// setup is our command that writes the client's line, into this user's home.
func (c *customer) setup(args ...string) {
	c.t.Helper()
	links := filepath.Join(c.Home, "links")
	args = append([]string{"setup"}, args...)
	run(c.t, c.command("", "cognito-credhelper", append(args, "--profile", "aws", "--dir", links, "--force")...))
}

// issued is what a service gave; it must be one thing, however many asked.
func (c *customer) issued(service string) (answer struct {
	AuthorizationToken string
	AuthorizationData  []struct{ AuthorizationToken string }
}) {
	for _, body := range c.cloud.Answered(service) {
		_ = json.Unmarshal(body, &answer)
	}
	return answer
}

// wantOnce wants the door's server to have had good credentials only, and the service to have been asked once ("" for none).
func (c *customer) wantOnce(d *stage.Door, service string) {
	c.t.Helper()
	if good, refused := d.Seen(); good == 0 || refused > 0 {
		c.t.Errorf("%d requests with a good credential, %d with another", good, refused)
	}
	if n := len(c.cloud.Answered(service)); service != "" && n != 1 {
		c.t.Errorf("%s was asked %d times", service, n)
	}
	if n := c.Requests()["GetCredentialsForIdentity"]; n != 1 {
		c.t.Errorf("%d exchanges", n)
	}
}

// ECR: docker and crane, with the pair that the service gave.
func TestECR(t *testing.T) {
	docker := need(t, "docker", "docker", "--version")
	crane := need(t, "crane", "crane", "version")
	c := newCustomer(t)
	door := &stage.Door{Next: images(t), Challenge: `Basic realm="https://` + ecrHost + `/",service="ecr.amazonaws.com"`}
	door.Good = func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		data := c.issued(ecrService).AuthorizationData
		return len(data) == 1 && user == "AWS" && base64.StdEncoding.EncodeToString([]byte(user+":"+password)) == data[0].AuthorizationToken
	}
	c.cloud = c.Cloud(map[string]http.Handler{ecrHost: door})
	c.setup("ecr", ecrHost)
	out := run(t, c.command("", docker, "manifest", "inspect", ecrHost+"/team/app:1"))
	if !strings.Contains(out, `"schemaVersion"`) {
		t.Error(out)
	}
	run(t, c.command("", crane, "manifest", ecrHost+"/team/app:1"))
	c.wantOnce(door, ecrService)
}

// artifacts is a CodeArtifact domain with the package lib in the repository team, in each format.
func artifacts(t *testing.T, c *customer) *stage.Door {
	t.Helper()
	mux := http.NewServeMux()
	index := simple(t)
	mux.Handle("/pypi/team/", http.StripPrefix("/pypi/team", index))
	mux.Handle("/files/", index)
	mux.Handle("/npm/team/", http.StripPrefix("/npm/team", packages(t, "https://"+artifactHost+"/npm/team")))
	mux.Handle("/cargo/team/", http.StripPrefix("/cargo/team", crates(t, "https://"+artifactHost+"/cargo/team")))
	return &stage.Door{Next: mux, Challenge: `Basic realm="` + artifactHost + `"`, Good: func(r *http.Request) bool {
		token := c.issued(artifactService).AuthorizationToken
		user, password, basic := r.BasicAuth()
		want := "Bearer " + token
		if strings.HasPrefix(r.URL.Path, "/cargo/") { // the service documents it so
			want = token
		}
		return token != "" && (basic && user == "aws" && password == token || r.Header.Get("Authorization") == want)
	}}
}

// CodeArtifact: pip, pnpm, npm, cargo, and a script, with one token.
func TestCodeArtifact(t *testing.T) {
	pip := need(t, "pip", "pip", "--version")
	pnpm := need(t, "pnpm", "pnpm", "--version")
	npm := need(t, "npm", "npm", "--version")
	cargo := need(t, "cargo", "cargo", "--version")
	c := newCustomer(t)
	door := artifacts(t, c)
	c.cloud = c.Cloud(map[string]http.Handler{artifactHost: door})
	c.Write(".npmrc", "registry=https://"+artifactHost+"/npm/team/\ncafile="+c.CA()+"\nfetch-retries=0\n")
	c.Write("page/package.json", `{"name": "page", "version": "1.0.0", "private": true}`)
	c.Write(".cargo/config.toml", "[registries.team]\nindex = \"sparse+https://"+artifactHost+"/cargo/team/index/\"\n")
	c.Write("crate/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nlib = { version = \"1.0.0\", registry = \"team\" }\n")
	c.Write("crate/src/main.rs", "fn main() {}\n")
	for _, format := range []string{"pypi", "npm", "cargo"} {
		c.setup("codeartifact", artifactHost+"/"+format+"/team")
	}

	run(t, c.command("", pip, "download", "--no-deps", "--no-input", "--disable-pip-version-check", "--index-url", "https://aws@"+artifactHost+"/pypi/team/simple/", "-d", filepath.Join(c.Home, "down"), "lib"))
	run(t, c.command("page", pnpm, "add", "lib", "--store-dir", filepath.Join(c.Home, "store")))
	run(t, c.command("crate", cargo, "fetch"))
	token := strings.TrimSpace(c.Must(c.command("", "cognito-credhelper", "token", "--host", artifactHost)))
	if token == "" || token != c.issued(artifactService).AuthorizationToken {
		t.Error("token gives something else than the service gave")
	}
	// npm starts no program: its configuration takes the token from a variable.
	c.Write("site/package.json", `{"name": "site", "version": "1.0.0", "private": true}`)
	c.Write("site/.npmrc", "//"+artifactHost+"/npm/team/:_authToken=${CODEARTIFACT_AUTH_TOKEN}\n")
	install := c.command("site", npm, "install", "--no-audit", "--no-fund", "--no-update-notifier", "lib")
	install.Env = append(install.Env, "CODEARTIFACT_AUTH_TOKEN="+token)
	run(t, install)
	if _, err := os.Stat(filepath.Join(c.Home, "site", "node_modules", "lib", "package.json")); err != nil {
		t.Error(err)
	}
	c.wantOnce(door, artifactService)
}

// CodeCommit: git, whose password is a signature of each repository's path.
func TestCodeCommit(t *testing.T) {
	git := need(t, "git", "git", "--version")
	c := newCustomer(t)
	door := &stage.Door{Next: commitServer(t, git), Challenge: `Basic realm="AWS CodeCommit"`, Good: func(r *http.Request) bool {
		repository := strings.Join(strings.SplitN(r.URL.Path, "/", 5)[:4], "/") // /v1/repos/NAME
		return c.cloud.Ask("https://"+r.Host+repository+"/info/refs?service=git-upload-pack", http.Header{"Authorization": r.Header["Authorization"]}) == http.StatusOK
	}}
	c.cloud = c.Cloud(map[string]http.Handler{commitHost: door})
	c.setup("codecommit", commitHost)
	for _, name := range []string{"one", "two"} {
		run(t, c.command("", git, "clone", "-q", "https://"+commitHost+"/v1/repos/"+name, name))
		if log := run(t, c.command(name, git, "log", "--format=%s")); strings.TrimSpace(log) != "first" {
			t.Error(log)
		}
	}
	c.wantOnce(door, "")
}

// commitServer has the repositories one and two where CodeCommit has them.
func commitServer(t *testing.T, git string) http.Handler {
	t.Helper()
	root, h := repository(t, git)
	for _, name := range []string{"one", "two"} {
		cmd := exec.Command(git, "clone", "-q", "--bare", filepath.Join(root, "app.git"), filepath.Join(root, "v1", "repos", name))
		cmd.Env = append(cmd.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+root)
		run(t, cmd)
	}
	backend := *h.(*cgi.Handler)
	backend.Env = append(backend.Env, "REMOTE_USER=aws")
	return &backend
}

// EKS: kubectl, whose token is a question that the API server puts to STS for its own cluster.
func TestEKS(t *testing.T) {
	kubectl := need(t, "kubectl", "kubectl", "version", "--client")
	c := newCustomer(t)
	door := &stage.Door{Next: apiserver, Challenge: "Bearer", Good: func(r *http.Request) bool {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer k8s-aws-v1.")
		question, err := base64.RawURLEncoding.DecodeString(text)
		at, _ := url.Parse(string(question))
		return ok && err == nil && at != nil && at.Scheme == "https" && at.Host == "sts.eu-central-1.amazonaws.com" && at.Query().Get("Action") == "GetCallerIdentity" &&
			c.cloud.Ask(string(question), http.Header{"X-K8s-Aws-Id": {"blue"}}) == http.StatusOK
	}}
	c.cloud = c.Cloud(map[string]http.Handler{clusterHost: door})
	c.Write("kubeconfig", `apiVersion: v1
kind: Config
current-context: c
contexts:
- name: c
  context: {cluster: c, user: cognito-aws-eks}
clusters:
- name: c
  cluster: {server: "https://`+clusterHost+`", certificate-authority: "`+c.CA()+`"}
`)
	c.setup("eks", clusterHost, "--cluster", "blue")
	for range 2 {
		if out := run(t, c.command("", kubectl, "get", "--raw", "/version")); !strings.Contains(out, "v1.36.0") {
			t.Error(out)
		}
	}
	c.wantOnce(door, "")
}
