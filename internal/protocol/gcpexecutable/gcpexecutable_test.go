package gcpexecutable

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func TestServe(t *testing.T) {
	id := protocoltest.Token("id.token.signature")
	warm := &protocoltest.Source{Tokens: token.Set{ID: id, Access: protocoltest.Token("access")}}
	login := &protocoltest.Source{Err: &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in\x1b[2J", Next: "cognito-credhelper login"}}
	for _, c := range []struct {
		name, wanted string
		source       *protocoltest.Source
		want         string
	}{
		{"the ID token", "", warm, `{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:id_token","id_token":"id.token.signature","expiration_time":`},
		{"by its type", "urn:ietf:params:oauth:token-type:id_token", warm, `{"version":1,"success":true,`},
		{"another type", "urn:ietf:params:oauth:token-type:saml2", warm, `{"version":1,"success":false,"code":"400","message":"the external account wants a token of type urn:ietf:params:oauth:token-type:saml2, and`},
		{"no session", "", login, `{"version":1,"success":false,"code":"401","message":"nobody is signed in`},
		{"no ID token", "", &protocoltest.Source{}, `{"version":1,"success":false,"code":"500"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			getenv := func(name string) string {
				if name == "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE" {
					return c.wanted
				}
				return ""
			}
			r := Serve(t.Context(), protocol.Call{Args: []string{"--profile", "dev"}, Getenv: getenv, Out: &out}, c.source)
			if got := out.String(); r.Exit != 0 || !strings.HasPrefix(got, c.want) || !strings.HasSuffix(got, "}\n") || strings.ContainsRune(got, 0x1b) || strings.Contains(got, "access\"") {
				t.Errorf("exit %d: %s", r.Exit, got)
			}
			if failed := strings.Contains(out.String(), "false"); failed != (r.Err != nil) {
				t.Errorf("error %v", r.Err)
			}
			for _, asked := range c.source.Asked {
				if asked.Use != token.UseID || asked.Profile.Name != "dev" {
					t.Errorf("asked for %+v", asked)
				}
			}
		})
	}
}
