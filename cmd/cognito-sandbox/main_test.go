package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// TestMain lets the test binary be the program, so that signals and exit codes are the real ones.
func TestMain(m *testing.M) {
	if os.Getenv("SANDBOX_TEST_MAIN") == "1" {
		main()
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), "SANDBOX_TEST_MAIN=1")
	return c
}

// started is a serving program and its ready line.
func started(t *testing.T, args ...string) (*exec.Cmd, sandbox.Ready) {
	t.Helper()
	c := program(t, append([]string{"serve"}, args...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var r sandbox.Ready
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return c, r
}

func TestServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sandbox.ini")
	c, r := started(t, "--write-profile", file)
	if !strings.HasPrefix(r.Endpoint, "http://127.0.0.1:") || r.Control != r.Endpoint+"/_sandbox" || r.Region != "eu-central-1" || r.UserPoolID == "" ||
		r.ClientID == "" || r.AWSAccessKeyID == "" || r.AWSSecretAccessKey == "" || r.IdentityPoolID == "" || r.RoleARN == "" || len(r.Users) != 2 || r.Users[0].TOTPSecret == "" || r.Users[1].Password == "" {
		t.Fatalf("%+v", r)
	}
	checkProfile(t, file, r)
	out, err := program(t, "totp", "--user", "alice", "--endpoint", r.Endpoint+"/").Output()
	if err != nil || len(out) != 7 {
		t.Errorf("totp: %q %v", out, err)
	}
	out, err = program(t, "code", "--user", "alice", "--kind", "SOFTWARE_TOKEN_MFA", "--endpoint", r.Endpoint).Output()
	if err != nil || len(out) != 7 {
		t.Errorf("code: %q %v", out, err)
	}
	if err := program(t, "code", "--user", "bob", "--kind", "EMAIL_OTP", "--endpoint", r.Endpoint).Run(); exit(err) != 1 {
		t.Errorf("code that nobody sent: %v", err)
	}
	err = program(t, "totp", "--user", "bob", "--endpoint", r.Endpoint).Run()
	if exit(err) != 1 {
		t.Errorf("totp for somebody without: %v", err)
	}
	if runtime.GOOS == "windows" {
		return // no SIGTERM there
	}
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c.Process.Signal(s)
		begin := time.Now()
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		if d := time.Since(begin); d > 5*time.Second { // a second is promised; the machine may be busy
			t.Errorf("%v: took %v", s, d)
		}
		c, _ = started(t)
	}
}

func checkProfile(t *testing.T, file string, r sandbox.Ready) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"[profile sandbox]", "region = " + r.Region, "cognito_user_pool_id = " + r.UserPoolID, "cognito_client_id = " + r.ClientID,
		"cognito_identity_pool_id = " + r.IdentityPoolID, "cognito_endpoint_url = " + r.Endpoint, "cognito_identity_endpoint_url = " + r.Endpoint, "cognito_sts_endpoint_url = " + r.Endpoint} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("the profile lacks %q:\n%s", line, text)
		}
	}
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func exit(err error) int {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func TestCommandLine(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.json")
	for _, x := range []struct {
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"", 2, "", "serve, totp, or code"},
		{"sing", 2, "", `no command "sing"`},
		{"serve --addr 0.0.0.0:0", 2, "", "not a loopback address"},
		{"serve --addr here", 2, "", "host:port"},
		{"serve --port 1", 2, "", "-port"},
		{"serve now", 2, "", `no argument "now"`},
		{"serve --config " + missing, 1, "", "missing.json"},
		{"totp", 2, "", "--user NAME"},
		{"code --user bob --kind SMS_MFA", 2, "", "--endpoint URL"},
		{"code --user bob --kind SMS_MFA --endpoint http://127.0.0.1:1", 1, "", "127.0.0.1:1"},
		{"totp --user nobody", 1, "", `no user "nobody"`},
		{"totp --secret 1", 1, "", "not base32"},
		{"totp --user carol --endpoint http://127.0.0.1:1", 1, "", "127.0.0.1:1"},
		{"--help", 0, "example:", ""},
		{"serve --help", 0, "/_sandbox/faults", ""},
	} {
		var out, errs bytes.Buffer
		if code := run(strings.Fields(x.args), &out, &errs); code != x.code || !strings.Contains(out.String(), x.stdout) || !strings.Contains(errs.String(), x.stderr) {
			t.Errorf("%q: %d\n%s%s", x.args, code, &out, &errs)
		}
		if (x.code == 0) != (errs.Len() == 0) || (x.code == 0) != (out.Len() > 0) {
			t.Errorf("%q: stdout %q, stderr %q", x.args, &out, &errs)
		}
	}
}

func TestTOTPFromConfigurationAndSecret(t *testing.T) {
	key, err := userpool.DecodeTOTPSecret("JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"totp --user carol --config testdata/sample.json", "totp --secret JBSWY3DPEHPK3PXP"} {
		var out, errs bytes.Buffer
		before := userpool.TOTP(key, time.Now())
		code := run(strings.Fields(args), &out, &errs)
		after := userpool.TOTP(key, time.Now())
		if got := strings.TrimSpace(out.String()); code != 0 || got != before && got != after {
			t.Errorf("%s: %d %q %s", args, code, got, &errs)
		}
	}
}

func TestWriteProfileLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.ini")
	if err := writeProfile(file, sandbox.Ready{Region: "one", ClientSecret: "s"}); err != nil {
		t.Fatal(err)
	}
	if err := writeProfile(file, sandbox.Ready{Region: "two"}); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); !strings.Contains(string(text), "region = two\n") || strings.Contains(string(text), "cognito_client_secret") {
		t.Errorf("%s", text)
	}
	foreign := filepath.Join(dir, "config")
	if err := os.WriteFile(foreign, []byte("[default]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeProfile(foreign, sandbox.Ready{}); err == nil || !strings.Contains(err.Error(), "was not written by cognito-sandbox") {
		t.Errorf("a foreign file: %v", err)
	}
	if text, _ := os.ReadFile(foreign); string(text) != "[default]\n" {
		t.Errorf("a foreign file became %q", text)
	}
	if err := writeProfile(filepath.Join(dir, "none", "x"), sandbox.Ready{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if err := writeProfile(dir, sandbox.Ready{}); err == nil {
		t.Error("a folder was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".cognito-sandbox-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
