package tracer

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// call is a system call that is a point.
type call struct {
	name  string
	file  bool // one of the file system's where it is about a file
	reads bool // brings something from a socket or a pipe
	how   how
}

// how a call says what it is about.
type how int

const (
	byNothing  how = iota
	byFD           // the first argument is a descriptor
	byPath         // the first argument is a path
	byFDPath       // a folder's descriptor and a path
	byTwoPaths     // folder, path, folder, path: about the last
	bySocket       // a socket, whatever it is connected to
)

// calls is never written to.
var calls = map[uint64]call{
	unix.SYS_OPENAT: {"openat", true, false, byFDPath}, unix.SYS_OPEN: {"open", true, false, byPath},
	unix.SYS_READ: {"read", true, true, byFD}, unix.SYS_PREAD64: {"pread", true, false, byFD},
	unix.SYS_WRITE: {"write", true, false, byFD}, unix.SYS_PWRITE64: {"pwrite", true, false, byFD},
	unix.SYS_LSEEK: {"lseek", true, false, byFD}, unix.SYS_FSYNC: {"fsync", true, false, byFD}, unix.SYS_FDATASYNC: {"fdatasync", true, false, byFD},
	unix.SYS_FTRUNCATE: {"ftruncate", true, false, byFD}, unix.SYS_FCHMOD: {"fchmod", true, false, byFD}, unix.SYS_FCHMODAT: {"fchmodat", true, false, byFDPath},
	unix.SYS_RENAME: {"rename", true, false, byTwoPaths}, unix.SYS_RENAMEAT: {"renameat", true, false, byTwoPaths}, unix.SYS_RENAMEAT2: {"renameat2", true, false, byTwoPaths},
	unix.SYS_UNLINK: {"unlink", true, false, byPath}, unix.SYS_UNLINKAT: {"unlinkat", true, false, byFDPath},
	unix.SYS_MKDIR: {"mkdir", true, false, byPath}, unix.SYS_MKDIRAT: {"mkdirat", true, false, byFDPath},
	unix.SYS_FLOCK: {"flock", true, false, byFD}, unix.SYS_CLOSE: {"close", true, false, byFD},
	unix.SYS_FSTAT: {"fstat", true, false, byFD}, unix.SYS_STAT: {"stat", true, false, byPath}, unix.SYS_LSTAT: {"lstat", true, false, byPath},
	unix.SYS_NEWFSTATAT: {"newfstatat", true, false, byFDPath}, unix.SYS_STATX: {"statx", true, false, byFDPath}, unix.SYS_STATFS: {"statfs", true, false, byPath},
	unix.SYS_GETDENTS64: {"getdents64", true, false, byFD}, unix.SYS_READLINKAT: {"readlinkat", true, false, byFDPath},
	unix.SYS_FACCESSAT: {"faccessat", true, false, byFDPath}, unix.SYS_FACCESSAT2: {"faccessat2", true, false, byFDPath},
	unix.SYS_LINKAT: {"linkat", true, false, byTwoPaths}, unix.SYS_SYMLINKAT: {"symlinkat", true, false, byFDPath}, unix.SYS_UTIMENSAT: {"utimensat", true, false, byFDPath},
	unix.SYS_FALLOCATE: {"fallocate", true, false, byFD},

	unix.SYS_SOCKET: {"socket", false, false, byNothing}, unix.SYS_CONNECT: {"connect", false, false, bySocket},
	unix.SYS_SENDTO: {"sendto", false, false, bySocket}, unix.SYS_RECVFROM: {"recvfrom", false, true, byFD},

	unix.SYS_EXECVE: {"execve", false, false, byPath}, unix.SYS_SETSID: {"setsid", false, false, byNothing}, unix.SYS_PIPE2: {"pipe2", false, false, byNothing},
	unix.SYS_DUP3: {"dup3", false, false, byNothing}, unix.SYS_CLONE: {"clone", false, false, byNothing}, unix.SYS_CLONE3: {"clone3", false, false, byNothing},
	unix.SYS_EXIT_GROUP: {"exit_group", false, false, byNothing},
}

// subject is what a call is about.
type subject struct {
	kind  kind
	name  string
	short string // of a stream
}

