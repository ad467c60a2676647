package main_test

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// answererBuilt builds test/answerer, for transcripts that use it.
var answererBuilt = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(programs, "tools", "answerer"), module+"/test/answerer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd.Run()
})

// answerer makes the program "answerer" one that the script can run.
func answerer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: answerer")
	}
	ts.Check(answererBuilt())
}

// sent USER KIND FILE writes the last code of a kind that the sandbox "sent" to a user.
func sent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sent USER KIND FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(lastCode(ts, args[0], args[1])+"\n"), 0o600))
}

func lastCode(ts *testscript.TestScript, user, kind string) string {
	var answer struct{ Code string }
	ts.Check(json.Unmarshal(control(ts, "GET", "/codes?user="+url.QueryEscape(user)+"&kind="+url.QueryEscape(kind), ""), &answer))
	return answer.Code
}

// profile NAME KEY=VALUE... adds a profile for the sandbox with further keys.
func profile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: profile NAME KEY=VALUE...")
	}
	text := "\n[profile " + args[0] + "]\ncognito_user_pool_id = " + ts.Getenv("POOL") + "\ncognito_client_id = " + ts.Getenv("CLIENT") +
		"\ncognito_endpoint_url = " + ts.Getenv("ENDPOINT") + "\n" + strings.Join(args[1:], "\n") + "\n"
	file, err := os.OpenFile(ts.Getenv("CONFIG"), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = file.WriteString(text)
	ts.Check(err)
	ts.Check(file.Close())
}

// devicekey PROFILE sets $DEVICE to the key of the session's own device.
func devicekey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: devicekey PROFILE")
	}
	ts.Check(ts.Exec("cognito-credhelper", "device", "list", "--profile", args[0], "--json"))
	var devices []struct {
		Key  string
		This bool
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &devices))
	for _, d := range devices {
		if d.This {
			ts.Setenv("DEVICE", d.Key)
			return
		}
	}
	ts.Fatalf("no device is the session's own: %v", devices)
}

// triggers JSON makes triggers of the user pool fail: {"PreAuthentication": "text"}; "" lets one work again.
func triggers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: triggers JSON")
	}
	control(ts, "POST", "/triggers", args[0])
}
