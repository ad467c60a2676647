package real

import (
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

// Bazel reads the line from the user's .bazelrc, and asks the name with a space in its path.
func TestSetupBazel(t *testing.T) {
	bazel := need(t, "bazel-setup", "bazel", "--version")
	s, g, host := bazelUser(t)
	setup(t, s, "bazel", host, "--dir", filepath.Dir(s.Write("a b/before", "")))
	bazelFetches(t, s, bazel, host)
	wantToken(t, g, "Bearer", s.Token("access"))
}
