package dockercredential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const jwt = "header.payload.signature"

func bound() *protocoltest.Source {
	return &protocoltest.Source{
		Bound: map[string]protocol.HostCredential{
			"r.example":      {Token: protocoltest.Token(jwt), Profile: "dev"},
			"r.example:5000": {Token: protocoltest.Token(jwt), Profile: "dev", Username: `al"ice`},
		},
		Listed: []protocol.BoundHost{{Host: "r.example"}, {Host: "r.example", Path: "/v2/team"}, {Host: "r.example:5000", Username: "alice"}},
	}
}

func run(s protocol.Source, profile, args, in string) (string, protocol.Result) {
	var out bytes.Buffer
	c := protocol.Call{Args: strings.Fields(args), Profile: profile, Getenv: func(string) string { return "" }, In: strings.NewReader(in), Out: &out}
	r := Serve(context.Background(), c, s)
	return out.String(), r
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, args, in, want string
		exit                 int
		failed               bool // there is a sentence for standard error, too
	}{
		{"get", "get", "r.example\n", `{"ServerURL":"r.example","Username":"cognito","Secret":"` + jwt + `"}` + "\n", 0, false},
		{"get without an end of line", "get", "r.example", `{"ServerURL":"r.example","Username":"cognito","Secret":"` + jwt + `"}` + "\n", 0, false},
		{"get with CRLF", "get", "r.example\r\n", "the request is refused: it has a control character\n", 1, true},
		{"get of two lines", "get", "r.example\nx", "the request is refused: it has more than one line\n", 1, true},
		{"get of a URL", "get", "https://r.example:5000/v1/", `{"ServerURL":"https://r.example:5000/v1/","Username":"al\"ice","Secret":"` + jwt + `"}` + "\n", 0, false},
		{"not bound", "get", "index.docker.io", notFound + "\n", 1, false},
		{"no URL", "get", "", noServer + "\n", 1, false},
		{"no URL to erase", "erase", "\n", noServer + "\n", 1, false},
		{"refused", "get", "u@r.example", "the request is refused: it has a user name or a password in it\n", 1, true},
		{"erase", "erase", "r.example", "", 0, false},
		{"list", "list", "unused", `{"r.example":"cognito","r.example:5000":"alice"}` + "\n", 0, false},
		{"unknown", "frob", "", "docker-credential-cognito: unknown action: frob\n", 1, false},
		{"store", "store", `{"ServerURL":"r.example","Username":"u","Secret":"s"}`, "", 0, false},
		{"store of another", "store", `{"ServerURL":"x.example","Username":"u","Secret":"s"}`, "", 0, true},
		{"store without a URL", "store", `{"Username":"u"}`, noServer + "\n", 1, false},
		{"store without a name", "store", `{"ServerURL":"r.example"}`, noUsername + "\n", 1, false},
		{"store of a number", "store", `{"ServerURL":7,"Username":"u"}`, noServer + "\n", 1, false},
		{"store of a broken host", "store", `{"ServerURL":"a b","Username":"u"}`, "the request is refused: the host has a character that no host name has\n", 1, true},
		{"no action", "", "", "", 2, true},
		{"an unknown flag", "--nope get", "", "", 2, true},
		{"a flag in the action's place", "--profile", "", "", 2, true},
	} {
		out, r := run(bound(), "", c.args, c.in)
		if out != c.want || r.Exit != c.exit || (r.Err != nil) != c.failed {
			t.Errorf("%s: %q %+v, want %q and %d", c.name, out, r, c.want, c.exit)
		}
	}
}

func TestProfileOfTheName(t *testing.T) {
	s := bound()
	run(s, "dev", "get", "r.example")
	if s.Wanted[0].Profile != "dev" {
		t.Errorf("%+v", s.Wanted)
	}
	if _, r := run(s, "dev", "--profile other get", "r.example"); r.Exit != 2 || len(s.Wanted) != 1 {
		t.Errorf("two profiles: %+v %+v", r, s.Wanted)
	}
	if _, r := run(s, "dev", "--profile dev get", "r.example"); r.Err != nil {
		t.Errorf("twice the same profile: %+v", r)
	}
	run(s, "dev", "list", "")
	if got := s.Wanted[len(s.Wanted)-1]; got.Profile != "dev" {
		t.Errorf("%+v", got)
	}
}

// A failure has its sentence and what to do about it on one line, for clients that show standard output, and a miss has
// nothing there: the complete program answers.
func TestFailures(t *testing.T) {
	failure := &token.Error{Kind: token.LoginNeeded, Message: "nobody\x1b[2J is signed in", Next: "cognito-credhelper login", Err: errors.New("cause")}
	out, r := run(&protocoltest.Source{Err: failure}, "", "get", "r.example")
	if out != "nobody?[2J is signed in: cause; cognito-credhelper login\n" || r.Exit != 1 || r.Err != error(failure) {
		t.Errorf("%q %+v", out, r)
	}
	if out, r := run(&protocoltest.Source{Err: failure}, "", "list", ""); !strings.HasPrefix(out, "nobody") || r.Exit != 1 {
		t.Errorf("%q %+v", out, r)
	}
	if out, r := run(&protocoltest.Source{Err: token.ErrMiss}, "", "get", "r.example"); out != "" || !errors.Is(r.Err, token.ErrMiss) {
		t.Errorf("%q %+v", out, r)
	}
	// A login that has just succeeded is not broken by what the session cannot do now.
	if out, r := run(&protocoltest.Source{Err: failure}, "", "store", `{"ServerURL":"r.example","Username":"u"}`); out != "" || r.Err != nil || r.Exit != 0 {
		t.Errorf("%q %+v", out, r)
	}
}

func TestAPasswordIsNotReadByTheFront(t *testing.T) {
	unread := Adapter().Unread
	for args, want := range map[string]bool{"store": true, "--profile x store": true, "get": false, "--profile store get": false, "": false} {
		if got := unread(strings.Fields(args)); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}

// Property: whatever a client sends, the token goes out only for the registry that is bound, in one JSON document that has
// the line as it was sent.
func FuzzGet(f *testing.F) {
	for _, seed := range []string{"r.example", "https://r.example:5000/v2/", "r.example.evil.example", "evilr.example", "r.example.", "u@r.example", "r.example\x00", "https://evil.example/r.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s := bound()
		out, r := run(s, "", "get", in)
		if !strings.Contains(out, jwt) {
			return
		}
		var answer struct{ ServerURL, Username, Secret string }
		if err := json.Unmarshal([]byte(out), &answer); err != nil || r.Err != nil || answer.Secret != jwt {
			t.Fatalf("%v: %q", err, out)
		}
		line := strings.TrimSuffix(in, "\n")
		if answer.ServerURL != string([]rune(line)) {
			t.Fatalf("%q for %q", answer.ServerURL, line)
		}
		_, rest, ok := strings.Cut(strings.ToLower(line), "://")
		if !ok {
			rest = strings.ToLower(line)
		}
		if host := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz0123456789.:-"))]; host != "r.example" && host != "r.example:5000" {
			t.Fatalf("%q was answered for %q", line, host)
		}
	})
}
