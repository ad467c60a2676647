package inifile

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Bindings is what all profiles of the default files bind.
type Bindings struct {
	Profiles []profiles.Profile // those that have cognito_hosts, sorted by name
	// Broken has an error for each profile that has cognito_hosts and cannot be read: what it binds is not known.
	Broken    []error
	Consulted []profiles.FileStamp // every file whose content or absence decided this
}

const hostsKey = "cognito_hosts"

// LoadBindings reads every profile of the default files that binds a host, each file once. The error is for a file that
// cannot be read at all.
func LoadBindings(o Options) (Bindings, error) {
	sources, err := readAll("", o)
	if err != nil {
		return Bindings{}, err
	}
	all := Bindings{}
	hidden, err := all.hide(o)
	if err != nil {
		return Bindings{}, err
	}
	sections := make([]map[string][]Section, len(sources))
	var names []string
	for i, source := range sources {
		all.Consulted = append(all.Consulted, source.stamp)
		var bound []string
		sections[i], bound = source.grouped()
		names = append(names, bound...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if slices.Contains(hidden, name) {
			continue
		}
		b := builder{profile: profiles.Profile{Name: name}, entries: map[string]entry{}}
		if err := b.gather(sources, func(i int) []Section { return sections[i][name] }); err != nil {
			all.Broken = append(all.Broken, err)
			continue
		}
		all.take(b.build())
	}
	return all, nil
}

// grouped gives the sections of a file by the profile that they mean, and which profiles have cognito_hosts here.
func (s *source) grouped() (sections map[string][]Section, bound []string) {
	sections = map[string][]Section{}
	for _, section := range Outline(s.data) {
		name, ok := s.form.profile(section.Name)
		if !ok {
			continue
		}
		sections[name] = append(sections[name], section)
		if slices.ContainsFunc(section.Keys, func(k Key) bool { return k.Name == hostsKey }) {
			bound = append(bound, name)
		}
	}
	return sections, bound
}

func (a *Bindings) take(p profiles.Profile, err error) {
	switch {
	case err != nil:
		a.Broken = append(a.Broken, err)
	case len(p.Hosts) > 0:
		a.Profiles = append(a.Profiles, p)
	}
}

// hide gives the names of the profiles in the .NET SDK's store. They bind nothing, since a member there cannot be a block of
// lines, and nothing of them counts in the files: the first store that has a profile gives the whole of it.
func (a *Bindings) hide(o Options) (names []string, err error) {
	if o.Encrypted == nil {
		return nil, nil
	}
	// Before the content, so that a change in between makes the stamp wrong and not the content.
	stamp, err := profiles.Stamp(o.Encrypted.Path)
	if err != nil {
		return nil, unreadable(o.Encrypted.Path, err)
	}
	a.Consulted = append(a.Consulted, stamp)
	names, _, err = o.Encrypted.Names()
	return names, err
}

// deviations are the characters that IDNA 2003 and IDNA 2008 make different names of (UTS #46 §1.3.1), so that the tool may go to
// another host than the one that we would compare.
const deviations = "\u00df\u1e9e\u03c2\u200c\u200d"

// ASCIIHost gives h with its name as A-labels, as bindings have it; ok is false where the name has no such form, and so
// no binding. A name that two versions of IDNA read in two ways has none: whoever means it asks by its A-labels.
func ASCIIHost(h profiles.Host) (ascii profiles.Host, ok bool) {
	if h.ASCII() {
		return h, true
	}
	name, err := idna.Lookup.ToASCII(h.Name)
	if err != nil || strings.ContainsAny(h.Name, deviations) {
		return h, false
	}
	h.Name = name
	return h, true
}
