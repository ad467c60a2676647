package all

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// This is the contract of every adapter, whichever source stands behind it.

func warm() *protocoltest.Source {
	t := protocoltest.Token("header.payload.signature")
	return &protocoltest.Source{
		Tokens: token.Set{Access: t, ID: t},
		AWS:    token.AWSCredentials{AccessKeyID: "ASIA", SecretAccessKey: token.NewSecret("s"), SessionToken: token.NewSecret("t"), Lifetime: t.Lifetime},
		Bound:  map[string]protocol.HostCredential{"h.example": {Token: t, Username: "alice", Profile: "dev"}},
		Listed: []protocol.BoundHost{{Host: "h.example", Username: "alice"}},
		Shared: protocol.HostCredential{Token: t, Username: "alice", Profile: "dev"},
	}
}

func failing(err error) *protocoltest.Source { return &protocoltest.Source{Err: err} }

// requests has what each adapter that serves hosts is asked, for the bound host.
var requests = map[string]struct{ args, in string }{
	"git":    {"get", "protocol=https\nhost=h.example\n\n"},
	"goauth": {"https://h.example/mod/@v/list", "HTTP/2.0 401 Unauthorized\nWww-Authenticate: Bearer\n\n"},
	"cargo":  {"--cargo-plugin", `{"v":1,"registry":{"index-url":"sparse+https://h.example/index/"},"kind":"get","operation":"read","args":[]}` + "\n"},
	"bazel":  {"get", `{"uri":"https://h.example/f.txt"}`},
	"docker": {"get", "h.example"},
	// Terraform sends nothing with get.
	"terraform": {"get h.example", ""},
	"keyring":   {"get https://h.example/simple/ user", ""},
}

// told are the verbs whose protocol has a form for failures, so that nothing else need be said: the exit code stays 0.
var told = map[string]func(message string) string{
	"cargo": func(message string) string {
		return `{"Err":{"kind":"other","message":"` + message + `","caused-by":[]}}` + "\n"
	},
}

// out counts writes.
type out struct {
	bytes.Buffer
	writes int
}

func (o *out) Write(b []byte) (int, error) {
	o.writes++
	return o.Buffer.Write(b)
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// failures has what a verb's protocol wants on standard output of the failure "no", and its exit code; of others that is
// nothing, and the kind's own.
var failures = map[string]func(token.Kind) (string, int){
	"git": func(k token.Kind) (string, int) {
		if k == token.LoginNeeded || k == token.Refused || k == token.Unavailable {
			return "quit=1\n", k.ExitCode()
		}
		return "", k.ExitCode()
	},
	// Google's libraries show nothing of a program that exits otherwise.
	"gcp": func(k token.Kind) (string, int) {
		code := map[token.Kind]string{token.LoginNeeded: "401", token.Refused: "403", token.BadProfile: "400", token.Unavailable: "503"}[k]
		return `{"version":1,"success":false,"code":"` + cmp.Or(code, "500") + `","message":"no"}` + "\n", 0
	},
	"docker": func(k token.Kind) (string, int) {
		if k == token.Interrupted {
			return "", k.ExitCode()
		}
		return "no\n", 1
	},
}

// untouchable is the standard input of protocols that send nothing.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("standard input was read")
	return 0, io.EOF
}

func call(t *testing.T, verb string, w io.Writer, args ...string) protocol.Call {
	c := protocol.Call{Args: args, Getenv: func(string) string { return "" }, In: untouchable{t}, Out: w}
	if r, ok := requests[verb]; ok {
		c.Args = append(args, strings.Fields(r.args)...)
		if r.in != "" {
			c.In = strings.NewReader(r.in)
		}
	}
	return c
}

func TestContract(t *testing.T) {
	ctx := context.Background()
	for _, a := range Adapters(nil) {
		t.Run(a.Verb, func(t *testing.T) {
			t.Run("a warm answer is one write and exit 0", func(t *testing.T) {
				var o out
				if r := a.Serve(ctx, call(t, a.Verb, &o), warm()); r.Err != nil || r.Exit != 0 || o.writes != 1 || !strings.HasSuffix(o.String(), "\n") {
					t.Errorf("%+v after %d writes: %q", r, o.writes, o.String())
				}
			})
			t.Run("a failure keeps its error and prints nothing that is not the protocol's", func(t *testing.T) {
				for _, kind := range []token.Kind{token.Failure, token.LoginNeeded, token.Refused, token.Unavailable, token.BadProfile, token.Interrupted} {
					var o out
					want, printed, exit := &token.Error{Kind: kind, Message: "no"}, "", kind.ExitCode()
					if f := failures[a.Verb]; f != nil {
						printed, exit = f(kind)
					}
					if say := told[a.Verb]; say != nil {
						if r := a.Serve(ctx, call(t, a.Verb, &o), failing(want)); r.Err != nil || r.Exit != 0 || o.String() != say("no") || o.writes != 1 {
							t.Errorf("%+v, printed %q, want exit 0 and %q", r, o.String(), say("no"))
						}
						continue
					}
					if r := a.Serve(ctx, call(t, a.Verb, &o), failing(want)); r.Err != want || r.Exit != exit || o.String() != printed || o.writes > 1 {
						t.Errorf("%+v, printed %q, want exit %d and %q", r, o.String(), exit, printed)
					}
				}
				var o out
				if r := a.Serve(ctx, call(t, a.Verb, &o), failing(token.ErrMiss)); !errors.Is(r.Err, token.ErrMiss) || o.writes != 0 {
					t.Errorf("a miss became %v, after %d writes", r.Err, o.writes)
				}
			})
			t.Run("an unknown flag is a usage error before the source is asked", func(t *testing.T) {
				var o out
				if r := a.Serve(ctx, call(t, a.Verb, &o, "--no-such-flag"), failing(errors.New("asked"))); token.KindOf(r.Err) != token.Usage || r.Exit != 2 || o.writes != 0 {
					t.Errorf("%+v", r)
				}
			})
			t.Run("an answer that cannot be written is a failure", func(t *testing.T) {
				if r := a.Serve(ctx, call(t, a.Verb, closed{}), warm()); r.Err == nil || r.Exit == 0 {
					t.Errorf("%+v", r)
				}
			})
			t.Run("help fits a terminal and shows an example", func(t *testing.T) {
				if a.Short == "" || !strings.Contains(a.Usage, "Example") || !strings.Contains(a.Usage, "cognito-credhelper "+a.Verb) {
					t.Error("help is not complete")
				}
				for _, line := range strings.Split(a.Usage, "\n") {
					if len(line) > 120 {
						t.Errorf("%d columns: %s", len(line), line)
					}
				}
			})
		})
	}
}
