// Command compare measures warm answers against a Go hello world, interleaved, and prints ratios: absolute times of one
// machine say little. "hello again" is the noise of the measurement itself. docs/performance.md tells what each figure is.
//
// It builds what it runs, works in a temp folder with a home of its own and a sandbox on loopback, and leaves nothing
// behind. The measured front has no complete program beside it, so that a call which is not warm fails rather than being
// measured.
//
//	go run ./bench/compare            prints the tables
//	go run ./bench/compare -max 1.4   and ends with exit code 1 where a wall ratio of the front is above 1.4, or 500
//	                                  profiles cost more than 1.3 times what one costs, or the last of a hundred callers
//	                                  waits more than 1.2 times as long as one alone
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
)

type options struct {
	rounds, loop int
	most         float64
	session      string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 30, "rounds; every program runs once in each")
	flag.IntVar(&o.loop, "loop", 50, "calls of a program in one round")
	flag.Float64Var(&o.most, "max", 0, "fail where a wall ratio of the front is above this; 0 never fails")
	flag.StringVar(&o.session, "session", "login", "how the session comes about: login (sandbox and complete program) or written (no server, no complete program)")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 1 || o.loop < 1 || o.session != "login" && o.session != "written" {
		flag.Usage()
		os.Exit(2)
	}
	ok, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run measures and prints; ok is false where a ratio is above what was asked for.
func run(o options) (ok bool, err error) {
	folder, err := os.MkdirTemp("", "cognito-credhelper-bench-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	b, err := build(folder, o.session == "login")
	if err != nil {
		return false, err
	}
	programs, err := list(folder, b, o.session)
	if err != nil {
		return false, err
	}
	for r := range o.rounds {
		for i := range programs { // each goes first once in a while
			if err := programs[(i+r)%len(programs)].round(o.loop); err != nil {
				return false, err
			}
		}
	}
	ok = report(programs, o.most)
	ok = reportProfiles(programs, o.most) && ok
	if b.pair == "" {
		return ok, nil
	}
	calm, err := runStorm(filepath.Join(folder, "home-storm"), b, o.most)
	if err != nil {
		return ok, err
	}
	return ok && calm, runLosses(folder, b)
}

// list prepares the homes and gives what is measured in them, hello first.
func list(folder string, b binaries, how string) ([]*program, error) {
	programs := []*program{{name: "hello", path: b.hello}, {name: "hello again", path: b.hello}}
	for _, n := range []int{1, many} {
		s, err := prepare(filepath.Join(folder, fmt.Sprint("home-", n)), n, b, how)
		if err != nil {
			return nil, fmt.Errorf("preparing a session among %d profiles: %w", n, err)
		}
		programs[0].env, programs[1].env = s.env, s.env
		for _, kind := range []struct {
			name, path string
			gated      bool
		}{{"front", b.front, true}, {"complete", b.complete, false}} {
			for _, verb := range []string{"credential-process", "token"} {
				if kind.path == "" {
					continue
				}
				p := &program{name: kind.name + " " + verb, profiles: n, path: kind.path, args: []string{verb, "--profile", s.profile}, env: s.env, gated: kind.gated}
				if err := p.check(); err != nil {
					return nil, err
				}
				programs = append(programs, p)
			}
		}
	}
	return withSignedOut(programs, filepath.Join(folder, "home-out"), b)
}

// withSignedOut adds what a tool waits for an answer that there is none: nobody is signed in.
func withSignedOut(programs []*program, home string, b binaries) ([]*program, error) {
	s, config, err := newHome(home)
	if err == nil {
		err = writeProfiles(config, 1, writtenProfile)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing a home without a session: %w", err)
	}
	settle()
	for _, kind := range []struct{ name, path string }{{"pair, signed out", b.pair}, {"complete, signed out", b.complete}} {
		if kind.path == "" {
			continue
		}
		p := &program{name: kind.name, profiles: 1, path: kind.path, args: []string{"credential-process", "--profile", "bench"}, env: s.env, exit: loginNeeded}
		if err := p.check(); err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	return programs, nil
}

// loginNeeded is the exit code for it.
const loginNeeded = 3

// report prints one line per program, each value in terms of hello's in the same round.
func report(programs []*program, most float64) (ok bool) {
	ok = true
	hello := programs[0]
	fmt.Printf("hello: wall p50 %.2f ms, cpu %.2f ms, %.0f page faults; all else as a ratio to it\n\n",
		median(hello.rounds, wall50)*1e3, median(hello.rounds, cpu)*1e3, median(hello.rounds, faults))
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\tprofiles\twall p50\twall p10\tcpu\tpage faults\t")
	for _, p := range programs[1:] {
		ratio := p.ratio(hello, wall50)
		verdict := ""
		if p.gated && most > 0 && ratio > most {
			verdict, ok = fmt.Sprintf("above %.2f", most), false
		}
		profiles := ""
		if p.profiles > 0 {
			profiles = fmt.Sprint(p.profiles)
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%s\n", p.name, profiles, ratio, p.ratio(hello, wall10), p.ratio(hello, cpu), p.ratio(hello, faults), verdict)
	}
	w.Flush()
	return ok
}

const (
	// many is how many profiles are a lot.
	many = 500
	// mostForMany is what they may cost, as a ratio to one.
	mostForMany = 1.3
)

// reportProfiles prints what many profiles cost, in terms of one.
func reportProfiles(programs []*program, most float64) (ok bool) {
	ok = true
	fmt.Printf("\n%d profiles as a ratio to one:\n\n", many)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\twall p50\tcpu\tpage faults\t")
	for _, one := range programs {
		for _, p := range programs {
			if one.profiles != 1 || p.profiles != many || p.name != one.name {
				continue
			}
			ratio, verdict := p.ratio(one, wall50), ""
			if most > 0 && ratio > mostForMany {
				verdict, ok = fmt.Sprintf("above %.2f", mostForMany), false
			}
			fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%s\n", p.name, ratio, p.ratio(one, cpu), p.ratio(one, faults), verdict)
		}
	}
	w.Flush()
	return ok
}

// mostForStorm is what the last of many callers may wait for its answer, as a ratio to one alone.
const mostForStorm = 1.2

// runStorm measures and prints what many callers of one expired token wait.
func runStorm(home string, b binaries, most float64) (ok bool, err error) {
	s, err := newStorm(home, "", b)
	if err != nil {
		return false, fmt.Errorf("preparing the storm: %w", err)
	}
	defer s.sandbox.stop()
	duels, err := s.measure()
	if err != nil {
		return false, fmt.Errorf("storm: %w", err)
	}
	ratio, answers := told(duels, byAnswer)
	_, ends := told(duels, byEnd)
	fmt.Printf("\nstorm: %d callers, one expired token, a refresh of %v; one refresh each, equal answers; in terms of one caller alone\n"+
		"  the last answer comes after %s, the last caller has ended after %s\n", callers, refreshTakes, answers, ends)
	if most > 0 && ratio > mostForStorm {
		fmt.Printf("above %.2f\n", mostForStorm)
		return false, nil
	}
	return true, nil
}
