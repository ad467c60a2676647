package setup

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// plan is one write, ready to be done.
type plan struct {
	change   Change
	stamp    profiles.FileStamp // of the file as it was read
	old, new []byte
}

func (p plan) differs() bool { return !bytes.Equal(p.old, p.new) }

func prepare(file, section string, keys []KeyValue) (plan, error) {
	target, err := resolve(file)
	if err != nil {
		return plan{}, err
	}
	data, stamp, err := inifile.ReadFile(target)
	if err != nil {
		return plan{}, err
	}
	edited, change, bad := edit(data, section, keys)
	if bad != nil {
		return plan{}, &profiles.FileError{File: file, Problem: bad.problem, Line: bad.line, Next: "edit " + profiles.ShellWord(file)}
	}
	change.File, change.NewFile = target, stamp.Absent
	return plan{change: change, stamp: stamp, old: data, new: edited}, nil
}

// refusal says why a file is left as it is.
type refusal struct {
	problem string
	line    int
	foreign bool // what stands there is somebody else's, and may be replaced by force
}

// edit is the whole of the work without the disk. What it returns has been read back: every other section and key means
// what it meant before, and ours have the values that were asked for.
func edit(data []byte, section string, keys []KeyValue) ([]byte, Change, *refusal) {
	e := editor{data: data, eol: lineEnding(data)}
	change := Change{Section: section}
	at, err := e.find(section)
	if err != nil {
		return nil, change, err
	}
	if at == nil {
		change.NewSection = true
		change.Keys = e.appendSection(section, keys)
	} else {
		if err := e.replaceable(*at, keys); err != nil {
			return nil, change, err
		}
		change.Section = at.Name
		change.Keys = e.set(*at, keys)
	}
	edited := e.result()
	if err := verify(data, edited, change.Section, keys); err != nil {
		return nil, Change{}, err
	}
	return edited, change, nil
}

// editor collects replacements of byte ranges.
type editor struct {
	data  []byte
	eol   string
	edits []replacement
}

type replacement struct {
	start, end int
	text       string
}

func (e *editor) replace(start, end int, text string) {
	e.edits = append(e.edits, replacement{start, end, text})
}

