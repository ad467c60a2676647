package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// sandboxCommand runs the fake AWS of one script, by its real program and its control path:
//
//	sandbox start [config.json]   starts it with [profile sandbox] in $CONFIG; sets $ENDPOINT, $POOL, $CLIENT, $IDENTITY_POOL
//	sandbox requests OPERATION N  fails unless that many came since the last reset ("*": of all operations)
//	sandbox await OPERATION N     waits until that many came
//	sandbox reset                 sets the counts to zero
//	sandbox fault JSON|@FILE      {"operation", "kind", "count", …}: see package control
//	sandbox clear                 takes all faults away
//	sandbox advance SECONDS       moves the server's clock and Date; the client's is $COGNITO_CREDHELPER_TEST_CLOCK
//	sandbox expire SECONDS        as advance, but clients are still held against the machine's time: for programs not ours
//	sandbox totp USER FILE        writes the code of this moment
//	sandbox sms USER FILE         writes the code that was sent last
//	sandbox user NAME JSON        edits a user: {"disabled": true}, {"status": …}, {"revoke_all": true}, {"delete": true}
//	sandbox stop                  as if it had gone off
func sandboxCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sandbox VERB ...")
	}
	rest := args[1:]
	need := func(n int) {
		if len(rest) != n {
			ts.Fatalf("sandbox %s takes %d arguments", args[0], n)
		}
	}
	switch args[0] {
	case "start":
		startSandbox(ts, rest)
	case "requests":
		need(2)
		checkRequests(ts, rest[0], rest[1])
	case "await":
		need(2)
		awaitRequests(ts, rest[0], rest[1])
	case "reset":
		control(ts, "POST", "/requests/reset", "")
	case "fault":
		need(1)
		fault := rest[0]
		if file, ok := strings.CutPrefix(fault, "@"); ok {
			fault = ts.ReadFile(file)
		}
		control(ts, "POST", "/faults", fault)
	case "clear":
		control(ts, "DELETE", "/faults", "")
	case "advance":
		need(1)
		control(ts, "POST", "/advance", `{"date": true, "seconds": `+rest[0]+`}`)
	case "expire":
		need(1)
		control(ts, "POST", "/advance", `{"seconds": `+rest[0]+`}`)
	case "totp", "sms":
		need(2)
		var answer struct{ Code string }
		ts.Check(json.Unmarshal(control(ts, "GET", "/"+args[0]+"?user="+url.QueryEscape(rest[0]), ""), &answer))
		ts.Check(os.WriteFile(ts.MkAbs(rest[1]), []byte(answer.Code+"\n"), 0o600))
	case "user":
		need(2)
		control(ts, "POST", "/users/"+url.PathEscape(rest[0]), rest[1])
	case "stop":
		stopSandbox(ts)
	default:
		ts.Fatalf("unknown: sandbox %s", args[0])
	}
}

const running = "SANDBOX_PID"

func startSandbox(ts *testscript.TestScript, args []string) {
	argv := []string{"serve", "--write-profile", ts.Getenv("CONFIG")}
	if len(args) == 1 {
		argv = append(argv, "--config", ts.MkAbs(args[0]))
	}
	cmd := exec.Command(filepath.Join(programs, "tools", "cognito-sandbox"), argv...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var once sync.Once
	ts.Defer(func() {
		once.Do(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		})
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		ts.Fatalf("the sandbox did not start: %v: %s", err, said.String())
	}
	var ready struct {
		Endpoint       string
		UserPoolID     string `json:"user_pool_id"`
		ClientID       string `json:"client_id"`
		IdentityPoolID string `json:"identity_pool_id"`
	}
	ts.Check(json.Unmarshal(line, &ready))
	ts.Setenv("ENDPOINT", ready.Endpoint)
	ts.Setenv("POOL", ready.UserPoolID)
	ts.Setenv("CLIENT", ready.ClientID)
	ts.Setenv("IDENTITY_POOL", ready.IdentityPoolID)
	ts.Setenv(running, strconv.Itoa(cmd.Process.Pid))
}

func stopSandbox(ts *testscript.TestScript) {
	pid, err := strconv.Atoi(ts.Getenv(running))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Kill())
	for range 500 { // until its port is closed
		if _, err := http.Get(ts.Getenv("ENDPOINT") + "/_sandbox/requests"); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("the sandbox is still there")
}

func control(ts *testscript.TestScript, method, path, body string) []byte {
	req, err := http.NewRequest(method, ts.Getenv("ENDPOINT")+"/_sandbox"+path, strings.NewReader(body))
	ts.Check(err)
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("sandbox: %s: %s", res.Status, answer)
	}
	return answer
}

func checkRequests(ts *testscript.TestScript, operation, want string) {
	var counts map[string]int
	ts.Check(json.Unmarshal(control(ts, "GET", "/requests", ""), &counts))
	got := counts[operation]
	if operation == "*" {
		got = 0
		for _, n := range counts {
			got += n
		}
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("%d requests of %s, want %s (all: %v)", got, operation, want, counts)
	}
}

func awaitRequests(ts *testscript.TestScript, operation, want string) {
	n, err := strconv.Atoi(want)
	ts.Check(err)
	if !seen(ts, operation, n) {
		ts.Fatalf("%d requests of %s did not come", n, operation)
	}
}

// seen waits until the sandbox has got n requests of the operation.
func seen(ts *testscript.TestScript, operation string, n int) bool {
	for range 1000 {
		var counts map[string]int
		ts.Check(json.Unmarshal(control(ts, "GET", "/requests", ""), &counts))
		if counts[operation] >= n {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// client ran|missing NAME [VERSION-COMMAND...] notes in the report of the run whether a real client took part.
func client(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: client ran|missing NAME [PROGRAM ARG...]")
	}
	note := func(took bool, text string) {
		if report := os.Getenv(skips.Variable); report != "" {
			ts.Check(skips.Note(report, took, args[1], text))
		}
	}
	if args[0] == "missing" {
		note(false, args[1]+" is not on PATH")
		return
	}
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	if own := filepath.Join(programs, "tools", args[2]); exists(own) {
		cmd.Path, cmd.Err = own, nil
	}
	out, err := cmd.CombinedOutput()
	ts.Check(err)
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	note(true, first)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// storm N PROGRAM ARG... starts N processes at once and fails unless all end with 0 and the same standard output, which
// becomes the file storm.out.
func storm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: storm N PROGRAM ARG...")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	program := args[1]
	if !filepath.IsAbs(program) {
		program = filepath.Join(ts.Getenv("BIN"), program)
	}
	outs, errs := make([][]byte, n), make([]error, n)
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			cmd := exec.Command(program, args[2:]...)
			var said bytes.Buffer
			cmd.Stderr = &said
			cmd.Env = stormEnv(ts)
			<-gate
			outs[i], errs[i] = cmd.Output()
			if errs[i] != nil {
				errs[i] = fmt.Errorf("%w: %s", errs[i], said.String())
			}
		})
	}
	close(gate)
	wg.Wait()
	for i := range n {
		if errs[i] != nil {
			ts.Fatalf("process %d of %d: %v", i, n, errs[i])
		}
		if !bytes.Equal(outs[i], outs[0]) {
			ts.Fatalf("answers differ: %q and %q", outs[0], outs[i])
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("storm.out"), outs[0], 0o600))
}

func stormEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "COGNITO_CREDHELPER_TEST_CLOCK", "COGNITO_CREDHELPER_HOME", "AWS_PROFILE"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
