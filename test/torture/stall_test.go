//go:build unix && torture

package torture

import (
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
)

// H8, the slow way: Cognito has rotated, and its answer hangs for 30 s, longer than the 20 s that a request may take. The same
// refresh token, sent once more, is within the grace; the caller gets its token within its own patience. In real time, beside
// the other slow tests.
func TestAnswerThatHangs(t *testing.T) {
	t.Parallel()
	h := signedIn(t, 60)
	h.pass(life)
	h.server.ResetRequests()
	h.fault(sandbox.Fault{Kind: "slow-answer", DelayMS: 30_000})
	h.mustToken()
	h.asked(map[string]int{refreshOp: 2})
	if o, ok := h.lives(); !ok {
		t.Errorf("the session is lost: %v", o)
	}
}
