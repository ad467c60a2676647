// Command check runs everything that must pass, a line per step, and says at the end what ran and what was skipped. It is
// what `make test` runs.
//
// It needs Go, make, and git; what else a step needs is looked for, and a step that lacks it is skipped by name. With
// CI=true a skipped name that ci/required.txt lists is a failure. It changes no file of the repository.
//
//	check [-only step,step] [-list]    run the steps
//	check report FILE                  print a report of real clients; fail when a required one did not run
//	check note FILE NAME VERSION       note in a report that a real client ran
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout))
}

func run(args []string, getenv func(string) string, out io.Writer) int {
	if len(args) == 2 && args[0] == "report" {
		return printReport(args[1], getenv, true, out)
	}
	if len(args) == 4 && args[0] == "note" {
		return done(skips.Note(args[1], true, args[2], args[3]), out)
	}
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(out)
	only := flags.String("only", "", "run these `steps` only, separated by commas")
	list := flags.Bool("list", false, "list the steps")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		fmt.Fprintln(out, "usage: check [-only step,step] [-list] | check report FILE | check note FILE NAME VERSION")
		return 2
	}
	work, err := os.MkdirTemp("", "check")
	if err != nil {
		return done(err, out)
	}
	defer os.RemoveAll(work)
	always := steps(work, compiler())
	everything := append(slices.Clone(always), apart()...)
	if *list {
		for _, s := range everything {
			fmt.Fprintf(out, "%-16s %s\n", s.name, s.what)
		}
		return 0
	}
	steps, err := chosen(always, everything, *only)
	if err != nil {
		fmt.Fprintln(out, "check:", err)
		return 2
	}
	// A new file for each run: go test keeps results as long as the environment is the same, and a kept result reports nothing.
	file := getenv(skips.Variable)
	if file == "" {
		file = filepath.Join(work, "report")
	}
	if failed := runSteps(steps, file, out); failed > 0 {
		printReport(file, getenv, false, out)
		return 1
	}
	return printReport(file, getenv, false, out)
}

// chosen gives what runs always, or the steps named in only, of all that there are.
func chosen(always, all []step, only string) ([]step, error) {
	if only == "" {
		return always, nil
	}
	var picked []step
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(s step) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no step %q: -list names them", name)
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}

// runSteps runs each step, whatever became of those before it, prints a line as each ends, and a summary at the end. It
// gives the number of failures.
func runSteps(steps []step, report string, out io.Writer) int {
	start := time.Now()
	var ran, skipped, failed []string
	for _, s := range steps {
		began := time.Now()
		r := s.run(report)
		took := time.Since(began).Round(100 * time.Millisecond)
		switch {
		case r.skip != "":
			skipped = append(skipped, s.name+" ("+r.skip+")")
			fmt.Fprintf(out, "SKIP %-16s %s\n", s.name, r.skip)
			if err := skips.Note(report, false, s.name, r.skip); err != nil {
				failed = append(failed, s.name)
				fmt.Fprintf(out, "FAIL %-16s reporting: %v\n", s.name, err)
			}
		case r.err != nil:
			failed = append(failed, s.name)
			fmt.Fprintf(out, "FAIL %-16s %8v  %s\n%s\n     %v\n", s.name, took, s.what, indent(r.output), r.err)
		default:
			ran = append(ran, s.name)
			fmt.Fprintf(out, "ok   %-16s %8v  %s\n", s.name, took, s.what)
			if r.show {
				fmt.Fprintln(out, indent(r.output))
			}
		}
	}
	fmt.Fprintf(out, "\n%d ran in %v: %s\n", len(ran), time.Since(start).Round(time.Second), orNone(ran))
	fmt.Fprintf(out, "%d skipped: %s\n", len(skipped), orNone(skipped))
	if len(failed) > 0 {
		fmt.Fprintf(out, "%d FAILED: %s\n", len(failed), orNone(failed))
	}
	return len(failed)
}

// printReport prints which real clients ran, and with CI=true judges the list of required ones. A whole run is one after
// which every required name must have been heard of.
func printReport(file string, getenv func(string) string, whole bool, out io.Writer) int {
	report, err := skips.Read(file)
	if err != nil {
		return done(err, out)
	}
	report.Print(out)
	if getenv("CI") != "true" {
		return 0
	}
	required, err := skips.Required("ci/required.txt")
	if err != nil {
		return done(err, out)
	}
	broken := report.Broken(required, whole)
	for _, b := range broken {
		fmt.Fprintln(out, "FAIL", b)
	}
	if len(broken) > 0 {
		return 1
	}
	return 0
}

func done(err error, out io.Writer) int {
	if err != nil {
		fmt.Fprintln(out, "check:", err)
		return 1
	}
	return 0
}

func indent(s string) string {
	return "     " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n     ")
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
