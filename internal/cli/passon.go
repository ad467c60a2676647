package cli

import (
	"os"
	"path/filepath"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// passOn runs the next program of a name on PATH, with this program's streams and environment. It is the one place where a
// program is looked up on PATH to be run (docs/security.md).
func (p *program) passOn(name string, args []string) error {
	self, err := executable()
	if err != nil {
		return err
	}
	next := nextOnPath(name+exe(), p.Getenv("PATH"), ownFiles(self))
	if next == "" {
		return &token.Error{
			Kind:    token.Failure,
			Message: "no profile binds this, and there is no other " + name + " on PATH",
			Next:    programName + " status",
		}
	}
	return runInstead(next, append([]string{next}, args...), p.Environ())
}

// ownFiles are this program and its front.
func ownFiles(self string) []string {
	if front, ok := frontOf(self); ok {
		return []string{front, self}
	}
	return []string{self}
}

// nextOnPath finds the program behind ours on PATH: what stands before ours was passed over to reach it. Relative entries are
// passed over too: what they hold depends on where a tool was started.
func nextOnPath(name, path string, own []string) string {
	var before, behind string
	reached := false
	for _, folder := range filepath.SplitList(path) {
		file := filepath.Join(folder, name)
		info, err := os.Stat(file)
		switch {
		case !filepath.IsAbs(folder) || err != nil || !info.Mode().IsRegular() || !isExecutable(info):
		case isOneOf(file, own):
			reached = true
		case reached && behind == "":
			behind = file
		case !reached && before == "":
			before = file
		}
	}
	if reached {
		return behind
	}
	return before
}

// isOneOf compares device and inode, so that a link under another name is still ours.
func isOneOf(file string, own []string) bool {
	for _, o := range own {
		if sameFile(file, o) {
			return true
		}
	}
	return false
}
