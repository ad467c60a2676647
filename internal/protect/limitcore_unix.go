//go:build unix

package protect

import "golang.org/x/sys/unix"

// private takes all rights from everybody else. What we keep is made private file by file; this is for what else may be made.
const private = 0o077

// limitCore lowers the soft limit only, so that a program may raise it again for itself.
func limitCore() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &l) == nil && l.Cur != 0 {
		l.Cur = 0
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &l)
	}
}
