//go:build torture && linux

package secrecy

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/gnomekeyring"
)

func itoa(n int) string { return strconv.Itoa(n) }

func parse(hex string) uint64 {
	n, _ := strconv.ParseUint(hex, 16, 64)
	return n
}

// H36: a second user of the machine reads, lists, locks, and connects to nothing of the person's, although the home itself
// is open.
func TestSecondUser(t *testing.T) {
	needsKernel(t)
	for _, slot := range []string{"file", "os"} {
		h := newHome(t)
		h.keyring(gnomekeyring.Unlocked)
		h.want("login", h.login("--store", slot), 0, "bob is signed in")
		token := h.token()
		tried := 0
		err := filepath.WalkDir(h.state, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			tried++
			for _, how := range []string{
				`cat "$0"`, `ls "$0/"`, `: >>"$0"`, `exec 9<"$0" && flock -n 9`, `exec 9>>"$0" && flock -n 9`, `mv "$0" "$0.x"`, `rm -f "$0" && ! test -e "$0"`, `ln "$0" /tmp/secrecy-link`, `chmod 777 "$0"`,
			} {
				if o := finish(h.as(other, "", "sh", "-c", how, path)); o.exit == 0 {
					t.Errorf("another user may: %s, for %s", how, path)
				}
			}
			if d.Type()&(os.ModeSocket|os.ModeNamedPipe) != 0 {
				t.Errorf("there is something to connect to: %s", path)
			}
			return nil
		})
		if err != nil || tried < 8 {
			t.Errorf("%d things tried, %v", tried, err)
		}
		if o := finish(h.as(person, "", "sh", "-c", `cat "$0"`, filepath.Join(h.state, "store"))); o.exit != 0 {
			t.Errorf("the counter-example: the person cannot read either: %+v", o)
		}
		if slot == "os" {
			for _, serial := range h.copies() {
				for _, verb := range []string{"read", "describe", "unlink", "timeout"} {
					argv := []string{"keyctl", verb, serial}
					switch verb {
					case "timeout":
						argv = append(argv, "1")
					case "unlink":
						argv = append(argv, "@u")
					}
					if o := finish(h.as(other, "", argv...)); o.exit == 0 {
						t.Errorf("another user may %s the copy of the key", verb)
					}
				}
			}
			if o := finish(h.as(other, "", "secret-tool", "lookup", "service", "cognito-credhelper")); o.exit == 0 || o.stdout != "" {
				t.Error("another user gets the key from the person's keyring")
			}
		}
		// The program itself, run by the other user over the person's folder, refuses.
		o := finish(h.as(other, "", filepath.Join(programs, "cognito-credhelper"), "token", "--profile", "dev"))
		if o.exit == 0 || strings.Contains(o.stdout+o.stderr, token) {
			t.Errorf("the program gives another user a token: exit %d", o.exit)
		}
		if again := h.token(); again != token {
			t.Error("the session suffered from it")
		}
	}
}

// Nothing of ours listens: neither while a renewal is in flight nor after.
func TestNothingListens(t *testing.T) {
	h := newHome(t)
	h.want("login", h.login(), 0, "bob is signed in")
	h.pass(2 * time.Hour)
	needs(t, "strace")
	o, lines := h.calls("bind,listen,accept,accept4,socket", "", "token", "--profile", "dev")
	h.want("token", o, 0, "eyJ")
	for _, l := range lines {
		if strings.Contains(l, "listen(") || strings.Contains(l, "accept") {
			t.Errorf("something listens: %s", l)
		}
	}
	if count(lines, `\bsocket\(`) == 0 {
		t.Error("no socket was seen: this test sees nothing")
	}
}

// A folder that another user got hold of is refused, not used.
func TestForeignStateFolder(t *testing.T) {
	h := newHome(t)
	h.want("login", h.login("--store", "file"), 0, "bob is signed in")
	key := filepath.Join(h.state, "keys", "file.key")
	if err := os.Chown(key, other, other); err != nil {
		t.Fatal(err)
	}
	h.want("a key of another user's", h.run("", "token", "--profile", "dev"), 6)
	if err := os.Chown(key, person, person); err != nil {
		t.Fatal(err)
	}
	h.token()
}
