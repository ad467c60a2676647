package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
)

// docs/flows.md names transcripts as proofs: each must exist, and each of the families that it tells about must be named.
func TestDocumentedTranscripts(t *testing.T) {
	page := read(t, "..", "..", "docs", "flows.md")
	family := regexp.MustCompile(`\b(?:raw_2|challenge|account|flow)_[a-z0-9_]+\b`)
	named := map[string]bool{}
	for _, name := range family.FindAllString(page, -1) {
		named[name] = true
		if _, err := os.Stat(filepath.Join("testdata", "script", name+".txtar")); err != nil && !strings.HasSuffix(name, "_") {
			t.Errorf("docs/flows.md names %s, which is not there", name)
		}
	}
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range scripts {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if family.MatchString(name) && !named[name] {
			t.Errorf("docs/flows.md does not name %s", name)
		}
	}
}

// Each of at least 15 servers and services says how far it is proved: by a real program, in a transcript or a test that is there, or
// by its manual.
func TestEveryHostIsProved(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "..", "..", "docs", "hosts.md"), "\n|---|---|---|---|\n")
	sources, err := filepath.Glob(filepath.Join("..", "..", "test", "clients", "real", "*_test.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no tests of real clients: %v", err)
	}
	tests := ""
	for _, path := range sources {
		tests += read(t, path)
	}
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if len(cells) != 4 {
			break
		}
		rows++
		proof := cells[3]
		if !strings.HasPrefix(proof, "real program") && !strings.HasPrefix(proof, "by its manual") && !strings.HasPrefix(proof, "by their manuals") {
			t.Errorf("%s: %s", cells[0], proof)
		}
		names := regexp.MustCompile("`([A-Za-z0-9_]+)`").FindAllStringSubmatch(proof, -1)
		if strings.HasPrefix(proof, "real program") && len(names) == 0 {
			t.Errorf("%s: which test shows it?", cells[0])
		}
		for _, m := range names {
			_, err := os.Stat(filepath.Join("testdata", "script", m[1]+".txtar"))
			if err != nil && !strings.Contains(tests, "func "+m[1]+"(t *testing.T)") {
				t.Errorf("%s: there is no %s", cells[0], m[1])
			}
		}
	}
	if rows < 15 {
		t.Errorf("%d servers and services", rows)
	}
}

// allChallenges are those that the program answers, each with a row of its own or in one.
var allChallenges = []string{
	"PASSWORD_VERIFIER", "PASSWORD", "PASSWORD_SRP", "SELECT_CHALLENGE", "NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "SMS_MFA", "SMS_OTP",
	"EMAIL_OTP", "SELECT_MFA_TYPE", "MFA_SETUP", "CUSTOM_CHALLENGE", "WEB_AUTHN", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER",
}

// Each challenge has a transcript for a right answer, a wrong one, a late one, and a trigger's error; and each of those
// transcripts does what its column says.
func TestEveryChallengeHasItsTranscripts(t *testing.T) {
	source := read(t, "..", "..", "internal", "cognito", "challenges.go")
	if n := len(regexp.MustCompile(`(?m)^\t[\w"]+: +respond`).FindAllString(source, -1)); n != len(allChallenges) {
		t.Errorf("the program answers %d challenges, and this test knows %d", n, len(allChallenges))
	}
	columns := []struct{ name, shows string }{
		{"right", `is signed in`},
		{"wrong", `(?m)^code 4 |forget_devices`},
		{"late", `answerer late|@late:|delay_ms|session is expired`},
		{"a trigger's error", `(?m)^triggers '`},
	}
	page := read(t, "..", "..", "docs", "flows.md")
	for _, challenge := range allChallenges {
		cells := row(page, `\b`+challenge+`\b`)
		if len(cells) != len(columns)+1 {
			t.Errorf("docs/flows.md has no row for %s", challenge)
			continue
		}
		for i, column := range columns {
			shown := false
			for _, name := range regexp.MustCompile(`\b[a-z0-9_]+\b`).FindAllString(cells[i+1], -1) {
				script, err := os.ReadFile(filepath.Join("testdata", "script", name+".txtar"))
				shown = shown || err == nil && regexp.MustCompile(column.shows).Match(script)
			}
			if !shown {
				t.Errorf("%s, %s: no transcript of %q shows it", challenge, column.name, cells[i+1])
			}
		}
	}
}

