package credentialprocess

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func good() token.AWSCredentials {
	end := time.Date(2026, 11, 23, 2, 37, 45, 999_999_999, time.FixedZone("", 3600))
	return token.AWSCredentials{
		AccessKeyID:     "ASIAEXAMPLE",
		SecretAccessKey: token.NewSecret(`se/cr+et"\`),
		SessionToken:    token.NewSecret("session==\u2028"),
		AccountID:       "123456789012",
		Lifetime:        token.Lifetime{Issued: end.Add(-time.Hour), Expires: end},
	}
}

func serveTo(out *bytes.Buffer, s *protocoltest.Source, args ...string) protocol.Result {
	return Serve(context.Background(), protocol.Call{Args: args, Getenv: func(string) string { return "" }, Out: out}, s)
}

func TestDocument(t *testing.T) {
	var out bytes.Buffer
	s := &protocoltest.Source{AWS: good()}
	if r := serveTo(&out, s, "--profile", "dev", "--min-ttl", "20m"); r.Err != nil || r.Exit != 0 {
		t.Fatal(r)
	}
	const want = `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et\"\\","SessionToken":"session==\u2028",` +
		`"Expiration":"2026-11-23T01:37:45Z","AccountId":"123456789012"}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	if r := s.Asked[0]; r.Use != token.UseID || !r.RenewFirst || r.MinTTL != 20*time.Minute || r.Profile.Name != "dev" {
		t.Errorf("asked for %+v", r)
	}
}

func TestAccountIDOnlyWhenKnown(t *testing.T) {
	var out bytes.Buffer
	c := good()
	c.AccountID = ""
	serveTo(&out, &protocoltest.Source{AWS: c})
	var document map[string]any
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if _, there := document["AccountId"]; there || len(document) != 5 {
		t.Errorf("%v", document)
	}
}

func TestIncompleteCredentialsAreNoAnswer(t *testing.T) {
	for name, spoil := range map[string]func(*token.AWSCredentials){
		"no key id":  func(c *token.AWSCredentials) { c.AccessKeyID = "" },
		"no secret":  func(c *token.AWSCredentials) { c.SecretAccessKey = token.Secret{} },
		"no session": func(c *token.AWSCredentials) { c.SessionToken = token.Secret{} },
		"no end":     func(c *token.AWSCredentials) { c.Lifetime.Expires = time.Time{} },
	} {
		var out bytes.Buffer
		c := good()
		spoil(&c)
		if r := serveTo(&out, &protocoltest.Source{AWS: c}); r.Exit != 1 || r.Err == nil || out.Len() != 0 {
			t.Errorf("%s: %+v, printed %q", name, r, out.String())
		}
	}
}

// FuzzEncode: whatever the strings, the document is one line that encoding/json reads back to the same strings.
func FuzzEncode(f *testing.F) {
	f.Add("A", "b", "c", "d")
	f.Add("\n", "\"", "\\", "\xff")
	f.Fuzz(func(t *testing.T, id, secret, session, account string) {
		c := token.AWSCredentials{AccessKeyID: id, SecretAccessKey: token.NewSecret(secret), SessionToken: token.NewSecret(session),
			AccountID: account, Lifetime: token.Lifetime{Expires: time.Unix(1, 0)}}
		b, err := Encode(c)
		if err != nil {
			if id != "" && secret != "" && session != "" {
				t.Fatal(err)
			}
			return
		}
		if bytes.IndexByte(b, '\n') != len(b)-1 {
			t.Fatalf("not one line: %q", b)
		}
		var got struct{ AccessKeyId, SecretAccessKey, SessionToken, AccountId string }
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		for _, p := range [][2]string{{id, got.AccessKeyId}, {secret, got.SecretAccessKey}, {session, got.SessionToken}, {account, got.AccountId}} {
			if p[1] != string([]rune(p[0])) {
				t.Fatalf("%q came back as %q", p[0], p[1])
			}
		}
	})
}
