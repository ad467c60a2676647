//go:build unix

package torture

import (
	"encoding/json"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// manyFailures is how often in a row Cognito was down before a storm. By then nobody tries again for longer than a storm
// takes on the slowest machine.
const manyFailures = 6

// longest is longer than the longest time in which nobody tries again after a failure that may pass.
const longest = 31 * time.Second

// down is what stands where Cognito was: it counts requests and lets each fail.
type down struct {
	requests atomic.Int64
	fail     func(http.ResponseWriter)
}

func (d *down) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.requests.Add(1)
	d.fail(w)
}

// replaced puts d where h's sandbox was; nil puts nothing there.
func (h *home) replaced(d *down) {
	h.t.Helper()
	address := strings.TrimPrefix(h.server.URL(), "http://")
	if err := h.server.Close(); err != nil {
		h.t.Fatal(err)
	}
	if d == nil {
		return
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	s := &http.Server{Handler: d}
	go func() { _ = s.Serve(l) }()
	h.t.Cleanup(func() { _ = s.Close() })
}

func dropped(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

func answered(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// With Cognito down, 100 callers of an expired token are one attempt, not a hundred: one request, and once more the same
// one only where the answer could be lost that has the new refresh token. All get the same answer at once, and whoever comes
// before the wait is over causes no request at all.
func TestCognitoIsDownAndAHundredAsk(t *testing.T) {
	for name, x := range map[string]struct {
		fail func(http.ResponseWriter) // nil: nobody listens
		sent int                       // of one attempt
	}{
		"too many requests":   {answered(http.StatusBadRequest, `{"__type": "TooManyRequestsException"}`), 1},
		"internal error":      {answered(http.StatusInternalServerError, `{"__type": "InternalErrorException"}`), 2},
		"dropped connections": {dropped, 2},
		"nobody there":        {nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := signedIn(t, 0)
			var d *down
			if x.fail != nil {
				d = &down{fail: x.fail}
			}
			h.replaced(d)
			count := func() int {
				if d != nil {
					return int(d.requests.Load())
				}
				return h.calls()
			}
			h.passed += life
			for range manyFailures {
				h.passed += longest
				if o := h.token(); o.exit != 5 {
					t.Fatal(o)
				}
			}
			h.passed += longest
			h.quiet()
			files, before := h.files(), count()
			said := h.refused(100)
			h.quiet()
			if n := count() - before; n != x.sent {
				t.Errorf("%d requests, want %d", n, x.sent)
			}
			if again := h.refused(20); again != said {
				t.Errorf("the second time they were told %q, not %q", again, said)
			}
			h.quiet()
			if n := count() - before; n != x.sent {
				t.Errorf("%d requests after the second time, want %d", n, x.sent)
			}
			h.noFileBeside(files)
			h.sessionFile() // still there
		})
	}
}

var detail = regexp.MustCompile(`(?m)^detail: .*\n`)

// refused lets n callers ask at once, and holds that each is told the same, with exit code 5.
func (h *home) refused(n int) (said string) {
	h.t.Helper()
	callers := h.atOnce(n, frontEnds()[0])
	for i, c := range callers {
		if c.end.exit != 5 || c.end.stdout != "" || c.end.stderr == "" {
			h.t.Fatalf("caller %d of %d: %v", i, n, c.end)
		}
		text := detail.ReplaceAllString(c.end.stderr, "") // only who asked Cognito has one
		if said != "" && text != said {
			h.t.Fatalf("caller %d of %d was told %q, not %q", i, n, text, said)
		}
		said = text
	}
	return said
}

// calls is how many calls of the service the history has.
func (h *home) calls() int {
	h.t.Helper()
	o := finish(h.command("", "history", "--json"))
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(o.stdout), &list); err != nil || o.exit != 0 {
		h.t.Fatalf("history: %v, %v", o, err)
	}
	return len(list)
}
