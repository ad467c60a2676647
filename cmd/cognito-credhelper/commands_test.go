package main_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// code N PROGRAM ARG... runs a program and fails unless its exit code is N, where "exec" only knows success and failure; and
// unless a failure names what to run (checkHint).
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
	if args[1] == "cognito-credhelper" {
		checkHint(ts, got, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// says LINE... fails unless standard error is these lines and no other; without one, unless it is empty. "<*>" stands for
// any text in a line.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! says")
	}
	got := strings.Split(strings.TrimSuffix(ts.ReadFile("stderr"), "\n"), "\n")
	if got[0] == "" {
		got = got[1:]
	}
	same := len(got) == len(args)
	for i := 0; same && i < len(args); i++ {
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(args[i]), "<\\*>", ".*") + "$"
		same = regexp.MustCompile(pattern).MatchString(got[i])
	}
	if !same {
		ts.Fatalf("standard error is not\n\t%s\nbut\n\t%s", strings.Join(args, "\n\t"), strings.Join(got, "\n\t"))
	}
}

// session PROFILE sets $SESSION to the profile's session file.
func session(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: session PROFILE")
	}
	ts.Check(ts.Exec("cognito-credhelper", "status", "--profile", args[0], "--json"))
	var status struct {
		SessionID string `json:"session_id"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &status))
	ts.Setenv("SESSION", filepath.Join(ts.Getenv("STATE"), "sessions", status.SessionID+".ses"))
}

// damage FILE HOW changes a file as a disk, another program, or a person might: "cut" takes its second half away, "flip"
// turns one bit of its last quarter, "empty" leaves nothing, "newer" makes it one that only a later version reads, "pipe" puts
// a FIFO in its place.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FILE cut|flip|empty|newer|pipe")
	}
	file := ts.MkAbs(args[0])
	data := []byte(ts.ReadFile(file))
	switch args[1] {
	case "cut":
		data = data[:len(data)/2]
	case "flip":
		data[len(data)-len(data)/4] ^= 4
	case "empty":
		data = nil
	case "newer":
		data[11] = 2 // min_reader, in internal/tokencache/format.go
	case "pipe":
		ts.Check(os.Remove(file))
		ts.Check(exec.Command("mkfifo", "-m", "600", file).Run())
		return
	default:
		ts.Fatalf("unknown damage %q", args[1])
	}
	ts.Check(os.WriteFile(file, data, 0o600))
}

// interrupt OPERATION PROGRAM ARG... starts a program, sends it an interrupt when the sandbox has seen a request of the
// operation, and fails unless the exit code is 130.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt OPERATION PROGRAM ARG...")
	}
	cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), args[1]), args[2:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), stormEnv(ts)
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	ts.Check(cmd.Start())
	if !seen(ts, args[0], 1) {
		cmd.Process.Kill()
		cmd.Wait()
		ts.Fatalf("no request of %s came", args[0])
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		ts.Fatalf("exit code %d after an interrupt, want 130", got)
	}
}

// smalldisk FOLDER SIZE mounts an empty disk of that size; where that is not allowed, the transcript is skipped by name.
func smalldisk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: smalldisk FOLDER SIZE")
	}
	folder := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(folder, 0o700))
	t := ts.Value(testOf{}).(testing.TB)
	if err := mount(folder, args[1]); err != nil {
		skips.Missing(t, "small-disk", "mounting one needs Linux and root: "+err.Error())
	}
	skips.Ran(t, "small-disk", args[1])
	ts.Defer(func() { unmount(folder) })
}

// readonly FOLDER on|off keeps everybody from writing to a small disk, or lets them again.
func readonly(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: readonly FOLDER on|off")
	}
	ts.Check(readOnly(ts.MkAbs(args[0]), args[1] == "on"))
}

// fill FOLDER writes a file there until the disk is full.
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fill FOLDER")
	}
	f, err := os.Create(filepath.Join(ts.MkAbs(args[0]), "ballast"))
	ts.Check(err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		ts.Fatalf("the disk is not full: %v", err)
	}
}

// testOf is the key of a script's test among its values.
type testOf struct{}
