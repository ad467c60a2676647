package front

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// startWorker starts the process that renews. An error means that nothing was started and the lock is still ours.
type startWorker func(program string, environ []string, lock *os.File, job []byte) (wait func(context.Context) ([]byte, error), err error)

func detached(program string, environ []string, lock *os.File, job []byte) (func(context.Context) ([]byte, error), error) {
	return detach.New(program, detach.Environment(environ)).Start(lock, job)
}

// renew has a worker renew what is stale, and answers from what came of it. The worker has the lock from then on. Where none
// is started, started is false and the lock is still ours.
func (c *caller) renew(l lock, began, until time.Time) (exit int, started bool) {
	if !c.mayRenew() {
		return 0, false
	}
	core, err := c.findCore()
	if err != nil {
		return 0, false // the complete program's business, that is to say that it is missing
	}
	if resolved, err := filepath.EvalSymlinks(core); err == nil {
		core = resolved
	}
	job := c.source.stale.job()
	wait, err := c.worker(workerFor(core, c.source.stale.work()), c.environ(), l.File(), job)
	if err != nil {
		return 0, false
	}
	l.Unlock() // closes our copy only: the worker has the lock now
	if c.source.stale.due {
		c.source.renewing = true
		if exit, done := c.serve(); done {
			return exit, true
		}
	}
	return c.answerRenewed(job, wait, began, until), true
}

// workerName is the small program that renews, beside the complete one.
const workerName = "cognito-credhelper-worker"

// workerFor is the program to start for a work: the small worker, which starts in less than half the time, where it is installed
// and has what the work takes; else the complete program.
func workerFor(core, work string) string {
	if strings.HasPrefix(work, tokencache.DeriveWork("")) {
		return core // it alone links those services
	}
	worker := filepath.Join(filepath.Dir(core), executableName(workerName))
	if st, err := os.Stat(worker); err != nil || !st.Mode().IsRegular() {
		return core
	}
	return worker
}

// mayRenew reports whether a worker started from here would do what the complete program would do. That one holds back after
// a failure, has the key that a caller gives in its own hands, and saves in its place what only needs that.
func (c *caller) mayRenew() bool {
	stale := c.source.stale
	return handsLock && c.worker != nil && stale.selection.Name != "" && !stale.toSettle && !c.source.failedLast() && c.getenv(keyslot.Variable) == ""
}

// answerRenewed waits for the worker. Whatever it has to tell, the complete program tells: also that there was no answer, or
// that what was gained exists nowhere but in it. Of a worker that ended before it came to its work nothing is to be told: its file
// may be damaged, and the complete program renews by itself.
func (c *caller) answerRenewed(job []byte, wait func(context.Context) ([]byte, error), began, until time.Time) int {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	interrupted, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	reply, err := wait(interrupted)
	stop()
	if errors.Is(err, context.Canceled) {
		c.say("interrupted") // as the complete program says it; the worker goes on
		return token.Interrupted.ExitCode()
	}
	if errors.Is(err, detach.ErrNoAnswer) && !c.source.begunSince(began) {
		return c.handOver(nil, true)
	}
	if string(reply) == detach.Saved {
		c.source.renewing, c.source.issuedSince = false, began
		if exit, done := c.serve(); done {
			return exit
		}
	}
	answer := append(append(job, '\n'), reply...)
	return c.become(takeover{answer: answer, consumed: c.in.consumed, resumed: true})
}

// job is a tokensource.Job in JSON: the one that the complete program would make.
func (s stale) job() []byte {
	b := append(make([]byte, 0, 512), `{"format":1,"session":`...)
	b = jsonstring.Append(b, s.id)
	b = append(b, `,"generation":`...)
	b = strconv.AppendUint(b, s.generation, 10)
	b = append(b, `,"selection":{"Name":`...)
	b = jsonstring.Append(b, s.selection.Name)
	b = append(b, `,"Named":`...)
	b = strconv.AppendBool(b, s.selection.Named)
	b = append(b, `,"Location":`...)
	b = jsonstring.Append(b, s.selection.Location)
	b = append(b, `},"work":`...)
	b = jsonstring.Append(b, s.work())
	return append(b, '}')
}

// work is what makes what was asked for.
func (s stale) work() string { return s.works[len(s.works)-1] }

// begunSince reports whether a worker noted since start that it asks for what is stale. It does so before it asks.
func (s *source) begunSince(start time.Time) bool {
	for _, work := range s.stale.works {
		if a, ok := s.store.LastAttempt(s.stale.id, work); ok && !a.Started.Before(start) {
			return true
		}
	}
	return false
}

// failedLast reports whether the last try of what is stale ended in a failure, however long ago.
func (s *source) failedLast() bool {
	for _, work := range s.stale.works {
		if a, ok := s.store.LastAttempt(s.stale.id, work); ok && a.Outcome.Failed() {
			return true
		}
	}
	return false
}
