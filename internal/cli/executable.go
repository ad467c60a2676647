package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// stablePath is the path of this program to write into another program's configuration. It prefers a link on PATH: the
// file behind it may carry a version, and be gone after an upgrade. Where the installed pair is, it is the front's.
func stablePath(self, path string) string {
	same := []string{self}
	if front, ok := frontOf(self); ok {
		same = []string{front, self}
	}
	for _, folder := range filepath.SplitList(path) {
		name := filepath.Join(folder, programName+exe())
		if filepath.IsAbs(folder) && slices.ContainsFunc(same, func(s string) bool { return sameFile(name, s) }) {
			return name
		}
	}
	return same[0]
}

// frontOf finds the front of an installed pair, from the core's path.
func frontOf(self string) (front string, ok bool) {
	if filepath.Base(self) != programName+"-core"+exe() {
		return "", false
	}
	folder := filepath.Dir(self)
	for _, name := range []string{
		filepath.Join(folder, "..", "..", "bin", programName+exe()),
		filepath.Join(folder, programName+exe()),
	} {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			return name, true
		}
	}
	return "", false
}

// lineWord quotes a word for a configuration line that a shell, shlex, or cmd may split.
func lineWord(word string) string {
	if runtime.GOOS != "windows" {
		return profiles.ShellWord(word)
	}
	if strings.ContainsAny(word, " \t&()^;,'`~") {
		return `"` + word + `"`
	}
	return word
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
