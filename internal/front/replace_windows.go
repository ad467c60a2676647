package front

import (
	"os"
	"os/signal"
	"syscall"
)

// handsLock is false: a lock there belongs to the process that took it, so that the worker must take it itself.
const handsLock = false

// replace runs the complete program and gives its exit code. Ctrl-C reaches both; this process lets the other decide.
func replace(core string, args, env []string, held *os.File) (int, error) {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // taken and dropped; Ignore would not keep this process alive
	attr := &os.ProcAttr{Env: env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}}
	if held != nil {
		attr.Sys = &syscall.SysProcAttr{AdditionalInheritedHandles: []syscall.Handle{syscall.Handle(held.Fd())}}
	}
	if len(args) == 0 {
		args = []string{coreName}
	}
	child, err := os.StartProcess(core, args, attr)
	if err != nil {
		return 1, err
	}
	state, err := child.Wait()
	if err != nil {
		return 1, err
	}
	return state.ExitCode(), nil
}
