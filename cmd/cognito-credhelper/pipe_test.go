package main_test

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// piped FILE PROGRAM ARG... runs a program at the end of a pipe, and at another's beginning. A line of FILE is what is
// written to it, " => ", and a regular expression for the line that it must print before the next one is written. Fails
// unless the exit code is 0 when standard input ends.
func piped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: piped FILE PROGRAM ARG...")
	}
	cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), args[1]), args[2:]...)
	cmd.Dir, cmd.Env, cmd.Stderr = ts.MkAbs("."), stormEnv(ts), ts.Stderr()
	in, err := cmd.StdinPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // who waits for more input ends here
	printed := bufio.NewReader(out)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		given, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
		if !ok {
			ts.Fatalf("not INPUT => OUTPUT: %q", line)
		}
		_, err := io.WriteString(in, given+"\n")
		ts.Check(err)
		if got, err := printed.ReadString('\n'); err != nil || !regexp.MustCompile(want).MatchString(strings.TrimSuffix(got, "\n")) {
			ts.Fatalf("after %q came %q, %v; want %q", given, got, err, want)
		}
	}
	ts.Check(in.Close())
	rest, err := io.ReadAll(printed)
	ts.Check(err)
	if err := cmd.Wait(); err != nil || len(rest) > 0 {
		ts.Fatalf("at the end came %q, %v", rest, err)
	}
	stop.Stop()
}
