package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/flows.md names transcripts as proofs: each must exist, and each of the families that it tells about must be named.
func TestDocumentedTranscripts(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "flows.md"))
	if err != nil {
		t.Fatal(err)
	}
	family := regexp.MustCompile(`\b(?:raw_2|challenge|account|flow)_[a-z0-9_]+\b`)
	named := map[string]bool{}
	for _, name := range family.FindAllString(string(page), -1) {
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
