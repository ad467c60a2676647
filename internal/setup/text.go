package setup

import (
	"bytes"
	"slices"
	"strings"
)

// textLine is one line of a file: text is without its ending, start and end enclose both.
type textLine struct {
	text       string
	start, end int
}

func textLines(data []byte) []textLine {
	var lines []textLine
	for at := 0; at < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		lines = append(lines, textLine{strings.TrimRight(string(data[at:end]), "\r\n"), at, end})
		at = end
	}
	return lines
}

// splice gives data with what is between start and end replaced.
func splice(data []byte, start, end int, text string) []byte {
	return slices.Concat(data[:start], []byte(text), data[end:])
}

// insertLines puts whole lines before the byte at, which begins a line or ends the file, in the file's own line endings.
func insertLines(data []byte, at int, lines ...string) []byte {
	eol, text := lineEnding(data), ""
	if at > 0 && data[at-1] != '\n' {
		text = eol
	}
	for _, l := range lines {
		text += l + eol
	}
	return splice(data, at, at, text)
}

// lineNumber is that of the byte at; 1 is the first.
func lineNumber(data []byte, at int) int {
	return 1 + bytes.Count(data[:min(at, len(data))], []byte{'\n'})
}

// printable reports whether text fits on one line of any file: no control character.
func printable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) < 0
}
