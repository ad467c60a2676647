package cognito

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func TestReadPayload(t *testing.T) {
	p, err := readPayload(jwt(map[string]any{
		"token_use": "access", "client_id": "c", "aud": []string{"https://api.example"}, "iss": "i", "sub": "s", "username": "u",
		"iat": 10, "exp": 20.5, "EXP": 99999, "Sub": "other", "TOKEN_USE": "id",
	}))
	if err != nil || p.use != "access" || p.audience[0] != "c" || p.subject != "s" || p.username != "u" || p.lifetime.Seconds() != 10.5 {
		t.Errorf("%+v, %v", p, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "two parts": "a.b", "four parts": "a.e30.c.d", "not base64": "a.!.c", "not JSON": "a.aGk.c",
		"array": "a." + base64.RawURLEncoding.EncodeToString([]byte("[]")) + ".c",
		"null":  "a." + base64.RawURLEncoding.EncodeToString([]byte("null")) + ".c",
		"huge":  "a." + strings.Repeat("A", maxToken) + ".c",
		"dots":  strings.Repeat(".", maxToken),
	} {
		if p, err := readPayload(bad); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// FuzzReadPayload has the properties that no token makes it panic and that a lifetime is never negative nor above a day.
func FuzzReadPayload(f *testing.F) {
	for _, s := range []string{`{}`, `{"iat":1,"exp":2}`, `{"iat":-1e308,"exp":1e308}`, `{"iat":1e400,"exp":"x"}`, `{"aud":["a",1]}`, `{"iat":5,"exp":3}`} {
		f.Add("h." + base64.RawURLEncoding.EncodeToString([]byte(s)) + ".s")
	}
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := readPayload(s)
		if p.lifetime < 0 || p.lifetime > maxLifetime {
			t.Errorf("lifetime %v", p.lifetime)
		}
		if err == nil && (len(s) > maxToken || strings.Count(s, ".") != 2) {
			t.Errorf("%q is taken for a token", s)
		}
	})
}

// FuzzClaims is FuzzReadPayload behind the base64, where the fuzzer sees the JSON.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"iat":1,"exp":1e18,"aud":"x","token_use":"id"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var claims map[string]json.RawMessage
		if json.Unmarshal(raw, &claims) != nil {
			return
		}
		if p := payloadOf(claims); p.lifetime < 0 || p.lifetime > maxLifetime {
			t.Errorf("lifetime %v", p.lifetime)
		}
	})
}
