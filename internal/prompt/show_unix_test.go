//go:build unix

package prompt

import (
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
	"rsc.io/qr"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const aURI = "otpauth://totp/us-east-1_Pool:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=us-east-1_Pool"

func setUp() challenge.Question {
	return challenge.Question{Challenge: "MFA_SETUP", Name: "SOFTWARE_TOKEN_MFA_CODE", Label: "code", URI: token.NewSecret(aURI)}
}

// What is drawn is the code, module by module, with its quiet zone.
func TestTerminalDrawsAQRCode(t *testing.T) {
	s := newScreen(t)
	s.play(t, "code: ", "123456\n", "wrong\r\n", "654321\n")
	terminal := s.terminal()
	if _, err := terminal.Answer(t.Context(), setUp()); err != nil {
		t.Fatal(err)
	}
	again := setUp()
	again.Note, again.Attempt = "wrong", 2
	if _, err := terminal.Answer(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	s.expect(t, "code: 654321")
	if n := strings.Count(s.text(), aURI+"\r\n"); n != 1 {
		t.Errorf("the URI is shown %d times", n)
	}
	code, err := qr.Encode(aURI, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	drawn := modules(s.text())
	if side := code.Size + 2*quietZone; len(drawn) < side || len(drawn[0]) != side {
		t.Fatalf("%d lines of modules, want %d", len(drawn), side)
	}
	for y, row := range drawn {
		for x, black := range row {
			if black != code.Black(x-quietZone, y-quietZone) {
				t.Fatalf("the module %d,%d is wrong", x, y)
			}
		}
	}
}

// modules reads the drawing back: two lines of modules for each of the terminal's.
func modules(text string) [][]bool {
	var all [][]bool
	for line := range strings.Lines(text) {
		row, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), blackOnWhite)
		if !ok {
			continue
		}
		var upper, lower []bool
		for _, r := range strings.TrimSuffix(row, ownColours) {
			upper = append(upper, r == '█' || r == '▀')
			lower = append(lower, r == '█' || r == '▄')
		}
		all = append(all, upper, lower)
	}
	return all
}

func TestTheURIAloneWhereACodeDoesNotFit(t *testing.T) {
	for name, plain := range map[string]bool{"narrow": false, "plain": true} {
		s := newScreen(t)
		if err := pty.Setsize(s.slave, &pty.Winsize{Rows: 24, Cols: 40}); err != nil {
			t.Fatal(err)
		}
		s.play(t, "code: ", "123456\n")
		terminal := s.terminal()
		terminal.Plain = plain
		if _, err := terminal.Answer(t.Context(), setUp()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(s.text(), aURI) || strings.Contains(s.text(), "█") {
			t.Errorf("%s: the screen shows %q", name, s.text())
		}
	}
}

// 2 MB of everything that a terminal might obey: nothing of it gets there, and what does is short.
func TestPublicParametersCannotDriveTheTerminal(t *testing.T) {
	hostile := strings.Repeat("a\x1b[2J\x1b]0;owned\x07\u202e\u200b\u009b31m\n", 100_000)
	s := newScreen(t)
	terminal := s.terminal()
	terminal.Plain = true
	q := challenge.Question{Challenge: "CUSTOM_CHALLENGE", Name: "ANSWER", Label: hostile, Note: hostile, Parameters: map[string]string{}}
	for i := range 200 {
		q.Parameters[string(rune('A'+i))+hostile[:100]] = hostile
	}
	s.play(t, "...: ", "x\n")
	if got, err := terminal.Answer(t.Context(), q); err != nil || got.Reveal() != "x" {
		t.Fatalf("answer %q, %v", got.Reveal(), err)
	}
	text := s.text()
	for _, r := range text {
		if r < ' ' && r != '\r' && r != '\n' || r >= 0x7f && r < 0xa0 || slices.Contains([]rune{'\u202e', '\u200b'}, r) {
			t.Fatalf("%U reached the terminal", r)
		}
	}
	if len(text) > 100<<10 || strings.Count(text, "\n") > 60 {
		t.Errorf("%d bytes in %d lines reached the terminal", len(text), strings.Count(text, "\n"))
	}
}

func TestAPasskeyIsNotTyped(t *testing.T) {
	_, err := newScreen(t).terminal().Answer(t.Context(), challenge.Question{Challenge: "WEB_AUTHN", Name: "CREDENTIAL", Parameters: map[string]string{"CREDENTIAL_REQUEST_OPTIONS": "{}"}})
	if err == nil || !strings.Contains(err.Error(), "cannot be typed") {
		t.Errorf("error %v", err)
	}
}
