package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// The signed twin goes out signed by the credentials that the cmdlet would take: explicit keys, --credential, the
// profile's, the environment's.
func TestAdminInitiateAuthIsSignedByTheFirstCredentials(t *testing.T) {
	var header http.Header
	var body struct {
		UserPoolID     string `json:"UserPoolId"`
		AuthFlow       string
		AuthParameters map[string]string
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		text, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(text, &body)
		w.Header().Set("X-Amzn-Requestid", "request-1")
		io.WriteString(w, `{"ChallengeName":"SMS_MFA","ChallengeParameters":{},"Session":"s"}`)
	}))
	defer server.Close()
	h := newHome(t)
	file := func(name, text string) string {
		path := filepath.Join(h.folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	const profile = "[profile dev]\ncognito_user_pool_id = eu-west-1_Pool\ncognito_client_id = abc\n"
	const keys = "aws_access_key_id = AKIDPROFILE\naws_secret_access_key = s3\naws_session_token = t3\n"
	h.env["AWS_ACCESS_KEY_ID"], h.env["AWS_SECRET_ACCESS_KEY"] = "AKIDENVIRONMENT", "s4"
	secret, token2 := file("secret", "s1"), file("token", "t1")
	whole := file("whole", `{"Version":1,"AccessKeyId":"AKIDWHOLE","SecretAccessKey":"s2","SessionToken":"t2"}`)
	password := file("password", "pw")
	for _, tt := range []struct {
		profile, key, session string
		args                  []string
	}{
		{profile + keys, "AKIDEXPLICIT", "t1", []string{"--access-key", "AKIDEXPLICIT", "--secret-key", secret, "--session-token", token2, "--credential", whole}},
		{profile + keys, "AKIDWHOLE", "t2", []string{"--credential", whole}},
		{profile + keys, "AKIDPROFILE", "t3", nil},
		{profile, "AKIDENVIRONMENT", "", nil},
	} {
		h.write(t, tt.profile)
		args := append([]string{"admin-initiate-auth", "--profile", "dev", "--endpoint-url", server.URL, "--auth-flow", "ADMIN_USER_PASSWORD_AUTH",
			"--auth-parameter", "USERNAME=bob", "--auth-parameter", "PASSWORD=" + password, "--select", "ChallengeName"}, tt.args...)
		if code := h.main(t, args...); code != 0 || h.stdout.String() != "SMS_MFA\n" {
			t.Fatalf("%s: exit %d: %s%s", tt.key, code, h.stdout.String(), h.stderr.String())
		}
		if got := header.Get("Authorization"); !strings.HasPrefix(got, "AWS4-HMAC-SHA256 Credential="+tt.key+"/") || !strings.Contains(got, "/eu-west-1/cognito-idp/aws4_request") {
			t.Errorf("%s: signed as %q", tt.key, got)
		}
		if got := header.Get("X-Amz-Security-Token"); got != tt.session {
			t.Errorf("%s: session token %q", tt.key, got)
		}
		if body.UserPoolID != "eu-west-1_Pool" || body.AuthFlow != "ADMIN_USER_PASSWORD_AUTH" || body.AuthParameters["PASSWORD"] != "pw" {
			t.Errorf("%s: %+v", tt.key, body)
		}
	}
}

// USERNAME for a refresh is asked for on the terminal, once, and only where SECRET_HASH must be computed.
func TestARefreshAsksForTheNameOnlyForTheHash(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		asked int
	}{
		{"no secret", nil, 0},
		{"a secret", []string{"--client-secret", "@@s"}, 1},
		{"the hash is given", []string{"--client-secret", "@@s", "--auth-parameter", "SECRET_HASH=h"}, 0},
		{"the name is given", []string{"--client-secret", "@@s", "--auth-parameter", "USERNAME=bob"}, 0},
	} {
		b := newBench(t)
		b.tty.present, b.tty.answer = true, "bob"
		pool := &fakeRawPool{}
		b.rawPool = func(o cognito.Options) (rawPool, error) { return pool, nil }
		args := append([]string{"initiate-auth", "--auth-flow", "REFRESH_TOKEN", "--auth-parameter", "REFRESH_TOKEN=r"}, tt.args...)
		if code := b.call(t, args...); code != 0 || len(b.tty.asked) != tt.asked {
			t.Errorf("%s: exit %d, asked %q: %s", tt.name, code, b.tty.asked, b.stderr.String())
		}
		if got := pool.in.Parameters["USERNAME"].Reveal(); tt.asked == 1 && got != "bob" {
			t.Errorf("%s: USERNAME %q", tt.name, got)
		}
	}
}

// revoke-token asks on a terminal, and nothing goes out without a yes.
func TestRevokeTokenAsks(t *testing.T) {
	for _, yes := range []bool{false, true} {
		b := newBench(t)
		b.tty.present, b.tty.yes = true, yes
		pool := &fakeRawPool{}
		b.rawPool = func(cognito.Options) (rawPool, error) { return pool, nil }
		want := 1
		if yes {
			want = 0
		}
		if code := b.call(t, "revoke-token", "--token", "@@r"); code != want || len(b.tty.asked) != 1 || (pool.revoked == "@r") != yes {
			t.Errorf("%v: exit %d, asked %q, revoked %q: %s", yes, code, b.tty.asked, pool.revoked, b.stderr.String())
		}
	}
}

// fakeRawPool notes what it is sent.
type fakeRawPool struct {
	rawPool
	in      cognito.Initiate
	revoked string
}

func (f *fakeRawPool) Initiate(_ context.Context, in cognito.Initiate) (cognito.Response, error) {
	f.in = in
	return cognito.Response{}, nil
}

func (f *fakeRawPool) RevokeToken(_ context.Context, refresh token.Secret) (cognito.Response, error) {
	f.revoked = refresh.Reveal()
	return cognito.Response{}, nil
}

// --network-credential ends in one of two sentences.
func TestNetworkCredential(t *testing.T) {
	for endpoint, says := range map[string]string{
		"":     "profile dev is no SAML role profile",
		"adfs": "profile dev is a SAML role profile; SAML sign-in is not built",
	} {
		b := newBench(t)
		b.loadProfile = func(s profiles.Selection, _ func(string) string) (profiles.Profile, error) {
			return profiles.Profile{Name: s.Name, SAMLEndpoint: endpoint}, nil
		}
		code := b.call(t, "initiate-auth", "--profile", "dev", "--auth-flow", "CUSTOM_AUTH", "--network-credential", `EXAMPLE\bob`)
		if code != 6 || !strings.Contains(b.stderr.String(), programName+": "+says+"\n") {
			t.Errorf("exit %d: %s", code, b.stderr.String())
		}
	}
}
