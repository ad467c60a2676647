package setup

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// gitFormat is a git configuration file (gitcredentials(7), git-config(1)). The helper goes into a section for its URL, beside
// whatever helpers there are: nothing is reset.
func gitFormat() format {
	return format{add: addGit, remove: removeGit, show: func(w Want) []string {
		return append([]string{gitHeader(w)}, gitLines(w)...)
	}}
}

func gitHeader(w Want) string { return `[credential "` + w.Host.url() + `"]` }

// gitLines are the section's keys.
func gitLines(w Want) []string {
	lines := []string{"\thelper = " + gitValue(gitHelper(w.Program))}
	if w.wantsPath() {
		lines = append(lines, gitPath)
	}
	return lines
}

const gitPath = "\tuseHttpPath = true"

// wantsPath reports whether git must not keep the path to itself, as it does without useHttpPath: a binding with a path would
// never match, and a password of CodeCommit is for one repository.
func (w Want) wantsPath() bool { return w.Host.Path != "" || w.Host.Kind == "codecommit" }

// gitHelper is what git runs: an absolute path with the operation behind it goes to sh as it stands, so that one which is not a
// plain word is a command of its own ("!").
func gitHelper(program string) string {
	program = filepath.ToSlash(program)
	if word := profiles.ShellWord(program); word != program {
		return "!" + word
	}
	return program
}

