package inifile

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// The checks below are strict on purpose: some of these values become host names and URLs.

// region is an AWS region, such as us-east-1 or us-gov-west-1.
func region(s string) bool {
	parts := strings.Split(s, "-")
	if len(s) > 32 || len(parts) < 3 {
		return false
	}
	last := len(parts) - 1
	for _, p := range parts[:last] {
		if len(p) < 2 || !all(p, lowerLetter) {
			return false
		}
	}
	return len(parts[last]) <= 2 && parts[last] != "" && all(parts[last], digit)
}

// userPoolID follows the API reference: [\w-]+_[0-9a-zA-Z]+, 1 to 55 characters.
func userPoolID(s string) bool {
	i := strings.LastIndexByte(s, '_')
	return len(s) <= 55 && i > 0 && i < len(s)-1 &&
		all(s[:i], func(c byte) bool { return word(c) || c == '-' }) && all(s[i+1:], alphanumeric)
}

// clientID follows the API reference: [\w+]+, 1 to 128 characters.
func clientID(s string) bool {
	return s != "" && len(s) <= 128 && all(s, func(c byte) bool { return word(c) || c == '+' })
}

// identityPoolID is region:uuid.
func identityPoolID(s string) bool {
	before, id, ok := strings.Cut(s, ":")
	return ok && region(before) && uuid(id)
}

func uuid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (s[i] == '-') || !hyphen && !digit(s[i]) && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}

func roleARN(s string) bool {
	parts := strings.SplitN(s, ":", 6)
	if len(s) > 2048 || len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return false
	}
	name, ok := strings.CutPrefix(parts[5], "role/")
	return ok && name != "" && name[len(name)-1] != '/' &&
		(parts[1] == "aws" || strings.HasPrefix(parts[1], "aws-") && all(parts[1], func(c byte) bool { return lowerLetter(c) || c == '-' })) &&
		accountID(parts[4]) && all(name, func(c byte) bool { return sessionNameChar(c) || c == '/' })
}

func accountID(s string) bool { return len(s) == 12 && all(s, digit) }

// roleSessionName follows the API reference: [\w+=,.@-]*, 2 to 64 characters.
func roleSessionName(s string) bool { return len(s) >= 2 && len(s) <= 64 && all(s, sessionNameChar) }

func sessionNameChar(c byte) bool { return word(c) || strings.IndexByte("+=,.@-", c) >= 0 }

func loginsKey(s string) bool {
	return len(s) <= 128 && all(s, func(c byte) bool { return word(c) || strings.IndexByte(".-/:", c) >= 0 })
}

// opaque is a secret or an id whose form AWS may change: visible ASCII.
func opaque(s string) bool {
	return len(s) <= 8192 && all(s, func(c byte) bool { return c > ' ' && c < 0x7f })
}

func username(s string) bool { return len(s) <= 128 } // control characters were refused with the line

func scope(s string) bool {
	return all(s, func(c byte) bool { return c > ' ' && c < 0x7f && c != '"' && c != '\\' })
}

// duration reads Go's syntax or plain seconds.
func duration(s string, least, most time.Duration) (time.Duration, bool) {
	d, err := time.ParseDuration(s)
	if n, bad := strconv.ParseInt(s, 10, 32); bad == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	return d, err == nil && d >= least && d <= most
}

// endpoint returns the canonical form of an override: https, or http to a literal loopback address.
func endpoint(s string) (string, bool) {
	canonical, host, ok := canonicalURL(s)
	if ok && strings.HasPrefix(canonical, "http:") && !loopback(host) {
		return "", false
	}
	return canonical, ok
}

// canonicalURL lowers scheme and host, and drops the scheme's own port and the last slash. It refuses user information,
// query, fragment, and a path that could be read in two ways.
func canonicalURL(s string) (canonical, host string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || !all(s, func(c byte) bool { return c > ' ' && c < 0x7f }) || strings.ContainsAny(s, `?#\%@`) {
		return "", "", false
	}
	host = strings.ToLower(u.Hostname())
	port, portOK := portOf(u)
	path := strings.TrimSuffix(u.Path, "/")
	named := hostOrAddress(host)
	if named == "" || !portOK || u.Opaque != "" || (u.Scheme != "https" && u.Scheme != "http") || path != "" && !profiles.PlainPath(path) {
		return "", "", false
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if port != "" {
		port = ":" + port
	}
	return u.Scheme + "://" + bracketed(named) + port + path, named, true
}

func portOf(u *url.URL) (string, bool) {
	if strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	if u.Port() == "" {
		return "", true
	}
	return port(u.Port())
}

// port returns a TCP port without leading zeros.
func port(s string) (string, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

// hostOrAddress returns a host name of A-labels as it is, an IP address in its one canonical form, or "". A name that
// ends in a number is refused: resolvers read it as an address, each in its own way.
func hostOrAddress(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return ""
		}
		return a.Unmap().String() // ::ffff:127.0.0.1 is 127.0.0.1
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	if !profiles.HostName(s) || digit(last[0]) && (all(last, digit) || strings.HasPrefix(last, "0x")) {
		return ""
	}
	return s
}

func bracketed(host string) string {
	if strings.ContainsRune(host, ':') {
		return "[" + host + "]"
	}
	return host
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func ascii(s string) bool { return all(s, func(c byte) bool { return c < 0x80 }) }

func oneOf(words []string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool        { return c >= '0' && c <= '9' }
func lowerLetter(c byte) bool  { return c >= 'a' && c <= 'z' }
func alphanumeric(c byte) bool { return digit(c) || lowerLetter(c) || c >= 'A' && c <= 'Z' }
func word(c byte) bool         { return alphanumeric(c) || c == '_' }
