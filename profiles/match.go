package profiles

import (
	"cmp"
	"strings"
)

// Match gives the binding of the profile that covers h; where several do, the one that Compare puts first.
func (p Profile) Match(h Host) (b Binding, ok bool) {
	for _, candidate := range p.Hosts {
		if candidate.Match(h) && (!ok || candidate.Compare(b) < 0) {
			b, ok = candidate, true
		}
	}
	return b, ok
}

// Compare is negative where b wins over o, both of which cover a host: an exact host before a wildcard, the longer host,
// the longer path, a port that is written before one that is not. Where it is 0 they bind the same place.
func (b Binding) Compare(o Binding) int {
	return cmp.Or(
		cmp.Compare(b.wild(), o.wild()),
		cmp.Compare(len(o.Host), len(b.Host)),
		cmp.Compare(len(o.Path), len(b.Path)),
		cmp.Compare(min(len(o.Port), 1), min(len(b.Port), 1)),
	)
}

func (b Binding) wild() int {
	if strings.HasPrefix(b.Host, "*") {
		return 1
	}
	return 0
}

// Match reports whether the binding covers h, whose name is compared as lower-case A-labels.
//
// https only; a loopback address may be reached by http too. A path that could mean another one after decoding or
// cleaning never matches a binding that names a path. It never resolves a name.
func (b Binding) Match(h Host) bool {
	own := defaultPort(h.Scheme)
	if own == "" || h.Scheme == "http" && !b.Loopback {
		return false
	}
	return b.matchHost(lower(h.Name)) && either(h.Port, own) == either(b.Port, own) && b.matchPath(h.Path)
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

// PlainPath reports whether s is a path whose segments mean only themselves: no empty or dot segment, also none with
// parameters behind it ("..;x", which some servers read as ".."), no percent code, no backslash, no query.
func PlainPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.ContainsAny(s, "%\\?#") {
		return false
	}
	for segment := range strings.SplitSeq(s[1:], "/") {
		if name, _, _ := strings.Cut(segment, ";"); name == "" || name == "." || name == ".." {
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
