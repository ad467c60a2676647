//go:build unix

package prompt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// TestMain lets the test binary be the program that asks on its controlling terminal, and the one that answers questions.
func TestMain(m *testing.M) {
	if mode := os.Getenv(programMode); mode != "" {
		os.Exit(program(mode))
	}
	if os.Getenv("PROMPT_TEST_CHILD") != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		_, err := new(Terminal).Answer(ctx, challenge.Question{Name: "PASSWORD", Label: "password", Secret: true})
		os.Exit(token.KindOf(err).ExitCode())
	}
	goleak.VerifyTestMain(m)
}

// screen is a person in front of a terminal: what it shows, and what is typed.
type screen struct {
	master *os.File
	slave  *os.File
	mu     sync.Mutex
	shown  bytes.Buffer
	fresh  chan struct{}
	done   chan struct{}
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatalf("no pseudo terminal: %v", err)
	}
	s := &screen{master: master, slave: slave, fresh: make(chan struct{}, 1), done: make(chan struct{})}
	go s.watch()
	t.Cleanup(func() {
		slave.Close()
		master.Close()
		<-s.done
	})
	return s
}

func (s *screen) watch() {
	defer close(s.done)
	chunk := make([]byte, 4096)
	for {
		n, err := s.master.Read(chunk)
		s.mu.Lock()
		s.shown.Write(chunk[:n])
		s.mu.Unlock()
		select {
		case s.fresh <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// expect waits until the screen has shown text.
func (s *screen) expect(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(s.text(), text) {
		select {
		case <-s.fresh:
		case <-s.done:
			t.Errorf("the screen ended without %q: %q", text, s.text())
			return
		case <-t.Context().Done():
			t.Errorf("the screen never showed %q: %q", text, s.text())
			return
		}
	}
}

func (s *screen) terminal() *Terminal {
	return &Terminal{open: func() (*device, error) {
		f, err := os.OpenFile(s.slave.Name(), os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			return nil, err
		}
		return &device{f, f}, nil
	}}
}

func (s *screen) state(t *testing.T) unix.Termios {
	t.Helper()
	var state *unix.Termios
	err := control(s.slave, func(fd int) (err error) {
		state, err = unix.IoctlGetTermios(fd, getTermios)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return *state
}

// play types what a script says: wait for a text, then type another.
func (s *screen) play(t *testing.T, script ...string) {
	t.Helper()
	go func() {
		for i := 0; i+1 < len(script); i += 2 {
			s.expect(t, script[i])
			io.WriteString(s.master, script[i+1])
		}
	}()
}

func TestTerminalHidesASecret(t *testing.T) {
	s := newScreen(t)
	before := s.state(t)
	s.play(t, "password for alice: ", "correct horse \n")
	got, err := s.terminal().Answer(t.Context(), challenge.Question{Name: "PASSWORD", Label: "password for alice", Secret: true})
	if err != nil || got.Reveal() != "correct horse " {
		t.Fatalf("answer %q, %v", got.Reveal(), err)
	}
	s.expect(t, "\r\x1b[K")
	if strings.Contains(s.text(), "horse") {
		t.Errorf("the secret was echoed: %q", s.text())
	}
	if s.state(t) != before {
		t.Error("the terminal is not as it was")
	}
}

func TestTerminalEchoesAndErasesOtherAnswers(t *testing.T) {
	s := newScreen(t)
	s.play(t, "user name: ", " alice \n")
	got, err := s.terminal().Answer(t.Context(), challenge.Question{Name: "USERNAME", Label: "user name"})
	if err != nil || got.Reveal() != "alice" {
		t.Fatalf("answer %q, %v", got.Reveal(), err)
	}
	s.expect(t, "user name:  alice \r\n\x1b[F\x1b[K")
}

func TestPlainTerminalGetsNoEscapeSequence(t *testing.T) {
	s := newScreen(t)
	s.play(t, "password: ", "pw\n")
	terminal := s.terminal()
	terminal.Plain = true
	if _, err := terminal.Answer(t.Context(), challenge.Question{Label: "password", Secret: true}); err != nil {
		t.Fatal(err)
	}
	s.expect(t, "password: \r\n")
	if strings.Contains(s.text(), "\x1b") {
		t.Errorf("escape sequence on a plain terminal: %q", s.text())
	}
}

func TestTerminalAsksAgain(t *testing.T) {
	s := newScreen(t)
	s.play(t, "code: ", "\n", "an answer is needed", "123456\n")
	got, err := s.terminal().Answer(t.Context(), challenge.Question{Label: "code", Note: "the code was wrong", Attempt: 2})
	if err != nil || got.Reveal() != "123456" {
		t.Fatalf("answer %q, %v", got.Reveal(), err)
	}
	s.expect(t, "the code was wrong\r\n")
}

// A slip in a password that nobody has seen would shut the person out.
func TestTerminalHasANewPasswordTypedTwice(t *testing.T) {
	s := newScreen(t)
	s.play(t, "new password: ", "horse\n", "again: ", "hoarse\n", "the two are not the same", "battery\nbattery\n")
	got, err := s.terminal().Answer(t.Context(), challenge.Question{Label: "new password", Secret: true, Twice: true})
	if err != nil || got.Reveal() != "battery" {
		t.Fatalf("answer %q, %v", got.Reveal(), err)
	}
	for _, secret := range []string{"horse", "hoarse", "battery"} {
		if strings.Contains(s.text(), secret) {
			t.Errorf("%s was echoed: %q", secret, s.text())
		}
	}
}

func TestTerminalGivesUpOnEmptyAnswers(t *testing.T) {
	s := newScreen(t)
	s.play(t, "code: ", strings.Repeat("\n", maxTries))
	_, err := s.terminal().Answer(t.Context(), challenge.Question{Label: "code"})
	if token.KindOf(err) != token.Usage {
		t.Errorf("error %v, want kind Usage", err)
	}
}

func TestTerminalChoices(t *testing.T) {
	for typed, want := range map[string]string{"2\n": "EMAIL_OTP", "SMS_MFA\n": "SMS_MFA"} {
		s := newScreen(t)
		s.play(t, "  1) SMS_MFA\r\n  2) EMAIL_OTP\r\nmethod (1-2): ", "3\n", "type a number from 1 to 2", typed)
		got, err := s.terminal().Answer(t.Context(), challenge.Question{Label: "method", Choices: []string{"SMS_MFA", "EMAIL_OTP"}})
		if err != nil || got.Reveal() != want {
			t.Errorf("typed %q: answer %q, %v; want %q", typed, got.Reveal(), err, want)
		}
	}
}

func TestTerminalConfirm(t *testing.T) {
	for typed, want := range map[string]bool{"y\n": true, " YES \n": true, "n\n": false, "\n": false, "sure\n": false} {
		s := newScreen(t)
		s.play(t, "sign in again? [y/N] ", typed)
		got, err := s.terminal().Confirm(t.Context(), "alice is signed in until Fri 14:00; sign in again?")
		if err != nil || got != want {
			t.Errorf("typed %q: %v, %v; want %v", typed, got, err, want)
		}
	}
}

func TestTerminalCannotBeDrivenByServerText(t *testing.T) {
	const hostile = "code\x1b]0;owned\x07\x1b[2J\u202e\u009b31m\nand more"
	s := newScreen(t)
	terminal := s.terminal()
	terminal.Plain = true // so that no escape sequence is ours
	s.play(t, "): ", "1\n")
	q := challenge.Question{Label: hostile, Note: hostile, Choices: []string{hostile}}
	if _, err := terminal.Answer(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	terminal.Tell(hostile)
	s.expect(t, "and more\r\n")
	for _, r := range s.text() {
		if r < ' ' && r != '\r' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
			t.Fatalf("%U reached the terminal: %q", r, s.text())
		}
	}
}

func TestTerminalEndsWithTheContext(t *testing.T) {
	s := newScreen(t)
	before := s.state(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		s.expect(t, "password: ")
		cancel()
	}()
	_, err := s.terminal().Answer(ctx, challenge.Question{Label: "password", Secret: true})
	if token.KindOf(err) != token.Interrupted || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want kind Interrupted that wraps the context's", err)
	}
	if s.state(t) != before {
		t.Error("the terminal is not as it was")
	}
}

func TestTerminalEndOfInput(t *testing.T) {
	s := newScreen(t)
	before := s.state(t)
	s.play(t, "password: ", "\x04")
	_, err := s.terminal().Answer(t.Context(), challenge.Question{Label: "password", Secret: true})
	if token.KindOf(err) != token.Interrupted {
		t.Errorf("error %v, want kind Interrupted", err)
	}
	if s.state(t) != before {
		t.Error("the terminal is not as it was")
	}
}

func TestInterruptKeyRestoresTheTerminal(t *testing.T) {
	s := newScreen(t)
	before := s.state(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), "PROMPT_TEST_CHILD=1")
	child.Stdin = s.slave
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	s.play(t, "password: ", "half a pass\x03")
	err := child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("the program ended with %v, want exit code 130", err)
	}
	if s.state(t) != before {
		t.Error("the terminal is not as it was")
	}
	if strings.Contains(s.text(), "half") {
		t.Errorf("the secret was echoed: %q", s.text())
	}
}

func TestWithoutATerminalNobodyAnswers(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), "PROMPT_TEST_CHILD=1")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	child.Stdin = strings.NewReader("never read\n")
	var exit *exec.ExitError
	if err := child.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the program ended with %v, want exit code 1", err)
	}
	none := &Terminal{open: func() (*device, error) { return nil, os.ErrNotExist }}
	if _, err := none.Answer(t.Context(), challenge.Question{}); !errors.Is(err, challenge.ErrNoAnswer) {
		t.Errorf("Answer: %v, want ErrNoAnswer", err)
	}
	if _, err := none.Confirm(t.Context(), "?"); !errors.Is(err, challenge.ErrNoAnswer) {
		t.Errorf("Confirm: %v, want ErrNoAnswer", err)
	}
	if none.Present() {
		t.Error("a terminal is present that is not there")
	}
}
