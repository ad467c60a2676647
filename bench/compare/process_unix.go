//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// pageFaults counts minor and major ones of an ended child.
func pageFaults(s *os.ProcessState) float64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return float64(u.Minflt + u.Majflt)
}

// flush has what was written go to disk, so that it does not do so in the middle of a measurement.
func flush() { syscall.Sync() }

// apart puts a program that is yet to start into a session of its own. A scheduler that shares processors out among sessions
// (Linux's autogroup) then does not count it among the callers.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
