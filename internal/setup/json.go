package setup

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// member is one member of a JSON object, by byte offsets.
type member struct {
	key                  string
	start                int // of the key
	valueStart, valueEnd int
}

// object is one JSON object whose braces stand at open and close.
type object struct {
	open, close int
	members     []member
}

func (o object) find(key string) (m member, times int) {
	for _, candidate := range o.members {
		if candidate.key == key {
			m = candidate
			times++
		}
	}
	return m, times
}

// parseObject reads the object that begins at the first brace from at on; data must be valid JSON there.
func parseObject(data []byte, at int) (o object, ok bool) {
	at = skipSpace(data, at)
	if at >= len(data) || data[at] != '{' {
		return o, false
	}
	o.open = at
	for at = skipSpace(data, at+1); data[at] != '}'; at = skipSpace(data, at) {
		if data[at] == ',' {
			at++
			continue
		}
		m := member{start: at}
		end := skipValue(data, at)
		if json.Unmarshal(data[at:end], &m.key) != nil {
			return o, false
		}
		m.valueStart = skipSpace(data, skipSpace(data, end)+1) // behind the colon
		m.valueEnd = skipValue(data, m.valueStart)
		o.members = append(o.members, m)
		at = m.valueEnd
	}
	o.close = at
	return o, true
}

func skipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r') {
		at++
	}
	return at
}

// skipValue gives the end of the value that begins at at.
func skipValue(data []byte, at int) int {
	depth := 0
	for {
		switch data[at] {
		case '"':
			for at++; data[at] != '"'; at++ {
				if data[at] == '\\' {
					at++
				}
			}
			at++
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		case ',', ':', ' ', '\t', '\n', '\r':
			at++
		default:
			for at < len(data) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(data[at])) {
				at++
			}
		}
		if depth == 0 {
			return at
		}
	}
}

// insertMember puts a member behind the last one of o, set as that is. value is JSON; space goes before the member, and indent
// behind it where it is the only one.
func insertMember(data []byte, o object, key, value, space, indent string) []byte {
	text := strconv.Quote(key) + ":"
	if space != "" {
		text += " "
	}
	text += value
	if n := len(o.members); n > 0 {
		return splice(data, o.members[n-1].valueEnd, o.members[n-1].valueEnd, ","+space+text)
	}
	return splice(data, o.open+1, o.close, space+text+indent)
}

// removeMember takes the i-th member out, and the comma that goes with it.
func removeMember(data []byte, o object, i int) []byte {
	switch {
	case len(o.members) == 1:
		return splice(data, o.open+1, o.close, "")
	case i == 0:
		return splice(data, o.members[0].start, o.members[1].start, "")
	default:
		return splice(data, o.members[i-1].valueEnd, o.members[i].valueEnd, "")
	}
}

// spaceBefore is the white space before an object's members, and the one before its closing brace.
func (o object) spaceBefore(data []byte) (members, closing string) {
	if len(o.members) == 0 {
		return "", ""
	}
	members = string(data[o.open+1 : o.members[0].start])
	return members, string(data[o.members[len(o.members)-1].valueEnd:o.close])
}
