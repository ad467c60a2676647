package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCredentialsOfAProcess runs the program's whole path: profile, credential_process, signed request, answer.
func TestCredentialsOfAProcess(t *testing.T) {
	var authorization string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>`+
			`<UserId>AROA:s</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer server.Close()
	home := setHome(t, server.URL)
	answer := filepath.Join(home, "answer.json")
	write(t, answer, `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x","SessionToken":"y","Expiration":"2999-01-01T00:00:00Z"}`)
	write(t, filepath.Join(home, "config"), "[profile p]\nregion = us-east-1\ncredential_process = cat '"+answer+"'\n")

	var out strings.Builder
	if err := run(context.Background(), &out, false); err != nil {
		t.Fatal(err)
	}
	want := `{"UserId":"AROA:s","Account":"123456789012","Arn":"arn:aws:sts::123456789012:assumed-role/r/s","Source":"ProcessProvider","CanExpire":true}` + "\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if !strings.Contains(authorization, "Credential=ASIAEXAMPLE/") {
		t.Errorf("signed with %q, not with the key of the process", authorization)
	}
}

// TestProcessThatFails must not fall back to another source of credentials.
func TestProcessThatFails(t *testing.T) {
	home := setHome(t, "http://127.0.0.1:1")
	write(t, filepath.Join(home, "config"), "[profile p]\nregion = us-east-1\ncredential_process = exit 3\n")
	var out strings.Builder
	err := run(context.Background(), &out, false)
	if err == nil || !strings.HasPrefix(err.Error(), "getting credentials: ") || out.Len() > 0 {
		t.Errorf("run gave %q, %v; want an error about credentials and no output", out.String(), err)
	}
}

// setHome takes this process away from the machine's own AWS settings.
func setHome(t *testing.T, sts string) string {
	t.Helper()
	home := t.TempDir()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_PROFILE", "p")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts)
	return home
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
