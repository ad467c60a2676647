package inifile

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const bindingForm = `host[:port][/path] = id|access|ecr|codeartifact|codecommit|eks [user=NAME]`

// ParseBinding reads one line of cognito_hosts. ok is false when it has not the form of design: a host without scheme, a
// wildcard only as the first label and above two more, a plain path, a known kind.
func ParseBinding(line string) (b profiles.Binding, ok bool) {
	where, what, found := strings.Cut(line, "=")
	if !found {
		return b, false
	}
	if b.Kind, b.User, ok = parseTarget(what); !ok {
		return profiles.Binding{}, false
	}
	where, path, hasPath := strings.Cut(strings.TrimSpace(where), "/")
	if hasPath && path != "" {
		b.Path = "/" + strings.TrimSuffix(path, "/")
	}
	if b.Host, b.Port, ok = parseHostPort(where); !ok || b.Path != "" && !profiles.PlainPath(b.Path) {
		return profiles.Binding{}, false
	}
	b.Loopback = loopback(b.Host)
	if !b.Loopback && b.Port == "443" {
		b.Port = "" // only https reaches it, so that both forms mean the same
	}
	return b, true
}

// parseTarget reads "kind [user=NAME]".
func parseTarget(s string) (kind, user string, ok bool) {
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > 2 || !oneOf(kinds)(words[0]) {
		return "", "", false
	}
	if len(words) == 2 {
		user, ok = strings.CutPrefix(words[1], "user=")
		if !ok || user == "" || len(user) > 128 {
			return "", "", false
		}
	}
	return words[0], user, true
}

// parseHostPort reads host[:port] with brackets around an IPv6 address.
func parseHostPort(s string) (host, portNumber string, ok bool) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		if portNumber, ok = port(s[i+1:]); !ok {
			return "", "", false
		}
		s = s[:i]
	}
	if inner, six := strings.CutPrefix(s, "["); six {
		inner, six = strings.CutSuffix(inner, "]")
		host = hostOrAddress(inner)
		return host, portNumber, six && strings.ContainsRune(host, ':')
	}
	host = bindingHost(s)
	return host, portNumber, host != ""
}

// bindingHost returns lower-case A-labels, a canonical address, or "".
func bindingHost(s string) string {
	name, wild := strings.CutPrefix(s, "*.")
	if !ascii(name) {
		// Lookup is the profile of IDNA that browsers use; it refuses mixed directions and joiners out of place.
		a, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return ""
		}
		name = a
	}
	name = strings.ToLower(name)
	if !wild {
		if strings.ContainsRune(name, ':') {
			return "" // an IPv6 address without brackets cannot be told from a port
		}
		return hostOrAddress(name)
	}
	// Not above a single label: "*.com" would hand a token to half of the world.
	if !strings.ContainsRune(name, '.') || hostOrAddress(name) != name || isAddress(name) {
		return ""
	}
	return "*." + name
}
