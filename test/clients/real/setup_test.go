package real

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// What setup wrote is read by the programs themselves. Those that the machine has are in the transcripts (setup_*.txtar).

func setup(t *testing.T, s *stage.Stage, args ...string) {
	t.Helper()
	run(t, s.Command("", "cognito-credhelper", append([]string{"setup"}, append(args, "--profile", "sandbox", "--force")...)...))
}

func TestSetupPnpm(t *testing.T) {
	pnpm := need(t, "pnpm-setup", "pnpm", "--version")
	l := stage.Listen(t)
	host := l.Addr().String()
	s := stage.New(t, installed, host+" = access")
	g := s.Guard("access", "Bearer", packages(t, "https://"+host))
	s.Serve(l, false, g)
	before := "registry=https://" + host + "/\ncafile=" + s.CA() + "\nfetch-retries=0\n"
	file := s.Write(".npmrc", before)
	setup(t, s, "pnpm", host)
	s.Write("page/package.json", `{"name": "page", "version": "1.0.0", "private": true}`)
	if got := strings.TrimSpace(run(t, s.Command("page", pnpm, "config", "get", "//"+host+"/:tokenHelper"))); !strings.HasSuffix(got, "/pnpm-token-cognito") {
		t.Errorf("pnpm reads %q", got)
	}
	run(t, s.Command("page", pnpm, "add", "lib", "--store-dir", filepath.Join(s.Home, "store")))
	wantToken(t, g, "Bearer", s.Token("access"))
	run(t, s.Command("", "cognito-credhelper", "setup", "pnpm", "--undo"))
	if got := read(t, file); got != before {
		t.Errorf("undo left %q", got)
	}
}

func TestSetupGo(t *testing.T) {
	goprogram := need(t, "go-setup", "go", "version")
	s, g, host := guarded(t, "access", "Bearer", goproxy(t))
	setup(t, s, "go", host)
	run(t, downloading(t, s, host, goprogram))
	wantToken(t, g, "Bearer", s.Token("access"))
}

func TestSetupCargo(t *testing.T) {
	cargo := need(t, "cargo-setup", "cargo", "--version")
	l := stage.Listen(t)
	base := "https://" + l.Addr().String()
	s := stage.New(t, installed, l.Addr().String()+" = access")
	g := s.Guard("access", `Cargo login_url="`+base+`/me"`, crates(t, base))
	s.Serve(l, false, g)
	s.Write(".cargo/config.toml", "[registries.priv]\nindex = \"sparse+"+base+"/index/\"\n")
	cmd := s.Command("", "cognito-credhelper", "setup", "cargo", l.Addr().String(), "--profile", "sandbox", "--force")
	cmd.Env = append(cmd.Env, "CARGO_HOME="+filepath.Join(s.Home, ".cargo"))
	run(t, cmd)
	fetching(t, s, cargo)
	wantToken(t, g, "Bearer", s.Token("access"))
}

// pip finds keyring in the folder that setup was given, and in its configuration that it is to ask for it.
func TestSetupPip(t *testing.T) {
	pip := need(t, "pip-setup", "pip", "--version")
	s, g, host := guarded(t, "access", `Basic realm="index"`, simple(t))
	links := filepath.Dir(s.Write("links/before", ""))
	setup(t, s, "pip", host, "--dir", links)
	cmd := s.Command("", pip, "download", "--no-deps", "--no-input", "--disable-pip-version-check",
		"--index-url", "https://user@"+host+"/simple/", "-d", filepath.Join(s.Home, "down"), "lib")
	cmd.Env = append(cmd.Env, "PATH="+links+string(os.PathListSeparator)+os.Getenv("PATH"))
	run(t, cmd)
	wantToken(t, g, "Basic", s.Token("access"))
}

// Bazel reads the line from the user's .bazelrc, and asks the name with a space in its path.
func TestSetupBazel(t *testing.T) {
	bazel := need(t, "bazel-setup", "bazel", "--version")
	s, g, host := bazelUser(t)
	setup(t, s, "bazel", host, "--dir", filepath.Dir(s.Write("a b/before", "")))
	bazelFetches(t, s, bazel, host)
	wantToken(t, g, "Bearer", s.Token("access"))
}
