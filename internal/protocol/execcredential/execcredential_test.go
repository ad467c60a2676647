package execcredential

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func run(s protocol.Source, info string, args ...string) (string, protocol.Result) {
	var out bytes.Buffer
	getenv := func(name string) string {
		return map[string]string{"KUBERNETES_EXEC_INFO": info, "AWS_PROFILE": "dev"}[name]
	}
	r := Serve(context.Background(), protocol.Call{Args: args, Getenv: getenv, Out: &out}, s)
	return out.String(), r
}

func signedIn() *protocoltest.Source {
	end := time.Date(2026, 11, 23, 3, 0, 0, 999, time.FixedZone("", 3600))
	life := token.Lifetime{Issued: end.Add(-time.Hour), Expires: end}
	return &protocoltest.Source{Tokens: token.Set{
		ID: token.Token{Value: token.NewSecret("the.id.token"), Lifetime: life}, Access: token.Token{Value: token.NewSecret("the.access.token"), Lifetime: life},
	}}
}

func TestAnswers(t *testing.T) {
	const rest = `","kind":"ExecCredential","status":{"expirationTimestamp":"2026-11-23T02:00:00Z","token":"the.id.token"}}` + "\n"
	for info, want := range map[string]string{
		"": `{"apiVersion":"client.authentication.k8s.io/v1` + rest,
		`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true}}`: `{"apiVersion":"client.authentication.k8s.io/v1` + rest,
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","unknown":[]}`:                                   `{"apiVersion":"client.authentication.k8s.io/v1beta1` + rest,
	} {
		s := signedIn()
		out, r := run(s, info)
		if out != want || r.Err != nil || r.Exit != 0 {
			t.Errorf("%s: %q %+v", info, out, r)
		}
		if s.Asked[0].Use != token.UseID || s.Asked[0].Profile.Name != "dev" {
			t.Errorf("asked for %+v", s.Asked[0])
		}
	}
	out, _ := run(signedIn(), "", "--use", "access", "--profile", "other")
	var document struct {
		Status struct {
			Token               string
			ExpirationTimestamp time.Time
		}
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil || document.Status.Token != "the.access.token" {
		t.Errorf("%v %q", err, out)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		info string
		args []string
		s    *protocoltest.Source
		exit int
	}{
		{`{"apiVersion":"client.authentication.k8s.io/v1alpha1"}`, nil, signedIn(), 6},
		{`{"apiVersion":"client.authentication.k8s.io/v2\u001b[2J"}`, nil, signedIn(), 6},
		{`{}`, nil, signedIn(), 6},
		{`{`, nil, signedIn(), 6},
		{"", []string{"--use", "refresh"}, signedIn(), 2},
		{"", []string{"get"}, signedIn(), 2},
		{"", nil, &protocoltest.Source{Tokens: token.Set{ID: token.Token{Value: token.NewSecret("x")}}}, 1}, // without an end kubectl would keep it for ever
		{"", nil, &protocoltest.Source{Err: &token.Error{Kind: token.LoginNeeded, Message: "no"}}, 3},
	} {
		if out, r := run(c.s, c.info, c.args...); out != "" || r.Err == nil || r.Exit != c.exit {
			t.Errorf("%s %v: %q %+v, want exit %d", c.info, c.args, out, r, c.exit)
		}
	}
}
