package profiles

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Host is what a tool asks a credential for. Make one with NewHost or ParseHost: what they return has no user info, no
// control character, no empty or trailing label.
type Host struct {
	Scheme string // lower case; a binding covers https, and http for a loopback address
	Name   string // lower-case ASCII, or letters beyond it as they were sent; IPv6 without brackets
	Port   string // "" means the scheme's own
	Path   string // as it was sent; "" when there is none. NewHost leaves a ? or # in it, which no binding's path has
}

// The reasons for which a host is refused.
var (
	errNoScheme  = errors.New("the protocol is missing")
	errNoHost    = errors.New("the host is missing")
	errControl   = errors.New("it has a control character")
	errUserInfo  = errors.New("it has a user name or a password in it")
	errCharacter = errors.New("the host has a character that no host name has")
	errLabel     = errors.New("the host has an empty label, or ends in a dot")
	errLong      = errors.New("the host is too long")
	errPort      = errors.New("the port is not a number from 1 to 65535")
)

// NewHost reads the three parts that name a place: a scheme, host[:port], and a path, which may be empty. What could mean
// one place here and another one elsewhere is an error. The path is one segment after the other: git sends it decoded, so that
// its ? may be part of a name.
func NewHost(scheme, authority, path string) (Host, error) {
	switch {
	case control(scheme) || control(authority) || control(path):
		return Host{}, errControl
	case scheme == "":
		return Host{}, errNoScheme
	case authority == "":
		return Host{}, errNoHost
	case strings.Contains(authority, "@"):
		return Host{}, errUserInfo
	}
	name, port, err := splitPort(authority)
	if err != nil {
		return Host{}, err
	}
	return Host{Scheme: lower(scheme), Name: lower(name), Port: port, Path: path}, nil
}

// ParseHost reads the forms that tools write a place in: host, host:port, either with a path behind it, or a URL. Without
// a scheme https is meant.
func ParseHost(s string) (Host, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "https", s
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	path := rest[end:]
	if i := strings.IndexAny(path, "?#"); i >= 0 && !control(path) {
		path = path[:i]
	}
	return NewHost(scheme, rest[:end], path)
}

// ASCII reports whether the name can be compared as it stands. Any other must become A-labels first (package inifile).
func (h Host) ASCII() bool {
	for i := range len(h.Name) {
		if h.Name[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Authority is host[:port] as a URL has it.
func (h Host) Authority() string {
	name := h.Name
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if h.Port == "" {
		return name
	}
	return name + ":" + h.Port
}

func control(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

func splitPort(authority string) (name, port string, err error) {
	name = authority
	if inner, ok := strings.CutPrefix(authority, "["); ok {
		inner, rest, closed := strings.Cut(inner, "]")
		if !closed || !strings.Contains(inner, ":") || strings.Trim(lower(inner), "0123456789abcdef:.") != "" {
			return "", "", errCharacter
		}
		if rest == "" {
			return inner, "", nil
		}
		if rest[0] != ':' {
			return "", "", errCharacter
		}
		return inner, rest[1:], checkPort(rest[1:])
	}
	if i := strings.IndexByte(authority, ':'); i >= 0 {
		name, port = authority[:i], authority[i+1:]
		if err := checkPort(port); err != nil {
			return "", "", err
		}
	}
	return name, port, checkName(name)
}

func checkPort(s string) error {
	if s == "" || len(s) > 5 || s[0] == '0' || strings.Trim(s, "0123456789") != "" || len(s) == 5 && s > "65535" {
		return errPort
	}
	return nil
}

// checkName lets through more than HostName does: an underscore, or a letter that is not ASCII, is no attack, it is only
// nothing that a binding names.
func checkName(s string) error {
	switch {
	case s == "":
		return errNoHost
	case len(s) > 253:
		return errLong
	case !utf8.ValidString(s):
		return errCharacter
	}
	for i := range len(s) {
		c := lowerByte(s[i])
		if c < utf8.RuneSelf && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return errCharacter
		}
	}
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return errLabel
	}
	return nil
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
