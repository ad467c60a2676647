package cli

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	kinds "github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// tree is the whole tree of commands, with the real adapters.
func tree(t *testing.T) (*bench, *cobra.Command) {
	t.Helper()
	b := newBench(t)
	b.adapters = all.Adapters(nil)
	root := b.root()
	root.InitDefaultHelpCmd()
	root.InitDefaultHelpFlag()
	return b, root
}

// exists reports what is wrong with a command line without the program's name: a verb that is not there, or a flag that
// the verb does not have.
func exists(root *cobra.Command, adapters []protocol.Adapter, words []string) error {
	c, rest, err := root.Find(words)
	if err != nil || c == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("there is no command %q", words)
	}
	if c.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("there is no command %q below %q", rest[0], c.Name())
	}
	for _, word := range rest {
		if word == "--" { // what follows is another program's
			return nil
		}
		name, isFlag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		if !isFlag || name == "help" || c.Flags().Lookup(name) != nil {
			continue
		}
		if a, ok := all.Find(adapters, c.Name()); !ok || !strings.Contains(a.Usage, "--"+name+" ") {
			return fmt.Errorf("%s has no flag --%s", c.CommandPath(), name)
		}
	}
	return nil
}

// Whatever stands in the source as a command line of ours, in a hint, a help text, or an example, is one.
func TestEveryCommandLineInTheSourceExists(t *testing.T) {
	b, root := tree(t)
	lines := 0
	for _, folder := range []string{"../../internal", "../../profiles"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "sandbox") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, words := range commandLines(file) {
				lines++
				if err := exists(root, b.adapters, words); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if lines < 80 {
		t.Errorf("only %d command lines were found: the search is broken", lines)
	}
}

var ownLine = regexp.MustCompile(`(?:^|[\s"(])` + programName + ` ([a-z-][^\n]*)`)

var quoted = regexp.MustCompile(`'[^']*'`)

// commandLines finds command lines of ours in a file: in its strings, and in the calls that make one of a verb.
func commandLines(file *ast.File) (lines [][]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if err != nil {
				return true
			}
			for _, m := range ownLine.FindAllStringSubmatch(text, -1) {
				if !strings.ContainsAny(m[1], "\x00\x01") { // a name that keys are derived by
					lines = append(lines, wordsOf(quoted.ReplaceAllLiteralString(m[1], "WORD")))
				}
			}
		case *ast.CallExpr:
			name := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			if name != "command" && name != "instead" || len(n.Args) == 0 {
				return true
			}
			if verb, ok := n.Args[0].(*ast.BasicLit); ok {
				text, _ := strconv.Unquote(verb.Value)
				lines = append(lines, strings.Fields(text))
			}
		}
		return true
	})
	return lines
}

// wordsOf parts a command line in running text: what shows that the line is over ends it.
func wordsOf(line string) (words []string) {
	for _, w := range strings.Fields(line) {
		if strings.HasPrefix(w, "(") || strings.HasPrefix(w, "[") || strings.ContainsAny(w, "<>|") || w == "#" {
			break
		}
		words = append(words, strings.TrimRight(w, `".,;:)`))
		if strings.ContainsAny(w[len(w)-1:], `".;:)`) {
			break
		}
	}
	return words
}

