// Command interop signs independent Cognito clients from npm in to the sandbox, and says how often each case went as it
// must. It is what `make test-interop` runs: the clients were written by others, so they prove that the sandbox is no mirror
// of our own mistakes.
//
// It starts and stops the sandbox itself, on loopback, and leaves nothing behind but node_modules. Without node or npm it
// skips the clients by name; with CI=true that is a failure.
//
//	interop [-times N] [-client NAME]
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// folder has the scripts, and node_modules after npm ci.
const folder = "test/interop"

var clients = []string{"amazon-cognito-identity-js", "aws-amplify", "cognito-srp-helper"}

// limit is for the whole run. A client that hangs must not hang a build.
const limit = 20 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	times := flag.Int("times", 50, "right sign-ins per case")
	only := flag.String("client", "", "this client only")
	flag.Parse()
	chosen := clients
	if *only != "" {
		chosen = []string{*only}
	}
	if err := run(ctx, chosen, *times, os.Getenv(skips.Variable), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, chosen []string, times int, report string, out io.Writer) error {
	for _, name := range chosen {
		if !slices.Contains(clients, name) {
			return fmt.Errorf("no client %q: there are %s", name, strings.Join(clients, ", "))
		}
	}
	if missing := missingPrograms("node", "npm"); missing != "" {
		return skip(chosen, missing, report, out)
	}
	if err := install(ctx, out); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "interop")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	program, err := build(ctx, work)
	if err != nil {
		return err
	}
	var failed []string
	for t := range tries(ctx, chosen, program, work, times) {
		t.said.WriteTo(out)
		if t.err != nil {
			fmt.Fprintf(out, "  FAILED: %v\n", t.err)
			failed = append(failed, t.name)
			continue
		}
		if err := note(t.name, report); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// tried is a client that has run.
type tried struct {
	name string
	said *bytes.Buffer
	err  error
}

// tries runs the clients at the same time, since each needs one processor only, and gives them as they end.
func tries(ctx context.Context, chosen []string, program, work string, times int) <-chan tried {
	done := make(chan tried, len(chosen)) // so that nobody waits for a reader that has given up
	var wg sync.WaitGroup
	for _, name := range chosen {
		wg.Go(func() {
			t := tried{name: name, said: &bytes.Buffer{}}
			t.err = func() error {
				own, err := os.MkdirTemp(work, name)
				if err != nil {
					return err
				}
				return try(ctx, name, program, own, times, t.said)
			}()
			done <- t
		})
	}
	go func() { wg.Wait(); close(done) }()
	return done
}

// note reports that a client ran.
func note(name, report string) error {
	if report == "" {
		return nil
	}
	version, err := installedVersion(name)
	if err != nil {
		return err
	}
	return skips.Note(report, true, name, version)
}

func missingPrograms(names ...string) string {
	var missing []string
	for _, n := range names {
		if _, err := exec.LookPath(n); err != nil {
			missing = append(missing, "no "+n+" on PATH")
		}
	}
	return strings.Join(missing, ", ")
}

// skip names what did not run. On a build server that is an error.
func skip(chosen []string, reason, report string, out io.Writer) error {
	for _, name := range chosen {
		fmt.Fprintf(out, "SKIP-NAMED %s: %s\n", name, reason)
		if report != "" {
			if err := skips.Note(report, false, name, reason); err != nil {
				return err
			}
		}
	}
	if os.Getenv("CI") == "true" {
		return fmt.Errorf("skipped with CI=true: %s", reason)
	}
	return nil
}

// install runs npm ci once per lock file. Install scripts of packages never run.
func install(ctx context.Context, out io.Writer) error {
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("run this at the root of the repository: %w", err)
	}
	sum := sha256.Sum256(lock)
	stamp, want := filepath.Join(folder, "node_modules", ".installed"), hex.EncodeToString(sum[:])
	if got, err := os.ReadFile(stamp); err == nil && string(got) == want {
		return nil
	}
	fmt.Fprintln(out, "npm ci")
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = folder
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, said)
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// try runs one client through the plan, against pools of its own, and prints a line per case.
func try(ctx context.Context, name, program, work string, times int, out io.Writer) error {
	pools, stop, err := startPools(ctx, program, work)
	defer stop()
	if err != nil {
		return err
	}
	p := plan{Pools: pools, Cases: cases(times)}
	version, err := installedVersion(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s %s\n", name, version)
	input, err := json.Marshal(p)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", "run.mjs", name)
	cmd.Dir = folder
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	judged := judge(lines, p.expected(name), out)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("node: %w\n%s", err, stderr.Bytes())
	}
	return judged
}

func installedVersion(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", name, "package.json"))
	if err != nil {
		return "", err
	}
	var about struct{ Version string }
	err = json.Unmarshal(text, &about)
	return about.Version, err
}

// outcome is one line of run.mjs.
type outcome struct {
	Case   string
	Good   int
	Of     int
	Faults []string
}

// judge prints each outcome, and wants each expected case once, whole, and nothing else.
func judge(lines io.Reader, expected map[string]int, out io.Writer) error {
	var bad []string
	left := map[string]int{}
	for name, of := range expected {
		left[name] = of
	}
	scan := bufio.NewScanner(lines)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var o outcome
		if err := json.Unmarshal(scan.Bytes(), &o); err != nil {
			return errors.Join(fmt.Errorf("not an outcome: %q", scan.Text()), drain(lines))
		}
		fmt.Fprintf(out, "  %-44s %d/%d\n", o.Case, o.Good, o.Of)
		for _, f := range o.Faults[:min(3, len(o.Faults))] {
			fmt.Fprintf(out, "    %s\n", f)
		}
		if o.Of != left[o.Case] || o.Good != o.Of || o.Of == 0 {
			bad = append(bad, o.Case)
		}
		delete(left, o.Case)
	}
	for name := range left {
		bad = append(bad, name+" (did not run)")
	}
	slices.Sort(bad)
	if len(bad) > 0 {
		return fmt.Errorf("cases: %s", strings.Join(bad, ", "))
	}
	return scan.Err()
}

// drain lets the writer end by itself.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