// Each row of the comparison with the cmdlet has a transcript of its number, and each other line of what was promised is
// on the page.
func TestEveryRowHasItsTranscript(t *testing.T) {
	page := read(t, "..", "..", "docs", "flows.md")
	for n := 1; n <= 17; n++ {
		cells := row(page, fmt.Sprintf(`^2\.%d$`, n))
		if len(cells) != 3 || !regexp.MustCompile(fmt.Sprintf(`\braw_2_%02d_`, n)).MatchString(cells[2]) {
			t.Errorf("row 2.%d names no transcript of its own: %q", n, cells)
		}
	}
	for part, lines := range map[int]int{1: 14, 3: 4} {
		for n := 1; n <= lines; n++ {
			if !regexp.MustCompile(fmt.Sprintf(`\b%d\.%d\b`, part, n)).MatchString(page) {
				t.Errorf("docs/flows.md does not say what proves %d.%d", part, n)
			}
		}
	}
}

// row is the cells of the first table row whose first cell matches, in a table of at least three columns.
func row(page, pattern string) []string {
	for line := range strings.Lines(page) {
		inner, isRow := strings.CutPrefix(strings.TrimSpace(line), "| ")
		cells := strings.Split(strings.TrimSuffix(inner, " |"), " | ")
		if isRow && len(cells) >= 3 && regexp.MustCompile(pattern).MatchString(cells[0]) {
			return cells
		}
	}
	return nil
}

// docs/tools has a page for every machine verb but token, which is for people's scripts. Each page says how to install and to
// undo, what happens, and what the tool hides; the commands that it names exist.
func TestEveryToolHasItsPage(t *testing.T) {
	folder := filepath.Join("..", "..", "docs", "tools")
	index, front := read(t, folder, "README.md"), read(t, "..", "..", "README.md")
	pages, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, path := range pages {
		name, page := filepath.Base(path), read(t, path)
		for _, verb := range commandsIn(page) {
			told[verb] = told[verb] || name != "README.md"
			if _, err := helpOf(core(), []string{verb}); err != nil {
				t.Errorf("%s names %q: %v", name, verb, err)
			}
		}
		if name == "README.md" {
			continue
		}
		if !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/tools/README.md does not link %s", name)
		}
		if name != "aws.md" && !strings.Contains(front, "(docs/tools/"+name+")") {
			t.Errorf("README.md does not link %s", name)
		}
		for _, part := range []string{"\n| install | ", "\n| undo | ", "\n## What happens\n"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s has no %q", name, part)
			}
		}
		if !regexp.MustCompile(`(?m)^## What .* hides?$`).MatchString(page) {
			t.Errorf("%s does not say what the tool hides", name)
		}
	}
	for _, adapter := range all.Adapters(nil) {
		if !told[adapter.Verb] && adapter.Verb != "token" {
			t.Errorf("no page of docs/tools tells of %s", adapter.Verb)
		}
	}
}

// commandsIn are the commands that a page names, by the program's name or by a helper's.
func commandsIn(page string) []string {
	var found []string
	for _, m := range regexp.MustCompile(`cognito-credhelper(?: |", ")([a-z][a-z-]*)`).FindAllStringSubmatch(page, -1) {
		found = append(found, m[1])
	}
	for _, name := range regexp.MustCompile(`\b[a-z]+-[a-z]+-cognito(?:-[a-z]+)?\b|/keyring\b`).FindAllString(page, -1) {
		found = append(found, all.Invoked([]string{name}).Verb)
	}
	return found
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
