//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNextOnPath(t *testing.T) {
	root := t.TempDir()
	put := func(folder string, mode os.FileMode) string {
		file := filepath.Join(root, folder, "keyring")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(folder), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	ours := put("ours", 0o755)
	put("a", 0o755)
	put("b", 0o755)
	put("data", 0o644)
	if err := os.MkdirAll(filepath.Join(root, "folder", "keyring"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "link"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(ours, filepath.Join(root, "link", "keyring")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"ours a b":             "a",
		"a ours b":             "b",
		"link a":               "a",
		"ours a ours":          "a",
		"ours link data b":     "b",
		"ours folder absent b": "b",
		"ours":                 "",
		"a b":                  "a", // we were started by our path
		"":                     "",
	} {
		var folders []string
		for _, f := range strings.Fields(path) {
			folders = append(folders, filepath.Join(root, f))
		}
		got := nextOnPath("keyring", strings.Join(folders, ":"), []string{ours})
		if want != "" {
			want = filepath.Join(root, want, "keyring")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	t.Chdir(root)
	if got := nextOnPath("keyring", "a:.:", []string{ours}); got != "" {
		t.Errorf("a relative entry counted: %s", got)
	}
}
