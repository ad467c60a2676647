// Command gcpsdk is a Go program as anybody would write it for Google Cloud: it takes an external account whose token comes
// from an executable, has a token endpoint exchange it, and prints what it got as one line of JSON. It is that token endpoint
// itself, on loopback, and fails unless it was sent an ID token in the form of RFC 8693.
//
// It has a go.mod of its own, so that what it needs never weighs on the product. It knows nothing of the product.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/oauth2/google"
)

// limit is for the whole run: a helper that hangs must not hang a build.
const limit = 30 * time.Second

const audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/cognito"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gcpsdk version|COMMAND-LINE")
		os.Exit(2)
	}
	if os.Args[1] == "version" {
		fmt.Println(version())
		return
	}
	if err := run(ctx, os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gcpsdk:", err)
		os.Exit(1)
	}
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == "golang.org/x/oauth2" {
			return m.Version
		}
	}
	return "unknown"
}

// run exchanges the token of command and prints the answer.
func run(ctx context.Context, command string, out io.Writer) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(exchange), ReadHeaderTimeout: limit}
	go server.Serve(l)
	defer server.Close()
	account, err := json.Marshal(map[string]any{
		"type": "external_account", "audience": audience, "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
		"token_url":         "http://" + l.Addr().String() + "/v1/token",
		"credential_source": map[string]any{"executable": map[string]any{"command": command, "timeout_millis": 10000}},
	})
	if err != nil {
		return err
	}
	credentials, err := google.CredentialsFromJSONWithType(ctx, account, google.ExternalAccount, "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		return fmt.Errorf("reading the external account: %w", err)
	}
	got, err := credentials.TokenSource.Token()
	if err != nil {
		return fmt.Errorf("getting a token: %w", err)
	}
	return json.NewEncoder(out).Encode(map[string]any{"access_token": got.AccessToken, "type": got.TokenType})
}

// exchange is a token endpoint (RFC 8693) that names who it was sent.
func exchange(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := check(r.PostForm); err != nil {
		http.Error(w, `{"error":"invalid_request","error_description":"`+err.Error()+`"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"access_token": "for-an-ID-token", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": 3600,
	})
}

func check(form url.Values) error {
	for name, want := range map[string]string{
		"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": audience,
		"subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
	} {
		if got := form.Get(name); got != want {
			return fmt.Errorf("%s is %q", name, got)
		}
	}
	if t := form.Get("subject_token"); strings.Count(t, ".") != 2 || !strings.HasPrefix(t, "eyJ") {
		return fmt.Errorf("subject_token is no JSON web token")
	}
	return nil
}
