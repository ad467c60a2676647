package keyslot

import "strings"

// Package encoding/hex links fmt, which the front must not pay for.

const digits = "0123456789abcdef"

func hexText(b []byte) string {
	text := make([]byte, 0, 2*len(b))
	for _, c := range b {
		text = append(text, digits[c>>4], digits[c&15])
	}
	return string(text)
}

// parseHex takes digits of either case.
func parseHex(text string) (b []byte, ok bool) {
	if len(text)%2 != 0 {
		return nil, false
	}
	b = make([]byte, 0, len(text)/2)
	for i := 0; i < len(text); i += 2 {
		high, low := digit(text[i]), digit(text[i+1])
		if high < 0 || low < 0 {
			clear(b)
			return nil, false
		}
		b = append(b, byte(high<<4|low))
	}
	return b, true
}

func digit(c byte) int {
	if 'A' <= c && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte(digits, c)
}
