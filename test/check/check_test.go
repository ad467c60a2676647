package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

func fixed(name string, r result) step {
	return step{name, "does " + name, func(string) result { return r }}
}

func TestEveryStepRunsAndTheSummaryIsWhole(t *testing.T) {
	var out strings.Builder
	report := filepath.Join(t.TempDir(), "report")
	failed := runSteps([]step{
		fixed("one", result{}),
		fixed("two", result{output: "line 1\nline 2\n", err: errors.New("exit status 1")}),
		fixed("three", result{skip: "no C compiler"}),
		fixed("four", result{output: "said four", show: true}),
	}, report, &out)
	if failed != 1 {
		t.Errorf("%d failed, want 1", failed)
	}
	for _, want := range []string{
		"\nFAIL two", "\n     line 1\n     line 2\n     exit status 1\n", "\nSKIP three            no C compiler\n", "\nok   four", "\n     said four\n",
		"\n2 ran in ", ": one, four\n", "\n1 skipped: three (no C compiler)\n", "\n1 FAILED: two\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
	r, err := skips.Read(report)
	if err != nil || !slices.Equal(r.Skipped["three"], []string{"no C compiler"}) {
		t.Errorf("the skip was not reported: %v, %v", r, err)
	}
}

func TestRequiredSkipFailsOnTheBuildServerOnly(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("ci", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("ci/required.txt", []byte("aws\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := skips.Note("report", false, "aws", "no aws on PATH"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ci   string
		file string
		want int
	}{
		{"", "report", 0}, {"false", "report", 0}, {"true", "report", 1},
		{"true", "absent", 1}, // a whole run in which nobody named aws
		{"", "absent", 0},
	} {
		var out strings.Builder
		if got := run([]string{"report", c.file}, func(string) string { return c.ci }, &out); got != c.want {
			t.Errorf("CI=%q report %s: exit %d, want %d\n%s", c.ci, c.file, got, c.want, out.String())
		}
	}
	if code := run([]string{"note", "noted", "aws", "2.1"}, os.Getenv, os.Stdout); code != 0 {
		t.Fatalf("note: exit %d", code)
	}
	var out strings.Builder
	if got := run([]string{"report", "noted"}, func(string) string { return "true" }, &out); got != 0 || !strings.Contains(out.String(), "aws") {
		t.Errorf("after a run of aws: exit %d\n%s", got, out.String())
	}
}

func TestChosen(t *testing.T) {
	all := []step{fixed("a", result{}), fixed("b", result{}), fixed("c", result{})}
	got, err := chosen(all[:2], all, "c,a")
	if err != nil || len(got) != 2 || got[0].name != "c" || got[1].name != "a" {
		t.Errorf("chosen = %v, %v", got, err)
	}
	if got, err := chosen(all[:2], all, ""); err != nil || len(got) != 2 {
		t.Errorf("without a choice: %v, %v", got, err)
	}
	if _, err := chosen(all[:2], all, "d"); err == nil {
		t.Error("an unknown step was taken")
	}
}

func TestEachTestRunsOnce(t *testing.T) {
	names := func(cc string) (n []string) {
		for _, s := range steps(t.TempDir(), cc) {
			n = append(n, s.name)
		}
		return n
	}
	if with := names("cc"); !slices.Contains(with, "tests") || slices.Contains(with, "race") {
		t.Errorf("with a compiler: %v", with)
	}
	if without := names(""); !slices.Contains(without, "tests") || !slices.Contains(without, "race") {
		t.Errorf("without a compiler: %v", without)
	}
	for _, s := range testSteps("") {
		if s.name == "race" && s.run("").skip == "" {
			t.Error("race without a compiler was not skipped")
		}
	}
}

func TestFormatIsJudged(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.go"), filepath.Join(dir, "bad.go")
	for name, src := range map[string]string{good: "package a\n", bad: "package  a\n"} {
		if err := os.WriteFile(name, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := judgeFormat([]string{good}); r.err != nil {
		t.Errorf("a formatted file failed: %v\n%s", r.err, r.output)
	}
	if r := judgeFormat([]string{good, bad}); r.err == nil || !strings.Contains(r.output, "bad.go") {
		t.Errorf("an unformatted file passed: %q", r.output)
	}
	if r := judgeFormat(nil); r.err == nil {
		t.Error("no files at all passed")
	}
	if got := presentFiles([]string{good, filepath.Join(dir, "gone.go")}); !slices.Equal(got, []string{good}) {
		t.Errorf("present files = %v", got)
	}
}

func TestCommandsFail(t *testing.T) {
	if r := command(nil, "go", "no-such-command"); r.err == nil || r.output == "" {
		t.Errorf("a failing command gave %v", r)
	}
	second := false
	r := all(func() result { return result{err: errors.New("no")} }, func() result { second = true; return result{} })
	if r.err == nil || second {
		t.Error("the second ran after the first had failed")
	}
}

func TestWhatIsToBeShownIsShownTogether(t *testing.T) {
	says := func(s string, show bool) func() result {
		return func() result { return result{output: s, show: show} }
	}
	if r := all(says("one\n", true), says("two\n", false), says("three\n", true)); !r.show || r.output != "one\nthree\n" {
		t.Errorf("shown %v: %q", r.show, r.output)
	}
}

func TestCompilerThatIsNotThere(t *testing.T) {
	t.Setenv("CC", filepath.Join(t.TempDir(), "no-cc"))
	if cc := compiler(); cc != "" {
		t.Errorf("compiler = %q", cc)
	}
}
