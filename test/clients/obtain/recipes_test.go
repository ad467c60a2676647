package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A machine may name its mirror in either format of apt's lists; what is no archive of Debian's own is passed over.
func TestDebianURL(t *testing.T) {
	for line, want := range map[string]string{
		"URIs: http://mirror.example/debian":                      "http://mirror.example/debian",
		"deb [signed-by=/k.gpg] https://m.example/debian/ x main": "https://m.example/debian/",
		"URIs: http://mirror.example/debian-security":             "",
		"deb https://packages.example/apt stable main":            "",
		"Suites: bookworm": "",
	} {
		if got := debianURL(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// docs/clients.md tells of each program, and of the versions that are pinned here.
func TestEveryRecipeIsOnThePage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tools(), "..", "..", "..", "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ToLower(string(text))
	for _, r := range recipes() {
		name := strings.TrimSuffix(r.name, "-newer")
		if strings.HasSuffix(name, "est") {
			name = "`" + name + "`"
		}
		if !strings.Contains(page, name) {
			t.Errorf("docs/clients.md does not tell of %s", r.name)
		}
	}
	for _, version := range []string{oldestGo, newestGo, newestTofu} {
		if !strings.Contains(page, strings.TrimLeft(version, "gov")) {
			t.Errorf("docs/clients.md does not name %s", version)
		}
	}
}
