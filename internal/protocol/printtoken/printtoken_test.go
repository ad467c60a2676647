package printtoken

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// source has these tokens.
func source(access, id string) *protocoltest.Source {
	end := time.Date(2026, 11, 23, 1, 37, 45, 1, time.UTC)
	life := token.Lifetime{Issued: end.Add(-time.Hour), Expires: end}
	return &protocoltest.Source{Tokens: token.Set{
		Access: token.Token{Value: token.NewSecret(access), Lifetime: life}, ID: token.Token{Value: token.NewSecret(id), Lifetime: life},
	}}
}

func serveTo(out *bytes.Buffer, s protocol.Source, c Claims, args string) protocol.Result {
	call := protocol.Call{Args: strings.Fields(args), Getenv: func(string) string { return "" }, Out: out}
	return Adapter(c).Serve(context.Background(), call, s)
}

func TestFormats(t *testing.T) {
	s := source("aaa.bbb.ccc", "iii.jjj.kkk")
	shown := func(t token.Token) ([]byte, error) { return []byte("claims of " + t.Value.Reveal()[:3] + "\n"), nil }
	for _, c := range []struct{ args, want string }{
		{"", "aaa.bbb.ccc\n"},
		{"--use id", "iii.jjj.kkk\n"},
		{"--use=access --format raw", "aaa.bbb.ccc\n"},
		{"--format header", "Authorization: Bearer aaa.bbb.ccc\n"},
		{"--format headers-json", `{"headers":{"Authorization":["Bearer aaa.bbb.ccc"]}}` + "\n"},
		{"--format token-json --use id", `{"token":"iii.jjj.kkk","token_type":"Bearer","expires":"2026-11-23T01:37:45Z"}` + "\n"},
		{"--claims --use id", "claims of iii\n"},
	} {
		var out bytes.Buffer
		if r := serveTo(&out, s, shown, c.args); r.Err != nil || r.Exit != 0 || out.String() != c.want {
			t.Errorf("%s: %+v %q, want %q", c.args, r, out.String(), c.want)
		}
	}
}

func TestClaimsWithoutAPrinterIsAMiss(t *testing.T) {
	var out bytes.Buffer
	if r := serveTo(&out, source("a.b.c", ""), nil, "--claims"); !errors.Is(r.Err, token.ErrMiss) || out.Len() != 0 {
		t.Errorf("%+v %q", r, out.String())
	}
}

func TestRefuses(t *testing.T) {
	shown := func(token.Token) ([]byte, error) { return nil, errors.New("no") }
	for _, c := range []struct {
		args string
		exit int
	}{
		{"--use refresh", 2},
		{"--format jwt", 2},
		{"--claims --format raw", 2},
		{"--use id", 1}, // the session has none
		{"--claims", 1}, // cannot be shown
	} {
		var out bytes.Buffer
		if r := serveTo(&out, source("a.b.c", ""), shown, c.args); r.Err == nil || r.Exit != c.exit || out.Len() != 0 {
			t.Errorf("%s: %+v %q, want exit %d", c.args, r, out.String(), c.exit)
		}
	}
}
