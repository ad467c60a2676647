package profiles

const redacted = "[redacted]"

// Secret is text from a profile that must never be printed, such as a client secret. The zero value is empty.
// The text sits behind an unexported pointer, which package fmt does not follow.
type Secret struct{ text *string }

// NewSecret wraps s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal gives the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == nil }

// String is what every print of a Secret shows.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// GoString keeps %#v from following the pointer.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps encoding/json from showing more than String does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
