package setup

import (
	"runtime"
	"strings"
)

// CredentialProcessLine is the value of credential_process for a profile. botocore splits it like shlex, the SDKs for Go,
// JavaScript, and Java give it to sh -c, and on Windows to cmd /C; words are quoted so that all of them read the same. There is
// one exception, on Windows: the SDK for Go escapes quotes as C programs read them, which cmd is not, so that it can read no
// line with a quote in it. A program's folder goes by its short name there, which needs none; a profile with a space in its name
// has no such way out. program should be an absolute path that stays.
func CredentialProcessLine(program, profile string) string {
	quote := quoteFor(runtime.GOOS)
	if quote(program) != program {
		program = withShortFolder(program)
	}
	return credentialProcessLine(program, profile, quote)
}

func credentialProcessLine(program, profile string, quote func(string) string) string {
	flag := "--profile "
	if strings.HasPrefix(profile, "-") {
		flag = "--profile=" // as a word of its own it would be taken for a flag
	}
	return quote(program) + " credential-process " + flag + quote(profile)
}

func quoteFor(goos string) func(string) string {
	if goos == "windows" {
		return quoteWindows
	}
	return quoteUnix
}

const unquoted = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+,"

// quoteUnix uses double quotes where they are enough, as AWS's own examples do, else single quotes: what stands in those
// is read alike by sh and shlex.
func quoteUnix(word string) string {
	switch {
	case word != "" && strings.Trim(word, unquoted) == "":
		return word
	case !strings.ContainsAny(word, "\"\\$`!"):
		return `"` + word + `"`
	default:
		return `'` + strings.ReplaceAll(word, `'`, `'"'"'`) + `'`
	}
}

// quoteWindows uses double quotes; a backslash counts only before one of them, so that a path needs nothing more.
func quoteWindows(word string) string {
	if word != "" && strings.Trim(word, unquoted+`\~`) == "" { // short names have a ~
		return word
	}
	return `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
}

// SectionName is the section, without brackets, that the config file of the AWS tools has for a profile. A name that is
// not one plain word gets quotes, because the AWS CLI splits the header like shlex and ignores one with three words.
func SectionName(profile string) string {
	switch {
	case profile == "default":
		return profile
	case profile != "" && !strings.ContainsAny(profile, " \t\"'\\#;"):
		return "profile " + profile
	case strings.ContainsAny(profile, `"\`):
		return "profile '" + profile + "'"
	default:
		return `profile "` + profile + `"`
	}
}
