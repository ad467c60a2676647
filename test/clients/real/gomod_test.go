package real

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// goproxy is a module proxy with example.com/lib v1.0.0 (the GOPROXY protocol of the Go modules reference).
func goproxy(t *testing.T) http.Handler {
	t.Helper()
	const mod = "module example.com/lib\n\ngo 1.21\n"
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range map[string]string{"go.mod": mod, "lib.go": "// Package lib is empty.\npackage lib\n"} {
		w, err := z.Create("example.com/lib@v1.0.0/" + name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, answer := range map[string]string{
		"list":        "v1.0.0\n",
		"v1.0.0.info": `{"Version": "v1.0.0"}`,
		"v1.0.0.mod":  mod,
		"v1.0.0.zip":  archive.String(),
	} {
		mux.HandleFunc("GET /example.com/lib/@v/"+path, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answer) })
	}
	return mux
}

// downloading is go mod download in a module that requires the lib, with a module cache of its own. Without -x: Go 1.24.0
// panics where it would tell what GOAUTH said.
func downloading(t *testing.T, s *stage.Stage, host, goprogram string) *exec.Cmd {
	t.Helper()
	s.Write("app/go.mod", "module example.com/app\n\ngo 1.21\n\nrequire example.com/lib v1.0.0\n")
	cmd := s.Command("app", goprogram, "mod", "download", "example.com/lib")
	cmd.Env = append(cmd.Env, "GOPROXY=https://"+host, "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local", "GOMODCACHE="+t.TempDir())
	return cmd
}

// download runs it with our line in the environment.
func download(t *testing.T, s *stage.Stage, host, goprogram string) {
	t.Helper()
	cmd := downloading(t, s, host, goprogram)
	cmd.Env = append(cmd.Env, "GOENV=off", "GOAUTH='"+s.Program("cognito-credhelper")+"' goauth")
	run(t, cmd)
}

func modDownload(t *testing.T, goprogram string) {
	t.Helper()
	s, g, host := guarded(t, "access", "Bearer", goproxy(t))
	download(t, s, host, goprogram)
	wantToken(t, g, "Bearer", s.Token("access"))
}

// belowAPath has a binding that ends in a path.
func belowAPath(t *testing.T, goprogram string) {
	t.Helper()
	l := stage.Listen(t)
	place := l.Addr().String() + "/team"
	s := stage.New(t, installed, place+" = access")
	g := s.Guard("access", "Bearer", http.StripPrefix("/team", goproxy(t)))
	s.Serve(l, false, g)
	download(t, s, place, goprogram)
	if log := g.Log(); len(log) == 0 || !log[len(log)-1].Good {
		t.Errorf("no good token came: %v", log)
	}
}

func TestGoBelowAPath(t *testing.T) { belowAPath(t, need(t, "go", "go", "version")) }

// goSecondChance has a server that has revoked the token: Go asks again with the response, within the same command.
func goSecondChance(t *testing.T, goprogram string) {
	t.Helper()
	s, g, host := guarded(t, "access", "Bearer", goproxy(t))
	old := s.Token("access")
	g.Revoke(old)
	download(t, s, host, goprogram)
	wantRenewed(t, g, old)
	if n := s.Requests()["GetTokensFromRefreshToken"]; n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestGoModDownload(t *testing.T) { modDownload(t, need(t, "go", "go", "version")) }

func TestGoSecondChance(t *testing.T) { goSecondChance(t, need(t, "go", "go", "version")) }
