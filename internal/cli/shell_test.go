package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// nasty are values that no credential has, and that a shell would love to read more into.
var nasty = []string{
	"plain/Base64+=", "a b", "'", `"`, "$(echo x)", "`echo x`", "$HOME", `\`, `\'`, `'\''`, "a;echo x", "a|b&c>d<e", "*?[a-z]{a,b}~!#", "%PATH%", "-n", " ", "(x)", "@x", "a''b", "x\\",
}

// realShells are the shells that read a format, and how they are asked to run a file's lines and show the variable.
var realShells = []struct {
	format, program string
	args            []string
	show            string
}{
	{"env", "sh", []string{"-c"}, `printf %s "$X"`},
	{"env", "bash", []string{"-c"}, `printf %s "$X"`},
	{"env", "dash", []string{"-c"}, `printf %s "$X"`},
	{"env", "zsh", []string{"-fc"}, `printf %s "$X"`},
	{"env", "mksh", []string{"-c"}, `printf %s "$X"`},
	{"env-no-export", "sh", []string{"-c"}, `printf %s "$X"`},
	{"fish", "fish", []string{"--no-config", "-c"}, `printf %s "$X"`},
	{"powershell", "pwsh", []string{"-NoProfile", "-Command"}, `[Console]::Out.Write($Env:X)`},
}

// Property: a shell that evaluates a line has the very value in the variable, and has run nothing.
func TestRealShellsTakeEveryValue(t *testing.T) {
	for _, s := range realShells {
		t.Run(s.format+" "+s.program, func(t *testing.T) {
			path, err := exec.LookPath(s.program)
			if err != nil {
				skips.Missing(t, s.program, "it is not on PATH")
			}
			skips.Ran(t, s.program, path)
			for _, want := range nasty {
				line, err := inShell(s.format, []variable{{"X", want}})
				if err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(path, append(slices.Clone(s.args), line+s.show)...).CombinedOutput()
				if err != nil || string(out) != want {
					t.Errorf("%q became %q (%v) by %s", want, out, err, line)
				}
			}
		})
	}
}

// The lines that the formats have by themselves, and for plain values those of `aws configure export-credentials`.
func TestShellLines(t *testing.T) {
	for format, want := range map[string][3]string{
		"env":           {"export X=a/b+c=", "export X='a b'", "export X='it'\\''s'"},
		"env-no-export": {"X=a/b+c=", "X='a b'", "X='it'\\''s'"},
		"powershell":    {`$Env:X="a/b+c="`, "$Env:X='a b'", "$Env:X='it''s'"},
		"windows-cmd":   {"set X=a/b+c=", `set "X=a b"`, `set "X=it's"`},
		"fish":          {`set -gx X "a/b+c="`, "set -gx X 'a b'", `set -gx X 'it\'s'`},
	} {
		for i, value := range []string{"a/b+c=", "a b", "it's"} {
			got, err := inShell(format, []variable{{"X", value}})
			if err != nil || got != want[i]+"\n" {
				t.Errorf("%s: %q, want %q (%v)", format, got, want[i], err)
			}
		}
		for _, value := range []string{"a\nb", "a\x1b[2J", "é", "a\x00"} {
			if got, err := inShell(format, []variable{{"X", value}}); token.KindOf(err) != token.Failure || got != "" || err != nil && strings.Contains(err.Error(), value) {
				t.Errorf("%s carries %q as %q (%v)", format, value, got, err)
			}
		}
	}
	for _, value := range []string{"%PATH%", "a!b", `a"b`} {
		if got, err := inShell("windows-cmd", []variable{{"X", value}}); err == nil {
			t.Errorf("cmd would read more into %q", got)
		}
	}
}
