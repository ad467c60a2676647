package profiles

import (
	"errors"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	for _, test := range []struct {
		text string
		want Host
		err  error
	}{
		{"h.example", Host{"https", "h.example", "", ""}, nil},
		{"H.Example:8443", Host{"https", "h.example", "8443", ""}, nil},
		{"h.example/v1/", Host{"https", "h.example", "", "/v1/"}, nil},
		{"https://h.example:443/a/b", Host{"https", "h.example", "443", "/a/b"}, nil},
		{"HTTP://127.0.0.1:8080", Host{"http", "127.0.0.1", "8080", ""}, nil},
		{"https://h.example?q=/x", Host{"https", "h.example", "", ""}, nil},
		{"https://h.example/a?q#f", Host{"https", "h.example", "", "/a"}, nil},
		{"https://[::1]:8443/x", Host{"https", "::1", "8443", "/x"}, nil},
		{"[::1]", Host{"https", "::1", "", ""}, nil},
		{"bücher.example", Host{"https", "bücher.example", "", ""}, nil},
		{"under_score.example", Host{"https", "under_score.example", "", ""}, nil},
		{"ssh://h.example", Host{"ssh", "h.example", "", ""}, nil},
		{"", Host{}, errNoHost},
		{"https://", Host{}, errNoHost},
		{"https:///path", Host{}, errNoHost},
		{"://h.example", Host{}, errNoScheme},
		{":8443", Host{}, errNoHost},
		{"u@h.example", Host{}, errUserInfo},
		{"https://good.example:443@evil.example", Host{}, errUserInfo},
		{"h.example:443:443", Host{}, errPort},
		{"h.example:", Host{}, errPort},
		{"h.example:0", Host{}, errPort},
		{"h.example:0443", Host{}, errPort},
		{"h.example:65536", Host{}, errPort},
		{"h.example:+443", Host{}, errPort},
		{"h.example.", Host{}, errLabel},
		{".h.example", Host{}, errLabel},
		{"h..example", Host{}, errLabel},
		{"h.example\n", Host{}, errControl},
		{"h.example\r", Host{}, errControl},
		{"h.exam\x00ple", Host{}, errControl},
		{"h.example/\x7f", Host{}, errControl},
		{"h.exa mple", Host{}, errCharacter},
		{"h.example%2eevil.example", Host{}, errCharacter},
		{`h.example\.evil.example`, Host{}, errCharacter},
		{"h.example\xff", Host{}, errCharacter},
		{"*.example.com", Host{}, errCharacter},
		{"[h.example]", Host{}, errCharacter},
		{"[::1]x", Host{}, errCharacter},
		{"[::1%25lo]", Host{}, errCharacter},
		{"[::1", Host{}, errCharacter},
		{strings.Repeat("a.", 130) + "example", Host{}, errLong},
	} {
		got, err := ParseHost(test.text)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%q: %+v, %v, want %+v, %v", test.text, got, err, test.want, test.err)
		}
	}
}

// git decodes a path: what was %3f or %23 in the URL is part of a name in it, and ends nothing (/team%3fevil is not below /team).
func TestDecodedPath(t *testing.T) {
	team := Binding{Host: "h.example", Path: "/team", Kind: "id"}
	for path, want := range map[string]bool{
		"/team": true, "/team/": true, "/team/x": true, "/team?evil": false, "/team?": false, "/team#evil/x": false, "/team/x?y": false,
		"/teamevil": false, "/team/../x": false, "/team/..;/x": false, "/team/..;a=b/x": false, "/team/;/x": false, "/team/x;a=b": true, "/team;/x": false,
	} {
		h, err := NewHost("https", "h.example", path)
		if err != nil || h.Path != path || team.Match(h) != want {
			t.Errorf("%s: %+v, %v, matched %v", path, h, err, !want)
		}
	}
	if _, err := ParseHost("https://h.example/x?a\nb"); !errors.Is(err, errControl) {
		t.Errorf("a control character in the query: %v", err)
	}
}

// Property: what is accepted has nothing in it that could end a field, start another one, or name another host, and reads
// the same when it is written out.
func FuzzParseHost(f *testing.F) {
	for _, seed := range []string{"h.example:1/x", "https://[::1]:443", "u@h", "h%0a", "bücher.example", "http://h.example?x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHost(text)
		if err != nil {
			if h != (Host{}) {
				t.Errorf("refused, but %+v", h)
			}
			return
		}
		if h.Scheme == "" || h.Name == "" || control(h.Scheme+h.Name+h.Port+h.Path) || strings.ContainsAny(h.Name, "@/\\?#%[] ") || strings.HasSuffix(h.Name, ".") {
			t.Errorf("%q gave %+v", text, h)
		}
		if again, err := ParseHost(h.Scheme + "://" + h.Authority() + h.Path); err != nil || again != h {
			t.Errorf("%q gave %+v, and again %+v, %v", text, h, again, err)
		}
	})
}

func TestTheLongestBindingWins(t *testing.T) {
	// In the order in which they win over what is below, whatever their order in the profile.
	ranked := []Binding{
		{Host: "git.b.example", Path: "/team/a", Kind: "id"},
		{Host: "git.b.example", Path: "/team", Kind: "access"},
		{Host: "git.b.example", Kind: "id"},
		{Host: "*.b.example", Path: "/team/a", Kind: "access"},
		{Host: "*.b.example", Kind: "id"},
		{Host: "*.example", Kind: "access"},
	}
	h := Host{Scheme: "https", Name: "git.b.example", Path: "/team/a/repo.git"}
	for i := range ranked {
		for _, order := range [][]Binding{ranked[i:], reversed(ranked[i:])} {
			if got, ok := (Profile{Hosts: order}).Match(h); !ok || got != ranked[i] {
				t.Errorf("of the last %d: %+v %v", len(order), got, ok)
			}
		}
	}
	if b, ok := (Profile{Hosts: ranked}).Match(Host{Scheme: "https", Name: "b.other"}); ok {
		t.Errorf("matched %+v", b)
	}
	local := []Binding{{Host: "127.0.0.1", Loopback: true, Kind: "id"}, {Host: "127.0.0.1", Port: "443", Loopback: true, Kind: "access"}}
	if got, _ := (Profile{Hosts: local}).Match(Host{Scheme: "https", Name: "127.0.0.1"}); got != local[1] {
		t.Errorf("a port that is written must win: %+v", got)
	}
}

func reversed(list []Binding) []Binding {
	var out []Binding
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out
}
