package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Whoever changes a guarded line learns of it from `make test`, long before `make mutants` runs.
func TestEveryMutantFindsItsTextAndItsTest(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	names := map[string]bool{}
	for _, m := range table() {
		if names[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		names[m.name] = true
		if _, err := m.source(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if !hasTest(t, m.pkg, m.test) {
			t.Errorf("%s: %s has no test %s", m.name, m.pkg, m.test)
		}
	}
}

// All mutants at once, to see that each compiles.
func TestMutantsCompile(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	sources, folders := map[string][]byte{}, map[string]bool{}
	for _, m := range table() {
		source, err := sources[m.file], error(nil)
		if source == nil {
			source, err = os.ReadFile(m.file)
		}
		if err == nil {
			source, err = m.in(source)
		}
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		sources[m.file], folders["./"+filepath.Dir(m.file)] = source, true
	}
	file, err := overlay(filepath.Join(t.TempDir(), "all"), sources)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := goCommand(file, append([]string{"build"}, slices.Sorted(maps.Keys(folders))...)...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^func ` + name + `\(`).Match(text) {
			return true
		}
	}
	return false
}

func TestTextThatIsNotThereOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	if err := os.WriteFile(file, []byte("one two two"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"one": "1 two two", "two": "", "three": ""} {
		got, err := mutant{file: file, edits: instead(text, "1")}.source()
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

func TestVerdict(t *testing.T) {
	for out, want := range map[string][2]bool{
		"--- PASS: TestA (0.00s)\nok\n":          {false, true},
		"--- FAIL: TestA (0.00s)\nFAIL\n":        {true, true},
		"    --- FAIL: TestA/sub (0.00s)\n":      {false, false},
		"--- SKIP: TestA (0.00s)\nok\n":          {false, false},
		"--- PASS: TestAB (0.00s)\n":             {false, false},
		"FAIL example.com/a [build failed]\n":    {false, false},
		"testing: warning: no tests to run\nok ": {false, false},
	} {
		if failed, ran := verdict(out, "TestA"); failed != want[0] || ran != want[1] {
			t.Errorf("%q: failed %v, ran %v", out, failed, ran)
		}
	}
	if got := skipReason("a_test.go:1: SKIP-NAMED fuse: no /dev/fuse\n--- SKIP: TestA (0.00s)\n"); got != "fuse: no /dev/fuse" {
		t.Errorf("reason %q", got)
	}
}

func TestChoose(t *testing.T) {
	all := []mutant{{name: "a"}, {name: "b"}}
	if got, err := choose(all, "b"); err != nil || len(got) != 1 || got[0].name != "b" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose(all, "c"); err == nil || !strings.Contains(err.Error(), "-list") {
		t.Errorf("error %v", err)
	}
}
