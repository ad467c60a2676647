package real

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// modules is a module registry with one module, team/net/local 1.0.0 (the module registry protocol of Terraform's manual).
func modules(t *testing.T) http.Handler {
	t.Helper()
	archive := tarball(t, map[string]string{"main.tf": "output \"from\" { value = \"the registry\" }\n"})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/modules/team/net/local/versions", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"modules": []any{map[string]any{"versions": []any{map[string]string{"version": "1.0.0"}}}}})
	})
	mux.HandleFunc("GET /v1/modules/team/net/local/1.0.0/download", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Terraform-Get", "./archive.tar.gz")
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /v1/modules/team/net/local/1.0.0/archive.tar.gz", func(w http.ResponseWriter, r *http.Request) { w.Write(archive) })
	return mux
}

// discovered answers service discovery without a guard: Terraform asks it before it asks for credentials' use.
func discovered(g *stage.Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/.well-known/terraform.json":
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(`{"modules.v1": "/v1/modules/"}`))
		case strings.HasSuffix(r.URL.Path, "/archive.tar.gz"):
			// The archive is fetched by another client within Terraform, which sends no token; a real registry signs its URL.
			g.Next().ServeHTTP(w, r)
		default:
			g.ServeHTTP(w, r)
		}
	})
}

// helped is the environment in which Terraform asks our credentials helper.
func helped(t *testing.T, s *stage.Stage) []string {
	t.Helper()
	plugins := filepath.Join(s.Home, ".terraform.d", "plugins")
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.Program("terraform-credentials-cognito"), filepath.Join(plugins, "terraform-credentials-cognito")); err != nil {
		t.Fatal(err)
	}
	rc := s.Write("cli.tfrc", "credentials_helper \"cognito\" {\n  args = []\n}\n")
	return []string{"TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1"}
}

// initialize runs init in a stack that uses the registry's module.
func initialize(t *testing.T, s *stage.Stage, host, program string) {
	t.Helper()
	s.Write("stack/main.tf", "module \"net\" {\n  source  = \""+host+"/team/net/local\"\n  version = \"1.0.0\"\n}\n")
	cmd := s.Command("stack", program, "init", "-no-color", "-input=false")
	cmd.Env = append(cmd.Env, helped(t, s)...)
	run(t, cmd)
}

func terraformInit(t *testing.T, program string) {
	l := stage.Listen(t)
	s := stage.New(t, installed, l.Addr().String()+" = access")
	g := s.Guard("access", "Bearer", modules(t))
	s.Serve(l, false, discovered(g))
	initialize(t, s, l.Addr().String(), program)
	wantToken(t, g, "Bearer", s.Token("access"))
}

func TestTerraformInit(t *testing.T) {
	terraformInit(t, need(t, "terraform", "terraform", "version"))
}

// given is what the registry below gives to who signs in to it.
const given = "token.of.terraform.login"

// ownSignIn is a module registry with a sign-in of its own (the login protocol of Terraform's manual): whoever asks is signed in.
// asked are the Authorization headers that came for modules.
func ownSignIn(t *testing.T) (h http.Handler, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/terraform.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"modules.v1": "/v1/modules/", "login.v1": {"client": "terraform-cli", "grant_types": ["authz_code"], "authz": "/authorize", "token": "/token"}}`))
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"once"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") != "once" || r.FormValue("code_verifier") == "" {
			http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"access_token": given, "token_type": "Bearer"})
	})
	behind := modules(t)
	mux.HandleFunc("/v1/modules/", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/archive.tar.gz") {
			mu.Lock()
			seen = append(seen, r.Header.Get("Authorization"))
			mu.Unlock()
			if r.Header.Get("Authorization") != "Bearer "+given {
				http.Error(w, "", http.StatusUnauthorized)
				return
			}
		}
		behind.ServeHTTP(w, r)
	})
	return mux, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// What terraform login gets at a host that no profile binds is kept by us, is used by init, and is gone after terraform logout.
func TestTerraformLogin(t *testing.T) {
	program := need(t, "terraform-login", "terraform", "version")
	l := stage.Listen(t)
	host := l.Addr().String()
	s := stage.New(t, installed)
	h, asked := ownSignIn(t)
	s.Serve(l, false, h)
	environ := helped(t, s)
	terraform := func(folder string, args ...string) *exec.Cmd {
		cmd := s.Command(folder, program, args...)
		cmd.Env = append(cmd.Env, environ...)
		return cmd
	}
	s.Write("stack/main.tf", "module \"net\" {\n  source  = \""+host+"/team/net/local\"\n  version = \"1.0.0\"\n}\n")

	// The browser is a program that says where it was sent; the test goes there in its place.
	page := filepath.Join(s.Home, "page")
	browser := s.Write("browser/xdg-open", "#!/bin/sh\nprintf %s \"$1\" > "+page+".new && mv "+page+".new "+page+"\n")
	if err := os.Chmod(browser, 0o700); err != nil {
		t.Fatal(err)
	}
	signIn := terraform("stack", "login", host)
	signIn.Env = append(signIn.Env, "PATH="+filepath.Dir(browser)+":"+os.Getenv("PATH"))
	signIn.Stdin = strings.NewReader("yes\n")
	var said bytes.Buffer
	signIn.Stdout, signIn.Stderr = &said, &said
	if err := signIn.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- signIn.Wait() }()
	visited := false
	for err := error(nil); ; {
		select {
		case err = <-ended:
			if err != nil || !visited {
				t.Fatalf("terraform login: %v\n%s", err, said.String())
			}
		case <-time.After(50 * time.Millisecond):
			if at, missing := os.ReadFile(page); missing == nil && !visited {
				visited = true
				answer, err := (&http.Client{Transport: s.Transport()}).Get(string(at))
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
			}
			continue
		}
		break
	}

	helper := func(verb string) string {
		return s.Must(s.Command(".", s.Program("terraform-credentials-cognito"), verb, host))
	}
	if got := strings.TrimSpace(helper("get")); got != `{"token":"`+given+`"}` {
		t.Errorf("after terraform login we have %q", got)
	}
	run(t, terraform("stack", "init", "-no-color", "-input=false"))
	if got := asked(); !slices.Contains(got, "Bearer "+given) {
		t.Errorf("init sent %q", got)
	}
	run(t, terraform("stack", "logout", "-no-color", host))
	if got := strings.TrimSpace(helper("get")); got != "{}" {
		t.Errorf("after terraform logout we have %q", got)
	}
}

func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
