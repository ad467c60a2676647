// Package setup writes the configuration of the tools that get their credentials from us: the profile in the ini files that
// the AWS tools share, and the one line by which each tool asks us.
//
// It guarantees that no byte changes but those of the keys that were asked for, that the file is replaced whole or not at
// all, that its mode stays, and that undo takes out what was put in and nothing else. It never runs a program, never replaces
// what is somebody else's unless told to, and refuses a file that it cannot change without doubt.
package setup

import (
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// KeyValue is one key to write. A key with a Block becomes "key =" with the block's lines indented below it.
type KeyValue struct {
	Key   string
	Value string
	Block []string
}

// Change says what a write changed, or would change.
type Change struct {
	File       string // the file itself, where a link was given
	Section    string // as it stands in the file, without brackets
	NewFile    bool
	NewSection bool
	Keys       []KeyChange // without those that had the value already
}

// KeyChange is one changed key, fit for display: the value of a secret key shows as a fixed word.
type KeyChange struct {
	Key      string
	Added    bool   // there was none before
	Old, New string // a block has its lines separated by line breaks
}

// WriteProfile sets keys in a section of an ini file; the file and its folder are made where they are missing (0600, 0700).
// A key that is there keeps its place, its line's form, and its comment; new ones go below the last key; a new section
// goes to the end. Values must have been checked (inifile.CheckValue). The section is given without brackets, as in
// "profile dev". Errors are *profiles.FileError.
func WriteProfile(file, section string, keys []KeyValue) (Change, error) {
	p, err := prepare(file, section, keys)
	if err != nil || !p.differs() {
		return p.change, err
	}
	return p.change, p.write()
}

// PlanProfile says what WriteProfile would change, with the same errors, and writes nothing.
func PlanProfile(file, section string, keys []KeyValue) (Change, error) {
	p, err := prepare(file, section, keys)
	return p.change, err
}

func display(key, text string) string {
	if text != "" && inifile.SecretKey(key) {
		return "[redacted]"
	}
	return text
}
