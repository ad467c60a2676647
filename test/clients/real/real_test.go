// Package real runs real client programs against servers on loopback that check each token. A program that is not here is
// skipped by name; ci/required.txt says which names a build server must have run.
package real

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// Variable names the folder into which obtain put programs.
const Variable = "COGNITO_TEST_CLIENTS"

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

// need finds the client by its program's name, first among those that were obtained, and notes that it ran; without it
// the test is skipped by that name.
func need(t *testing.T, name, program string, version ...string) string {
	t.Helper()
	t.Logf("NEEDS-NAMED %s", name)
	path := filepath.Join(os.Getenv(Variable), "bin", program)
	if _, err := os.Stat(path); os.Getenv(Variable) == "" || err != nil {
		if path, err = exec.LookPath(program); err != nil {
			stage.Missing(t, name, program+" is not here")
		}
	}
	cmd := exec.Command(path, version...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		stage.Missing(t, name, fmt.Sprintf("%s does not run: %v", program, err))
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	t.Cleanup(func() {
		if !t.Failed() {
			stage.Ran(t, name, first)
		}
	})
	return path
}

// guarded opens a guarded server and a user whose profile is bound to it.
func guarded(t *testing.T, use, challenge string, h http.Handler) (*stage.Stage, *stage.Guard, string) {
	t.Helper()
	l := stage.Listen(t)
	s := stage.New(t, installed, l.Addr().String()+" = "+use)
	g := s.Guard(use, challenge, h)
	s.Serve(l, false, g)
	return s, g, l.Addr().String()
}

// wantToken wants the server to have got this token and no other, at least once, by the scheme ("" for any).
func wantToken(t *testing.T, g *stage.Guard, scheme, token string) {
	t.Helper()
	log := g.Log()
	if len(log) == 0 {
		t.Fatal("no request carried a token")
	}
	for _, seen := range log {
		if !seen.Good || seen.Token != token || scheme != "" && seen.Scheme != scheme {
			t.Errorf("%s: %s, good: %v, the session's: %v", seen.Path, seen.Scheme, seen.Good, seen.Token == token)
		}
	}
}

// wantRenewed wants the server to have refused the old token and then got a good one that is new.
func wantRenewed(t *testing.T, g *stage.Guard, old string) {
	t.Helper()
	refused, renewed := false, false
	for _, seen := range g.Log() {
		refused = refused || seen.Token == old && !seen.Good
		renewed = renewed || refused && seen.Token != old && seen.Good
	}
	if !refused || !renewed {
		t.Errorf("old token refused: %v, then a new one taken: %v", refused, renewed)
	}
}

// run runs the client to its good end and gives what it wrote to both streams.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out.String())
	}
	return out.String()
}
