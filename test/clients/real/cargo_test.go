package real

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// crates is a sparse registry with lib 1.0.0 (the Cargo book, "Registry Index"). base is where it is served.
func crates(t *testing.T, base string) http.Handler {
	t.Helper()
	crate := crate(t)
	sum := sha256.Sum256(crate)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /index/config.json", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"dl": "%s/dl", "api": "%s", "auth-required": true}`, base, base)
	})
	mux.HandleFunc("GET /index/3/l/lib", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"name":"lib","vers":"1.0.0","deps":[],"cksum":"%s","features":{},"yanked":false}`+"\n", hex.EncodeToString(sum[:]))
	})
	mux.HandleFunc("GET /dl/lib/1.0.0/download", func(w http.ResponseWriter, r *http.Request) { w.Write(crate) })
	return mux
}

func crate(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, f := range []struct{ name, text string }{
		{"lib-1.0.0/Cargo.toml", "[package]\nname = \"lib\"\nversion = \"1.0.0\"\nedition = \"2021\"\n"},
		{"lib-1.0.0/src/lib.rs", ""},
	} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text))}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, f.text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCargoFetch(t *testing.T) { fetches(t, need(t, "cargo", "cargo", "--version")) }

// fetches runs cargo fetch with both forms of a credential provider.
func fetches(t *testing.T, cargo string) {
	t.Helper()
	for name, provider := range map[string]func(s *stage.Stage) string{
		"plugin": func(s *stage.Stage) string { return `["` + s.Program("cargo-credential-cognito") + `"]` },
		"stdout": func(s *stage.Stage) string {
			return `["cargo:token-from-stdout", "` + s.Program("cognito-credhelper") + `", "cargo", "--profile", "sandbox"]`
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := stage.Listen(t)
			base := "https://" + l.Addr().String()
			s := stage.New(t, installed, l.Addr().String()+" = access")
			g := s.Guard("access", `Cargo login_url="`+base+`/me"`, crates(t, base))
			s.Serve(l, false, g)
			fetch(t, s, base, cargo, provider(s))
			wantToken(t, g, "Bearer", s.Token("access"))
		})
	}
}

// fetch runs cargo fetch in a package that depends on the registry's crate.
func fetch(t *testing.T, s *stage.Stage, base, cargo, provider string) {
	t.Helper()
	s.Write("crate/.cargo/config.toml", "[registries.priv]\nindex = \"sparse+"+base+"/index/\"\ncredential-provider = "+provider+"\n")
	fetching(t, s, cargo)
}

// fetching runs it by what Cargo's configuration says.
func fetching(t *testing.T, s *stage.Stage, cargo string) {
	t.Helper()
	s.Write("crate/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nlib = { version = \"1.0.0\", registry = \"priv\" }\n")
	s.Write("crate/src/main.rs", "fn main() {}\n")
	cmd := s.Command("crate", cargo, "fetch")
	cmd.Env = append(cmd.Env, "CARGO_HOME="+filepath.Join(s.Home, ".cargo"), "RUSTUP_HOME="+rustup())
	run(t, cmd)
}

// rustup is where the machine's toolchains are: cargo may be a proxy that looks for them in the home folder.
func rustup() string {
	if own := os.Getenv("RUSTUP_HOME"); own != "" {
		return own
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".rustup")
}
