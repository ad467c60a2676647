package claims

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func jwt(payload string) token.Token {
	return token.Token{Value: token.NewSecret("aGVhZGVy." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl")}
}

func TestPrint(t *testing.T) {
	got, err := Print(jwt(`{"sub":"u","exp":12345678901234567890,"cognito:groups":["a"],"name":"x` + "\u202e\u009b\U000e0001" + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "sub": "u",
  "exp": 12345678901234567890,
  "cognito:groups": [
    "a"
  ],
  "name": "x\u202e\u009b\udb40\udc01"
}
`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestPrintRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"one part":    "secret",
		"two parts":   "secret.secret",
		"four parts":  "a.b.c.d",
		"no base64":   "a.se cret.c",
		"no JSON":     jwt(`{"secret":`).Value.Reveal(),
		"no object":   jwt(`"secret"`).Value.Reveal(),
		"empty":       "..",
		"dots":        strings.Repeat(".", 10<<20),
		"two objects": jwt(`{"secret":1}{}`).Value.Reveal(),
	} {
		got, err := Print(token.Token{Value: token.NewSecret(value)})
		if err == nil || got != nil {
			t.Errorf("%s: printed %q", name, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells of the token: %v", name, err)
		}
	}
}

// A token of dots is refused without a slice for each of them (CVE-2025-22868, CVE-2025-30204).
func TestDotsCostNothing(t *testing.T) {
	dots := token.Token{Value: token.NewSecret(strings.Repeat(".", 10<<20))}
	if n := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			_, _ = Print(dots)
		}
	}).AllocedBytesPerOp(); n > 1<<20 {
		t.Errorf("%d bytes", n)
	}
}

// FuzzPrint: what is printed is printable, means the same as the payload, and never holds header or signature.
func FuzzPrint(f *testing.F) {
	f.Add(`{"a":"b"}`)
	f.Add("{\"a\":\"\xff\x7f\u2028\"}")
	f.Add(`{"a":{"b":[1,2,{}]},"c":"\u001b"}`)
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := Print(jwt(payload))
		if err != nil {
			return
		}
		for _, r := range string(got) {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q is not printable", got)
			}
		}
		if bytes.Contains(got, []byte("c2lnbmF0dXJl")) && !strings.Contains(payload, "c2lnbmF0dXJl") {
			t.Fatalf("signature in %q", got)
		}
		var in, out any
		if err := json.Unmarshal([]byte(payload), &in); err != nil {
			t.Fatalf("printed what is no JSON: %v", err)
		}
		if err := json.Unmarshal(got, &out); err != nil || !reflect.DeepEqual(in, out) {
			t.Fatalf("%q became %q (%v)", payload, got, err)
		}
	})
}
