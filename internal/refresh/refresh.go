// Package refresh starts the process that renews a session, detached from the caller, and is that process's frame.
//
// Hosts kill credential helpers at any moment: by Ctrl-C on the whole group, by a time limit. A refresh that is killed
// between the server's answer and our disk loses the session where refresh tokens rotate. The worker is in a session of
// its own, holds the lock through the inherited descriptor, and ends by itself.
//
// It guarantees that nothing secret is in the worker's arguments or environment, that the worker keeps none of the
// caller's standard streams, and that it lives at most a minute. It never decides what to renew.
package refresh

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Argument is the hidden first argument that makes the program a worker.
const Argument = "__renew"

// Life is the longest that a worker lives.
const Life = 60 * time.Second

// maxMessage bounds a job and an answer, in bytes.
const maxMessage = 1 << 20

// Worker starts this program again as a worker. Safe for concurrent use.
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

var errNoAnswer = errors.New("the worker ended without an answer")

// read takes the whole answer, or gives up with the context.
func read(ctx context.Context, f *os.File) ([]byte, error) {
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b, err := io.ReadAll(io.LimitReader(f, maxMessage))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, errNoAnswer
	}
	return b, nil
}

// Serve is the worker: it reads the job, does it, and writes the answer. Signals that end a foreground job do not end it.
// do must return within its context, which ends after Life; lock is nil where the platform's locks are not inherited, and
// do then takes it by itself.
func Serve(ctx context.Context, do func(ctx context.Context, job []byte, lock *os.File) []byte) error {
	defer Hold()()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Life)
	defer cancel()
	out, lock, err := inherited()
	if err != nil {
		return err
	}
	defer out.Close()
	job, err := io.ReadAll(io.LimitReader(os.Stdin, maxMessage))
	if err != nil {
		return err
	}
	// The caller may be gone; what it waited for is on disk, so a broken pipe is no failure.
	_, _ = out.Write(do(ctx, job, lock))
	return nil
}
