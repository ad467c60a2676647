package host

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// namePattern is what a file in the plugin folder may be called. The program that links this package for register and lock
// compiles it only then: it is started for every credential.
var namePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}(_v[0-9]+\.[0-9]+\.[0-9]+)?$`)
})

func validName(name string) bool { return namePattern().MatchString(name) }

func absolute(what, path string) error {
	if path != "" && !filepath.IsAbs(path) {
		return unusable(what+" is not an absolute path", "give an absolute path: nothing is looked for in the working directory")
	}
	return nil
}

// found is a program to start, and the checksum that it must have; "" where nobody recorded one.
type found struct{ path, sum string }

// find decides which program is meant, without looking at it.
func (o Options) find() (found, error) {
	locked, err := readLock(o.Folder)
	if err != nil {
		return found{}, err
	}
	registered, err := readRegistration()
	if err != nil && o.Program == "" {
		return found{}, err
	}
	f := o.among(registered, locked)
	if f.path == "" {
		return found{}, unusable("cognito-credhelper is not there to be loaded as a plugin", "cognito-credhelper plugin register")
	}
	if o.SHA256 != "" {
		f.sum = strings.ToLower(o.SHA256)
	}
	if f.sum == "" && !o.Unpinned {
		return found{}, unusable("nobody recorded the checksum of "+f.path,
			"run: cognito-credhelper plugin register (or pin it: host.Lock, Options.SHA256; or, knowingly, Options.Unpinned)")
	}
	return f, nil
}

func (o Options) among(registered Registration, locked lockFile) found {
	switch {
	case o.Program != "" && o.Program == registered.Path:
		return found{o.Program, cmp.Or(locked.sum(o.Program), registered.SHA256)}
	case o.Program != "":
		return found{o.Program, locked.sum(o.Program)}
	case registered.Path != "" && o.Name == "":
		return found{registered.Path, registered.SHA256}
	}
	if beside := besideCaller(); beside != "" && o.Name == "" {
		return found{beside, locked.sum(beside)}
	}
	return o.newest(locked)
}

// besideCaller is the installed complete program, where this program is installed beside it; "" where it is not.
func besideCaller() string {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return ""
	}
	return besideOf(self)
}

// besideOf looks from the file of a program.
func besideOf(self string) string {
	path := filepath.Join(filepath.Dir(self), "..", "libexec", "cognito-credhelper", "cognito-credhelper-core"+exe())
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

// newest is the newest version in the plugin folder that has a checksum, or any where none is needed. A name that does not
// fit, such as one with a path in it, is nobody's.
func (o Options) newest(locked lockFile) found {
	folder, err := pluginFolder(o.Folder)
	if err != nil {
		return found{}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return found{}
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), exe())
		if validName(name) && (name == o.name() || strings.HasPrefix(name, o.name()+"_v")) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Compare(version(b), version(a)) })
	unlocked := found{}
	for _, name := range names {
		f := found{filepath.Join(folder, name+exe()), locked.sum(name)}
		if f.sum != "" {
			return f
		}
		if unlocked.path == "" {
			unlocked = f
		}
	}
	return unlocked
}

func (o Options) name() string { return cmp.Or(o.Name, defaultName) }

// version is what stands behind _v; a name without one is older than any with one.
func version(name string) []int {
	_, text, found := strings.Cut(name, "_v")
	if !found {
		return nil
	}
	var v []int
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = -1 // more digits than any version has
		}
		v = append(v, n)
	}
	return v
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// pluginFolder is the folder that was named, else the standard one.
func pluginFolder(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	base, err := configFolder()
	return filepath.Join(base, "plugins"), err
}

// configFolder is ours in the user's configuration.
func configFolder() (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", unusable("there is no folder for configuration", "set HOME")
	}
	return filepath.Join(base, "cognito-credhelper"), nil
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
