//go:build unix && !linux

package host

import (
	"os"
	"syscall"
)

// executableOf is the path: this platform executes no open file. Who may write to the program's folder, which is this user
// and root only, could replace it between its check and its start.
func executableOf(_ *os.File, path string) string { return path }

// attributes: a process group of its own, so that Ctrl-C is the host's alone. The plugin sees the host's death by itself.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
