// Package detach starts the process that renews a session, detached from the caller: from the complete program, and from the
// front, which is why nothing heavy is in here.
//
// Hosts kill credential helpers at any moment: by Ctrl-C on the whole group, by a time limit. A refresh that is killed
// between the server's answer and our disk loses the session where refresh tokens rotate. The worker is in a session of
// its own, holds the lock through the inherited descriptor, and ends by itself.
//
// It guarantees that nothing secret is in the worker's arguments or environment, and that the worker keeps none of the
// caller's standard streams. It never decides what to renew; what the worker does is the business of refresh and of those who
// compose it.
package detach

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Argument is the first argument that a worker is started with. It makes the complete program one.
const Argument = "__renew"

// MaxMessage bounds a job and an answer, in bytes.
const MaxMessage = 1 << 20

// Saved is the whole answer of a worker that did its job and saved what came of it in its place: there is nothing to tell
// anybody. tokensource writes it.
const Saved = `{"format":1,"saved":true}`

// Worker starts a program as a worker: the small one, or the complete program. Safe for concurrent use.
type Worker struct {
	program string
	environ []string
}

// New says which program to start, by its absolute path, and with which environment.
func New(program string, environ []string) *Worker { return &Worker{program, environ} }

// Start hands the lock and the job to a new process. wait reads its answer; leaving wait out lets the worker go on alone.
// An error means that nothing was started and the lock is still the caller's.
func (w *Worker) Start(lock *os.File, job []byte) (wait func(context.Context) ([]byte, error), err error) {
	jobOut, jobIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer jobOut.Close()
	defer jobIn.Close()
	answerOut, answerIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer answerIn.Close()
	child, err := w.spawn(jobOut, answerIn, lock)
	if err != nil {
		answerOut.Close()
		return nil, err
	}
	// A job is far smaller than a pipe's buffer, so this never waits for the worker.
	if _, err := jobIn.Write(job); err != nil {
		_ = child.Kill()
		_, _ = child.Wait()
		answerOut.Close()
		return nil, err
	}
	go child.Wait() // reaped where the caller lives long enough; adopted by init where it does not
	return func(ctx context.Context) ([]byte, error) { return read(ctx, answerOut) }, nil
}

// ErrNoAnswer is for a worker that ended without a word: it was killed, or could not begin.
var ErrNoAnswer = errors.New("the worker ended without an answer")

// read takes the whole answer, or gives up with the context.
func read(ctx context.Context, f *os.File) ([]byte, error) {
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b, err := io.ReadAll(io.LimitReader(f, MaxMessage))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, ErrNoAnswer
	}
	return b, nil
}
