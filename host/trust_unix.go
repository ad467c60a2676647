//go:build unix

package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// trustedFile wants a plain file of this user or root that nobody else can write.
func trustedFile(path string, info fs.FileInfo, program bool) error {
	at, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return unusable(path+" is not a plain file", "")
	case !mine(at.Uid):
		return unusable(path+" belongs to another user", "ls -l "+path)
	case info.Mode().Perm()&0o022 != 0:
		return unusable(path+" can be written by other users", "chmod go-w "+path)
	case program && info.Mode().Perm()&0o111 == 0:
		return unusable(path+" is not a program: it may not be executed", "chmod u+x "+path)
	}
	return nil
}

// trustedTree wants a folder of this user or root that nobody else can write. Above it a folder may be a place where everybody
// writes and nobody can touch what is another's (sticky, as /tmp is), or one that a group of administrators writes.
func trustedTree(folder string) error {
	for at := folder; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return unusable("the folder "+at+" cannot be looked at", "")
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		sticky := info.Mode()&fs.ModeSticky != 0 && at != folder
		writers := fs.FileMode(0o022)
		if at != folder {
			writers = 0o002
		}
		switch {
		case !ok || !info.IsDir():
			return unusable(at+" is not a folder", "")
		case !mine(stat.Uid):
			return unusable("the folder "+at+" belongs to another user", "ls -ld "+at)
		case info.Mode().Perm()&writers != 0 && !sticky:
			return unusable("the folder "+at+" can be written by other users", "chmod go-w "+at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

func mine(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }
