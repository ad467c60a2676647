package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/host"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

const bobsAnswers = "bob\nTr0ub4dor&3\n"

// The host in Go signs in by its own questions, and shows the API what the profile binds to it, and to no other host.
func TestExampleHostGo(t *testing.T) {
	program := filepath.Join(t.TempDir(), "host-go")
	if out, err := exec.Command("go", "build", "-o", program, module+"/examples/host-go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	source, err := os.ReadFile(filepath.Join("..", "..", "examples", "host-go", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte("\n")); n >= 60 {
		t.Errorf("the example has %d lines", n)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "you sent %s", r.Header.Get("Authorization"))
	}))
	defer api.Close()
	startPool(t, "", "cognito_hosts =\n    "+strings.TrimPrefix(api.URL, "http://")+"/bound = access\n")
	if _, err := host.Register(core(), "1.0.0"); err != nil {
		t.Fatal(err)
	}
	run := func(url, stdin string) (string, string) {
		t.Helper()
		cmd := exec.Command(program, "sandbox", url)
		cmd.Stdin = strings.NewReader(stdin)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
		return string(out), said.String()
	}
	if out, said := run(api.URL+"/bound", bobsAnswers); !strings.HasPrefix(out, "you sent Bearer eyJ") || !strings.Contains(said, "user name: ") || !strings.Contains(said, "signed in as bob") {
		t.Errorf("said %q, got %.60q", said, out)
	}
	if out, said := run(api.URL+"/else", ""); out != "you sent " || strings.Contains(said, "user name") {
		t.Errorf("said %q, got %q", said, out)
	}
}

// The host in Node speaks the same wire, with AutoMTLS and without.
func TestExampleHostNode(t *testing.T) {
	const name = "grpc-js"
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			skips.Missing(t, name, program+" is not on PATH")
		}
	}
	folder := filepath.Join("..", "..", "examples", "host-node")
	if err := installNode(folder); err != nil {
		skips.Missing(t, name, err.Error())
	}
	startPool(t, "", "")
	text, err := os.ReadFile(core())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	run := func(stdin string, more ...string) string {
		t.Helper()
		cmd := exec.Command("node", append([]string{"main.mjs", core(), hex.EncodeToString(sum[:]), "sandbox"}, more...)...)
		cmd.Dir, cmd.Stdin = folder, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	for _, c := range []struct {
		out  string
		want []string
	}{
		{run(bobsAnswers), []string{"before: CODE_LOGIN_REQUIRED: .*; cognito-credhelper login --profile sandbox", "signed in: bob, kept false", "access token of bob, access", "unbound: CODE_NOT_BOUND", "plugin [0-9]+ has ended"}},
		{run("", "plain"), []string{"signed in: bob, kept true", "access token of bob, access"}},
	} {
		for _, want := range c.want {
			if !regexp.MustCompile(want).MatchString(c.out) {
				t.Errorf("%q is not in:\n%s", want, c.out)
			}
		}
	}
	wrong := exec.Command("node", "main.mjs", core(), strings.Repeat("0", 64), "sandbox")
	wrong.Dir = folder
	if out, err := wrong.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("checksum")) {
		t.Errorf("a wrong checksum: %v\n%s", err, out)
	}
	skips.Ran(t, name, nodeVersion(folder))
}

// installNode runs npm ci once per lock file. Install scripts of packages never run.
func installNode(folder string) error {
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	stamp, want := filepath.Join(folder, "node_modules", ".installed"), fmt.Sprintf("%x", sha256.Sum256(lock))
	if got, err := os.ReadFile(stamp); err == nil && string(got) == want {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

func nodeVersion(folder string) string {
	text, _ := os.ReadFile(filepath.Join(folder, "node_modules", "@grpc", "grpc-js", "package.json"))
	found := regexp.MustCompile(`"version": "([^"]+)"`).FindSubmatch(text)
	if found == nil {
		return "unknown"
	}
	return string(found[1])
}
