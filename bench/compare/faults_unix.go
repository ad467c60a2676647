//go:build unix

package main

import (
	"os"
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
