package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExchange(t *testing.T) {
	t.Setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
	for answer, want := range map[string]string{
		`{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:id_token","id_token":"eyJ.e.s","expiration_time":4102444800}`: "",
		`{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:id_token","id_token":"odd","expiration_time":4102444800}`:     "no JSON web token",
		`{"version":1,"success":false,"code":"401","message":"nobody"}`:                                                                           "(401) nobody",
	} {
		file := filepath.Join(t.TempDir(), "answer.json")
		if err := os.WriteFile(file, []byte(answer), 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		err := run(context.Background(), "cat "+file, &out)
		if want == "" && (err != nil || !strings.Contains(out.String(), "for-an-ID-token")) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, printed %q", answer, err, out.String())
		}
	}
}
