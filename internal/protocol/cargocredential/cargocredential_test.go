package cargocredential

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
)

// Whatever is sent, the answer is one line of JSON that says Ok or Err, and only the bound registry gets the token.
func FuzzServe(f *testing.F) {
	for _, text := range []string{
		`{"v":1,"registry":{"index-url":"sparse+https://h.example/index/"},"kind":"get","args":["cargo","--profile","dev"]}`,
		`{"v":1,"registry":{"index-url":"https://h.example.evil.example/"},"kind":"get"}`,
		`{"v":1,"registry":{"index-url":"registry+https://h.example@evil.example/"},"kind":"get"}`,
		`{"v":1,"registry":"x","kind":"logout","args":[1]}`, `{"v":2}`, `[]`, `{`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		s := &protocoltest.Source{Bound: map[string]protocol.HostCredential{"h.example": {Token: protocoltest.Token("secret")}}}
		r := Serve(t.Context(), protocol.Call{Args: []string{plugin}, In: strings.NewReader(text), Out: &out}, s)
		if r.Err != nil || r.Exit != 0 {
			if len(text) <= protocol.MaxRequest {
				t.Fatalf("%q: %+v", text, r)
			}
			return
		}
		if out.Len() == 0 && text == "" {
			return
		}
		var answer map[string]struct{ Kind string }
		if err := json.Unmarshal(out.Bytes(), &answer); err != nil || len(answer) != 1 || strings.Count(out.String(), "\n") != 1 {
			t.Fatalf("%q: %q", text, out.String())
		}
		if strings.Contains(out.String(), "secret") && (len(s.Wanted) == 0 || s.Wanted[0].Host.Name != "h.example") {
			t.Fatalf("%q: %q", text, out.String())
		}
	})
}
