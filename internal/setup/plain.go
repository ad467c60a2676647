package setup

import (
	"strings"
)

// bazelFormat is a .bazelrc: one option for one host pattern. Of two for a pattern Bazel takes the last.
func bazelFormat() format {
	return lineFormat(
		func(w Want) string {
			option := "--credential_helper=" + w.Host.Host + "=" + w.Program
			if quoteUnix(option) != option && !strings.ContainsAny(option, "=*[") || strings.ContainsAny(w.Program, " \t'\"\\#") {
				option = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(option) + `"`
			}
			return "common " + option
		},
		func(line string, w Want) (same, ours bool) {
			_, option, found := strings.Cut(line, "--credential_helper=")
			pattern, program, ok := strings.Cut(strings.Trim(option, `"' `), "=")
			return found && ok && pattern == w.Host.Host && !strings.HasPrefix(strings.TrimSpace(line), "#"), strings.Contains(program, "bazel-credential-cognito")
		},
		false, "Bazel asks another helper for this host already",
	)
}

// npmFormat is a user's .npmrc: one tokenHelper for one registry. pnpm takes a plain path only.
func npmFormat() format {
	key := func(w Want) string { return "//" + w.Host.Place() + "/:tokenHelper" }
	f := lineFormat(
		func(w Want) string { return key(w) + "=" + w.Program },
		func(line string, w Want) (same, ours bool) {
			k, program, ok := strings.Cut(line, "=")
			return ok && strings.TrimSpace(k) == key(w), strings.Contains(program, "pnpm-token-cognito")
		},
		true, "pnpm asks another token helper for this registry already",
	)
	add := f.add
	f.add = func(data []byte, w Want) ([]byte, *refusal) {
		if strings.ContainsAny(w.Program, " \t'\"$;&|<>()`") {
			return nil, &refusal{problem: "pnpm cannot run a program whose path has a space or a sign of the shell; put the name elsewhere with --dir"}
		}
		return add(data, w)
	}
	return f
}

// lineFormat is a file of lines without an order that matters, but for two of the same. text is our line; is says of a line whether
// it sets the same thing, and whether it is ours. Where replace is set force replaces theirs, else ours goes below it and wins.
func lineFormat(text func(Want) string, is func(string, Want) (same, ours bool), replace bool, foreign string) format {
	add := func(data []byte, w Want) ([]byte, *refusal) {
		line := text(w)
		if !printable(line) {
			return nil, &refusal{problem: "the path of the program has a control character"}
		}
		var theirs *textLine
		for _, l := range textLines(data) {
			same, ours := is(l.text, w)
			switch {
			case same && ours && l.text == line:
				return data, nil
			case same && ours:
				return splice(data, l.start, l.start+len(l.text), line), nil
			case same:
				theirs = &l
			}
		}
		switch {
		case theirs != nil && !w.Force:
			return nil, &refusal{problem: foreign, line: lineNumber(data, theirs.start), foreign: true}
		case theirs != nil && replace:
			return splice(data, theirs.start, theirs.start+len(theirs.text), line), nil
		case continued(data):
			return nil, &refusal{problem: "its last line goes on behind the end of the file"}
		}
		return insertLines(data, len(data), line), nil
	}
	remove := func(data []byte, w Want) ([]byte, *refusal) {
		for _, l := range textLines(data) {
			if same, ours := is(l.text, w); same && ours {
				return splice(data, l.start, l.end, ""), nil
			}
		}
		return data, nil
	}
	return format{add: add, remove: remove, show: func(w Want) []string { return []string{text(w)} }}
}

// continued reports whether a line that is added would become a part of the last one.
func continued(data []byte) bool {
	return strings.HasSuffix(strings.TrimRight(string(data), "\r\n"), `\`)
}
