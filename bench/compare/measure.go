package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// program is one command line and what was measured of it.
type program struct {
	name     string
	profiles int // in its home; 0 where that does not matter
	path     string
	args     []string
	env      []string
	gated    bool
	exit     int // what it ends with; but for 0 it prints nothing

	rounds []sample
}

// sample is one round: per call, in seconds and faults.
type sample struct{ wall50, wall10, cpu, faults float64 }

func wall50(s sample) float64 { return s.wall50 }
func wall10(s sample) float64 { return s.wall10 }
func cpu(s sample) float64    { return s.cpu }
func faults(s sample) float64 { return s.faults }

// check runs the program once, to see an answer, or that there is none.
func (p *program) check() error {
	c := exec.Command(p.path, p.args...)
	c.Env = p.env
	out, err := c.Output()
	if p.exit != 0 {
		if got := c.ProcessState.ExitCode(); got != p.exit || len(out) > 0 {
			return fmt.Errorf("%s: exit code %d and %d bytes, want %d and none", p.name, got, len(out), p.exit)
		}
		return nil
	}
	if exit, ok := err.(*exec.ExitError); ok {
		return fmt.Errorf("%s is not warm: %w: %s", p.name, err, exit.Stderr)
	}
	if err == nil && len(out) < 100 {
		return fmt.Errorf("%s printed only %d bytes", p.name, len(out))
	}
	return err
}

// round calls the program n times, one after the other.
func (p *program) round(n int) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	attr := &os.ProcAttr{Env: p.env, Files: []*os.File{null, null, null}}
	argv := append([]string{p.path}, p.args...)
	walls := make([]float64, 0, n)
	var total sample
	for range n {
		begin := time.Now()
		child, err := os.StartProcess(p.path, argv, attr)
		if err != nil {
			return err
		}
		state, err := child.Wait()
		if err != nil {
			return err
		}
		walls = append(walls, time.Since(begin).Seconds())
		if state.ExitCode() != p.exit {
			return fmt.Errorf("%s: %s", p.name, state)
		}
		total.cpu += (state.UserTime() + state.SystemTime()).Seconds()
		total.faults += pageFaults(state)
	}
	slices.Sort(walls)
	p.rounds = append(p.rounds, sample{walls[n/2], walls[n/10], total.cpu / float64(n), total.faults / float64(n)})
	return nil
}

// ratio is the median over all rounds of this program's value to the other's in the same round: what disturbs the machine
// for longer than a round disturbs both.
func (p *program) ratio(to *program, value func(sample) float64) float64 {
	ratios := make([]float64, 0, len(p.rounds))
	for i, s := range p.rounds {
		if base := value(to.rounds[i]); base > 0 {
			ratios = append(ratios, value(s)/base)
		}
	}
	return middle(ratios)
}

func median(rounds []sample, value func(sample) float64) float64 {
	values := make([]float64, 0, len(rounds))
	for _, s := range rounds {
		values = append(values, value(s))
	}
	return middle(values)
}

func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
