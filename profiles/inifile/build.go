package inifile

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/ini.v1"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// builder puts one profile together from the sections that mean it.
type builder struct {
	profile profiles.Profile
	entries map[string]entry // by key; a later file replaces what an earlier one said
	config  *source          // the file whose [services x] counts
	drives  bool             // the profile has a cognito_ key, so that its files decide where a password goes
	used    []*source
}

// entry is the value of one key and where it stands.
type entry struct {
	value
	file    string
	section string
	line    int
	lines   []int // of the block
}

// gather reads what each file says of the profile; sections gives those of a file that mean it. The config file comes
// first, so that what the credentials file says wins.
func (b *builder) gather(sources []*source, sections func(i int) []Section) error {
	for i, source := range slices.Backward(sources) {
		if err := b.add(source, sections(i)); err != nil {
			return err
		}
	}
	return nil
}

// add reads what one file says of the profile, in the sections that mean it.
func (b *builder) add(s *source, sections []Section) error {
	if len(sections) == 0 {
		return nil
	}
	sections, err := b.order(s, sections)
	if err != nil {
		return err
	}
	b.used = append(b.used, s)
	// Sources come with the winning one last, and Files says the order of reading.
	b.profile.Files = slices.Insert(b.profile.Files, 0, s.path)
	b.profile.Sections = slices.Insert(b.profile.Sections, 0, sections[len(sections)-1].Name)
	if s.form != credentialsFile {
		b.config = s
	}
	found, err := b.read(s, sections)
	for name, e := range found {
		b.entries[name] = e
	}
	return err
}

// order says which of several sections for one profile counts: the last, and [profile default] before [default]. Two
// forms of one name in the file of --profile-location are an error, because tools differ in which one they take.
func (b *builder) order(s *source, sections []Section) ([]Section, error) {
	if len(sections) == 1 {
		return sections, nil
	}
	first, last := sections[0], sections[len(sections)-1]
	slices.SortStableFunc(sections, func(a, b Section) int {
		switch {
		case a.long() == b.long():
			return 0
		case b.long():
			return -1
		default:
			return 1
		}
	})
	if short, long := sections[0], sections[len(sections)-1]; short.long() != long.long() {
		if s.form == either {
			return nil, &profiles.FileError{File: s.path, Line: long.Line, Problem: "the profile stands here as [" + long.Name + "] and on line " + strconv.Itoa(short.Line) + " as [" + short.Name + "]",
				Next: "keep one of them in " + profiles.ShellWord(s.path)}
		}
		b.warn("%s has [%s] on line %d and [%s] on line %d; the latter counts", s.path, short.Name, short.Line, long.Name, long.Line)
		return sections, nil
	}
	b.warn("%s has [%s] on line %d and again on line %d; for a key in both, the last counts", s.path, first.Name, first.Line, last.Line)
	return sections, nil
}

// read hands the keys that we know to ini.v1, the last of each name.
func (b *builder) read(s *source, sections []Section) (map[string]entry, error) {
	chosen := map[string]placed{}
	seen := map[string]int{}
	for _, section := range sections {
		if len(section.Bad) > 0 {
			return nil, &profiles.FileError{File: s.path, Line: section.Bad[0], Problem: "the line in [" + section.Name + "] is neither a key = value, nor a section, nor a comment", Next: "edit " + profiles.ShellWord(s.path)}
		}
		for _, k := range section.Keys {
			if line, again := seen[k.Name]; again {
				b.warn("%s has %s on line %d and again on line %d; the last counts", s.path, k.Name, line, k.Line)
			}
			seen[k.Name] = k.Line
			ours := strings.HasPrefix(k.Name, prefix)
			b.drives = b.drives || ours
			if _, known := ruleOf(k.Name); known {
				chosen[k.Name] = placed{k, section.Name}
			} else if ours && !slices.Contains(b.profile.UnknownKeys, k.Name) {
				b.profile.UnknownKeys = append(b.profile.UnknownKeys, k.Name)
				b.warn("%s:%d: %s is not a key of this version%s", s.path, k.Line, k.Name, meant(k.Name))
			}
		}
	}
	return s.parse(chosen)
}

