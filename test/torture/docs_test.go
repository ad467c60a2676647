//go:build unix

package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/security.md links each promise to its tests: every link must lead to a test that is there, and every promise must have one.
func TestEveryPromiseNamesItsTests(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile("\\[`([A-Za-z0-9_.]+)`\\]\\(\\.\\./([^)#]+)\\)")
	for _, l := range link.FindAllStringSubmatch(string(page), -1) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(l[2])))
		switch {
		case err != nil:
			t.Errorf("%s: %v", l[1], err)
		case strings.HasSuffix(l[1], ".txtar"):
			if filepath.Base(l[2]) != l[1] {
				t.Errorf("the link of %s leads to %s", l[1], l[2])
			}
		case !strings.Contains(string(text), "\nfunc "+l[1]+"("):
			t.Errorf("%s has no %s", l[2], l[1])
		}
	}
	for n := 1; n <= 12; n++ {
		_, rest, found := strings.Cut(string(page), fmt.Sprintf("\n| P%d | ", n))
		row, _, _ := strings.Cut(rest, "\n")
		if !found || n < 12 && !link.MatchString(row) {
			t.Errorf("P%d names no test", n)
		}
	}
}
