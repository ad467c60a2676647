package setup

import (
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// meaning is one key of a file and what it says.
type meaning struct{ section, key, text string }

// verify reads back what edit wrote. It is the last word: a value, a name, or a file that our rules did not foresee is
// refused here and never written.
func verify(before, after []byte, section string, keys []KeyValue) *refusal {
	header := meaning{section: section}
	asked := func(m meaning) bool {
		return m == header || m.section == section && slices.ContainsFunc(keys, func(kv KeyValue) bool { return kv.Key == m.key })
	}
	old, _ := meanings(before)
	now, last := meanings(after)
	if !slices.Equal(slices.DeleteFunc(old, asked), slices.DeleteFunc(slices.Clone(now), asked)) {
		return &refusal{problem: "the change would alter what other lines of the file mean"}
	}
	for i, kv := range keys {
		repeated := slices.ContainsFunc(keys[:i], func(other KeyValue) bool { return other.Key == kv.Key })
		if repeated || kv.Key != strings.ToLower(kv.Key) || last[[2]string{section, kv.Key}] != kv.text() {
			return &refusal{problem: kv.Key + " cannot be written so that it reads back as it is"}
		}
	}
	if section == "" || !slices.Contains(now, header) {
		return &refusal{problem: "[" + section + "] cannot be written so that it reads back as it is"}
	}
	return nil
}

// meanings lists sections, as a meaning without a key, and keys in the order of the file; last has what counts.
func meanings(data []byte) (all []meaning, last map[[2]string]string) {
	last = map[[2]string]string{}
	for _, s := range inifile.Outline(data) {
		all = append(all, meaning{section: s.Name})
		for _, k := range s.Keys {
			text := textOf(data, k)
			all = append(all, meaning{s.Name, k.Name, text})
			last[[2]string{s.Name, k.Name}] = text
		}
		for range s.Bad {
			all = append(all, meaning{section: s.Name, key: "\n"})
		}
	}
	return all, last
}
