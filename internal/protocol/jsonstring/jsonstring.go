// Package jsonstring writes JSON strings without encoding/json, whose start-up cost the front does not pay.
//
// It guarantees the very bytes that encoding/json writes with HTML escaping off (RFC 8259 §7): any input gives a valid
// JSON string in UTF-8. It never writes anything else of JSON.
package jsonstring

import "unicode/utf8"

const hex = "0123456789abcdef"

// Append appends s as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
func Append(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			dst = appendASCII(dst, s[i])
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, `\ufffd`...)
		case r == '\u2028' || r == '\u2029': // line ends in JavaScript, where JSON often ends up
			dst = append(dst, `\u202`...)
			dst = append(dst, hex[r&0xf])
		default:
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return append(dst, '"')
}

func appendASCII(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c < 0x20 {
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
	}
	return append(dst, c)
}
