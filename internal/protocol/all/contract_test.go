package all

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// This is the contract of every adapter, whichever source stands behind it.

type warm struct{}

func life() token.Lifetime {
	now := time.Now()
	return token.Lifetime{Issued: now, Expires: now.Add(time.Hour)}
}

func (warm) Token(context.Context, protocol.Request) (token.Token, error) {
	return token.Token{Value: token.NewSecret("header.payload.signature"), Lifetime: life()}, nil
}

func (warm) AWSCredentials(context.Context, protocol.Request) (token.AWSCredentials, error) {
	return token.AWSCredentials{AccessKeyID: "ASIA", SecretAccessKey: token.NewSecret("s"), SessionToken: token.NewSecret("t"), Lifetime: life()}, nil
}

type failing struct{ err error }

func (f failing) Token(context.Context, protocol.Request) (token.Token, error) {
	return token.Token{}, f.err
}

func (f failing) AWSCredentials(context.Context, protocol.Request) (token.AWSCredentials, error) {
	return token.AWSCredentials{}, f.err
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

// untouchable is the standard input of protocols that send nothing.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("standard input was read")
	return 0, io.EOF
}

func call(t *testing.T, w io.Writer, args ...string) protocol.Call {
	return protocol.Call{Args: args, Getenv: func(string) string { return "" }, In: untouchable{t}, Out: w}
}

func TestContract(t *testing.T) {
	ctx := context.Background()
	for _, a := range Adapters(nil) {
		t.Run(a.Verb, func(t *testing.T) {
			t.Run("a warm answer is one write and exit 0", func(t *testing.T) {
				var o out
				if r := a.Serve(ctx, call(t, &o), warm{}); r.Err != nil || r.Exit != 0 || o.writes != 1 || !strings.HasSuffix(o.String(), "\n") {
					t.Errorf("%+v after %d writes: %q", r, o.writes, o.String())
				}
			})
			t.Run("a failure keeps its error and prints nothing", func(t *testing.T) {
				for _, kind := range []token.Kind{token.Failure, token.LoginNeeded, token.Refused, token.Unavailable, token.BadProfile, token.Interrupted} {
					var o out
					want := &token.Error{Kind: kind, Message: "no"}
					if r := a.Serve(ctx, call(t, &o), failing{want}); r.Err != want || r.Exit != kind.ExitCode() || o.writes != 0 {
						t.Errorf("%+v after %d writes, want exit %d", r, o.writes, kind.ExitCode())
					}
				}
				if r := a.Serve(ctx, call(t, &out{}), failing{token.ErrMiss}); !errors.Is(r.Err, token.ErrMiss) {
					t.Errorf("a miss became %v", r.Err)
				}
			})
			t.Run("an unknown flag is a usage error before the source is asked", func(t *testing.T) {
				var o out
				if r := a.Serve(ctx, call(t, &o, "--no-such-flag"), failing{errors.New("asked")}); token.KindOf(r.Err) != token.Usage || r.Exit != 2 || o.writes != 0 {
					t.Errorf("%+v", r)
				}
			})
			t.Run("an answer that cannot be written is a failure", func(t *testing.T) {
				if r := a.Serve(ctx, call(t, closed{}), warm{}); r.Err == nil || r.Exit == 0 {
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
