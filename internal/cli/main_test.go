package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// home is a home folder in which the real program runs.
type home struct {
	folder         string
	env            map[string]string
	stdout, stderr bytes.Buffer
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{folder: t.TempDir()}
	h.env = map[string]string{
		"HOME": h.folder, "USERPROFILE": h.folder, "COGNITO_CREDHELPER_HOME": filepath.Join(h.folder, "state"), "TERM": "dumb",
	}
	return h
}

// main runs the real program, composed of its real parts.
func (h *home) main(t *testing.T, args ...string) int {
	t.Helper()
	h.stdout.Reset()
	h.stderr.Reset()
	return Main(t.Context(), append([]string{programName}, args...), Env{
		Getenv:   func(key string) string { return h.env[key] },
		Unsetenv: func(key string) error { delete(h.env, key); return nil },
		Environ:  func() []string { return nil },
		Stdin:    strings.NewReader(""), Stdout: &h.stdout, Stderr: &h.stderr,
	})
}

func (h *home) config() string { return filepath.Join(h.folder, ".aws", "config") }

func (h *home) write(t *testing.T, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.config()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRealConfigureChangesNoOtherByte(t *testing.T) {
	h := newHome(t)
	const before = "# mine\n[profile dev]\nregion=eu-west-1   # here\n\n[profile other]\noutput = json\n"
	h.write(t, before)
	args := []string{"configure", "--profile", "dev", "--user-pool-id", "eu-west-1_AbCd", "--client-id", "abc123",
		"--identity-pool-id", "eu-west-1:11111111-2222-3333-4444-555555555555"}
	if got := h.main(t, args...); got != 0 {
		t.Fatalf("exit %d: %s", got, h.stderr.String())
	}
	after, err := os.ReadFile(h.config())
	if err != nil {
		t.Fatal(err)
	}
	rest := string(after)
	for _, line := range []string{
		"cognito_user_pool_id = eu-west-1_AbCd\n", "cognito_client_id = abc123\n",
		"cognito_identity_pool_id = eu-west-1:11111111-2222-3333-4444-555555555555\n",
	} {
		if !strings.Contains(rest, line) {
			t.Errorf("%q is missing in:\n%s", line, rest)
		}
		rest = strings.Replace(rest, line, "", 1)
	}
	start := strings.Index(rest, "credential_process = ")
	if start < 0 {
		t.Fatalf("no credential_process in:\n%s", after)
	}
	end := start + strings.Index(rest[start:], "\n") + 1
	if line := rest[start:end]; !strings.HasSuffix(line, " credential-process --profile dev\n") || !strings.Contains(h.stderr.String(), strings.TrimSuffix(line, "\n")) {
		t.Errorf("wrote %q, said:\n%s", line, h.stderr.String())
	}
	if rest = rest[:start] + rest[end:]; rest != before {
		t.Errorf("what was there is now:\n%s", rest)
	}
	if got := h.main(t, args...); got != 0 || !strings.Contains(h.stderr.String(), "already says that") {
		t.Errorf("a second time: exit %d: %s", got, h.stderr.String())
	}
}

func TestRealConfigureRefusesAndWritesNothing(t *testing.T) {
	const before = "[profile dev]\nregion = eu-west-1\n"
	for _, tt := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"--user-pool-id", "nowhere", "--client-id", "abc"}, 2, "--user-pool-id must be "},
		{[]string{"--user-pool-id", "eu-west-1_A", "--client-id", "!"}, 2, "--client-id must be "},
		{[]string{"--user-pool-id", "eu-west-1_A", "--client-id", "abc", "--endpoint-url", "http://example.com"}, 2, "--endpoint-url must be "},
		{[]string{"--user-pool-id", "eu-west-1_A"}, 2, "profile dev has no app client yet: give --client-id"},
	} {
		h := newHome(t)
		h.write(t, before)
		if got := h.main(t, append([]string{"configure", "--profile", "dev"}, tt.args...)...); got != tt.exit || !strings.Contains(h.stderr.String(), tt.says) {
			t.Errorf("%v: exit %d: %s", tt.args, got, h.stderr.String())
		}
		if after, err := os.ReadFile(h.config()); err != nil || string(after) != before {
			t.Errorf("%v: the file is now %q, %v", tt.args, after, err)
		}
	}
}

func TestRealErrorsNameTheRealFile(t *testing.T) {
	h := newHome(t)
	h.write(t, "[profile dev]\ncognito_min_ttl = soon\n")
	if got := h.main(t, "configure", "--profile", "dev", "--user-pool-id", "eu-west-1_A", "--client-id", "abc"); got != 6 {
		t.Errorf("exit %d, want 6", got)
	}
	if said := h.stderr.String(); !strings.Contains(said, h.config()+":") || strings.Contains(said, os.TempDir()+string(filepath.Separator)+programName+"-") {
		t.Errorf("said %s", said)
	}
}

func TestRealSessionThatIsNotThere(t *testing.T) {
	h := newHome(t)
	h.write(t, "[profile dev]\ncognito_user_pool_id = eu-west-1_A\ncognito_client_id = abc\ncognito_identity_pool_id = eu-west-1:11111111-2222-3333-4444-555555555555\n")
	for _, tt := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"credential-process", "--profile", "dev"}, 3, "cognito-credhelper: profile dev: nobody is signed in\nhint: cognito-credhelper login --profile dev\n"},
		{[]string{"token", "--profile", "dev"}, 3, "cognito-credhelper: profile dev: nobody is signed in\nhint: cognito-credhelper login --profile dev\n"},
		{[]string{"logout", "--profile", "dev"}, 0, "cognito-credhelper: profile dev: nobody was signed in\n"},
	} {
		if got := h.main(t, tt.args...); got != tt.exit {
			t.Errorf("%v: exit %d, want %d", tt.args, got, tt.exit)
		}
		printed(t, "standard error", &h.stderr, tt.says)
		printed(t, "standard output", &h.stdout, "")
	}
	if got := h.main(t, "status", "--profile", "dev"); got != 3 || !strings.Contains(h.stdout.String(), "signed out") {
		t.Errorf("status: exit %d: %s", got, h.stdout.String())
	}
}

func TestRealProfileCompletion(t *testing.T) {
	h := newHome(t)
	h.write(t, "[profile dev]\ncognito_client_id = abc\n[profile plain]\nregion = x\n")
	if got := h.main(t, "__complete", "status", "--profile", ""); got != 0 || !strings.HasPrefix(h.stdout.String(), "dev\n:") {
		t.Errorf("exit %d: %q", got, h.stdout.String())
	}
}

func TestAMalformedHandOverIsIgnored(t *testing.T) {
	h := newHome(t)
	h.env["COGNITO_CREDHELPER_FRONT"] = "1;x;lock=999999;replay=;resumed=7"
	if got := h.main(t, "version"); got != 0 || h.env["COGNITO_CREDHELPER_FRONT"] != "" {
		t.Errorf("exit %d, variable %q", got, h.env["COGNITO_CREDHELPER_FRONT"])
	}
}
