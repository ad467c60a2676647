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

// pipDownload downloads the index's package.
func pipDownload(t *testing.T, s *stage.Stage, host, pip string) {
	t.Helper()
	// pip runs what is called keyring on PATH.
	links := filepath.Join(s.Home, "bin")
	if err := os.Mkdir(links, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.Program("cognito-credhelper"), filepath.Join(links, "keyring")); err != nil {
		t.Fatal(err)
	}
	cmd := s.Command("", pip, "download", "--no-deps", "--no-input", "--disable-pip-version-check", "--keyring-provider", "subprocess",
		"--index-url", "https://user@"+host+"/simple/", "-d", filepath.Join(s.Home, "down"), "lib")
	cmd.Env = append(cmd.Env, "PATH="+links+string(os.PathListSeparator)+os.Getenv("PATH"))
	run(t, cmd)
}

func TestPipDownload(t *testing.T) {
	pip := need(t, "pip", "pip", "--version")
	s, g, host := guarded(t, "access", `Basic realm="index"`, simple(t))
	pipDownload(t, s, host, pip)
	wantToken(t, g, "Basic", s.Token("access"))
}
