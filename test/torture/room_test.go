//go:build unix

package torture

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// H7, for everybody who is not root: there is room for the session as it is, and none for what a renewal may need. That is
// known before Cognito is asked, and said; with room, all is as before.
func TestNoRoomIsKnownBeforeTheRequest(t *testing.T) {
	h := signedIn(t, 0)
	h.pass(life)
	h.server.ResetRequests()
	// ulimit counts blocks of 512 bytes: 32 KiB, of which a session takes a quarter, and the preflight asks for 64 KiB more.
	limited := exec.Command("/bin/sh", "-c", `ulimit -f 64; exec "$0" "$@"`, filepath.Join(programs, program), tokenArgs[0], tokenArgs[1], tokenArgs[2])
	limited.Env = h.env()
	o := finish(limited)
	if o.exit != 5 || o.stdout != "" || !strings.HasPrefix(o.stderr, "cognito-credhelper: profile sandbox: preparing to save the session failed") {
		t.Errorf("without room: %v", o)
	}
	h.asked(map[string]int{})
	h.mustToken()
	h.asked(map[string]int{refreshOp: 1})
}
