package pipkeyring

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
)

func TestQuestions(t *testing.T) {
	for _, c := range []struct {
		line string
		want string // "" where the next keyring is to answer
	}{
		{"get https://h.example/simple/ user", "secret\n"},
		{"--profile dev get https://h.example user", "secret\n"},
		{"get https://h.example/simple/ --mode creds", "alice\nsecret\n"},
		{"get --mode=creds https://h.example/simple/", "alice\nsecret\n"},
		{"get --mode password https://h.example user", "secret\n"},
		{"get https://h.example/simple/ bob --mode creds", "bob\nsecret\n"},
		// pip 25.2 and newer.
		{"--mode=creds --output=json get https://h.example/simple/", `{"username": "alice", "password": "secret"}` + "\n"},
		{"--mode=creds --output=json get https://h.example/simple/ bob", `{"username": "bob", "password": "secret"}` + "\n"},
		{"--profile dev --mode creds --output json get https://h.example/simple/ bob", `{"username": "bob", "password": "secret"}` + "\n"},
		{"get --output json https://h.example user", `{"password": "secret"}` + "\n"},
		{"get --output plain https://h.example user", "secret\n"},
		{"get https://other.example/ user", ""},
		{"get h.example", ""},
		{"get h.example user more", ""},
		{"get --output yaml https://h.example user", ""},
		{"get https://h.example user --mode", ""},
		{"--mode=creds --output=json get https://other.example/ user", ""},
		{"get user@h.example user", ""},
		{"set h.example user", ""},
		{"del h.example user", ""},
		{"--list-backends", ""},
		{"", ""},
	} {
		var out bytes.Buffer
		s := &protocoltest.Source{Bound: map[string]protocol.HostCredential{
			"h.example": {Token: protocoltest.Token("secret"), Username: "alice"},
		}}
		r := Serve(t.Context(), protocol.Call{Args: strings.Fields(c.line), Out: &out}, s)
		if out.String() != c.want || c.want == "" && !errors.Is(r.Err, protocol.ErrNotBound) || c.want != "" && r.Err != nil {
			t.Errorf("%s: %q, %v", c.line, out.String(), r.Err)
		}
	}
}

// A host without a scheme may be meant for http: the source must be asked as for that.
func TestHostWithoutScheme(t *testing.T) {
	s := &protocoltest.Source{Bound: map[string]protocol.HostCredential{"127.0.0.1:5000": {Token: protocoltest.Token("secret")}}}
	for service, scheme := range map[string]string{"127.0.0.1:5000": "http", "http://127.0.0.1:5000/simple/": "http", "https://127.0.0.1:5000/": "https"} {
		s.Wanted = nil
		r := Serve(t.Context(), protocol.Call{Args: []string{"get", service, "user"}, Out: new(bytes.Buffer)}, s)
		if r.Err != nil || len(s.Wanted) != 1 || s.Wanted[0].Host.Scheme != scheme {
			t.Errorf("%s: %+v, asked %+v", service, r, s.Wanted)
		}
	}
}

func TestNext(t *testing.T) {
	for line, want := range map[string]string{
		"--profile dev get h user": "get h user",
		"get h user":               "get h user",
		"--list-backends":          "--list-backends",
		"--profile dev --mode=creds --output=json get h user": "--mode=creds --output=json get h user",
	} {
		program, rest := Adapter().Next(strings.Fields(line))
		if program != "keyring" || !slices.Equal(rest, strings.Fields(want)) {
			t.Errorf("%s: %s %q", line, program, rest)
		}
	}
}
