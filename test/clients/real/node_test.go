package real

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// packages is an npm registry with lib 1.0.0. base is where it is served.
func packages(t *testing.T, base string) http.Handler {
	t.Helper()
	archive := tarball(t, map[string]string{"package/package.json": `{"name": "lib", "version": "1.0.0"}`})
	sum := sha512.Sum512(archive)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lib", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"name": "lib", "dist-tags": map[string]string{"latest": "1.0.0"},
			"versions": map[string]any{"1.0.0": map[string]any{
				"name": "lib", "version": "1.0.0",
				"dist": map[string]string{"tarball": base + "/lib/-/lib-1.0.0.tgz", "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:])},
			}},
		})
	})
	mux.HandleFunc("GET /lib/-/lib-1.0.0.tgz", func(w http.ResponseWriter, r *http.Request) { w.Write(archive) })
	return mux
}

// pnpmAdd adds the registry's package.
func pnpmAdd(t *testing.T, s *stage.Stage, profile, host, pnpm string) {
	t.Helper()
	link := filepath.Join(s.Home, "pnpm-token-cognito-"+profile)
	if err := os.Symlink(s.Program("cognito-credhelper"), link); err != nil {
		t.Fatal(err)
	}
	s.Write(".npmrc", "registry=https://"+host+"/\ncafile="+s.CA()+"\nfetch-retries=0\n//"+host+"/:tokenHelper="+link+"\n")
	s.Write("page/package.json", `{"name": "page", "version": "1.0.0", "private": true}`)
	run(t, s.Command("page", pnpm, "add", "lib", "--store-dir", filepath.Join(s.Home, "store")))
}

func adds(t *testing.T, pnpm string) {
	t.Helper()
	l := stage.Listen(t)
	host := l.Addr().String()
	s := stage.New(t, installed, host+" = access")
	g := s.Guard("access", "Bearer", packages(t, "https://"+host))
	s.Serve(l, false, g)
	pnpmAdd(t, s, "sandbox", host, pnpm)
	wantToken(t, g, "Bearer", s.Token("access"))
}

func TestPnpmAdd(t *testing.T) { adds(t, need(t, "pnpm", "pnpm", "--version")) }
