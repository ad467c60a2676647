package profiles

import (
	"path/filepath"
	"strings"
)

// Select decides which profile is meant: flag, else AWS_PROFILE, else "default". location is the value of
// --profile-location, or "".
func Select(flag, location string, getenv func(string) string) Selection {
	for _, name := range []string{flag, getenv("AWS_PROFILE")} {
		if name != "" {
			return Selection{Name: name, Named: true, Location: location}
		}
	}
	return Selection{Name: "default", Location: location}
}

// DefaultFiles names the two files that the AWS tools share, credentials first, by AWS_SHARED_CREDENTIALS_FILE and
// AWS_CONFIG_FILE, else below the home folder. home may be "", which leaves out what needs it. A leading "~/" in a
// variable means home, as it does for the AWS CLI.
func DefaultFiles(getenv func(string) string, home string) (credentials, config string) {
	return sharedFile(getenv("AWS_SHARED_CREDENTIALS_FILE"), home, "credentials"),
		sharedFile(getenv("AWS_CONFIG_FILE"), home, "config")
}

func sharedFile(named, home, base string) string {
	rest, inHome := strings.CutPrefix(named, "~/")
	switch {
	case named != "" && !inHome:
		return named
	case home == "":
		return ""
	case inHome:
		return filepath.Join(home, rest)
	default:
		return filepath.Join(home, ".aws", base)
	}
}
