// Command mutants takes away, one at a time, what keeps a promise, and wants a named test to turn red each time: a guard that
// can go without anybody noticing is guarded by no test. It is what `make mutants` runs, at the root of the repository.
//
// It changes no file: the compiler is given the changed text in place of the file's own (go's -overlay), also where a test
// builds the programs. It fails where a mutant survives, where it does not compile, where its text is not found exactly once,
// and where its test is red already without it. A new mutant is one row of the table in table.go.
//
//	mutants [-only name,name] [-list]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(out)
	only := flags.String("only", "", "take these `mutants` only, separated by commas")
	list := flags.Bool("list", false, "list the mutants")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		fmt.Fprintln(out, "usage: mutants [-only name,name] [-list]")
		return 2
	}
	chosen, err := choose(table(), *only)
	if err != nil {
		fmt.Fprintln(out, "mutants:", err)
		return 2
	}
	if *list {
		for _, m := range chosen {
			fmt.Fprintf(out, "%-24s %-40s %s\n", m.name, m.file, m.test)
		}
		return 0
	}
	if survivors := hunt(chosen, out); survivors > 0 {
		return 1
	}
	return 0
}

func choose(all []mutant, only string) ([]mutant, error) {
	if only == "" {
		return all, nil
	}
	var chosen []mutant
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(m mutant) bool { return m.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no mutant %q: -list names them", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// hunt prints a line for each mutant and gives how many were not killed.
func hunt(mutants []mutant, out io.Writer) (alive int) {
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		fmt.Fprintln(out, "mutants:", err)
		return len(mutants)
	}
	defer os.RemoveAll(work)
	start := time.Now()
	skipped, err := green(mutants)
	if err != nil {
		fmt.Fprintln(out, "FAIL without a mutant:", err)
		return len(mutants)
	}
	passed := 0
	for _, m := range mutants {
		if reason, ok := skipped[m.test]; ok {
			fmt.Fprintf(out, "SKIP %-24s         %s cannot run here: %s\n", m.name, m.test, reason)
			continue
		}
		began := time.Now()
		err := m.kill(work)
		took := time.Since(began).Round(100 * time.Millisecond)
		if err != nil {
			alive++
			fmt.Fprintf(out, "FAIL %-24s %6v  %v\n", m.name, took, err)
			continue
		}
		passed++
		fmt.Fprintf(out, "ok   %-24s %6v  %s without %s turns %s red\n", m.name, took, m.file, m.what, m.test)
	}
	fmt.Fprintf(out, "\nmutants: %d passed, %d failed, %d skipped, in %v\n", passed, alive, len(mutants)-passed-alive, time.Since(start).Round(time.Second))
	return alive
}
