package terraformcredentials

import (
	"bytes"
	"context"
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
		Bound:  map[string]protocol.HostCredential{"app.example.com": {Token: protocoltest.Token(jwt)}, "app.example.com:8443": {Token: protocoltest.Token(jwt)}},
		Stored: map[string]string{"registry.example": `st"ored`, "app.example.com": "older"}, Documents: map[string]string{},
	}
}

func run(s protocol.Source, args, in string) (string, protocol.Result) {
	var out bytes.Buffer
	c := protocol.Call{Args: strings.Fields(args), Getenv: func(string) string { return "" }, In: strings.NewReader(in), Out: &out}
	r := Serve(context.Background(), c, s)
	return out.String(), r
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		args, in, want string
		exit           int
	}{
		{"get app.example.com", "", `{"token":"` + jwt + `"}` + "\n", 0}, // the binding, not what was stored
		{"--profile dev get app.example.com:8443", "", `{"token":"` + jwt + `"}` + "\n", 0},
		{"get APP.example.com", "", `{"token":"` + jwt + `"}` + "\n", 0},
		{"get registry.example", "", `{"token":"st\"ored"}` + "\n", 0},
		{"get registry.example.org", "", "{}\n", 0},
		{"get app.example.com.evil.example", "", "{}\n", 0},
		{"get evilapp.example.com", "", "{}\n", 0},
		{"get app.example.com.", "", "", 1},
		{"get user@app.example.com", "", "", 1},
		{"get https://app.example.com", "", "", 1},
		{"get app.example.com/path", "", "", 1},
		{"get", "", "", 2},
		{"", "", "", 2},
		{"--profile dev", "", "", 2},
		{"frobnicate app.example.com", "", "", 2},
		{"--nope get app.example.com", "", "", 2},
		{"store registry.example", `{"token":7}`, "", 1},
		{"store registry.example", `{"token":""}`, "", 1},
		{"store registry.example", `{"token":"x"`, "", 1},
		{"store registry.example", `{"token":"x","token":"y"}`, "", 1},
		{"store registry.example", strings.Repeat(" ", protocol.MaxRequest+1), "", 1},
	} {
		s := bound()
		out, r := run(s, c.args, c.in)
		if out != c.want || r.Exit != c.exit || (r.Err != nil) != (c.exit != 0) || r.Terminal != (r.Err != nil) {
			t.Errorf("%s: %q %+v, want %q and %d", c.args, out, r, c.want, c.exit)
		}
		if len(s.Stored) != 2 {
			t.Errorf("%s: stored %v", c.args, s.Stored)
		}
	}
}

func TestStoreAndForget(t *testing.T) {
	s := bound()
	const document = ` {"token":"n\u0065w","more":[1]} `
	if out, r := run(s, "store new.example:8443", document); out != "" || r.Err != nil || s.Stored["new.example:8443"] != "new" || s.Documents["new.example:8443"] != document {
		t.Errorf("%q %+v %v %v", out, r, s.Stored, s.Documents)
	}
	if out, _ := run(s, "get new.example:8443", ""); out != `{"token":"new"}`+"\n" {
		t.Errorf("got %q", out)
	}
	for range 2 {
		if out, r := run(s, "forget new.example:8443", ""); out != "" || r.Err != nil || s.Stored["new.example:8443"] != "" {
			t.Errorf("%q %+v %v", out, r, s.Stored)
		}
	}
	if out, _ := run(s, "get new.example:8443", ""); out != "{}\n" {
		t.Errorf("got %q", out)
	}
}

func TestFailuresGoToTheTerminal(t *testing.T) {
	failure := &token.Error{Kind: token.LoginNeeded, Message: "no"}
	for _, args := range []string{"get app.example.com", "forget app.example.com"} {
		if out, r := run(&protocoltest.Source{Err: failure}, args, ""); out != "" || r.Exit != 3 || !r.Terminal {
			t.Errorf("%s: %q %+v", args, out, r)
		}
	}
	if out, r := run(&protocoltest.Source{Err: token.ErrMiss}, "get app.example.com", ""); out != "" || !errors.Is(r.Err, token.ErrMiss) {
		t.Errorf("%q %+v", out, r)
	}
	if s := bound(); true {
		run(s, "get app.example.com", "")
		if !s.Wanted[0].RenewFirst {
			t.Error("a token that is due would have to do for a whole run")
		}
	}
}

func TestATokenIsNotReadByTheFront(t *testing.T) {
	for args, want := range map[string]bool{"store h": true, "--profile x store h": true, "get h": false, "get store": false, "store": false} {
		if got := Adapter().Unread(strings.Fields(args)); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}
