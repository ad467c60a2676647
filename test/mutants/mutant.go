package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// mutant is a change of one file that a test must notice.
type mutant struct {
	name  string
	what  string // that it takes away
	file  string // from the root of the repository
	edits []edit
	test  string // the name of the test that turns red
	pkg   string // the folder that it is in
	tags  string // that it is built with
}

// edit replaces a text that is in the file exactly once.
type edit struct{ text, by string }

// instead is a single edit.
func instead(text, by string) []edit { return []edit{{text, by}} }

// source is the file with the mutant in it.
func (m mutant) source() ([]byte, error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	return m.in(source)
}

// in puts the mutant into a file's text.
func (m mutant) in(source []byte) ([]byte, error) {
	for _, e := range m.edits {
		if n := bytes.Count(source, []byte(e.text)); n != 1 {
			return nil, fmt.Errorf("%s has this text %d times, not once: %q; bring test/mutants/table.go up to date", m.file, n, e.text)
		}
		source = bytes.Replace(source, []byte(e.text), []byte(e.by), 1)
	}
	return source, nil
}

// kill runs the test against the mutant. nil means that the test noticed.
func (m mutant) kill(work string) error {
	overlay, err := m.overlay(work)
	if err != nil {
		return err
	}
	// A mutant that does not compile is none.
	if out, err := goCommand(overlay, "build", "./"+filepath.Dir(m.file)); err != nil {
		return fmt.Errorf("does not compile: %w\n%s", err, out)
	}
	out, err := goCommand(overlay, "test", "-count=1", "-v", "-timeout=2m", "-tags="+m.tags, "-run", exactly(m.test), "./"+m.pkg)
	switch failed, ran := verdict(out, m.test); {
	case failed:
		return nil
	case err == nil && ran:
		return fmt.Errorf("survives: %s stays green without %s", m.test, m.what)
	case err == nil:
		return fmt.Errorf("%s did not run: %s", m.test, lastLines(out))
	case timedOut(out):
		return nil // it hangs instead of answering: red, too
	}
	return fmt.Errorf("%s gave no verdict: %w\n%s", m.test, err, lastLines(out))
}

// overlay writes what go build's -overlay takes.
func (m mutant) overlay(work string) (string, error) {
	source, err := m.source()
	if err != nil {
		return "", err
	}
	return overlay(filepath.Join(work, m.name), map[string][]byte{m.file: source})
}

// overlay writes files named after base, by which go takes these texts in place of the files' own.
func overlay(base string, sources map[string][]byte) (string, error) {
	replace := map[string]string{}
	for file, source := range sources {
		original, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		changed := fmt.Sprintf("%s-%d.go", base, len(replace))
		if err := os.WriteFile(changed, source, 0o600); err != nil {
			return "", err
		}
		replace[original] = changed
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	return base + ".json", os.WriteFile(base+".json", text, 0o600)
}

// goCommand runs go so that every go that it starts in turn has the same overlay.
func goCommand(overlay string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	flags := os.Getenv("GOFLAGS")
	if overlay != "" {
		flags = strings.TrimSpace(flags + " -overlay=" + overlay)
	}
	cmd.Env = append(os.Environ(), "GOFLAGS="+flags)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func exactly(test string) string { return "^" + regexp.QuoteMeta(test) + "$" }

// verdict reads the lines of go test -v. A skipped test has not run.
func verdict(out, test string) (failed, ran bool) {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		failed = failed || strings.HasPrefix(line, "--- FAIL: "+test+" ")
		ran = ran || strings.HasPrefix(line, "--- PASS: "+test+" ")
	}
	return failed, ran || failed
}

func timedOut(out string) bool { return strings.Contains(out, "panic: test timed out after") }

func lastLines(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// green runs every test that a mutant must turn red, without one. A test that this machine cannot run is skipped by name, and
// its mutants with it.
func green(mutants []mutant) (skipped map[string]string, err error) {
	type group struct{ pkg, tags string }
	tests := map[group][]string{}
	for _, m := range mutants {
		g := group{m.pkg, m.tags}
		tests[g] = append(tests[g], m.test)
	}
	skipped = map[string]string{}
	for g, names := range tests {
		var any []string
		for _, n := range names {
			any = append(any, regexp.QuoteMeta(n))
		}
		out, err := goCommand("", "test", "-count=1", "-v", "-timeout=4m", "-tags="+g.tags, "-run", "^("+strings.Join(any, "|")+")$", "./"+g.pkg)
		if err != nil {
			return nil, fmt.Errorf("%s is red: %w\n%s", g.pkg, err, lastLines(out))
		}
		for _, n := range names {
			if _, ran := verdict(out, n); ran {
				continue
			}
			if !strings.Contains(out, "--- SKIP: "+n+" ") {
				return nil, fmt.Errorf("%s in %s did not run", n, g.pkg)
			}
			skipped[n] = skipReason(out)
		}
	}
	return skipped, nil
}

// skipReason is the last reason that a test gave by package skips.
func skipReason(out string) string {
	_, reason, found := strings.Cut(out, "SKIP-NAMED ")
	if !found {
		return "skipped"
	}
	reason, _, _ = strings.Cut(reason, "\n")
	return reason
}
