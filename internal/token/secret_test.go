package token

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "canary-5d41402abc4b2a76"

// No verb of fmt, no JSON, and no log shows a secret, wherever it stands.
func TestSecretIsNeverPrinted(t *testing.T) {
	s := NewSecret(canary)
	holders := []any{
		s, &s, []Secret{s}, map[string]Secret{"k": s}, struct{ S Secret }{s}, struct{ s Secret }{s}, &struct{ S *Secret }{&s},
		Token{Value: s}, Set{Access: Token{Value: s}, ID: Token{Value: s}},
		AWSCredentials{SecretAccessKey: s, SessionToken: s},
		fmt.Errorf("wrapped: %w", &Error{Message: "m", Err: fmt.Errorf("%v", s)}),
	}
	for _, h := range holders {
		for _, verb := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!" {
			for _, flag := range []string{"", "+", "#", "-20", " ", "0"} {
				format := "%" + flag + string(verb)
				if out := fmt.Sprintf(format, h); shows(out) {
					t.Errorf("%s of %T shows the secret: %s", format, h, out)
				}
			}
		}
		if out, err := json.Marshal(h); err == nil && shows(string(out)) {
			t.Errorf("json of %T shows the secret", h)
		}
		for _, build := range []func(*strings.Builder) slog.Handler{
			func(b *strings.Builder) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *strings.Builder) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b strings.Builder
			slog.New(build(&b)).Info("m", "k", h)
			if shows(b.String()) {
				t.Errorf("a log of %T shows the secret: %s", h, b.String())
			}
		}
	}
}

// shows reports whether out has the secret in clear or in hexadecimal.
func shows(out string) bool {
	lower := strings.ToLower(out)
	return strings.Contains(lower, canary) || strings.Contains(lower, fmt.Sprintf("%x", canary))
}

func TestSecret(t *testing.T) {
	if !NewSecret("").Empty() || NewSecret("x").Empty() || NewSecret("x").Reveal() != "x" || (Secret{}).Reveal() != "" {
		t.Error("a secret does not hold its text")
	}
	if !NewSecret("a").Equal(NewSecret("a")) || NewSecret("a").Equal(NewSecret("b")) || NewSecret("a").Equal(Secret{}) {
		t.Error("equality does not go by the text")
	}
	if (Secret{}).String() != "" || NewSecret("x").String() != redacted {
		t.Error("an empty secret and a full one must be told apart")
	}
}