func gitValue(s string) string {
	if profiles.ShellWord(s) == s {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func oursInGit(value string) bool {
	return strings.Contains(value, "git-credential-cognito") || strings.Contains(value, "cognito-credhelper")
}

// gitKey is one key of a git configuration file.
type gitKey struct {
	section, name, value string // name is lower case; section as written between the brackets, its first word in lower case
	start, end           int    // of its lines; start is inside the header's line where the key stands on it
	inHeader             bool
}

// gitSection is one header.
type gitSection struct {
	name       string // as gitKey.section
	start, end int    // of the header's line
	last       int    // the end of the last key's lines, or of the header's
	bare       bool   // no key and no comment stands in it
}

// parseGit reads the keys in their order. ok is false for what git would refuse.
func parseGit(data []byte) (sections []gitSection, keys []gitKey, ok bool) {
	p := gitParser{data: data}
	if strings.HasPrefix(string(data), "\ufeff") {
		p.at = len("\ufeff")
	}
	for p.at < len(data) {
		if !p.line() {
			return nil, nil, false
		}
	}
	return p.sections, p.keys, true
}

type gitParser struct {
	data     []byte
	at       int
	sections []gitSection
	keys     []gitKey
}

func (p *gitParser) line() bool {
	start := p.at
	p.blanks()
	inHeader := false
	if p.peek() == '[' {
		name, ok := p.header()
		if !ok {
			return false
		}
		p.sections = append(p.sections, gitSection{name: name, start: start, bare: true})
		p.blanks()
		inHeader = true
	}
	from := p.at
	switch p.peek() {
	case '\n', 0:
		if p.at < len(p.data) && p.data[p.at] == 0 {
			return false
		}
		p.skipLine()
	case '#', ';':
		p.touched()
		p.skipLine()
	default:
		if !p.key(start, from, inHeader) {
			return false
		}
	}
	if n := len(p.sections); n > 0 && inHeader {
		p.sections[n-1].end, p.sections[n-1].last = p.at, p.at
	}
	return true
}

func (p *gitParser) touched() {
	if n := len(p.sections); n > 0 {
		p.sections[n-1].bare = false
	}
}

func (p *gitParser) peek() byte {
	if p.at >= len(p.data) {
		return 0
	}
	if p.data[p.at] == '\r' && p.at+1 < len(p.data) && p.data[p.at+1] == '\n' {
		return '\n'
	}
	return p.data[p.at]
}

func (p *gitParser) blanks() {
	for c := p.peek(); c == ' ' || c == '\t'; c = p.peek() {
		p.at++
	}
}

func (p *gitParser) skipLine() {
	for p.at < len(p.data) {
		p.at++
		if p.data[p.at-1] == '\n' {
			return
		}
	}
}

// header reads [section] or [section "subsection"], whose subsection keeps its case.
func (p *gitParser) header() (string, bool) {
	p.at++
	from := p.at
	for c := p.peek(); c != ']' && c != ' ' && c != '\t'; c = p.peek() {
		if c == '\n' || c == 0 || c == '"' || c == '[' {
			return "", false
		}
		p.at++
	}
	name := strings.ToLower(string(p.data[from:p.at]))
	if p.peek() == ']' {
		p.at++
		return name, name != ""
	}
	p.blanks()
	if p.peek() != '"' {
		return "", false
	}
	p.at++
	sub := ""
	for c := p.peek(); c != '"'; c = p.peek() {
		if c == '\\' {
			p.at++
			c = p.peek()
		}
		if c == '\n' || c == 0 {
			return "", false
		}
		sub += string(rune(c))
		p.at++
	}
	p.at++
	if p.peek() != ']' {
		return "", false
	}
	p.at++
	return name + " " + sub, name != ""
}

// key reads name [= value], over continued lines.
func (p *gitParser) key(start, from int, inHeader bool) bool {
	for c := p.peek(); c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'; c = p.peek() {
		p.at++
	}
	if p.at == from || len(p.sections) == 0 {
		return false
	}
	k := gitKey{section: p.sections[len(p.sections)-1].name, name: strings.ToLower(string(p.data[from:p.at])), start: start, inHeader: inHeader}
	p.blanks()
	switch p.peek() {
	case '=':
		p.at++
		value, ok := p.value()
		if !ok {
			return false
		}
		k.value = value
	case '\n', 0, '#', ';':
		p.skipLine()
	default:
		return false
	}
	k.end = p.at
	p.touched()
	p.sections[len(p.sections)-1].last = p.at
	p.keys = append(p.keys, k)
	return true
}

func (p *gitParser) value() (string, bool) {
	p.blanks()
	var out []byte
	quoted, keep := false, 0
	for {
		c := p.peek()
		switch {
		case c == 0 && p.at < len(p.data):
			return "", false
		case c == 0 || c == '\n':
			if quoted {
				return "", false
			}
			p.skipLine()
			return string(out[:keep]), true
		case !quoted && (c == '#' || c == ';'):
			p.skipLine()
			return string(out[:keep]), true
		case c == '"':
			quoted = !quoted
			p.at++
			keep = len(out)
			continue
		case c == '\\':
			p.at++
			switch p.peek() {
			case '\n':
				p.skipLine()
				continue
			case 'n':
				out = append(out, '\n')
			case 't':
				out = append(out, '\t')
			case 'b':
				out = append(out, '\b')
			case '"', '\\':
				out = append(out, p.data[p.at])
			default:
				return "", false
			}
			p.at++
			keep = len(out)
			continue
		}
		out = append(out, c)
		p.at++
		if quoted || c != ' ' && c != '\t' {
			keep = len(out)
		}
	}
}

const notGit = "git itself would not read the file"

func addGit(data []byte, w Want) ([]byte, *refusal) {
	sections, keys, ok := parseGit(data)
	if !ok {
		return nil, &refusal{problem: notGit}
	}
	at, helpers := gitOf(sections, keys, w)
	var out []byte
	switch mine := slices.IndexFunc(helpers, func(k gitKey) bool { return oursInGit(k.value) }); {
	case mine >= 0 && helpers[mine].value == gitHelper(w.Program) && (!w.wantsPath() || sendsPath(keys, w)):
		return data, nil
	case mine >= 0 && helpers[mine].value == gitHelper(w.Program) && !helpers[mine].inHeader:
		out = insertGitPath(data, at, w)
	case mine >= 0 && !helpers[mine].inHeader:
		out = splice(data, helpers[mine].start, helpers[mine].end, gitLines(w)[0]+lineEnding(data))
	case mine >= 0:
		return nil, &refusal{problem: "a key stands on the line of its section's header", line: lineNumber(data, helpers[mine].start)}
	default:
		var bad *refusal
		if out, bad = insertGit(data, at, helpers, w); bad != nil {
			return nil, bad
		}
	}
	return out, checkGit(keys, out, w)
}

// sendsPath reports whether git sends the path already: of several values it takes the last.
func sendsPath(keys []gitKey, w Want) (sends bool) {
	for _, k := range keys {
		if gitPlace(k.section, w) && k.name == "usehttppath" {
			sends = k.value == "true"
		}
	}
	return sends
}

// insertGitPath has git send the path, behind whatever says otherwise.
func insertGitPath(data []byte, at *gitSection, w Want) []byte {
	if at == nil { // the helper's section spells the place in another way
		return insertLines(data, len(data), gitHeader(w), gitPath)
	}
	return insertLines(data, at.last, gitPath)
}

// gitOf finds the last section of the place, and the helpers of all its sections that are not reset.
func gitOf(sections []gitSection, keys []gitKey, w Want) (at *gitSection, helpers []gitKey) {
	for i, s := range sections {
		if s.name == "credential "+w.Host.url() {
			at = &sections[i]
		}
	}
	for _, k := range keys {
		switch {
		case k.name != "helper" || !gitPlace(k.section, w):
		case k.value == "":
			helpers = nil
		default:
			helpers = append(helpers, k)
		}
	}
	return at, helpers
}

// gitPlace reports whether a section is for the place, however its URL is spelled.
func gitPlace(section string, w Want) bool {
	url, ok := strings.CutPrefix(section, "credential ")
	return ok && (url == w.Host.url() || w.Host.samePlace(url))
}

func insertGit(data []byte, at *gitSection, helpers []gitKey, w Want) ([]byte, *refusal) {
	switch {
	case len(helpers) > 0 && helpers[0].inHeader:
		return nil, &refusal{problem: "a helper stands on the line of its section's header", line: lineNumber(data, helpers[0].start)}
	case len(helpers) > 0 && !w.Force:
		return nil, &refusal{problem: "git asks another helper for " + w.Host.Place() + " already", line: lineNumber(data, helpers[0].start), foreign: true}
	case len(helpers) > 0:
		return insertLines(data, helpers[0].start, gitLines(w)...), nil // theirs stays, and is asked after ours
	case at != nil:
		return insertLines(data, at.last, gitLines(w)...), nil
	}
	return insertLines(data, len(data), append([]string{gitHeader(w)}, gitLines(w)...)...), nil
}

// checkGit reads back: nothing but our keys may differ.
func checkGit(before []gitKey, out []byte, w Want) *refusal {
	_, after, ok := parseGit(out)
	if !ok || !slices.Equal(othersInGit(before, w), othersInGit(after, w)) || !slices.ContainsFunc(after, func(k gitKey) bool {
		return k.name == "helper" && k.value == gitHelper(w.Program)
	}) {
		return &refusal{problem: "the change would alter what other lines of the file mean"}
	}
	return nil
}

func othersInGit(keys []gitKey, w Want) []gitKey {
	var others []gitKey
	for _, k := range keys {
		if !ourGitKey(k, w) {
			others = append(others, gitKey{section: k.section, name: k.name, value: k.value})
		}
	}
	return others
}

func ourGitKey(k gitKey, w Want) bool {
	if !gitPlace(k.section, w) {
		return false
	}
	return k.name == "helper" && oursInGit(k.value) || w.wantsPath() && k.name == "usehttppath" && k.value == "true"
}

func removeGit(data []byte, w Want) ([]byte, *refusal) {
	_, keys, ok := parseGit(data)
	if !ok {
		return nil, &refusal{problem: notGit}
	}
	out := data
	for _, k := range slices.Backward(keys) {
		if ourGitKey(k, w) && !k.inHeader && slices.ContainsFunc(keys, func(h gitKey) bool { return gitPlace(h.section, w) && h.name == "helper" && oursInGit(h.value) }) {
			out = splice(out, k.start, k.end, "")
		}
	}
	if len(out) == len(data) {
		return data, nil
	}
	sections, _, ok := parseGit(out)
	if !ok {
		return nil, &refusal{problem: notGit}
	}
	for _, s := range slices.Backward(sections) {
		if s.bare && gitPlace(s.name, w) {
			out = splice(out, s.start, s.end, "")
		}
	}
	return out, nil
}
