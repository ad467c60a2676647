// Command run is what `make test-clients` runs: it obtains the client programs that can be had, drives our adapters through
// the hosts' libraries and through the real programs, and names what ran and what was missing.
//
// A client that ci/required.txt marks "retry" has two attempts: its registry or its server may have a bad moment. Every
// other failure is one.
//
//	run [-obtain=false] [-run REGEXP]
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// Variable names the folder for programs that are obtained; without it they are kept in the user's cache folder.
const Variable = "COGNITO_TEST_CLIENTS"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	obtain := flag.Bool("obtain", true, "obtain the programs that are missing")
	only := flag.String("run", "", "only tests whose name `matches`")
	flag.Parse()
	if err := run(ctx, *obtain, *only); err != nil {
		fmt.Fprintln(os.Stderr, "test-clients:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, obtain bool, only string) error {
	programs, err := folder()
	if err != nil {
		return err
	}
	if obtain {
		fmt.Println("client programs, in", programs)
		if err := show(ctx, nil, "go", "run", "./obtain", programs); err != nil {
			return err
		}
	}
	report := os.Getenv(stage.Report)
	if report == "" {
		temp, err := os.MkdirTemp("", "test-clients-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		report = filepath.Join(temp, "report")
	}
	env := []string{Variable + "=" + programs, stage.Report + "=" + report}
	if only == "" {
		if err := show(ctx, env, "go", "test", "./library", "./obtain", "./run"); err != nil {
			return err
		}
	}
	failed, err := test(ctx, env, only)
	if err != nil {
		return err
	}
	if err := again(ctx, env, failed); err != nil {
		return err
	}
	// Which names are required, the build server asks at its end; here they are only shown.
	return show(ctx, []string{"CI="}, "go", "-C", filepath.Join("..", ".."), "run", "./test/check", "report", report)
}

func folder() (string, error) {
	if named := os.Getenv(Variable); named != "" {
		return filepath.Abs(named)
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "cognito-credhelper-test-clients"), err
}

// show runs a command and lets its output through.
func show(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// failure is a test that failed, and the client that it needed.
type failure struct{ test, client string }

// again gives tests of clients that may have a bad moment their second attempt.
func again(ctx context.Context, env []string, failed []failure) error {
	if len(failed) == 0 {
		return nil
	}
	retried, err := retries(filepath.Join("..", "..", "ci", "required.txt"))
	if err != nil {
		return err
	}
	var names, lost []string
	for _, f := range failed {
		if slices.Contains(retried, f.client) {
			names = append(names, regexp.QuoteMeta(f.test))
		} else {
			lost = append(lost, f.test+" ("+f.client+")")
		}
	}
	if len(names) > 0 {
		fmt.Println("second attempt:", strings.Join(names, ", "))
		second, err := test(ctx, env, "^("+strings.Join(names, "|")+")$")
		if err != nil {
			return err
		}
		for _, f := range second {
			lost = append(lost, f.test+" ("+f.client+", twice)")
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(lost, ", "))
	}
	return nil
}

// retries are the names that the file marks: "name  retry  # what it is".
func retries(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) == 2 && words[1] == "retry" {
			names = append(names, words[0])
		}
	}
	return names, nil
}

// test runs the real clients and prints a line for each test, and what a failed one said.
func test(ctx context.Context, env []string, only string) ([]failure, error) {
	args := []string{"test", "-json", "-count=1", "-timeout=20m", "./real"}
	if only != "" {
		args = append(args, "-run="+only)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	failed, judged := judge(events, os.Stdout)
	ended := cmd.Wait()
	if judged != nil {
		return nil, judged
	}
	if ended != nil && len(failed) == 0 {
		return nil, fmt.Errorf("go test: %w\n%s", ended, stderr.Bytes())
	}
	return failed, nil
}

// needs is what a test logs of the client that it is about.
var needs = regexp.MustCompile(`NEEDS-NAMED (\S+)`)

// judge reads the events of go test.
func judge(events io.Reader, out io.Writer) ([]failure, error) {
	said := map[string]*bytes.Buffer{}
	var failed []failure
	scan := bufio.NewScanner(events)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var e struct{ Action, Test, Output string }
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			fmt.Fprintln(out, scan.Text()) // a build error is no event
			continue
		}
		name, _, sub := strings.Cut(e.Test, "/")
		if said[name] == nil {
			said[name] = &bytes.Buffer{}
		}
		said[name].WriteString(e.Output)
		if name == "" || sub {
			continue
		}
		switch e.Action {
		case "pass", "skip":
			fmt.Fprintf(out, "  %-6s %s\n", e.Action, name)
		case "fail":
			client := "?"
			if m := needs.FindStringSubmatch(said[name].String()); m != nil {
				client = m[1]
			}
			fmt.Fprintf(out, "  FAIL   %s\n%s\n", name, said[name].String())
			failed = append(failed, failure{name, client})
		}
	}
	return failed, scan.Err()
}
