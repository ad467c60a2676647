package jwt

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	sign := func(k *Key, exp int64) string {
		token, err := k.Sign(map[string]any{"iss": "me", "exp": exp, "list": []string{"a", "b"}})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := sign(key, 1001)
	parts := strings.Split(good, ".")
	header := func(s string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(s)) + "." + parts[1] + "." + parts[2]
	}
	for _, x := range []struct {
		name, token, issuer string
		want                error
	}{
		{"good", good, "me", nil},
		{"at its last second", sign(key, 1000), "me", ErrExpired},
		{"no expiry", sign(key, 0), "me", ErrExpired},
		{"issuer", good, "you", ErrIssuer},
		{"key", sign(other, 1001), "me", ErrSignature},
		{"alg none", header(`{"alg":"none","kid":"` + key.ID() + `"}`), "me", ErrSignature},
		{"no kid", header(`{"alg":"RS256"}`), "me", ErrSignature},
		{"header", header(`[]`), "me", ErrMalformed},
		{"two parts", parts[0] + "." + parts[1], "me", ErrMalformed},
		{"padding", good + "=", "me", ErrMalformed},
		{"empty", "", "me", ErrMalformed},
	} {
		claims, err := Check(x.token, x.issuer, now, key)
		if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
		if err == nil && (claims.Int("exp") != 1001 || claims.String("iss") != "me" || len(claims.Strings("list")) != 2) {
			t.Errorf("%s: %v", x.name, claims)
		}
	}
	if Issuer(good) != "me" || Issuer("x") != "" || Issuer("a.b.c") != "" {
		t.Error("Issuer")
	}
}
