package setup

import (
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// Host is a place that a tool is to ask us about, in the form of a binding.
type Host struct {
	Scheme string // https, or http for a loopback address
	profiles.Binding
}

// ParseHost reads host[:port][/path] as cognito_hosts has it, also with https:// before it, or with http:// where the host
// is a loopback address. kind says which token the host is to get. ok is false for anything else.
func ParseHost(s, kind string) (h Host, ok bool) {
	h.Scheme = "https"
	if scheme, rest, found := strings.Cut(s, "://"); found {
		h.Scheme, s = strings.ToLower(scheme), rest
	}
	if strings.ContainsAny(s, "= \t\r\n") {
		return Host{}, false
	}
	h.Binding, ok = inifile.ParseBinding(s + " = " + kind)
	if !ok || h.Scheme != "https" && (h.Scheme != "http" || !h.Loopback) {
		return Host{}, false
	}
	return h, true
}

// Authority is host[:port].
func (h Host) Authority() string { return h.At(h.Scheme).Authority() }

// Place is host[:port][/path], as a line of cognito_hosts begins.
func (h Host) Place() string { return h.Authority() + h.Path }

// Line is the line of cognito_hosts.
func (h Host) Line() string {
	line := h.Place() + " = " + h.Kind
	if h.User != "" {
		line += " user=" + h.User
	}
	return line
}

// url is the place as a URL.
func (h Host) url() string { return h.Scheme + "://" + h.Place() }

// samePlace reports whether a URL, or host[:port][/path], means h's place.
func (h Host) samePlace(s string) bool {
	other, err := profiles.ParseHost(s)
	return err == nil && other.Scheme == h.Scheme && other.Name == h.Host && strings.TrimSuffix(other.Path, "/") == h.Path &&
		port(other.Scheme, other.Port) == port(h.Scheme, h.Port)
}

// covers reports whether a URL is at h's place or below it.
func (h Host) covers(url string) bool {
	for {
		if h.samePlace(url) {
			return true
		}
		i := strings.LastIndexByte(strings.TrimSuffix(url, "/"), '/')
		if i < 0 || strings.HasSuffix(url[:i+1], "://") {
			return false
		}
		url = url[:i]
	}
}

func port(scheme, number string) string {
	switch {
	case number != "":
		return number
	case scheme == "http":
		return "80"
	default:
		return "443"
	}
}
