package real

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// initialize runs init in a stack that uses the registry's module.
func initialize(t *testing.T, s *stage.Stage, host, program string) {
	t.Helper()
	plugins := filepath.Join(s.Home, ".terraform.d", "plugins")
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.Program("terraform-credentials-cognito"), filepath.Join(plugins, "terraform-credentials-cognito")); err != nil {
		t.Fatal(err)
	}
	rc := s.Write("cli.tfrc", "credentials_helper \"cognito\" {\n  args = []\n}\n")
	s.Write("stack/main.tf", "module \"net\" {\n  source  = \""+host+"/team/net/local\"\n  version = \"1.0.0\"\n}\n")
	cmd := s.Command("stack", program, "init", "-no-color", "-input=false")
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1")
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
