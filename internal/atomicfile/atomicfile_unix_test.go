//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOnlyPlainFilesAreReplaced(t *testing.T) {
	folder := t.TempDir()
	target := filepath.Join(folder, "target")
	if err := Write(target, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(path string) error{
		"link":     func(p string) error { return os.Symlink(target, p) },
		"dangling": func(p string) error { return os.Symlink("/nowhere/at/all", p) },
		"fifo":     func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"folder":   func(p string) error { return os.Mkdir(p, 0o700) },
	} {
		path := filepath.Join(folder, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.Lstat(path)
		_, prepareErr := Prepare(path, 10)
		_, readErr := Read(path, 10)
		for call, err := range map[string]error{"write": Write(path, []byte("new")), "prepare": prepareErr, "read": readErr} {
			var u *UnsafeError
			if !errors.As(err, &u) || u.Path != path || u.Fix != "ls -ld "+quote(path) {
				t.Errorf("%s of %s: %v", call, name, err)
			}
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s was replaced: %v", name, err)
		}
	}
	if got, _ := Read(target, 10); string(got) != "mine" {
		t.Errorf("a link was followed: %q", got)
	}
	if temps, _ := filepath.Glob(filepath.Join(folder, ".*")); len(temps) != 0 {
		t.Errorf("left: %v", temps)
	}
}

// A folder that appears at the target after Prepare.
func TestTargetThatBecomesAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	p, err := Prepare(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	os.Mkdir(path, 0o700)
	var u *UnsafeError
	if err := p.Commit([]byte("data")); !errors.As(err, &u) {
		t.Errorf("error %v", err)
	}
	onlyFile(t, path)
}

func TestModes(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277} {
		func() {
			folder := filepath.Join(t.TempDir(), "a", "b")
			defer syscall.Umask(syscall.Umask(mask))
			if err := MakeFolder(folder); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(folder, "file")
			if err := Write(path, []byte("data")); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]os.FileMode{path: 0o600, folder: 0o700, filepath.Dir(folder): 0o700} {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
					t.Errorf("umask %o: %s: %v, %v", mask, name, info.Mode(), err)
				}
			}
		}()
	}
}

func TestWriteMakesAnOpenFilePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	os.WriteFile(path, nil, 0o600)
	os.Chmod(path, 0o644)
	var u *UnsafeError
	if _, err := Read(path, 10); !errors.As(err, &u) || u.Fix != "chmod 600 "+quote(path) {
		t.Errorf("error %v", err)
	}
	if err := Write(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 10); err != nil {
		t.Error(err)
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{"/home/a/x.ses": "/home/a/x.ses", "/home/a b": "'/home/a b'", "/it's/$x": `'/it'\''s/$x'`} {
		if got := quote(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// What a killed process left goes with the next save, not an hour later.
func TestSweepKnowsTheDead(t *testing.T) {
	folder := t.TempDir()
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	names := map[int]string{}
	for _, pid := range []int{ended.Process.Pid, os.Getpid(), 1} { // 1 is root's: alive, whoever we are
		names[pid] = filepath.Join(folder, ".a.ses.tmp-"+hex8(uint32(pid))+"89abcdef")
		if err := os.WriteFile(names[pid], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(folder); err != nil {
		t.Fatal(err)
	}
	for pid, name := range names {
		_, err := os.Lstat(name)
		if gone := err != nil; gone != (pid == ended.Process.Pid) {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}
