// Package inifile loads profiles from the ini files that the AWS tools share. It is the only package that imports ini.v1.
//
// It guarantees that no profile file can make it hang, crash, use much memory, or run anything, and that errors name file,
// line where known, section, key, and what is allowed. It never writes a file and never uses the network.
package inifile

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/netsdk"
)

// Options says where the files are. Getenv is required.
type Options struct {
	Getenv func(string) string
	Home   string // the home folder; "" when there is none
	// Encrypted is the .NET SDK's store, searched first where no location is given; nil where there is none, as on every
	// platform but Windows.
	Encrypted *netsdk.Store
}

// Load reads the profile that s selects. A profile that is missing gives a *profiles.NotFoundError; anything wrong in it a
// *profiles.KeyError or *profiles.FileError.
func Load(s profiles.Selection, o Options) (profiles.Profile, error) {
	var before []profiles.FileStamp
	if s.Location == "" {
		store, p, stamps, err := encrypted(s.Name, o)
		if err != nil {
			return profiles.Profile{}, err
		}
		if store != nil {
			return loadEncrypted(store, p)
		}
		before = stamps
	}
	sources, err := readAll(s.Location, o)
	if err != nil {
		return profiles.Profile{}, err
	}
	b := builder{profile: profiles.Profile{Name: s.Name}, entries: map[string]entry{}}
	if s.Location != "" && !filepath.IsAbs(s.Location) {
		b.warn("--profile-location %s is relative: it means another file in another folder", s.Location)
	}
	b.profile.Consulted = before
	for _, source := range sources {
		b.profile.Consulted = append(b.profile.Consulted, source.stamp)
	}
	if err := b.gather(sources, func(i int) []Section { return sources[i].sections(s.Name) }); err != nil {
		return profiles.Profile{}, err
	}
	if len(b.profile.Files) == 0 {
		return profiles.Profile{}, notFound(s, sources, o)
	}
	return b.build()
}

// Names lists the profiles that have at least one cognito_ key, sorted, for completion and for matching hosts.
func Names(location string, o Options) ([]string, error) {
	sources, err := readAll(location, o)
	if err != nil {
		return nil, err
	}
	var names []string
	if location == "" && o.Encrypted != nil {
		if _, names, err = o.Encrypted.Names(); err != nil {
			return nil, err
		}
	}
	for _, source := range sources {
		for _, section := range Outline(source.data) {
			name, ok := source.form.profile(section.Name)
			if ok && slices.ContainsFunc(section.Keys, func(k Key) bool { return strings.HasPrefix(k.Name, prefix) }) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Place is one section of a profile.
type Place struct {
	File    string
	Section string // as in the file, without brackets
	Line    int    // 1 is the first
}

// Find says where a profile has sections; none means that it does not exist. The keys are not checked. For commands
// that write profiles.
func Find(s profiles.Selection, o Options) ([]Place, error) {
	sources, err := readAll(s.Location, o)
	if err != nil {
		return nil, err
	}
	var places []Place
	for _, source := range sources {
		for _, section := range source.sections(s.Name) {
			places = append(places, Place{File: source.path, Section: section.Name, Line: section.Line})
		}
	}
	return places, nil
}

// readAll reads the one file that location names, else the credentials and the config file.
func readAll(location string, o Options) ([]*source, error) {
	if location != "" {
		s, err := read(location, either)
		if err == nil && s.stamp.Absent {
			err = &profiles.FileError{
				File: location, Problem: "the file that --profile-location names does not exist",
				Next: "check the name, or write it: cognito-credhelper configure --profile-location " + profiles.ShellWord(location) + " --help",
			}
		}
		return []*source{s}, err
	}
	credentials, config := profiles.DefaultFiles(o.Getenv, o.Home)
	var sources []*source
	for _, f := range []struct {
		path string
		form form
	}{{credentials, credentialsFile}, {config, configFile}} {
		if f.path == "" {
			continue
		}
		s, err := read(f.path, f.form)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func notFound(s profiles.Selection, sources []*source, o Options) error {
	e := &profiles.NotFoundError{Name: s.Name, Named: s.Named}
	var known []string
	if s.Location == "" && o.Encrypted != nil {
		e.Files = append(e.Files, o.Encrypted.Path)
		known, _, _ = o.Encrypted.Names() // Find has read it already
	}
	for _, source := range sources {
		e.Files = append(e.Files, source.path)
		scan(source.data, func(header string) bool {
			if name, ok := source.form.profile(header); ok {
				known = append(known, name)
			}
			return false
		})
	}
	e.Nearest = nearest(s.Name, known, max(1, len(s.Name)/3))
	return e
}

// form says which section names mean a profile in a file.
type form uint8

const (
	credentialsFile form = iota // [name]
	configFile                  // [profile name], and [default]
	either                      // both, for --profile-location
)

// profile returns the profile that a section name means.
func (f form) profile(header string) (string, bool) {
	name, long := longForm(header)
	switch {
	case header == "":
		return "", false
	case f == credentialsFile:
		return header, true
	case long:
		return name, name != ""
	default:
		return header, f == either && !otherKind(header) || header == "default"
	}
}

// longForm reads "profile NAME", where quotes may stand around NAME, as the AWS CLI wants them around spaces.
func longForm(header string) (string, bool) {
	rest, ok := strings.CutPrefix(header, "profile")
	if !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
		return "", false
	}
	name := strings.TrimSpace(rest)
	if n := len(name); n >= 2 && (name[0] == '"' || name[0] == '\'') && name[n-1] == name[0] {
		name = name[1 : n-1]
	}
	return name, true
}

// otherKind reports whether a section of a config file is something else than a profile.
func otherKind(header string) bool {
	kind, _, two := strings.Cut(header, " ")
	return two && (kind == "services" || kind == "sso-session")
}

// sections returns the sections of the file that mean the profile, in the order of the file.
func (s *source) sections(name string) []Section {
	return scan(s.data, func(header string) bool {
		found, ok := s.form.profile(header)
		return ok && found == name
	})
}

// long reports whether a section is written [profile name].
func (s Section) long() bool {
	_, long := longForm(s.Name)
	return long
}

func (b *builder) warn(format string, args ...any) {
	b.profile.Warnings = append(b.profile.Warnings, strings.Map(printable, fmt.Sprintf(format, args...)))
}

// printable keeps names from a file from driving a terminal.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// ReadFile reads a file as Load does, with the same guards, and stamps it as it was when it was opened. A file that is
// not there gives no data and a stamp that says so. For commands that write profiles.
func ReadFile(path string) ([]byte, profiles.FileStamp, error) {
	s, err := read(path, either)
	if err != nil {
		return nil, profiles.FileStamp{}, err
	}
	return s.data, s.stamp, nil
}

// SameSection reports whether two section names of a config file mean the same profile, or are equal.
func SameSection(a, b string) bool {
	if a == b {
		return true
	}
	one, oneOK := configFile.profile(a)
	two, twoOK := configFile.profile(b)
	return oneOK && twoOK && one == two
}

// SecretKey reports whether the value of a key must not be shown.
func SecretKey(key string) bool {
	r, ok := ruleOf(key)
	return ok && r.secret
}
