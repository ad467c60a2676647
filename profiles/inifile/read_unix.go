//go:build unix

package inifile

import (
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a FIFO that took the file's place from blocking us, and a terminal from becoming ours.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

const modeBitsCount = true

// ownerTrusted reports whether the file is ours or root's.
func ownerTrusted(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && (st.Uid == 0 || int(st.Uid) == os.Geteuid())
}
