//go:build unix

package torture

import (
	"os"
	"strings"
	"testing"
)

// reused is what Cognito's refusal of a refresh token that was rotated away is told as.
const reused = "its refresh token was replaced by a newer one that is not here"

func (h *home) mustBeTold(what string) {
	h.t.Helper()
	o := h.token()
	if o.exit != 3 || o.stdout != "" || !strings.Contains(o.stderr, reused) || !strings.Contains(o.stderr, "hint: cognito-credhelper login --profile "+profile) {
		h.t.Errorf("%s: %v", what, o)
	}
}

func (h *home) readSession() []byte {
	h.t.Helper()
	data, err := os.ReadFile(h.sessionFile())
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}

func (h *home) restoreSession(data []byte) {
	h.t.Helper()
	if err := os.WriteFile(h.sessionFile(), data, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// H14: an old backup of the session file is restored. That it is old is told, with what to do; and the newer one, where it
// comes back, is as good as before.
func TestOldBackupIsRestored(t *testing.T) {
	h := signedIn(t, 0)
	backup := h.readSession()
	h.pass(life)
	h.mustToken()
	h.quiet()
	newest := h.readSession()
	h.restoreSession(backup)
	h.pass(life)
	h.mustBeTold("with the backup")
	h.server.ResetRequests()
	h.mustBeTold("again")
	h.asked(map[string]int{}) // what has ended is not asked for again
	h.restoreSession(newest)
	if o, ok := h.lives(); !ok {
		t.Errorf("the newer session, put back: %v", o)
	}
}

// The backup is restored while a refresh is in flight: what the refresh gains is newer, and is what stays.
func TestBackupIsRestoredDuringARefresh(t *testing.T) {
	h := signedIn(t, 0)
	backup := h.readSession()
	h.pass(life)
	h.mustToken()
	h.quiet()
	h.pass(life)
	h.held()
	h.server.ResetRequests()
	answer := make(chan outcome)
	go func() { answer <- h.token() }()
	eventually(t, "the refresh is in flight", func() bool { return h.requests() == 1 })
	h.restoreSession(backup)
	if o := <-answer; o.exit != 0 {
		t.Errorf("the refresh in flight: %v", o)
	}
	h.quiet()
	if o, ok := h.lives(); !ok {
		t.Errorf("afterwards: %v", o)
	}
}

// The newer file comes back while Cognito refuses the backup's refresh token: what ends is the backup, and nothing is written
// over the newer one.
func TestNewerComesBackDuringARefresh(t *testing.T) {
	h := signedIn(t, 0)
	backup := h.readSession()
	h.pass(life)
	h.mustToken()
	h.quiet()
	newest := h.readSession()
	h.restoreSession(backup)
	h.pass(life)
	h.held()
	h.server.ResetRequests()
	answer := make(chan outcome)
	go func() { answer <- h.token() }()
	eventually(t, "the refresh is in flight", func() bool { return h.requests() == 1 })
	h.restoreSession(newest)
	if o := <-answer; o.exit != 0 && o.exit != 5 {
		t.Errorf("the refresh in flight: %v", o)
	}
	h.quiet()
	h.pass(waiting)
	if o, ok := h.lives(); !ok {
		t.Errorf("the newer session: %v", o)
	}
}

// Whose copy has ended signs in anew there, and the machine that the copy came from stays signed in: the copy's token is the
// first of the family that lives on here.
func TestLoginOnASecondMachine(t *testing.T) {
	first := signedIn(t, 0)
	second := first.second()
	first.pass(life)
	second.passed = first.passed
	first.mustToken()
	second.mustBeTold("on the second machine")
	second.login()
	if o, ok := first.lives(); !ok {
		t.Errorf("on the first machine: %v", o)
	}
}

// H14: a copy of everything on a second machine. Who refreshes second is told, and the first goes on.
func TestCopyOnASecondMachine(t *testing.T) {
	first := signedIn(t, 0)
	second := first.second()
	first.pass(life)
	second.passed = first.passed
	first.mustToken()
	second.mustBeTold("on the second machine")
	if o, ok := first.lives(); !ok {
		t.Errorf("on the first machine: %v", o)
	}
	second.passed = first.passed
	second.mustBeTold("on the second machine, later")
	first.restoreSession(second.readSession()) // the ended copy comes back to the first machine
	first.mustBeTold("on the first machine, with the copy")
}
