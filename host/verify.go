package host

import (
	"crypto/sha256"
	"crypto/subtle"
	"debug/buildinfo"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// open gives the program's file, verified: whoever executes this very file executes what was verified.
func (f found) open() (file *os.File, path string, err error) {
	file, path, err = openTrusted(f.path)
	if err != nil || f.sum == "" {
		return file, path, err
	}
	sum, err := checksum(file)
	if err == nil && subtle.ConstantTimeCompare([]byte(sum), []byte(strings.ToLower(f.sum))) != 1 {
		err = unusable("the checksum of "+path+" is "+sum+", not the recorded "+f.sum+", so that it is not started",
			"where you upgraded it yourself: cognito-credhelper plugin register (or host.Lock)")
	}
	if err != nil {
		file.Close()
		return nil, "", err
	}
	return file, path, nil
}

// openTrusted opens a program that nobody but this user or root can have written. path is its own, links resolved.
func openTrusted(program string) (file *os.File, path string, err error) {
	path, err = filepath.EvalSymlinks(program)
	if err != nil {
		return nil, "", unusable("the program "+program+" is not there", "cognito-credhelper plugin register")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, "", err
	}
	if err := trustedFolder(filepath.Dir(path)); err != nil {
		return nil, "", err
	}
	file, err = os.Open(path)
	if err != nil {
		return nil, "", unusable("the program "+path+" cannot be read: "+printable(err.Error()), "")
	}
	info, err := file.Stat()
	if err == nil {
		err = trustedFile(path, info, true)
	}
	if err == nil && isFront(file) {
		err = unusable(path+" is the front, which only hands over to the complete program", "cognito-credhelper plugin register")
	}
	if err != nil {
		file.Close()
		return nil, "", err
	}
	return file, path, nil
}

// isFront reports whether a program is the front, by what the Go linker wrote into it. What was not written in Go is not.
func isFront(file *os.File) bool {
	info, err := buildinfo.Read(file)
	return err == nil && strings.HasSuffix(info.Path, "/cognito-credhelper-front")
}

func checksum(file *os.File) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(file, 0, 1<<62)); err != nil {
		return "", unusable("the program cannot be read: "+printable(err.Error()), "")
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readTrusted reads a file that nobody but this user or root can have written. A missing file gives fs.ErrNotExist.
func readTrusted(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := firstError(trustedFile(path, info, false), trustedFolder(filepath.Dir(path))); err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, unusable(path+" is too large", "")
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// trustedFolder refuses a folder that others can change, and one whose own place others can change.
func trustedFolder(folder string) error {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return &plugin.Error{Code: plugin.CodeBadProfile, Message: "the folder " + folder + " is not there", Err: err}
	}
	return trustedTree(real)
}

// printable is text of others, fit for a terminal and a log, and not without end.
func printable(s string) string {
	const limit = 300
	clean := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.TrimSpace(s)))
	if len(clean) > limit {
		return string(clean[:limit]) + "..."
	}
	return string(clean)
}
