package inifile

import (
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/netsdk"
)

// encrypted is the profile of the .NET SDK's store, in the form of a file, so that its keys are checked by the same rules.
// The first store that has a profile gives the whole of it: with a source, no file is read. The stamp is the store's.
func encrypted(name string, o Options) (*source, *netsdk.Profile, []profiles.FileStamp, error) {
	if o.Encrypted == nil {
		return nil, nil, nil, nil
	}
	p, stamp, err := o.Encrypted.Find(name)
	stamps := []profiles.FileStamp{stamp}
	if err != nil || p == nil {
		return nil, nil, stamps, err
	}
	var text strings.Builder
	text.WriteString("[" + name + "]\n")
	for _, k := range p.Keys {
		text.WriteString(k.Name + " = " + k.Value + "\n")
	}
	return &source{path: o.Encrypted.Path, form: credentialsFile, data: []byte(text.String()), stamp: stamp}, p, stamps, nil
}

// loadEncrypted builds a profile of that store.
func loadEncrypted(s *source, p *netsdk.Profile) (profiles.Profile, error) {
	b := builder{profile: profiles.Profile{Name: p.Name, SAMLEndpoint: p.SAMLEndpoint, Consulted: []profiles.FileStamp{s.stamp}}, entries: map[string]entry{}}
	err := b.add(s, s.sections(p.Name))
	if err != nil {
		return profiles.Profile{}, withoutLine(err)
	}
	profile, err := b.build()
	return profile, withoutLine(err)
}

// withoutLine takes the line out of an error: the store has none.
func withoutLine(err error) error {
	var key *profiles.KeyError
	var file *profiles.FileError
	switch {
	case errors.As(err, &key):
		key.Line = 0
	case errors.As(err, &file):
		file.Line = 0
	}
	return err
}