func TestTheSearchForCommandLinesFindsWhatIsWrong(t *testing.T) {
	b, root := tree(t)
	for line, want := range map[string]string{
		"login --profile dev":            "",
		"token --profile dev --claims":   "",
		"credential-process --min-ttl 5": "",
		"password reset --help":          "",
		"logni --profile dev":            `there is no command ["logni" "--profile" "dev"]`,
		"password rest":                  `there is no command "rest" below "password"`,
		"login --pasword":                "cognito-credhelper login has no flag --pasword",
		"token --password-stdin":         "cognito-credhelper token has no flag --password-stdin",
	} {
		if got := fmt.Sprint(exists(root, b.adapters, strings.Fields(line))); got != want && (want != "" || got != "<nil>") {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// Every command, whatever it fails with, tells what to run; and that line parses.
func TestEveryFailureNamesACommand(t *testing.T) {
	b, root := tree(t)
	var leaves func(c *cobra.Command) []*cobra.Command
	leaves = func(c *cobra.Command) (found []*cobra.Command) {
		for _, below := range c.Commands() {
			found = append(found, leaves(below)...)
		}
		if c.Runnable() && !c.HasSubCommands() {
			found = append(found, c)
		}
		return found
	}
	commands := leaves(root)
	if len(commands) < 20 {
		t.Fatalf("only %d commands", len(commands))
	}
	for _, c := range commands {
		b.began(c, []string{"--profile", "dev", "--profile-location=/a b", "--username", "alice"})
		for _, flag := range [][2]string{{"profile", "dev"}, {"profile-location", "/a b"}, {"username", "alice"}} {
			if c.Flags().Lookup(flag[0]) != nil {
				if err := c.Flags().Set(flag[0], flag[1]); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, kind := range []kinds.Kind{kinds.LoginNeeded, kinds.Refused, kinds.Unavailable, kinds.BadProfile} {
			for _, next := range []string{"", "check the network", "chmod 600 '/a b'"} {
				hint := b.hintFor(&kinds.Error{Kind: kind, Message: "m", Next: next})
				before, line, found := strings.Cut(hint, programName+" ")
				if !found || next != "" && before != next+", then: " {
					t.Fatalf("%s: hint %q", c.CommandPath(), hint)
				}
				if err := exists(root, b.adapters, strings.Fields(line)); err != nil {
					t.Errorf("%s: hint %q: %v", c.CommandPath(), hint, err)
				}
				aboutSession := c.GroupID == machines || c.Flags().Lookup("profile") != nil
				session := "--profile dev"
				if c.GroupID == machines || c.Flags().Lookup("profile-location") != nil {
					session += " --profile-location '/a b'"
				}
				if aboutSession && !strings.Contains(line, session) {
					t.Errorf("%s: hint %q is about another session", c.CommandPath(), hint)
				}
			}
		}
	}
}

func TestHintsThatNeedNoCommandMore(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&kinds.Error{Kind: kinds.Interrupted, Message: "interrupted"}, ""},
		{&kinds.Error{Kind: kinds.Failure, Message: "nothing was changed"}, ""},
		{errors.New("odd"), ""},
		{&kinds.Error{Kind: kinds.Refused, Message: "m", Next: "cognito-credhelper login --profile x"}, "cognito-credhelper login --profile x"},
		{&kinds.Error{Kind: kinds.Refused, Message: "m", Next: "wait, then: cognito-credhelper login"}, "wait, then: cognito-credhelper login"},
		{&kinds.Error{Kind: kinds.BadProfile, Message: "m", Next: "upgrade cognito-credhelper"}, "upgrade cognito-credhelper, then: cognito-credhelper status"},
		{&kinds.Error{Kind: kinds.BadProfile, Message: "m", Next: "ls -ld /x/cognito-credhelper/sessions"}, "ls -ld /x/cognito-credhelper/sessions, then: cognito-credhelper status"},
		{&kinds.Error{Kind: kinds.Unavailable, Message: "m", Next: "check the network, then try again"}, "check the network, then: cognito-credhelper status"},
		{&kinds.Error{Kind: kinds.Unavailable, Message: "m", Next: "try again"}, "cognito-credhelper status"},
		{&kinds.Error{Kind: kinds.LoginNeeded, Message: "m"}, "cognito-credhelper login"},
	} {
		if got := b.hintFor(tt.err); got != tt.want {
			t.Errorf("%v: hint %q, want %q", tt.err, got, tt.want)
		}
	}
}

// A hint repeats the line that was given, but never a secret.
func TestRepeatedLines(t *testing.T) {
	b := newBench(t)
	b.loadProfile = func(profiles.Selection, func(string) string) (profiles.Profile, error) {
		return profiles.Profile{}, &profiles.FileError{File: "/f", Problem: "is too large", Next: "make it smaller"}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"configure", "--profile", "d e", "--client-id", "c", "--client-secret", "hunter2", "--username", "al"},
			"configure --profile 'd e' --client-id c --username al --client-secret @FILE"},
		{[]string{"login", "--profile", "dev", "--answer", "PASSWORD=hunter2", "--force"}, "login --profile dev"},
		{[]string{"device", "forget", "eu_1", "--profile", "dev", "--username", "al"}, "device forget eu_1 --profile dev --username al"},
		{[]string{"revoke-token", "c1", "--profile", "dev", "--token", "hunter2"}, "revoke-token --profile dev c1 --token @FILE"},
		{[]string{"echo", "--profile=dev", "--username", "al"}, "status --profile dev --username al"},
	} {
		b.adapters = []protocol.Adapter{echo()}
		b.stderr.Reset()
		b.call(t, tt.args...)
		if got := b.stderr.String(); !strings.HasSuffix(got, "hint: make it smaller, then: "+programName+" "+tt.want+"\n") {
			t.Errorf("%v: %s", tt.args, got)
		}
		if strings.Contains(b.stderr.String(), "hunter2") {
			t.Errorf("%v: the secret is printed: %s", tt.args, b.stderr.String())
		}
	}
}