// placed is a key and the section that it stands in.
type placed struct {
	Key
	section string
}

// options are the safe ones: no continuation by backslash, no inheritance by dots in names, comments only behind a space,
// quotes kept. ini.v1 replaces %(x)s in Key.String and its kin, with unbounded recursion; only Key.Value is used.
func options() ini.LoadOptions {
	return ini.LoadOptions{
		AllowNestedValues:        true,
		IgnoreContinuation:       true,
		SpaceBeforeInlineComment: true,
		KeyValueDelimiters:       "=",
		ChildSectionDelimiter:    "\x00",
		PreserveSurroundedQuote:  true,
	}
}

// parse gives ini.v1 a small file of the chosen keys only. That keeps the cost of 500 profiles away, and with it
// everything that a hostile line elsewhere in the file could do to the parser.
func (s *source) parse(chosen map[string]placed) (map[string]entry, error) {
	var small bytes.Buffer
	small.WriteString("[profile]\n")
	for _, r := range rules { // in their order, so that the same file always gives the same error
		k, ok := chosen[r.key]
		if !ok {
			continue
		}
		if err := s.write(&small, r, k); err != nil {
			return nil, err
		}
	}
	file, err := ini.LoadSources(options(), small.Bytes())
	if err != nil {
		// The parser's own text quotes the line, which may be a secret.
		return nil, &profiles.FileError{File: s.path, Problem: "the profile's section cannot be parsed", Next: "edit " + profiles.ShellWord(s.path)}
	}
	section := file.Section("profile")
	found := make(map[string]entry, len(chosen))
	for name, k := range chosen {
		key, err := section.GetKey(name)
		if err != nil {
			return nil, &profiles.FileError{File: s.path, Line: k.Line, Problem: "the line cannot be parsed", Next: "edit " + profiles.ShellWord(s.path)}
		}
		v := value{text: key.Value()}
		for _, line := range key.NestedValues() {
			v.block = append(v.block, string(cutComment([]byte(line))))
		}
		var lines []int
		for _, line := range k.Block {
			lines = append(lines, line.Line)
		}
		found[name] = entry{value: v, file: s.path, section: k.section, line: k.Line, lines: lines}
	}
	return found, nil
}

// write writes one key in the one form that ini.v1 and the AWS CLI read alike.
func (s *source) write(small *bytes.Buffer, r rule, k placed) error {
	name := r.key
	text := string(s.data[k.ValueStart:k.ValueEnd])
	switch {
	case !plain(text):
		return &profiles.FileError{File: s.path, Line: k.Line, Problem: name + " has a control character, or is not UTF-8", Next: "save the file as UTF-8 text without it"}
	case spansLines(text):
		r.allowed = "a value that does not begin with ` or \"\"\""
		return r.wrong(s.path, k.Line, k.section, text)
	case r.nested && text != "":
		return r.wrong(s.path, k.Line, k.section, text)
	case !r.nested && len(k.Block) > 0:
		return &profiles.FileError{File: s.path, Line: k.Block[0].Line, Problem: "the line is indented deeper than " + name + " above it, so that the AWS tools read it as a part of that value", Next: "edit " + profiles.ShellWord(s.path)}
	}
	small.WriteString(name + " = " + text + "\n")
	for _, line := range k.Block {
		nested := s.data[line.Start:line.End]
		if !plain(string(nested)) {
			return &profiles.FileError{File: s.path, Line: line.Line, Problem: "the line has a control character, or is not UTF-8", Next: "save the file as UTF-8 text without it"}
		}
		small.WriteString("  ")
		small.Write(nested)
		small.WriteByte('\n')
	}
	return nil
}

// plain reports whether s is UTF-8 without control characters but tab.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' })
}

// spansLines reports whether ini.v1 would look for the end of the value on later lines; the AWS tools do not.
func spansLines(s string) bool { return strings.HasPrefix(s, "`") || strings.HasPrefix(s, `"""`) }

