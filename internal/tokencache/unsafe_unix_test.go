//go:build unix

package tokencache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// H16: what is at the path is refused, untouched, without a hang, by reading and by writing.
func TestUnsafeFilesAreRefused(t *testing.T) {
	cases := []struct {
		name, hint string
		make       func(t *testing.T, path, good string) error
	}{
		{"readable by all", "chmod 600 ", func(_ *testing.T, path, good string) error {
			return errors.Join(os.Rename(good, path), os.Chmod(path, 0o644))
		}},
		{"readable by the group", "chmod 600 ", func(_ *testing.T, path, good string) error {
			return errors.Join(os.Rename(good, path), os.Chmod(path, 0o640))
		}},
		{"symbolic link", "ls -ld ", func(_ *testing.T, path, good string) error { return os.Symlink(good, path) }},
		{"dangling link", "ls -ld ", func(_ *testing.T, path, good string) error { return os.Symlink("/nowhere/at/all", path) }},
		{"hard link", "ls -ld ", func(_ *testing.T, path, good string) error { return os.Link(good, path) }},
		{"named pipe", "ls -ld ", func(_ *testing.T, path, good string) error { return syscall.Mkfifo(path, 0o600) }},
		{"folder", "ls -ld ", func(_ *testing.T, path, good string) error { return os.Mkdir(path, 0o700) }},
		{"1 GiB", "ls -ld ", func(_ *testing.T, path, good string) error {
			return errors.Join(os.Rename(good, path), os.Truncate(path, 1<<30))
		}},
		{"foreign owner", "ls -ld ", func(t *testing.T, path, good string) error {
			if os.Geteuid() != 0 {
				t.Skip("giving a file to another user needs root")
			}
			return errors.Join(os.Rename(good, path), os.Chown(path, 65534, 65534))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			key, err := s.slots.Load(keyslot.File)
			if err != nil {
				t.Fatal(err)
			}
			good := filepath.Join(t.TempDir(), "good")
			if err := errors.Join(os.Rename(s.path(), good), c.make(t, s.path(), good)); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(s.path())
			tx := s.lock(t)
			_, loadErr := s.cache.Load(s.id)
			_, asideErr := tx.SetAside()
			for name, err := range map[string]error{
				"load": loadErr, "set aside": asideErr,
				"create": tx.Create(alice, keyslot.File, key, Hot{}, nil), "forget": tx.Forget(),
			} {
				var u *atomicfile.UnsafeError
				if !errors.As(err, &u) {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if e := wantKind(t, err, token.BadProfile); !strings.HasPrefix(e.Next, c.hint) || !strings.Contains(e.Next, s.path()) {
					t.Errorf("%s: hint %q", name, e.Next)
				}
			}
			after, err := os.Lstat(s.path())
			if err != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() {
				t.Errorf("touched: %v", err)
			}
		})
	}
}

func TestUnsafeKeyFile(t *testing.T) {
	s := newStore(t)
	if err := os.Chmod(filepath.Join(s.folder, "keys", "file.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := s.cache.Load(s.id)
	if e := wantKind(t, err, token.BadProfile); !strings.HasPrefix(e.Next, "chmod 600 ") {
		t.Errorf("hint %q", e.Next)
	}
}

// H33: modes do not depend on the umask.
func TestModesUnderAnyUmask(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277} {
		func() {
			folder := filepath.Join(t.TempDir(), "missing", "state")
			defer syscall.Umask(syscall.Umask(mask))
			slots := keyslot.Open(folder)
			s := store{folder, slots, Open(folder, slots), alice.SessionID()}
			s.create(t, alice, sampleHot(), sampleCold)
			tx := s.lock(t)
			if err := errors.Join(tx.Preflight(), tx.Record(Attempt{Work: "refresh"})); err != nil {
				t.Fatal(err)
			}
			unlock, _, ok, err := s.cache.TryLockLogin(s.id)
			if !ok || err != nil {
				t.Fatal(err)
			}
			defer unlock()
			files := 0
			filepath.Walk(filepath.Dir(folder), func(path string, info os.FileInfo, err error) error {
				want := os.FileMode(0o600)
				if info.IsDir() {
					want = 0o700
				} else {
					files++
				}
				if err != nil || info.Mode().Perm() != want {
					t.Errorf("umask %o: %s has %v, %v", mask, path, info.Mode(), err)
				}
				return nil
			})
			if files < 6 {
				t.Errorf("only %d files", files)
			}
			tx.Unlock()
		}()
	}
}

func TestFolderThatOthersCanWriteIsRefused(t *testing.T) {
	folder := t.TempDir()
	sessions := filepath.Join(folder, "sessions")
	if err := errors.Join(os.Mkdir(sessions, 0o700), os.Chmod(sessions, 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.MakeFolder(sessions); err == nil || !strings.Contains(err.Error(), "written by other users") {
		t.Errorf("error %v", err)
	}
	if info, _ := os.Stat(sessions); info.Mode().Perm() != 0o777 {
		t.Error("the mode of somebody's folder was changed")
	}
}
