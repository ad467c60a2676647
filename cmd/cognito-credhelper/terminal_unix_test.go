//go:build unix

package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// terminal N FILE PROGRAM ARG... runs a program with a controlling terminal and a person at it, who types only when asked
// (testscript's ttyin types ahead, so that everything is echoed). A line of FILE is what the person waits for, " => ", and
// what is then typed: text, @NAME for the first line of a file, @sms:USER for the code
// that was sent last, @sent:USER:KIND for the last of a kind, @late:SECONDS:ANSWER for any of these after the sandbox's
// clock went on, ^C, or ^\. Standard input is empty. Fails unless the exit code
// is N. What the terminal showed becomes the file "screen".
func terminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: terminal N FILE PROGRAM ARG...")
	}
	here, there, err := pty.Open()
	ts.Check(err)
	defer here.Close()
	cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), args[2]), args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(stormEnv(ts), "TERM=vt100")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = ts.Stdout(), io.MultiWriter(ts.Stderr(), &said)
	cmd.ExtraFiles = []*os.File{there}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	ts.Check(cmd.Start())
	there.Close()
	shown := make(chan []byte)
	go func() {
		for {
			chunk := make([]byte, 4096)
			n, err := here.Read(chunk)
			if err != nil { // the last one who had it open is gone
				close(shown)
				return
			}
			shown <- chunk[:n]
		}
	}()
	screen := person(ts, here, shown, ts.ReadFile(args[1]))
	cmd.Wait()
	for chunk := range shown {
		screen = append(screen, chunk...)
	}
	ts.Check(os.WriteFile(ts.MkAbs("screen"), screen, 0o600))
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s; the terminal showed:\n%s", got, args[0], screen)
	}
	checkHint(ts, cmd.ProcessState.ExitCode(), "", said.String())
}

// person answers what the terminal shows, and returns all that it showed until then.
func person(ts *testscript.TestScript, here *os.File, shown <-chan []byte, script string) []byte {
	var screen []byte
	read := 0 // of the screen
	patience := time.After(20 * time.Second)
	for lines := bufio.NewScanner(strings.NewReader(script)); lines.Scan(); {
		question, answer, ok := strings.Cut(lines.Text(), " => ")
		if !ok {
			ts.Fatalf("not QUESTION => ANSWER: %q", lines.Text())
		}
		for !bytes.Contains(screen[read:], []byte(question)) {
			select {
			case chunk, ok := <-shown:
				if !ok {
					ts.Logf("%q was never asked; the terminal showed:\n%s", question, screen)
					return screen
				}
				screen = append(screen, chunk...)
			case <-patience:
				ts.Fatalf("%q was never asked; the terminal showed:\n%s", question, screen)
			}
		}
		read = len(screen)
		if after, ok := strings.CutPrefix(answer, "@late:"); ok {
			seconds, rest, _ := strings.Cut(after, ":")
			control(ts, "POST", "/advance", `{"seconds": `+seconds+`}`)
			answer = rest
		}
		if user, ok := strings.CutPrefix(answer, "@sms:"); ok {
			var sent struct{ Code string }
			ts.Check(json.Unmarshal(control(ts, "GET", "/sms?user="+user, ""), &sent))
			answer = sent.Code
		}
		if of, ok := strings.CutPrefix(answer, "@sent:"); ok {
			user, kind, _ := strings.Cut(of, ":")
			answer = lastCode(ts, user, kind)
		}
		if name, ok := strings.CutPrefix(answer, "@"); ok {
			answer, _, _ = strings.Cut(ts.ReadFile(name), "\n")
		}
		switch answer {
		case "^C":
			answer = "\x03"
		case `^\`:
			answer = "\x1c"
		default:
			answer += "\n"
		}
		_, err := here.WriteString(answer)
		ts.Check(err)
	}
	return screen
}
