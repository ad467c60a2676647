// Package statefolder says where the program keeps what it must remember: sessions, keys, indexes.
//
// It computes paths; it reads no environment by itself, creates nothing, and of what is on disk it looks only at the kind of
// the file system.
package statefolder

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const name = "cognito-credhelper"

// Find returns the absolute state folder: COGNITO_CREDHELPER_HOME, else the platform's place for state
// (XDG_STATE_HOME, ~/Library/Application Support, %LOCALAPPDATA%). ignored names a variable that was set to a relative
// path and therefore not used (the XDG rule), or is "".
func Find(getenv func(string) string) (folder, ignored string, err error) {
	if own := getenv("COGNITO_CREDHELPER_HOME"); own != "" {
		if !filepath.IsAbs(own) {
			return "", "", &token.Error{Kind: token.BadProfile, Message: "COGNITO_CREDHELPER_HOME is not an absolute path", Next: "set COGNITO_CREDHELPER_HOME to an absolute path"}
		}
		return filepath.Clean(own), "", nil
	}
	variable, rest := place()
	if base := getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, name), "", nil
	} else if base != "" {
		ignored = variable
	}
	home := getenv(homeVariable())
	if !filepath.IsAbs(home) {
		return "", ignored, &token.Error{Kind: token.BadProfile, Message: "there is no home folder to keep sessions in", Next: "set COGNITO_CREDHELPER_HOME to a folder of yours"}
	}
	return filepath.Join(home, rest, name), ignored, nil
}

// Spill is a folder of this user's that is likely on another disk than the state folder, for a session that cannot be saved
// there: below XDG_RUNTIME_DIR where it is set, else below the platform's place for temporary files. It is "" where there
// is none. Whoever makes it must check that it is the user's own.
func Spill(getenv func(string) string) string {
	if runtime.GOOS == "windows" {
		if base := getenv("LOCALAPPDATA"); filepath.IsAbs(base) {
			return filepath.Join(base, "Temp", name)
		}
		return ""
	}
	if base := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(base) {
		return filepath.Join(base, name)
	}
	base := getenv("TMPDIR")
	if !filepath.IsAbs(base) {
		base = "/tmp"
	}
	return filepath.Join(base, name+"-"+strconv.Itoa(os.Geteuid()))
}

// place names the variable that may move the state folder, and the platform's folder below home.
func place() (variable, rest string) {
	switch runtime.GOOS {
	case "windows":
		return "LOCALAPPDATA", `AppData\Local`
	case "darwin":
		return "", "Library/Application Support"
	default:
		return "XDG_STATE_HOME", ".local/state"
	}
}

func homeVariable() string {
	if runtime.GOOS == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}

// existing is folder, or the nearest above it that is there.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
		above := filepath.Dir(folder)
		if above == folder {
			return folder
		}
		folder = above
	}
}
