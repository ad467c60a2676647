package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

const (
	callers     = 100
	stormRounds = 9
	// refreshTakes is how long the sandbox lets a refresh take, as Cognito may.
	refreshTakes = 150 * time.Millisecond
	// life is longer than that of any token.
	life = 2 * time.Hour
)

// storm is many callers that find one expired token at once.
type storm struct {
	session
	sandbox *sandbox
	program string
	passed  time.Duration // by the clock that the programs go by
}

// newStorm signs in to a sandbox of this configuration (a file, or "" for its own). The caller stops the sandbox.
func newStorm(home, pool string, b binaries) (*storm, error) {
	s, config, err := newHome(home)
	if err != nil {
		return nil, err
	}
	sandbox, err := startSandbox(b.sandbox, config+".sandbox", pool, s.env)
	if err != nil {
		return nil, err
	}
	user, password, err := sandbox.user()
	if err == nil {
		err = writeProfiles(config, 1, sandbox.profile)
	}
	settle()
	if err == nil {
		err = signIn(s, b.pair, user, password)
	}
	if err == nil {
		err = sandbox.post("/faults", fmt.Sprintf(`{"operation":"GetTokensFromRefreshToken","kind":"slow","count":-1,"delay_ms":%d}`, refreshTakes.Milliseconds()))
	}
	if err != nil {
		sandbox.stop()
		return nil, err
	}
	return &storm{session: s, sandbox: sandbox, program: b.pair}, nil
}

// measured is what one round took, in seconds from before the first start: until the last answer was there, and until the last
// caller had ended.
type measured struct{ answer, end float64 }

func byAnswer(m measured) float64 { return m.answer }
func byEnd(m measured) float64    { return m.end }

// duel is a storm, and one caller alone before it.
type duel struct{ many, one measured }

// measure lets many callers and one alone take turns, so that what disturbs the machine for longer disturbs both.
func (s *storm) measure() (duels []duel, err error) {
	for range stormRounds {
		var d duel
		if d.one, err = s.round(1); err == nil {
			d.many, err = s.round(callers)
		}
		if err != nil {
			return nil, err
		}
		duels = append(duels, d)
	}
	return duels, nil
}

// told is the median of the duels' ratios and those of both sides, as text.
func told(duels []duel, by func(measured) float64) (ratio float64, text string) {
	of := func(what func(duel) float64) float64 {
		var all []float64
		for _, d := range duels {
			all = append(all, what(d))
		}
		return middle(all)
	}
	ratio = of(func(d duel) float64 { return by(d.many) / by(d.one) })
	return ratio, fmt.Sprintf("%.2f times (%.0f ms, %.0f ms)", ratio, of(func(d duel) float64 { return by(d.many) })*1e3, of(func(d duel) float64 { return by(d.one) })*1e3)
}

// round lets the token expire and starts n callers at once. There must have been one refresh, and equal answers.
func (s *storm) round(n int) (measured, error) {
	s.passed += life
	if err := errors.Join(s.sandbox.post("/advance", fmt.Sprintf(`{"seconds":%d}`, int(life.Seconds()))), s.sandbox.post("/requests/reset", "")); err != nil {
		return measured{}, err
	}
	// One pipe for all, and one reader: an answer is one write, which a pipe keeps whole.
	out, in, err := os.Pipe()
	if err != nil {
		return measured{}, err
	}
	defer out.Close()
	var all []*exec.Cmd
	for range n {
		c := exec.Command(s.program, "token", "--profile", s.profile)
		c.Env, c.Stdout, c.Stderr = append(slices.Clone(s.env), "COGNITO_CREDHELPER_TEST_CLOCK="+s.passed.String()), in, os.Stderr
		all = append(all, c)
	}
	var m measured
	var answers bytes.Buffer
	read := make(chan error, 1)
	begin := time.Now()
	go func() { read <- collect(&answers, out, func() { m.answer = time.Since(begin).Seconds() }) }()
	var failure error
	started := 0
	for _, c := range all {
		if failure = c.Start(); failure != nil {
			break
		}
		started++
	}
	for _, c := range all[:started] {
		failure = errors.Join(failure, c.Wait())
	}
	m.end = time.Since(begin).Seconds()
	in.Close() // the last end that could be written to
	if err := errors.Join(failure, <-read); err != nil {
		return measured{}, err
	}
	return m, s.check(answers.Bytes(), n)
}

// collect reads until nobody can write any more, and says when something came.
func collect(to *bytes.Buffer, from *os.File, came func()) error {
	part := make([]byte, 64<<10)
	for {
		n, err := from.Read(part)
		if n > 0 {
			came()
			to.Write(part[:n])
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// check holds that there was one refresh, and that all answers are one token.
func (s *storm) check(answers []byte, n int) error {
	count, err := s.sandbox.requests("GetTokensFromRefreshToken")
	if err != nil {
		return err
	}
	if count != 1 {
		return fmt.Errorf("%d callers made %d refreshes", n, count)
	}
	first, _, _ := bytes.Cut(answers, []byte("\n"))
	if len(first) < 100 || !bytes.Equal(answers, bytes.Repeat(append(first, '\n'), n)) {
		return fmt.Errorf("%d callers did not get the same token", n)
	}
	return nil
}
