package detach

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// spawn starts the worker without a console and outside the caller's job object, where that one lets it go. The job comes on
// standard input and the answer goes to standard output: only the three standard handles are inherited. The lock stays:
// a lock of LockFileEx belongs to its process, so the worker takes it by itself once the caller has let it go.
func (w *Worker) spawn(job, answer, _ *os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	const detached = windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP
	start := func(flags uint32) (*os.Process, error) {
		return os.StartProcess(w.program, []string{w.program, Argument}, &os.ProcAttr{
			Env:   w.environ,
			Files: []*os.File{job, answer, null},
			Sys:   &syscall.SysProcAttr{CreationFlags: flags, HideWindow: true},
		})
	}
	child, err := start(detached | windows.CREATE_BREAKAWAY_FROM_JOB)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return start(detached)
	}
	return child, err
}
