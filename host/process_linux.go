package host

import (
	"fmt"
	"os"
	"syscall"
)

// executableOf names the opened file itself, so that nothing can come between its check and its start. The child has a copy
// of the descriptor until it executes it.
func executableOf(file *os.File, _ string) string { return fmt.Sprintf("/proc/self/fd/%d", file.Fd()) }

// attributes: a process group of its own, so that Ctrl-C is the host's alone; and the kernel tells the plugin of the host's
// death, however it dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
