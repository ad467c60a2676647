// Package safetext makes text from servers, files, and hosts fit for a terminal: no control sequence, no invisible or
// direction-changing character, no unbounded length.
//
// It guarantees that its output has no byte below 0x20, no 0x7f to 0x9f, and nothing of Unicode's format characters. It
// never decides whether text may be shown at all.
package safetext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one printable line of at most limit runes. What was taken out shows as '?', so that a reader sees
// that something was there; a cut shows as "...".
func Line(s string, limit int) string {
	var b strings.Builder
	n := 0
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		if n == limit {
			b.WriteString("...")
			break
		}
		n++
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case r == utf8.RuneError && size == 1, !unicode.IsPrint(r):
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
