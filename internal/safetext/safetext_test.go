package safetext

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                 "plain",
		"umlaut ä, 日本":          "umlaut ä, 日本",
		"a\x1b]52;c;x\x07b":     "a?]52;c;x?b",
		"two\nlines\tand\rmore": "two lines and more",
		"bidi \u202eevil":       "bidi ?evil",
		"zero\u200bwidth":       "zero?width",
		"c1 \u009b31m":          "c1 ?31m",
		"broken \xff utf-8":     "broken ? utf-8",
		"nul \x00":              "nul ?",
	} {
		if got := Line(in, 100); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Line(strings.Repeat("x", 2<<20), 5); got != "xxxxx..." {
		t.Errorf("a long text is cut to %q", got)
	}
}

// Property: the output has no control byte, nothing invisible or direction-changing, and at most limit runes and the dots.
func FuzzLine(f *testing.F) {
	f.Add("a\x1b[0m\u202e", 10)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 || limit > 1000 {
			return
		}
		out := Line(s, limit)
		if n := utf8.RuneCountInString(out); n > limit+3 {
			t.Errorf("%d runes for a limit of %d", n, limit)
		}
		for _, r := range out {
			if r < 0x20 || r >= 0x7f && r <= 0x9f || unicode.Is(unicode.Cf, r) || r == utf8.RuneError && !strings.ContainsRune(s, utf8.RuneError) {
				t.Errorf("%U in the output", r)
			}
		}
	})
}
