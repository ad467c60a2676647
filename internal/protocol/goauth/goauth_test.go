package goauth

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
)

func source() *protocoltest.Source {
	return &protocoltest.Source{
		Bound: map[string]protocol.HostCredential{
			"h.example":      {Token: protocoltest.Token("old"), Path: "/team"},
			"h.example:8443": {Token: protocoltest.Token("old")},
		},
		Listed:  []protocol.BoundHost{{Host: "h.example:8443"}},
		Renewed: protocoltest.Token("new"),
	}
}

func run(t *testing.T, s *protocoltest.Source, response string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if r := Serve(t.Context(), protocol.Call{Args: args, In: strings.NewReader(response), Out: &out}, s); r.Err != nil || r.Exit != 0 {
		t.Errorf("%q: %+v", args, r)
	}
	return out.String()
}

// Only a response that a credential can change is worth work; only a token that was sent was refused.
func TestResponses(t *testing.T) {
	const challenge = "\nWww-Authenticate: Bearer\n\n"
	for _, c := range []struct{ url, response, want string }{
		{"https://h.example:8443/m/@v/list", "HTTP/2.0 401 Unauthorized" + challenge, "https://h.example:8443\n\nAuthorization: Bearer new\n\n"},
		{"https://h.example:8443/m/@v/list", "HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n", "https://h.example:8443\n\nAuthorization: Bearer new\n\n"},
		{"https://h.example/team/m/@v/list", "HTTP/2.0 401 Unauthorized" + challenge, "https://h.example/team\nhttps://h.example/team/m/@v/list\n\nAuthorization: Bearer old\n\n"},
		{"https://h.example/team/m", "HTTP/2.0 401 Unauthorized\nWww-Authenticate: Bearer error=\"invalid_token\"\n\n", "https://h.example/team\nhttps://h.example/team/m\n\nAuthorization: Bearer new\n\n"},
		{"https://h.example:8443/m", "HTTP/2.0 404 Not Found\n\n", ""},
		{"https://h.example:8443/m", "HTTP/2.0 410 Gone\n\n", ""},
		{"https://h.example:8443/m", "nonsense 401\n\n", ""},
		{"https://h.example:8443/m", "", ""},
		{"https://other.example/m", "HTTP/2.0 401 Unauthorized" + challenge, ""},
	} {
		if got := run(t, source(), c.response, c.url); got != c.want {
			t.Errorf("%s, %q: %q, want %q", c.url, c.response, got, c.want)
		}
	}
}

// A response of no use costs no question.
func TestGoneAsksNothing(t *testing.T) {
	s := source()
	run(t, s, "HTTP/2.0 404 Not Found\n\n", "https://h.example:8443/m")
	if len(s.Wanted) != 0 {
		t.Errorf("asked %v", s.Wanted)
	}
}

// A path that is bound by itself gets its own token from the first run on, not its host's; what was sent is known by it, too.
func TestFirstRunBelowAPath(t *testing.T) {
	s := source()
	s.Listed = []protocol.BoundHost{{Host: "h.example", Path: "/team"}}
	if got := run(t, s, ""); got != "https://h.example/team\n\nAuthorization: Bearer old\n\n" || s.Wanted[1].Host.Path != "/team" {
		t.Errorf("%q, asked for %+v", got, s.Wanted)
	}
	for url, want := range map[string]string{"https://h.example/team/m": "new", "https://h.example/team": "new", "https://h.example/teamevil": "old"} {
		if got := run(t, s, "HTTP/2.0 401 Unauthorized\n\n", url); !strings.Contains(got, "Bearer "+want+"\n") {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func TestFirstRun(t *testing.T) {
	if got := run(t, source(), ""); got != "https://h.example:8443\n\nAuthorization: Bearer old\n\n" {
		t.Errorf("%q", got)
	}
	if got := run(t, &protocoltest.Source{}, ""); got != "" {
		t.Errorf("%q", got)
	}
}
