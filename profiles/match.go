package profiles

import "strings"

// Match reports whether the binding covers what a host asks for. host is compared as lower-case A-labels, without a
// trailing dot and, for IPv6, without brackets; port may be ""; path is the path as the host sent it.
//
// https only; a loopback address may be reached by http too. A path that could mean another one after decoding or
// cleaning never matches a binding that names a path. It never resolves a name.
func (b Binding) Match(scheme, host, port, path string) bool {
	own := defaultPort(scheme)
	if own == "" || scheme == "http" && !b.Loopback {
		return false
	}
	return b.matchHost(lower(host)) && either(port, own) == either(b.Port, own) && b.matchPath(path)
}

// defaultPort is the scheme's own port, or "" for a scheme that no binding covers.
func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "http":
		return "80"
	default:
		return ""
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (b Binding) matchHost(host string) bool {
	if host == "" || b.Host == "" {
		return false
	}
	suffix, wild := strings.CutPrefix(b.Host, "*")
	if !wild {
		return host == b.Host
	}
	// suffix keeps its dot, so that the match ends on a label boundary; what is before it must be labels of a name.
	name, ok := strings.CutSuffix(host, suffix)
	return ok && HostName(name)
}

// HostName reports whether s is a host name of lower-case A-labels (RFC 1123): letters, digits, and inner hyphens.
func HostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

func (b Binding) matchPath(path string) bool {
	if b.Path == "" {
		return true
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // git and docker send paths without the first slash
	}
	return PlainPath(strings.TrimSuffix(path, "/")) && (path == b.Path || strings.HasPrefix(path, b.Path+"/"))
}

// PlainPath reports whether s is a path whose segments mean only themselves: no empty or dot segment, no percent code,
// no backslash, no query.
func PlainPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.ContainsAny(s, "%\\?#") {
		return false
	}
	for segment := range strings.SplitSeq(s[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		for _, r := range segment {
			if r <= ' ' || r == 0x7f {
				return false
			}
		}
	}
	return true
}

// lower lowers ASCII only: other letters would need rules that A-labels make unnecessary.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, s)
		}
	}
	return s
}
