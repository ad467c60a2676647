package inifile

import (
	"bytes"
	"strings"
)

// Section is one [header] of a file and what stands below it, by byte offsets into the file.
type Section struct {
	Name string // between the brackets, trimmed; "" for a header that has no name or no end, and for what precedes the first header
	Line int    // 1 is the first; 0 for what precedes the first header
	// Start and HeaderEnd enclose the header's line with its line ending; End is where the next section begins.
	Start, HeaderEnd, End int
	Keys                  []Key
	Bad                   []int // lines that are neither a key, a comment, nor empty
}

// Key is one "key = value" with the indented lines that belong to it.
type Key struct {
	Name string // lower case: the AWS tools read keys without regard to case
	Line int
	// Start and End enclose the key's line and its indented block, line endings included. ValueStart and ValueEnd
	// enclose the trimmed value on the key's own line, without an inline comment.
	Start, End, ValueStart, ValueEnd int
	Block                            []Line // indented lines, without comments and empty ones
}

// Line is one trimmed line of an indented block.
type Line struct {
	Line       int
	Start, End int
}

// Outline says where every section and key of an ini file stands. It reads lines as the AWS CLI does: a line that is
// indented deeper than the key before it belongs to that key; ini.v1's own rule (any indentation, after an empty value
// only) would make one block swallow the next key. It never fails; odd lines are listed as Bad.
func Outline(data []byte) []Section {
	return scan(data, func(string) bool { return true })
}

const byteOrderMark = "\xef\xbb\xbf"

// scan outlines the sections that are wanted, and only passes over the others, so that one profile of 500 costs little
// more than one of one. What precedes the first header is asked for as "".
func scan(data []byte, want func(name string) bool) []Section {
	s := scanner{data: data, want: want}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		s.at = len(byteOrderMark)
	}
	s.begin(Section{Start: s.at, HeaderEnd: s.at})
	for s.at < len(data) {
		s.line++
		end := len(data)
		if i := bytes.IndexByte(data[s.at:], '\n'); i >= 0 {
			end = s.at + i + 1
		}
		s.take(s.at, end)
		s.at = end
	}
	s.close(len(data))
	return s.found
}

type scanner struct {
	data     []byte
	want     func(string) bool
	at, line int
	found    []Section
	current  Section
	wanted   bool
	hasKey   bool // a key, or a bad line, came in this section
	indent   int  // of it
	bad      bool // it was a bad line; what is indented below belongs to nothing
}

func (s *scanner) begin(next Section) {
	s.current, s.wanted, s.hasKey = next, s.want(next.Name), false
}

func (s *scanner) close(end int) {
	if s.wanted && (s.current.Line > 0 || len(s.current.Keys)+len(s.current.Bad) > 0) {
		s.current.End = end
		s.found = append(s.found, s.current)
	}
}

// take reads the line in data[start:end].
func (s *scanner) take(start, end int) {
	from := start
	for from < end && space(s.data[from]) {
		from++
	}
	if from == end || s.data[from] == '#' || s.data[from] == ';' {
		return
	}
	indent := from - start
	switch {
	case s.hasKey && indent > s.indent:
		if s.wanted && !s.bad {
			s.continued(from, end)
		}
	case s.data[from] == '[':
		s.close(start)
		s.begin(Section{Name: headerName(bytes.TrimSpace(s.data[from:end])), Line: s.line, Start: start, HeaderEnd: end})
	default:
		s.hasKey, s.indent, s.bad = true, indent, false
		if s.wanted {
			s.key(start, from, end)
		}
	}
}

func (s *scanner) continued(from, end int) {
	_, to := trim(s.data, from, end)
	k := &s.current.Keys[len(s.current.Keys)-1]
	k.Block = append(k.Block, Line{Line: s.line, Start: from, End: to})
	k.End = end
}

func (s *scanner) key(start, from, end int) {
	_, to := trim(s.data, from, end)
	i := bytes.IndexByte(s.data[from:to], '=')
	_, nameEnd := trim(s.data, from, from+max(i, 0))
	if i < 0 || nameEnd == from {
		s.current.Bad = append(s.current.Bad, s.line)
		s.bad = true
		return
	}
	k := Key{Name: strings.ToLower(string(s.data[from:nameEnd])), Line: s.line, Start: start, End: end}
	k.ValueStart, k.ValueEnd = trim(s.data, from+i+1, to)
	k.ValueEnd = k.ValueStart + len(cutComment(s.data[k.ValueStart:k.ValueEnd]))
	s.current.Keys = append(s.current.Keys, k)
}

// headerName is what stands between the brackets, or "" where the line is no header.
func headerName(line []byte) string {
	end := bytes.IndexByte(line, ']')
	if end < 0 {
		return ""
	}
	if rest := bytes.TrimSpace(line[end+1:]); len(rest) > 0 && rest[0] != '#' && rest[0] != ';' {
		return ""
	}
	return string(bytes.TrimSpace(line[1:end]))
}

// cutComment takes an inline comment off, by ini.v1's rule: the first " #", and only without one the first " ;".
func cutComment(value []byte) []byte {
	i := bytes.Index(value, []byte(" #"))
	if i < 0 {
		i = bytes.Index(value, []byte(" ;"))
	}
	if i < 0 {
		return value
	}
	return bytes.TrimRight(value[:i], " \t")
}

// trim narrows start and end to exclude white space.
func trim(data []byte, start, end int) (int, int) {
	for start < end && space(data[start]) {
		start++
	}
	for end > start && space(data[end-1]) {
		end--
	}
	return start, end
}

func space(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
