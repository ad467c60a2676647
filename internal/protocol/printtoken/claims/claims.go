// Package claims shows what a JSON web token says. Only the complete program links it: it needs encoding/json.
//
// It guarantees that its output is JSON, fit for a terminal, and holds nothing of header or signature. It never checks a
// signature: what it shows is for people, not for decisions.
package claims

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Print gives the payload of t (RFC 7519 §3), indented, members in the token's own order, with a newline at the end.
func Print(t token.Token) ([]byte, error) {
	parts := strings.SplitN(t.Value.Reveal(), ".", 4)
	if len(parts) != 3 {
		return nil, unreadable("it has no three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, unreadable("its payload is not base64url")
	}
	if payload = bytes.TrimSpace(payload); len(payload) == 0 || payload[0] != '{' {
		return nil, unreadable("its payload is no JSON object")
	}
	var indented bytes.Buffer
	// The error is not passed on: it could quote the payload.
	if json.Indent(&indented, payload, "", "  ") != nil {
		return nil, unreadable("its payload is no JSON object")
	}
	return append(escape(indented.Bytes()), '\n'), nil
}

func unreadable(why string) error {
	return &token.Error{Kind: token.Failure, Message: "the token cannot be shown: " + why}
}

// escape writes what a terminal should not get (C1 controls, direction and format characters, bytes that are not UTF-8) as
// \u sequences. In valid JSON such characters stand only inside strings, so the result means the same.
func escape(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == '\n' || unicode.IsPrint(r) && (r != utf8.RuneError || size > 1):
			out = append(out, b[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[size:]
	}
	return out
}
