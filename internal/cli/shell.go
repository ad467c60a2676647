package cli

import (
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// variable is one variable of an environment.
type variable struct{ name, value string }

// shells are the formats in which variables are printed: the names, and for plain values the very lines, of
// `aws configure export-credentials`.
var shells = []struct {
	name string
	line func(variable) (line string, ok bool)
}{
	{"env", func(v variable) (string, bool) { return "export " + v.name + "=" + posixWord(v.value), true }},
	{"env-no-export", func(v variable) (string, bool) { return v.name + "=" + posixWord(v.value), true }},
	{"powershell", func(v variable) (string, bool) { return "$Env:" + v.name + "=" + powershellWord(v.value), true }},
	{"windows-cmd", windowsLine},
	{"fish", func(v variable) (string, bool) { return "set -gx " + v.name + " " + fishWord(v.value), true }},
}

// shellNames are the formats by name.
func shellNames() []string {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	return names
}

// inShell writes variables, one a line, so that the shell of a format takes each value as it is and runs nothing. A value that
// no credential has is refused, not quoted.
func inShell(format string, variables []variable) (string, error) {
	var b strings.Builder
	for _, s := range shells {
		if s.name != format {
			continue
		}
		for _, v := range variables {
			line, ok := s.line(v)
			if !ok || strings.ContainsFunc(v.value, func(r rune) bool { return r < ' ' || r > '~' }) {
				return "", &token.Error{Kind: token.Failure, Message: v.name + " has a character that format " + format + " cannot carry safely", Next: "use --format process"}
			}
			b.WriteString(line + "\n")
		}
	}
	return b.String(), nil
}

// plainWord reports whether no shell sees more in s than its letters.
func plainWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-./:@+,=", r)
	})
}

// posixWord leaves more as it is than profiles.ShellWord, for programs that read such lines and know no quotes.
func posixWord(s string) string {
	if plainWord(s) {
		return s
	}
	return profiles.ShellWord(s)
}

// powershellWord: between single quotes only the quote itself means something.
func powershellWord(s string) string {
	if plainWord(s) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// fishWord: between single quotes only the quote itself and the backslash mean something.
func fishWord(s string) string {
	if plainWord(s) {
		return `"` + s + `"`
	}
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// windowsLine: the quotes around the whole keep & | < > ^ from meaning anything. What is replaced even between quotes cannot
// be written so that a prompt and a batch file read it alike.
func windowsLine(v variable) (string, bool) {
	if plainWord(v.value) {
		return "set " + v.name + "=" + v.value, true
	}
	return `set "` + v.name + "=" + v.value + `"`, !strings.ContainsAny(v.value, `%!"`)
}
