package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// measure gives the median time of the last of many callers, and of one alone, and the median of their ratios. The two take
// turns, so that what disturbs the machine for longer disturbs both.
func (s *storm) measure() (last, alone time.Duration, ratio float64, err error) {
	var lasts, alones, ratios []float64
	for range stormRounds {
		one, err := s.round(1)
		if err != nil {
			return 0, 0, 0, err
		}
		many, err := s.round(callers)
		if err != nil {
			return 0, 0, 0, err
		}
		lasts, alones, ratios = append(lasts, many.Seconds()), append(alones, one.Seconds()), append(ratios, many.Seconds()/one.Seconds())
	}
	seconds := func(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
	return seconds(middle(lasts)), seconds(middle(alones)), middle(ratios), nil
}

// round lets the token expire, starts n callers at once, and takes the time until the last has ended. There must have been
// one refresh, and equal answers.
func (s *storm) round(n int) (time.Duration, error) {
	s.passed += life
	if err := errors.Join(s.sandbox.post("/advance", fmt.Sprintf(`{"seconds":%d}`, int(life.Seconds()))), s.sandbox.post("/requests/reset", "")); err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp(s.getenv("HOME"), "answers-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	// All is ready before the clock runs; answers go to files, because to read pipes would be work of ours meanwhile.
	var all []*exec.Cmd
	for i := range n {
		out, err := os.Create(filepath.Join(folder, fmt.Sprint(i)))
		if err != nil {
			return 0, err
		}
		defer out.Close()
		c := exec.Command(s.program, "token", "--profile", s.profile)
		c.Env, c.Stdout, c.Stderr = append(slices.Clone(s.env), "COGNITO_CREDHELPER_TEST_CLOCK="+s.passed.String()), out, os.Stderr
		all = append(all, c)
	}
	begin := time.Now()
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
	took := time.Since(begin)
	if failure != nil {
		return 0, failure
	}
	return took, s.check(folder, n)
}

func (s *storm) check(folder string, n int) error {
	count, err := s.sandbox.requests("GetTokensFromRefreshToken")
	if err != nil {
		return err
	}
	if count != 1 {
		return fmt.Errorf("%d callers made %d refreshes", n, count)
	}
	var first []byte
	for i := range n {
		answer, err := os.ReadFile(filepath.Join(folder, fmt.Sprint(i)))
		if err != nil {
			return err
		}
		if i == 0 {
			first = answer
		}
		if len(answer) < 100 || !slices.Equal(answer, first) {
			return fmt.Errorf("caller %d of %d has another answer than the first", i, n)
		}
	}
	return nil
}