func (e *editor) result() []byte {
	slices.SortStableFunc(e.edits, func(a, b replacement) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, r := range e.edits {
		out = append(append(out, e.data[at:r.start]...), r.text...)
		at = r.end
	}
	return append(out, e.data[at:]...)
}

// find returns the one section that is meant, or nil.
func (e *editor) find(section string) (*inifile.Section, *refusal) {
	var found *inifile.Section
	for _, s := range inifile.Outline(e.data) {
		if s.Name == "" || !inifile.SameSection(s.Name, section) {
			continue
		}
		if found != nil {
			return nil, &refusal{problem: "[" + s.Name + "] stands here and on line " + strconv.Itoa(found.Line) + ", so that it is not clear which one to change", line: s.Line}
		}
		found = &s
	}
	return found, nil
}

// replaceable refuses to replace indented lines that a person may not take for a part of the key above them.
func (e *editor) replaceable(s inifile.Section, keys []KeyValue) *refusal {
	for _, kv := range keys {
		k, _ := last(s.Keys, kv.Key)
		for _, line := range k.Block {
			text := e.data[line.Start:line.End]
			if len(kv.Block) == 0 || text[0] == '[' && !bytes.ContainsRune(text, '=') {
				return &refusal{problem: "the line is indented below " + kv.Key + " and would go with its old value", line: line.Line}
			}
		}
	}
	return nil
}

// set changes the keys that the section has, the last of each name, and adds the others below its last key.
func (e *editor) set(s inifile.Section, keys []KeyValue) []KeyChange {
	var changes []KeyChange
	end, indent := s.HeaderEnd, e.indentAt(s.Start)
	if n := len(s.Keys); n > 0 {
		end, indent = s.Keys[n-1].End, e.indentAt(s.Keys[n-1].Start)
	}
	added := ""
	for _, kv := range keys {
		old, found := last(s.Keys, kv.Key)
		if !found {
			added += e.lines(indent, kv)
			changes = append(changes, KeyChange{Key: kv.Key, Added: true, New: display(kv.Key, kv.text())})
			continue
		}
		if before := textOf(e.data, old); before != kv.text() {
			e.change(old, kv)
			changes = append(changes, KeyChange{Key: kv.Key, Old: display(kv.Key, before), New: display(kv.Key, kv.text())})
		}
	}
	if added != "" {
		e.replace(end, end, e.newLine(end)+added)
	}
	return changes
}

// change replaces the value on the key's line, and the block below it.
func (e *editor) change(k inifile.Key, kv KeyValue) {
	value := kv.Value
	if value != "" && e.data[k.ValueStart-1] == '=' && k.ValueStart == k.ValueEnd {
		value = " " + value
	}
	e.replace(k.ValueStart, k.ValueEnd, value)
	lineEnd := k.End
	if i := bytes.IndexByte(e.data[k.ValueEnd:k.End], '\n'); i >= 0 {
		lineEnd = k.ValueEnd + i + 1
	}
	if len(kv.Block) > 0 {
		e.replace(lineEnd, k.End, e.newLine(lineEnd)+e.block(e.indentAt(k.Start), kv.Block))
	}
}

func (e *editor) appendSection(section string, keys []KeyValue) []KeyChange {
	end := len(e.data)
	text := e.newLine(end)
	if len(bytes.TrimSpace(bytes.TrimPrefix(e.data, []byte("\ufeff")))) > 0 && !bytes.HasSuffix(e.data, []byte("\n\n")) && !bytes.HasSuffix(e.data, []byte("\n\r\n")) {
		text += e.eol
	}
	text += "[" + section + "]" + e.eol
	var changes []KeyChange
	for _, kv := range keys {
		text += e.lines("", kv)
		changes = append(changes, KeyChange{Key: kv.Key, Added: true, New: display(kv.Key, kv.text())})
	}
	e.replace(end, end, text)
	return changes
}

// lines writes a key as new lines.
func (e *editor) lines(indent string, kv KeyValue) string {
	if len(kv.Block) > 0 {
		return indent + kv.Key + " =" + e.eol + e.block(indent, kv.Block)
	}
	return indent + kv.Key + " = " + kv.Value + e.eol
}

func (e *editor) block(indent string, lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(indent + "    " + line + e.eol)
	}
	return b.String()
}

// newLine is a line ending where the byte before at does not end a line.
func (e *editor) newLine(at int) string {
	if before := bytes.TrimPrefix(e.data[:at], []byte("\ufeff")); len(before) == 0 || before[len(before)-1] == '\n' {
		return ""
	}
	return e.eol
}

// indentAt is the white space at the beginning of a line. New keys take that of their neighbours: with less, a header
// that is indented below them would become a part of their value.
func (e *editor) indentAt(start int) string {
	end := start
	for end < len(e.data) && (e.data[end] == ' ' || e.data[end] == '\t') {
		end++
	}
	return string(e.data[start:end])
}

// lineEnding is that of the file's first line.
func lineEnding(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

func last(keys []inifile.Key, name string) (inifile.Key, bool) {
	for _, k := range slices.Backward(keys) {
		if k.Name == name {
			return k, true
		}
	}
	return inifile.Key{}, false
}

func (kv KeyValue) text() string {
	if len(kv.Block) > 0 {
		return "\n" + strings.Join(kv.Block, "\n")
	}
	return kv.Value
}

// textOf is what a key of a file says, in the form of KeyValue.text.
func textOf(data []byte, k inifile.Key) string {
	text := string(data[k.ValueStart:k.ValueEnd])
	for _, line := range k.Block {
		text += "\n" + string(data[line.Start:line.End])
	}
	return text
}
