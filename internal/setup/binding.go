package setup

import (
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

const hostsKey = "cognito_hosts"

// bindingFormat is one line of a section's cognito_hosts. Want.Name is the section.
func bindingFormat() format {
	return format{add: addBinding, remove: removeBinding, show: func(w Want) []string { return []string{"[" + w.Name + "] " + hostsKey + ": " + w.Host.Line()} }}
}

// bindingsOf finds the section, its cognito_hosts, and which of their lines binds the place.
func bindingsOf(data []byte, w Want) (s *inifile.Section, k inifile.Key, line int, bad *refusal) {
	e := editor{data: data}
	s, bad = e.find(w.Name)
	if bad != nil || s == nil {
		return s, k, -1, bad
	}
	k, _ = last(s.Keys, hostsKey)
	line = slices.IndexFunc(k.Block, func(l inifile.Line) bool {
		b, ok := inifile.ParseBinding(string(data[l.Start:l.End]))
		return ok && b.Host == w.Host.Host && b.Port == w.Host.Port && b.Path == w.Host.Path
	})
	return s, k, line, nil
}

func addBinding(data []byte, w Want) ([]byte, *refusal) {
	s, k, line, bad := bindingsOf(data, w)
	switch {
	case bad != nil:
		return nil, bad
	case s == nil:
		return nil, &refusal{problem: "there is no [" + w.Name + "] in it"}
	case line >= 0:
		return data, nil
	}
	block := []string{w.Host.Line()}
	if len(k.Block) == 0 {
		out, _, bad := edit(data, w.Name, []KeyValue{{Key: hostsKey, Block: block}})
		return out, bad
	}
	var lines []string
	for _, l := range k.Block {
		lines = append(lines, string(data[l.Start:l.End]))
	}
	below := k.Block[len(k.Block)-1]
	begin := strings.LastIndexByte(string(data[:below.Start]), '\n') + 1
	at := len(data)
	if i := strings.IndexByte(string(data[below.End:]), '\n'); i >= 0 {
		at = below.End + i + 1
	}
	out := insertLines(data, at, string(data[begin:below.Start])+block[0])
	return out, verify(data, out, s.Name, []KeyValue{{Key: hostsKey, Value: string(data[k.ValueStart:k.ValueEnd]), Block: append(lines, block...)}})
}

func removeBinding(data []byte, w Want) ([]byte, *refusal) {
	s, k, line, bad := bindingsOf(data, w)
	if bad != nil || s == nil || line < 0 {
		return data, bad
	}
	start, end := k.Start, k.End
	if len(k.Block) > 1 {
		l := k.Block[line]
		start = strings.LastIndexByte(string(data[:l.Start]), '\n') + 1
		end = l.End
		if i := strings.IndexByte(string(data[end:]), '\n'); i >= 0 {
			end += i + 1
		}
	}
	out := splice(data, start, end, "")
	others := func(data []byte) []meaning {
		all, _ := meanings(data)
		return slices.DeleteFunc(all, func(m meaning) bool { return m.section == s.Name && m.key == hostsKey })
	}
	if !slices.Equal(others(data), others(out)) {
		return nil, &refusal{problem: "taking the line out would alter what other lines mean", line: k.Line}
	}
	return out, nil
}

// valueFormat is one key of an ini file. Want.Name is the section, Want.Key and Want.Program the key and its value. ours says
// of a value that is there whether it may be replaced; foreign is what is said of any other.
func valueFormat(ours func(value string) bool, foreign string) format {
	add := func(data []byte, w Want) ([]byte, *refusal) {
		s, bad := (&editor{data: data}).find(w.Name)
		if bad != nil {
			return nil, bad
		}
		if s != nil {
			if k, ok := last(s.Keys, w.Key); ok {
				was := textOf(data, k)
				if was != w.Program && !ours(was) && !w.Force {
					return nil, &refusal{problem: foreign, line: k.Line, foreign: true}
				}
			}
		}
		out, _, bad := edit(data, w.Name, []KeyValue{{Key: w.Key, Value: w.Program}})
		return out, bad
	}
	remove := func(data []byte, w Want) ([]byte, *refusal) {
		s, bad := (&editor{data: data}).find(w.Name)
		if bad != nil || s == nil {
			return data, bad
		}
		k, ok := last(s.Keys, w.Key)
		if !ok || !ours(textOf(data, k)) {
			return data, nil
		}
		return splice(data, k.Start, k.End, ""), nil
	}
	return format{add: add, remove: remove, show: func(w Want) []string { return []string{"[" + w.Name + "] " + w.Key + " = " + w.Program} }}
}

// Ours reports whether a credential_process line runs this program, perhaps from another place.
func Ours(line string) bool {
	return strings.Contains(line, "cognito-credhelper") && strings.Contains(line, " credential-process")
}
