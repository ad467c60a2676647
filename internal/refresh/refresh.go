// Package refresh is the frame of the process that renews a session; detach starts it.
//
// It guarantees that the worker lives at most a minute, and that no signal that ends a foreground job ends it. It never
// decides what to renew.
package refresh

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
)

// Life is the longest that a worker lives.
const Life = 60 * time.Second

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
	job, err := io.ReadAll(io.LimitReader(os.Stdin, detach.MaxMessage))
	if err != nil {
		return err
	}
	// The caller may be gone; what it waited for is on disk, so a broken pipe is no failure.
	_, _ = out.Write(do(ctx, job, lock))
	return nil
}