// build checks every value and decides what follows from them.
func (b *builder) build() (profiles.Profile, error) {
	if b.drives {
		for _, s := range b.used {
			if err := s.checkTrust(); err != nil {
				return profiles.Profile{}, err
			}
		}
	}
	for _, r := range rules {
		e, ok := b.entries[r.key]
		if !ok || e.text == "" && len(e.block) == 0 {
			continue
		}
		if !r.set(&b.profile, e.value) {
			return profiles.Profile{}, b.wrongEntry(r, e)
		}
	}
	if err := b.services(); err != nil {
		return profiles.Profile{}, err
	}
	if err := b.signInRegion(); err != nil {
		return profiles.Profile{}, err
	}
	if err := b.identityFlow(); err != nil {
		return profiles.Profile{}, err
	}
	if p := b.profile; p.SessionDuration > 0 && p.IdentityFlow == enhanced {
		b.warn("cognito_session_duration has no effect: the enhanced flow always gives one hour")
	}
	return b.profile, nil
}

// wrongEntry names the line of a block that is wrong, not only its key.
func (b *builder) wrongEntry(r rule, e entry) error {
	for i, line := range e.block {
		if i < len(e.lines) && !r.set(&profiles.Profile{}, value{block: []string{line}}) {
			return r.wrong(e.file, e.lines[i], e.section, line)
		}
	}
	return r.wrong(e.file, e.line, e.section, e.text)
}

// signInRegion: cognito_region, else the part of the pool id before '_', else region.
func (b *builder) signInRegion() error {
	p := &b.profile
	switch {
	case p.SignInRegion != "":
	case p.UserPoolID != "":
		p.SignInRegion = p.UserPoolID[:strings.LastIndexByte(p.UserPoolID, '_')]
		if !region(p.SignInRegion) {
			r, _ := ruleOf("cognito_user_pool_id")
			r.allowed = "an id that begins with its region, such as us-east-1_AbCdEfGhI, or cognito_region must be there"
			return b.wrongEntry(r, b.entries[r.key])
		}
	default:
		p.SignInRegion = p.Region
	}
	return nil
}

// identityFlow decides by what is set, and refuses a flow that lacks what it needs.
func (b *builder) identityFlow() error {
	p := &b.profile
	if p.IdentityFlow == "" {
		switch {
		case p.IdentityPoolID != "":
			p.IdentityFlow = enhanced
		case p.RoleARN != "":
			p.IdentityFlow = webIdentity
		}
		return nil
	}
	lacks := "" // what the given flow needs
	switch {
	case p.IdentityFlow != webIdentity && p.IdentityPoolID == "":
		lacks = "cognito_identity_pool_id"
	case p.IdentityFlow != enhanced && p.RoleARN == "":
		lacks = "cognito_role_arn"
	default:
		return nil
	}
	e := b.entries["cognito_identity_flow"]
	return &profiles.KeyError{File: e.file, Line: e.line, Section: e.section, Key: "cognito_identity_flow", Value: e.text, Allowed: "accompanied by " + lacks}
}

// services reads the endpoint_url of each service in the [services x] that the profile names.
func (b *builder) services() error {
	named := b.entries["services"]
	if named.text == "" {
		return nil
	}
	var sections []Section
	if b.config != nil {
		sections = scan(b.config.data, func(header string) bool {
			kind, rest, _ := strings.Cut(header, " ")
			return kind == "services" && strings.TrimSpace(rest) == named.text
		})
	}
	if len(sections) == 0 {
		b.warn("%s:%d: there is no section [services %s]", named.file, named.line, named.text)
		return nil
	}
	b.profile.Services = map[string]string{}
	for _, section := range sections {
		for _, k := range section.Keys {
			if err := b.service(section, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) service(section Section, k Key) error {
	for _, line := range k.Block {
		key, text, _ := strings.Cut(string(b.config.data[line.Start:line.End]), "=")
		if strings.TrimSpace(key) != "endpoint_url" {
			continue
		}
		text = string(cutComment([]byte(strings.TrimSpace(text))))
		canonical, _, ok := canonicalURL(text)
		if !ok {
			return &profiles.KeyError{File: b.config.path, Line: line.Line, Section: section.Name, Key: k.Name + " endpoint_url", Value: text, Allowed: "an http or https URL"}
		}
		b.profile.Services[k.Name] = canonical
	}
	return nil
}
