package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// LinkTo is the step that gives program another name. A name that somebody else's program has is foreign.
func LinkTo(name, program string) Step {
	return Step{Kind: Link, File: name, Lines: []string{name + " -> " + program}, target: program}
}

// standingLink reports whether the name is ours already. The error says why it cannot be made ours.
func (s Step) standingLink(force bool) (standing bool, err error) {
	info, err := os.Lstat(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, linkFailed(s.File, err)
	}
	if sameFile(s.File, s.target) {
		return true, nil
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return false, &profiles.FileError{File: s.File, Problem: "another program has that name", Next: "ls -l " + profiles.ShellWord(s.File)}
	}
	if to, _ := os.Readlink(s.File); force || strings.Contains(filepath.Base(to), "cognito-credhelper") {
		return false, nil // ours, of another version or place
	}
	return false, &ForeignError{File: s.File, Problem: "the name is a link to another program"}
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// makeLink puts the link in place of what is there, whole. It tells where the old one led to.
func (s Step) makeLink() (old string, err error) {
	folder := filepath.Dir(s.File)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", linkFailed(s.File, err)
	}
	old, _ = os.Readlink(s.File)
	temp := filepath.Join(folder, "."+filepath.Base(s.File)+".new")
	_ = os.Remove(temp) // of a run that was killed
	if runtime.GOOS == "windows" {
		err = os.Link(s.target, temp)
	} else {
		err = os.Symlink(s.destination(), temp)
	}
	if err == nil {
		err = os.Rename(temp, s.File)
	}
	if err != nil {
		_ = os.Remove(temp)
		return "", linkFailed(s.File, err)
	}
	return old, nil
}

// destination is what the link says: a bare name where the program is beside it, so that the folder may move.
func (s Step) destination() string {
	if filepath.Dir(s.File) == filepath.Dir(s.target) {
		return filepath.Base(s.target)
	}
	return s.target
}

// unlink takes the link out where it still is the one that was made, and puts the one before it back.
func (s Step) unlink(old string) (done bool, err error) {
	to, _ := os.Readlink(s.File)
	if to != s.destination() && !(runtime.GOOS == "windows" && sameFile(s.File, s.target)) {
		return false, nil
	}
	if err := os.Remove(s.File); err != nil {
		return false, linkFailed(s.File, err)
	}
	if old != "" {
		if err := os.Symlink(old, s.File); err != nil {
			return false, linkFailed(s.File, err)
		}
	}
	return true, nil
}

func linkFailed(name string, err error) error {
	return &profiles.FileError{
		File: name, Problem: "the link cannot be changed", Err: cause(err),
		Next: "give a folder of your own that is on PATH with --dir, or run it as the owner of " + profiles.ShellWord(filepath.Dir(name)),
	}
}
