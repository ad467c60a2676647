package plugin

const redacted = "[redacted]"

// Secret holds text that must never be printed: a token, a password, a key. The zero value is the empty secret. A Secret is
// immutable and safe for concurrent use.
type Secret struct{ text *string } // package fmt follows no pointer inside a struct, so that no verb prints it

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
