package real

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// simple is a package index with lib 1.0 (PEP 503 and PEP 427).
func simple(t *testing.T) http.Handler {
	t.Helper()
	const wheel = "lib-1.0-py3-none-any.whl"
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"lib.py":                     "",
		"lib-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n",
		"lib-1.0.dist-info/WHEEL":    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		"lib-1.0.dist-info/RECORD":   "",
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simple/lib/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><html><body><a href="/files/%s">%s</a></body></html>`, wheel, wheel)
	})
	mux.HandleFunc("GET /files/"+wheel, func(w http.ResponseWriter, r *http.Request) { w.Write(out.Bytes()) })
	return mux
}

// subprocess makes pip 23.1 and newer ask the program keyring; an older one does without being told, unless it may not ask
// a person either.
var subprocess = []string{"--no-input", "--keyring-provider", "subprocess"}

// pipDownload downloads the index's package.
func pipDownload(t *testing.T, s *stage.Stage, host, pip string, provider ...string) {
	t.Helper()
	// pip runs what is called keyring on PATH.
	links := filepath.Join(s.Home, "bin")
	if err := os.Mkdir(links, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.Program("cognito-credhelper"), filepath.Join(links, "keyring")); err != nil {
		t.Fatal(err)
	}
	cmd := s.Command("", pip, append([]string{"download", "--no-deps", "--disable-pip-version-check",
		"--index-url", "https://user@" + host + "/simple/", "-d", filepath.Join(s.Home, "down"), "lib"}, provider...)...)
	cmd.Env = append(cmd.Env, "PATH="+links+string(os.PathListSeparator)+os.Getenv("PATH"))
	run(t, cmd)
}

func downloads(t *testing.T, pip string, provider ...string) {
	t.Helper()
	s, g, host := guarded(t, "access", `Basic realm="index"`, simple(t))
	pipDownload(t, s, host, pip, provider...)
	wantToken(t, g, "Basic", s.Token("access"))
}

func TestPipDownload(t *testing.T) {
	downloads(t, need(t, "pip", "pip", "--version"), subprocess...)
}
