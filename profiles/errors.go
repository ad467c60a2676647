package profiles

import (
	"strconv"
	"strings"
)

// NotFoundError says that no file has the profile. A caller that got all it needs by flags goes on when Named is false.
type NotFoundError struct {
	Name    string
	Named   bool     // a flag or AWS_PROFILE named it
	Files   []string // where it was looked for
	Nearest string   // an existing profile with a similar name, or ""
}

// Error says which profile is missing and where it was looked for.
func (e *NotFoundError) Error() string {
	if len(e.Files) == 0 {
		return "there is no home folder to look for profile " + shown(e.Name) + " in"
	}
	return "profile " + shown(e.Name) + " is not in " + strings.Join(e.Files, " or ")
}

// Hint names a similar profile, where there is one, and the command that writes a new one.
func (e *NotFoundError) Hint() string {
	if len(e.Files) == 0 {
		return "set AWS_CONFIG_FILE to your profile file"
	}
	if e.Nearest != "" {
		return "did you mean --profile " + ShellWord(e.Nearest) + "?"
	}
	return configureHint(e.Name)
}

// KeyError says that a key has a value that is not allowed, or is missing.
type KeyError struct {
	File    string // "" when the value did not come from a file
	Line    int    // 1 is the first; 0 unknown
	Section string // as in the file, without brackets
	Key     string
	Value   string // never that of a secret key
	Allowed string // what is allowed, as in "one of a, b"; for a missing key an example of the line
	Missing bool   // the key is needed and not there
	Profile string // the profile's name, for the hint
}

// Error names file, line, section, key, and what is allowed.
func (e *KeyError) Error() string {
	var b strings.Builder
	b.WriteString(place(e.File, e.Line))
	if e.Section != "" {
		b.WriteString("[" + clean(e.Section) + "] ")
	}
	b.WriteString(clean(e.Key))
	switch {
	case e.Missing:
		b.WriteString(" is missing")
	case e.Value != "":
		b.WriteString(" is " + shown(e.Value))
	default:
		b.WriteString(" has a value that is not allowed")
	}
	switch {
	case e.Allowed == "":
	case e.Missing:
		b.WriteString("; write: " + e.Allowed)
	default:
		b.WriteString("; it must be " + e.Allowed)
	}
	return b.String()
}

// Hint says where to write what.
func (e *KeyError) Hint() string {
	switch {
	case e.Missing && e.Profile != "":
		return configureHint(e.Profile)
	case e.File == "":
		return ""
	default:
		return "edit " + strings.TrimSuffix(place(e.File, e.Line), ": ")
	}
}

// FileError says that a file cannot be used at all.
type FileError struct {
	File    string
	Line    int    // 1 is the first; 0 when no line is meant
	Problem string // a sentence about the file
	Next    string // what to do, or ""
	Err     error  // the cause, or nil
}

// Error names the file and what is wrong with it.
func (e *FileError) Error() string {
	s := place(e.File, e.Line) + clean(e.Problem)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *FileError) Hint() string { return e.Next }

// CheckSignIn reports, as a *KeyError, what a sign-in needs and the profile does not have.
func (p Profile) CheckSignIn() error {
	missing := func(key, allowed string) error {
		e := &KeyError{Key: key, Missing: true, Allowed: allowed, Profile: p.Name}
		if n := len(p.Files); n > 0 && n == len(p.Sections) {
			e.File, e.Section = p.Files[n-1], p.Sections[n-1]
		}
		return e
	}
	switch {
	case p.UserPoolID == "":
		return missing("cognito_user_pool_id", "cognito_user_pool_id = us-east-1_AbCdEfGhI")
	case p.ClientID == "":
		return missing("cognito_client_id", "cognito_client_id = 1h57kf5cpq17m0eml12EXAMPLE")
	case p.SignInRegion == "":
		return missing("cognito_region", "cognito_region = us-east-1")
	}
	return nil
}

// ShellWord quotes s so that a POSIX shell reads it as one word; a plain word stays as it is.
func ShellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@+,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func configureHint(profile string) string {
	return "cognito-credhelper configure --profile " + ShellWord(clean(profile)) + " --user-pool-id REGION_ID --client-id ID"
}

func place(file string, line int) string {
	switch {
	case file == "":
		return ""
	case line == 0:
		return clean(file) + ": "
	default:
		return clean(file) + ":" + strconv.Itoa(line) + ": "
	}
}

const shownLimit = 80

// shown quotes text of a file, cut to a length that leaves the sentence readable.
func shown(s string) string {
	if len(s) > shownLimit {
		return strconv.QuoteToASCII(s[:shownLimit]) + "..."
	}
	return strconv.Quote(s)
}

// clean takes what could drive a terminal out of a name from a file.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
