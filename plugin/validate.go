package plugin

import (
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of what a request may have in it. They are far above anything real: a host is as little to be trusted as a command
// line.
const (
	maxName    = 2048     // of names, in bytes
	maxValue   = 64 << 10 // of parameters, answers, and sessions, in bytes
	maxEntries = 256      // of maps
	maxTTL     = 24 * time.Hour
)

// first is the first error that there is.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func invalid(message string) error { return &Error{Code: CodeInvalidRequest, Message: message} }

// plainText wants one line of UTF-8, at most limit bytes long.
func plainText(what, s string, limit int) error {
	switch {
	case len(s) > limit:
		return invalid(what + " is too long")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return invalid(what + " has a character that no name has")
	}
	return nil
}

func absolute(what, path string) error {
	if path != "" && !filepath.IsAbs(path) {
		return invalid(what + " is not an absolute path")
	}
	return plainText(what, path, maxName)
}

func bounded(what, s string) error {
	if len(s) > maxValue {
		return invalid(what + " is too long")
	}
	return nil
}

func life(d time.Duration) error {
	if d < 0 || d > maxTTL {
		return invalid("the least remaining life must be between 0 and 24 hours")
	}
	return nil
}

// entries checks a map of names to values.
func entries[V ~string | Secret](what string, m map[string]V) error {
	if len(m) > maxEntries {
		return invalid(what + " has too many entries")
	}
	for name, value := range m {
		if err := first(plainText("a name in "+what, name, maxName), bounded("a value in "+what, reveal(value))); err != nil {
			return err
		}
	}
	return nil
}

func reveal[V ~string | Secret](v V) string {
	switch v := any(v).(type) {
	case Secret:
		return v.Reveal()
	case string:
		return v
	}
	return ""
}
