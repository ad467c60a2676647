package token

import "crypto/subtle"

const redacted = "[redacted]"

// Secret holds text that must never be printed: a token, a password, a key.
// The zero value is the empty secret. A Secret is immutable and safe for concurrent use.
//
// The text sits behind a pointer that is not exported: package fmt follows no pointer inside a struct, so no verb prints
// it, and this package needs no import of fmt, which the front must not pay for.
type Secret struct{ text *string }

// NewSecret wraps s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal gives the text. Call it only where the text leaves for its destination.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == nil }

// Equal compares in time that does not depend on where the texts differ.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String is what every print of a Secret shows: a fixed word, or nothing when it is empty.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// GoString keeps %#v from following the pointer.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps encoding/json and log/slog from showing more than String does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