type kind int

const (
	none   kind = iota // no point: the kernel's own files, and descriptors of the runtime
	alone              // a call that is about nothing but itself
	path               // a file or folder
	stream             // a socket or a pipe
)

// about finds out what a call is about.
func (t *trace) about(tid, pid int, c call, i info) subject {
	a := i.args
	switch c.how {
	case byFD:
		return t.descriptor(pid, int(int32(a[0])), c)
	case byPath:
		return t.path(text(tid, a[0]))
	case byFDPath:
		return t.below(pid, tid, int(int32(a[0])), a[1])
	case byTwoPaths:
		if c.name == "rename" {
			return t.path(text(tid, a[1]))
		}
		return t.below(pid, tid, int(int32(a[2])), a[3])
	case bySocket:
		s := t.descriptor(pid, int(int32(a[0])), c)
		if s.kind != stream {
			return subject{}
		}
		return s
	}
	if strings.HasPrefix(c.name, "clone") && startsThread(tid, c, a[0]) {
		return subject{}
	}
	return subject{kind: alone}
}

// startsThread reads the flags of clone(2), or of the struct that clone3 takes.
func startsThread(tid int, c call, arg uint64) bool {
	flags := arg
	if c.name == "clone3" {
		var b [8]byte
		if _, err := unix.PtracePeekData(tid, uintptr(arg), b[:]); err != nil {
			return true
		}
		flags = 0
		for i := range b {
			flags |= uint64(b[i]) << (8 * i)
		}
	}
	return flags&unix.CLONE_THREAD != 0
}

func (t *trace) below(pid, tid, folder int, name uint64) subject {
	p := text(tid, name)
	switch {
	case strings.HasPrefix(p, "/"):
		return t.path(p)
	case folder == unix.AT_FDCWD:
		at, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		return t.path(at + "/" + p)
	}
	s := t.descriptor(pid, folder, call{})
	if s.kind == path && p != "" {
		s.name += "/" + p
	}
	return s
}

func (t *trace) descriptor(pid, fd int, c call) subject {
	to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil {
		return subject{}
	}
	for _, short := range []string{"socket", "pipe"} {
		if strings.HasPrefix(to, short+":") {
			if c.file && !c.reads && c.name != "write" { // a close or an fcntl of a stream: when, the runtime decides
				return subject{}
			}
			return subject{stream, to, short}
		}
	}
	return t.path(strings.TrimSuffix(to, " (deleted)"))
}

// sessionID and temp names differ from run to run.
var (
	sessionID = regexp.MustCompile(`[a-z2-7]{26}`)
	tempName  = regexp.MustCompile(`\.tmp-[0-9a-f]+`)
	indexName = regexp.MustCompile(`\b(p|h)-[0-9a-z]{8,}`)
	asideName = regexp.MustCompile(`\.bad-[0-9TZ.]+`)
)

func (t *trace) path(p string) subject {
	for _, n := range t.job.Names {
		if rest, ok := strings.CutPrefix(p, n.Path); ok {
			p = n.Name + rest
			break
		}
	}
	for _, kernels := range []string{"/proc/", "/sys/", "/dev/", "anon_inode:", "/memfd:"} {
		if p == "" || strings.HasPrefix(p, kernels) {
			return subject{}
		}
	}
	p = tempName.ReplaceAllString(p, ".tmp-X")
	p = asideName.ReplaceAllString(p, ".bad-X")
	p = indexName.ReplaceAllString(p, "$1-X")
	return subject{kind: path, name: sessionID.ReplaceAllString(p, "ID")}
}

// text reads a string of the traced process.
func text(tid int, at uint64) string {
	if at == 0 {
		return ""
	}
	b := make([]byte, 0, 256)
	var part [256]byte
	for len(b) < 4096 {
		n, err := unix.PtracePeekData(tid, uintptr(at)+uintptr(len(b)), part[:64])
		if i := bytes.IndexByte(part[:n], 0); i >= 0 {
			return string(append(b, part[:i]...))
		}
		if err != nil || n == 0 {
			break
		}
		b = append(b, part[:n]...)
	}
	return string(b)
}
