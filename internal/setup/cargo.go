package setup

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// cargoFormat is Cargo's config.toml: the credential-provider of the registry whose index is at the host.
func cargoFormat() format {
	return format{add: addCargo, remove: removeCargo, show: func(w Want) []string { return []string{cargoLine(w)} }}
}

// cargoLine is an array: a text would be split at spaces.
func cargoLine(w Want) string { return "credential-provider = [" + strconv.Quote(w.Program) + "]" }

var (
	cargoHeader   = pattern(`^\s*\[registries\.("?)[A-Za-z0-9_-]+("?)\]\s*(#.*)?$`)
	tomlHeader    = pattern(`^\s*\[`)
	cargoIndex    = pattern(`^\s*index\s*=\s*(?:"([^"\\]*)"|'([^']*)')\s*(?:#.*)?$`)
	cargoProvider = pattern(`^\s*credential-provider\s*=\s*(.*?)\s*$`)
)

// pattern compiles an expression when it is first used, which is in setup cargo, not at each start of the program.
func pattern(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// cargoTable finds the registry's table: its header, and its provider if it has one.
func cargoTable(data []byte, w Want) (header, provider *textLine, bad *refusal) {
	if strings.Contains(string(data), `"""`) || strings.Contains(string(data), "'''") {
		return nil, nil, &refusal{problem: "it has texts of several lines, so that it is not clear where a table begins"}
	}
	var here, key *textLine
	for _, l := range append(textLines(data), textLine{text: "[end]"}) {
		switch {
		case tomlHeader().MatchString(l.text):
			here, key = nil, nil
			if cargoHeader().MatchString(l.text) {
				here = &l
			}
		case here == nil:
		case cargoProvider().MatchString(l.text):
			key = &l
			if header == here {
				provider = key
			}
		default:
			m := cargoIndex().FindStringSubmatch(l.text)
			if m == nil || !w.Host.covers(strings.TrimPrefix(m[1]+m[2], "sparse+")) {
				continue
			}
			if header != nil {
				return nil, nil, &refusal{problem: "two registries have their index at " + w.Host.Place(), line: lineNumber(data, l.start)}
			}
			header, provider = here, key
		}
	}
	return header, provider, nil
}

func addCargo(data []byte, w Want) ([]byte, *refusal) {
	if !printable(w.Program) {
		return nil, &refusal{problem: "the path of the program has a control character"}
	}
	header, provider, bad := cargoTable(data, w)
	switch {
	case bad != nil:
		return nil, bad
	case header == nil:
		return nil, &refusal{problem: "no registry in it has its index at " + w.Host.Place() + "; it needs [registries.NAME] with that index first, or --file names the config.toml that has it"}
	case provider == nil:
		return insertLines(data, header.end, cargoLine(w)), nil
	}
	value := cargoProvider().FindStringSubmatch(provider.text)[1]
	switch {
	case provider.text == cargoLine(w):
		return data, nil
	case strings.Count(value, "[") != strings.Count(value, "]"):
		return nil, &refusal{problem: "credential-provider goes over several lines", line: lineNumber(data, provider.start)}
	case !oursInCargo(value) && !w.Force:
		return nil, &refusal{problem: "the registry has another credential-provider already", line: lineNumber(data, provider.start), foreign: true}
	}
	return splice(data, provider.start, provider.start+len(provider.text), cargoLine(w)), nil
}

func oursInCargo(value string) bool {
	return strings.Contains(value, "cargo-credential-cognito") || strings.Contains(value, "cognito-credhelper")
}

func removeCargo(data []byte, w Want) ([]byte, *refusal) {
	_, provider, bad := cargoTable(data, w)
	if bad != nil || provider == nil || !oursInCargo(provider.text) {
		return data, bad
	}
	return splice(data, provider.start, provider.end, ""), nil
}
