package host

import (
	"os"
	"syscall"
)

// executableOf is the path: Windows executes no open file. It does not let a program be replaced while it is open for reading
// without that being shared, either; Go shares it, so that the race of other platforms remains.
func executableOf(_ *os.File, path string) string { return path }

// attributes: a process group of its own, so that Ctrl-C is the host's alone. The plugin sees the host's death by itself.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
