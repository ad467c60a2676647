//go:build unix && !linux

package protect

import "golang.org/x/sys/unix"

func process() {
	limitCore()
	unix.Umask(private)
}
