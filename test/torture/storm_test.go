//go:build unix

package torture

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
)

// frontEnd is one way by which a host asks for a credential.
type frontEnd struct {
	verb  string
	args  []string
	stdin string
}

// frontEnds is the list that every storm goes by: an adapter is one line. TestEveryAdapterIsInTheStorm says which is missing.
func frontEnds() []frontEnd {
	return []frontEnd{
		{verb: "token", args: []string{"--profile", profile}},
		{verb: "credential-process", args: []string{"--profile", profile}},
		{verb: "git", args: []string{"get"}, stdin: "protocol=https\nhost=" + boundHost + "\n\n"},
		{verb: "goauth"},
		{verb: "cargo", args: []string{"--cargo-plugin"}, stdin: `{"v":1,"registry":{"index-url":"sparse+https://` + boundHost + `/index/"},"kind":"get","operation":"read"}` + "\n"},
		{verb: "bazel", args: []string{"get"}, stdin: `{"uri":"https://` + boundHost + `/a.tar.gz"}` + "\n"},
		{verb: "keyring", args: []string{"get", "https://" + boundHost + "/simple/", "anybody"}},
		{verb: "pnpm"},
		{verb: "docker", args: []string{"get"}, stdin: boundHost + "\n"},
		{verb: "terraform", args: []string{"get", boundHost}},
		{verb: "kubernetes", args: []string{"--profile", profile}},
		{verb: "gcp", args: []string{"--profile", profile}},
	}
}

// caller is one process of a storm.
type caller struct {
	verb string
	cmd  *exec.Cmd
	end  outcome
}

// atOnce starts n processes of each front end at once and gives them when they have ended.
func (h *home) atOnce(n int, ends ...frontEnd) (callers []*caller) {
	for range n {
		for _, e := range ends {
			callers = append(callers, &caller{verb: e.verb, cmd: h.command(e.stdin, append([]string{e.verb}, e.args...)...)})
		}
	}
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for _, c := range callers {
		wg.Go(func() { <-gate; c.end = finish(c.cmd) })
	}
	close(gate)
	wg.Wait()
	return callers
}

// storm starts n processes of each front end at once and gives one answer of each; all of one front end must be equal.
func (h *home) storm(n int, ends ...frontEnd) map[string]string {
	h.t.Helper()
	callers := h.atOnce(n, ends...)
	answers := map[string]string{}
	for i, c := range callers {
		if c.end.exit != 0 || c.end.stdout == "" || c.end.stderr != "" {
			h.t.Fatalf("caller %d of %d, %s: %v", i, len(callers), c.verb, c.end)
		}
		if first, ok := answers[c.verb]; ok && first != c.end.stdout {
			h.t.Fatalf("caller %d of %d, %s: another answer than the first", i, len(callers), c.verb)
		}
		answers[c.verb] = c.end.stdout
	}
	return answers
}

// slow lets every refresh take as long as Cognito may.
func (h *home) slow() {
	h.t.Helper()
	h.fault(sandbox.Fault{Kind: "slow", Count: -1, DelayMS: 150})
}

// held lets the next refresh take long enough to do something to it meanwhile, on a busy machine too.
func (h *home) held() {
	h.t.Helper()
	h.fault(sandbox.Fault{Kind: "slow", DelayMS: 2000})
}

// asked fails unless the sandbox was asked for each operation so often, and for nothing else.
func (h *home) asked(want map[string]int) {
	h.t.Helper()
	if got := h.server.Requests(); fmt.Sprint(got) != fmt.Sprint(want) {
		h.t.Errorf("requests %v, want %v", got, want)
	}
}

// H1: 500 processes find one expired token; refresh tokens rotate with no grace. One refresh, 500 equal answers, and nothing
// is left behind.
func TestFiveHundredCallersOneRefresh(t *testing.T) {
	h := signedIn(t, 0)
	h.pass(life)
	before := h.mustToken() // renewed once, so that every file is there that a renewal leaves
	h.quiet()
	files := h.files()
	h.pass(life)
	h.slow()
	h.server.ResetRequests()
	got := h.storm(500, frontEnds()[0])
	if got["token"] == before || !isToken(got["token"]) {
		t.Error("the answer is no new token")
	}
	h.asked(map[string]int{refreshOp: 1})
	h.quiet()
	h.noFileBeside(files)
	if _, ok := h.lives(); !ok {
		t.Error("the session is lost")
	}
}

// H2: the same through every front end, mixed, at once.
func TestEveryFrontEndAtOnceOneRefresh(t *testing.T) {
	h := signedIn(t, 0)
	h.storm(1, frontEnds()...)
	h.quiet()
	h.pass(life)
	h.slow()
	h.server.ResetRequests()
	answers := h.storm(20, frontEnds()...)
	h.asked(map[string]int{refreshOp: 1, "GetCredentialsForIdentity": 1}) // for AWS, one exchange
	if len(answers) != len(frontEnds()) || !isToken(answers["token"]) || !strings.Contains(answers["credential-process"], "SessionToken") {
		t.Errorf("answers: %q", answers)
	}
	h.quiet()
	if _, ok := h.lives(); !ok {
		t.Error("the session is lost")
	}
}
