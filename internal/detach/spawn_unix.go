//go:build unix

package detach

import (
	"os"
	"syscall"
)

// The worker's descriptors beside the job on standard input; standard output and error are the null device, so that no
// host waits for them to close.
const (
	AnswerDescriptor = 3
	LockDescriptor   = 4
)

// spawn starts the worker in a session of its own.
func (w *Worker) spawn(job, answer, lock *os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	return os.StartProcess(w.program, []string{w.program, Argument}, &os.ProcAttr{
		Env:   w.environ,
		Files: []*os.File{job, null, null, answer, lock},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}
