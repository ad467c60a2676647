//go:build unix

package front

import (
	"os"
	"syscall"
)

// handsLock says that a lock outlives exec in its descriptor.
const handsLock = true

// replace returns only on failure.
func replace(core string, args, env []string, _ *os.File) (int, error) {
	if len(args) == 0 { // execve wants a name
		args = []string{coreName}
	}
	return 1, syscall.Exec(core, args, env)
}
