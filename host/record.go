package host

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What is recorded of programs. Both files are JSON, mode 0600; a file that others could have written is refused.
const (
	lockName         = "plugins.lock"
	registrationName = "plugin.json"
	recordFormat     = 1
	maxRecord        = 1 << 20
)

// Registration is what `cognito-credhelper plugin register` recorded of itself.
type Registration struct {
	Format  int    `json:"format"`
	Path    string `json:"path"` // absolute
	SHA256  string `json:"sha256"`
	Version string `json:"version"`
}

// lockFile is plugins.lock: the checksums of programs that may be started.
type lockFile struct {
	Format  int      `json:"format"`
	Plugins []Locked `json:"plugins"`
}

// Locked is one program that may be started.
type Locked struct {
	// Program is a name in the plugin folder, without .exe, or an absolute path.
	Program string `json:"program"`
	SHA256  string `json:"sha256"`
}

// sum is the checksum of a program; "" where the lock file does not have it.
func (l lockFile) sum(program string) string {
	for _, p := range l.Plugins {
		if p.Program == program {
			return p.SHA256
		}
	}
	return ""
}

// Lock records the checksum of a program in the lock file, in place of an older one, so that Open starts it: program is a
// name in the plugin folder, or an absolute path. folder is the plugin folder; "" means the standard one. What others could
// have written is refused.
func Lock(program, folder string) (Locked, error) {
	folder, err := pluginFolder(folder)
	if err != nil {
		return Locked{}, err
	}
	path := program
	if !filepath.IsAbs(program) {
		if !validName(program) {
			return Locked{}, unusable(printable(program)+" is neither a name of a plugin nor an absolute path", "")
		}
		path = filepath.Join(folder, program+exe())
	}
	_, sum, err := inspect(path)
	if err != nil {
		return Locked{}, err
	}
	entry := Locked{program, sum}
	locked, err := readLock(folder)
	if err != nil {
		return Locked{}, err
	}
	locked.Format = recordFormat
	locked.Plugins = slices.DeleteFunc(locked.Plugins, func(l Locked) bool { return l.Program == program })
	locked.Plugins = append(locked.Plugins, entry)
	return entry, writeRecord(folder, lockName, locked)
}

// Register records a program as the one that Open finds first. version is for people. The record's path is the program's
// own, links resolved.
func Register(program, version string) (Registration, error) {
	if err := absolute("the program", program); err != nil {
		return Registration{}, err
	}
	path, sum, err := inspect(program)
	if err != nil {
		return Registration{}, err
	}
	folder, err := configFolder()
	if err != nil {
		return Registration{}, err
	}
	r := Registration{recordFormat, path, sum, version}
	return r, writeRecord(folder, registrationName, r)
}

// inspect gives a program's real path and checksum, where it may be trusted.
func inspect(program string) (path, sum string, err error) {
	f, path, err := openTrusted(program)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	sum, err = checksum(f)
	return path, sum, err
}

func readLock(folder string) (lockFile, error) {
	folder, err := pluginFolder(folder)
	if err != nil {
		return lockFile{}, nil // no place for one, so that there is none
	}
	var l lockFile
	path := filepath.Join(folder, lockName)
	if there, err := readRecord(path, &l); err != nil || !there {
		return lockFile{}, err
	}
	for _, p := range l.Plugins {
		if !validSum(p.SHA256) || !validName(p.Program) && !filepath.IsAbs(p.Program) {
			return lockFile{}, unusable(path+" has an entry that is not valid: "+printable(p.Program), "write the file anew with host.Lock")
		}
	}
	return l, nil
}

func readRegistration() (Registration, error) {
	folder, err := configFolder()
	if err != nil {
		return Registration{}, nil
	}
	var r Registration
	path := filepath.Join(folder, registrationName)
	if there, err := readRecord(path, &r); err != nil || !there {
		return Registration{}, err
	}
	if !filepath.IsAbs(r.Path) || !validSum(r.SHA256) {
		return Registration{}, unusable(path+" is damaged", "cognito-credhelper plugin register")
	}
	return r, nil
}

// readRecord reads a file of ours; there is false where it does not exist.
func readRecord(path string, into any) (there bool, err error) {
	text, err := readTrusted(path, maxRecord)
	switch {
	case missing(err):
		return false, nil
	case err != nil:
		return false, err
	}
	var head struct{ Format int }
	if json.Unmarshal(text, &head) != nil || json.Unmarshal(text, into) != nil {
		return false, unusable(path+" is damaged", "remove it, then: cognito-credhelper plugin register")
	}
	if head.Format != recordFormat {
		return false, unusable(path+" was written by another version of this program", "use a newer version")
	}
	return true, nil
}

// writeRecord replaces a file whole, readable by its owner only.
func writeRecord(folder, name string, what any) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return unusable("the folder "+folder+" cannot be made", "")
	}
	if err := trustedFolder(folder); err != nil {
		return err
	}
	text, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".tmp-")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = firstError(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(folder, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// validSum reports whether s is a SHA-256 in hexadecimal.
func validSum(s string) bool {
	b, err := hex.DecodeString(strings.ToLower(s))
	return err == nil && len(b) == 32
}
