//go:build unix

package torture

import (
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
)

// H8: Cognito has rotated, and its answer is lost on the way. Nothing is deleted; the same refresh token, sent again at once
// and once, is within the grace. More requests than those two would be a retry of the SDK's own.
func TestAnswerThatIsLostOnTheWay(t *testing.T) {
	for _, kind := range []string{"drop-after", "fail-after"} {
		t.Run(kind, func(t *testing.T) {
			h := signedIn(t, 60)
			h.pass(life)
			h.server.ResetRequests()
			h.fault(sandbox.Fault{Kind: kind})
			h.mustToken()
			h.asked(map[string]int{refreshOp: 2})
			if o, ok := h.lives(); !ok {
				t.Errorf("the session is lost: %v", o)
			}
		})
	}
}

// The same where the second answer is lost, too: the caller is told to come again, nothing is deleted, and who comes
// within the grace gets a token.
func TestBothAnswersAreLost(t *testing.T) {
	for _, kind := range []string{"drop-after", "fail-after"} {
		t.Run(kind, func(t *testing.T) {
			h := signedIn(t, 60)
			h.pass(life)
			h.server.ResetRequests()
			h.fault(sandbox.Fault{Kind: kind, Count: 2})
			if o := h.token(); o.exit != 5 || o.stdout != "" {
				t.Errorf("with both answers lost: %v", o)
			}
			h.asked(map[string]int{refreshOp: 2})
			h.sessionFile() // still there
			h.pass(waiting)
			if o, ok := h.lives(); !ok {
				t.Errorf("within the grace: %v", o)
			}
		})
	}
}

func (h *home) fault(f sandbox.Fault) {
	h.t.Helper()
	f.Operation = refreshOp
	if err := h.server.SetFault(f); err != nil {
		h.t.Fatal(err)
	}
}

// slowly lets a refresh take a while, so that there is time to disturb it.
func slowly() sandbox.Fault { return sandbox.Fault{Kind: "slow", Count: -1, DelayMS: 40} }
