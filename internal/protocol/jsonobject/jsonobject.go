// Package jsonobject reads JSON objects without encoding/json, whose start-up cost the front does not pay.
//
// It guarantees that what it takes is valid JSON in UTF-8 (RFC 8259), that no name occurs twice in an object, since two
// readers would disagree about it, and that nesting is bounded. It never changes what it read: strings and objects are
// looked at when they are asked for.
package jsonobject

import (
	"errors"
	"unicode/utf8"
)

// maxDepth bounds nesting. No request of a host protocol comes near it.
const maxDepth = 32

// The reasons for which a text is refused.
var (
	errForm  = errors.New("it is not a JSON object")
	errTwice = errors.New("a name is given twice")
	errDeep  = errors.New("it is nested too deeply")
	errUTF8  = errors.New("it is not UTF-8")
)

// Object has the members of an object in their order.
type Object []Member

// Member is one name and its value.
type Member struct {
	Name  string
	Value Value
}

// Value is a JSON value as it was written.
type Value string

// Parse reads one object, and nothing behind it but white space.
func Parse(text []byte) (Object, error) {
	if !utf8.Valid(text) {
		return nil, errUTF8
	}
	r := reader{text: string(text)}
	r.space()
	o := r.object(0)
	r.space()
	switch {
	case r.err != nil:
		return nil, r.err
	case r.at != len(r.text):
		return nil, errForm
	}
	return o, nil
}

// Get gives the value of a name; "" where there is none.
func (o Object) Get(name string) Value {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return ""
}

// String gives a string's content. ok is false for whatever is no string.
func (v Value) String() (s string, ok bool) {
	r := reader{text: string(v)}
	if r.peek() != '"' {
		return "", false
	}
	s = r.str()
	return s, r.err == nil
}

// Object gives an object's members. ok is false for whatever is no object.
func (v Value) Object() (o Object, ok bool) {
	r := reader{text: string(v)}
	if r.peek() != '{' {
		return nil, false
	}
	o = r.object(0)
	return o, r.err == nil
}

// Array gives an array's elements. ok is false for whatever is no array.
func (v Value) Array() (elements []Value, ok bool) {
	r := reader{text: string(v)}
	if r.peek() != '[' {
		return nil, false
	}
	r.array(0, func(e Value) { elements = append(elements, e) })
	return elements, r.err == nil
}

// reader walks over a text. After an error it stands at the end.
type reader struct {
	text string
	at   int
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.text)
}

// peek is the next byte; 0 at the end, which no JSON has outside of strings.
func (r *reader) peek() byte {
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) take(c byte) bool {
	if r.peek() != c || c == 0 {
		return false
	}
	r.at++
	return true
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) object(depth int) Object {
	if !r.take('{') {
		r.fail(errForm)
		return nil
	}
	o := Object{}
	r.list('}', func() {
		name := r.str()
		r.space()
		if !r.take(':') {
			r.fail(errForm)
			return
		}
		r.space()
		value := r.value(depth + 1)
		if o.Get(name) != "" {
			r.fail(errTwice)
		}
		o = append(o, Member{name, value})
	})
	return o
}

func (r *reader) array(depth int, each func(Value)) {
	if !r.take('[') {
		r.fail(errForm)
		return
	}
	r.list(']', func() { each(r.value(depth + 1)) })
}

// list reads elements that commas separate, up to the closing byte; the opening one is read.
func (r *reader) list(closing byte, element func()) {
	r.space()
	if r.take(closing) {
		return
	}
	for {
		r.space()
		element()
		r.space()
		if r.take(closing) {
			return
		}
		if !r.take(',') {
			r.fail(errForm)
			return
		}
	}
}

func (r *reader) value(depth int) Value {
	if depth > maxDepth {
		r.fail(errDeep)
		return ""
	}
	start := r.at
	switch c := r.peek(); {
	case c == '{':
		r.object(depth)
	case c == '[':
		r.array(depth, func(Value) {})
	case c == '"':
		r.str()
	case c == '-' || c >= '0' && c <= '9':
		r.number()
	default:
		r.word()
	}
	return Value(r.text[start:r.at])
}

func (r *reader) word() {
	for _, w := range []string{"true", "false", "null"} {
		if len(r.text)-r.at >= len(w) && r.text[r.at:r.at+len(w)] == w {
			r.at += len(w)
			return
		}
	}
	r.fail(errForm)
}

func (r *reader) digits() {
	if c := r.peek(); c < '0' || c > '9' {
		r.fail(errForm)
		return
	}
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.at++
	}
}

func (r *reader) number() {
	r.take('-')
	if !r.take('0') {
		r.digits()
	}
	if r.take('.') {
		r.digits()
	}
	if r.take('e') || r.take('E') {
		if !r.take('+') {
			r.take('-')
		}
		r.digits()
	}
}

// str reads a string and gives its content. Half of a surrogate pair becomes U+FFFD, as encoding/json has it.
func (r *reader) str() string {
	if !r.take('"') {
		r.fail(errForm)
		return ""
	}
	start := r.at
	for r.at < len(r.text) && r.text[r.at] != '"' && r.text[r.at] != '\\' && r.text[r.at] >= ' ' {
		r.at++
	}
	if r.take('"') {
		return r.text[start : r.at-1]
	}
	out := []byte(r.text[start:r.at])
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(out)
		case c < ' ':
			r.fail(errForm)
		case c == '\\':
			out = r.escape(out)
		default:
			out = append(out, c)
		}
	}
	r.fail(errForm)
	return ""
}

func (r *reader) escape(out []byte) []byte {
	c := r.peek()
	r.at = min(r.at+1, len(r.text))
	switch c {
	case '"', '\\', '/':
		return append(out, c)
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'u':
		return utf8.AppendRune(out, r.unicode())
	}
	r.fail(errForm)
	return out
}

// unicode reads what follows \u, and the second half of a pair.
func (r *reader) unicode() rune {
	first := r.hex()
	if first < 0xd800 || first > 0xdfff {
		return first
	}
	if back := r.at; first < 0xdc00 && r.take('\\') && r.take('u') {
		if second := r.hex(); second >= 0xdc00 && second <= 0xdfff {
			return (first-0xd800)<<10 + second - 0xdc00 + 0x10000
		}
		if r.err == nil {
			r.at = back
		}
	} else if r.err == nil {
		r.at = back
	}
	return utf8.RuneError
}

func (r *reader) hex() (n rune) {
	for range 4 {
		c := r.peek()
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 + rune(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 + rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			n = n<<4 + rune(c-'A') + 10
		default:
			r.fail(errForm)
			return 0
		}
		r.at++
	}
	return n
}
