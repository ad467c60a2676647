//go:build unix

package inifile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const ours = "[profile a]\ncognito_client_id = x\n"

// Each hostile file gives one error that names the file, the line where one is meant, and what to do.
func TestHostileText(t *testing.T) {
	for _, test := range []struct{ name, text, part string }{
		{"UTF-16 little endian", "\xff\xfe[\x00", ":1: the file is UTF-16"},
		{"UTF-16 big endian", "\xfe\xff\x00[", ":1: the file is UTF-16"},
		{"UTF-16 without a mark", "[\x00a\x00", ":1: the line has a NUL"},
		{"NUL", ours + "x = \x00\n", ":3: the line has a NUL"},
		{"ESC", ours + "# \x1b[2J\n", ":3: the line has an escape"},
		{"10 MiB", ours + strings.Repeat("# 456789\n", 10<<20/9), "larger than 1 MiB"},
		{"just above the limit", ours + strings.Repeat("#", sizeLimit), "larger than 1 MiB"},
		{"triple quotes", "[profile a]\ncognito_client_id = \"\"\"x\n", ":2: [profile a] cognito_client_id"},
		{"backquote", "[profile a]\ncognito_client_id = `x\n", ":2: [profile a] cognito_client_id"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHome(t, "", test.text)
			_, err := h.load("a")
			if err == nil || !strings.Contains(err.Error(), h.config) || !strings.Contains(err.Error(), test.part) {
				t.Fatalf("got %v", err)
			}
			hinted, ok := err.(interface{ Hint() string })
			if !ok || hinted.Hint() == "" || strings.ContainsAny(err.Error()+hinted.Hint(), "\x00\x1b\n") {
				t.Errorf("got %q", err)
			}
		})
	}
}

func TestHarmlessText(t *testing.T) {
	for _, test := range []struct{ name, text, username string }{
		{"mutual references", "[profile a]\nurl = %(cognito_username)s\ncognito_username = %(url)s\n", "%(url)s"},
		{"reference to itself", "[profile a]\ncognito_username = %(cognito_username)s\n", "%(cognito_username)s"},
		{"reference to DEFAULT", "[DEFAULT]\nx = evil\n[profile a]\ncognito_username = %(x)s\n", "%(x)s"},
		{"backslash at the end", "[profile a]\ncognito_username = a\\\nregion = us-east-1\n", "a\\"},
		{"comment signs inside", "[profile a]\ncognito_username = a;b#c\n", "a;b#c"},
		{"quotes stay", "[profile a]\ncognito_username = 'a'\n", "'a'"},
		{"equals signs", "[profile a]\ncognito_username = a=b=c\n", "a=b=c"},
		{"just below the limit", "[profile a]\ncognito_username = a\n" + strings.Repeat("#", sizeLimit-100), "a"},
		{"200,000 sections", "[profile a]\ncognito_username = a\n" + strings.Repeat("[x]\n", 200_000), "a"},
		{"200,000 times the same section", "[profile a]\ncognito_username = a\n" + strings.Repeat("[profile a]\n", 80_000), "a"},
		{"a key named -", "[profile a]\n- = x\ncognito_username = a\n", "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if p := mustLoad(t, newHome(t, "", test.text), "a"); p.Username != test.username {
				t.Errorf("got %q", p.Username)
			}
		})
	}
}

func TestHostileFiles(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(h home) error
		part  string // of the error; "" when there is none
	}{
		{"a FIFO", func(h home) error { return errors.Join(os.Remove(h.config), syscall.Mkfifo(h.config, 0o600)) }, "no regular file"},
		{"a folder", func(h home) error { return errors.Join(os.Remove(h.config), os.Mkdir(h.config, 0o700)) }, "no regular file"},
		{"a device", func(h home) error { return errors.Join(os.Remove(h.config), os.Symlink("/dev/zero", h.config)) }, "no regular file"},
		{"a link to itself", func(h home) error { return errors.Join(os.Remove(h.config), os.Symlink(h.config, h.config)) }, "cannot be read"},
		{"a link to a file", func(h home) error {
			return errors.Join(os.Rename(h.config, filepath.Join(h.folder, "dotfile")), os.Symlink("../dotfile", h.config))
		}, ""},
		{"group readable", func(h home) error { return os.Chmod(h.config, 0o644) }, ""},
		{"group writable", func(h home) error { return os.Chmod(h.config, 0o660) }, "written by its group"},
		{"world writable", func(h home) error { return os.Chmod(h.config, 0o606) }, "written by everybody"},
		{"world writable folder", func(h home) error { return os.Chmod(filepath.Dir(h.config), 0o707) }, "everybody may replace it"},
		{"sticky folder", func(h home) error { return os.Chmod(filepath.Dir(h.config), 0o707|os.ModeSticky) }, ""},
		{"link out of a world writable folder", func(h home) error {
			target := filepath.Join(h.folder, "open")
			return errors.Join(os.Mkdir(target, 0o700), os.Chmod(target, 0o707), os.Rename(h.config, filepath.Join(target, "c")), os.Symlink("../open/c", h.config))
		}, "everybody may replace it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHome(t, "", ours)
			if err := test.spoil(h); err != nil {
				t.Fatal(err)
			}
			p, err := h.load("a")
			var e *profiles.FileError
			switch {
			case test.part == "":
				if err != nil || p.ClientID != "x" {
					t.Errorf("got %v", err)
				}
			case !errors.As(err, &e) || e.File != h.config || !strings.Contains(err.Error(), test.part) || e.Hint() == "":
				t.Errorf("got %#v", err)
			}
		})
	}
}

// A file that others may write is no harm to a profile that leads to no sign-in, and any part of one that does must be safe.
func TestWhichFilesMustBeSafe(t *testing.T) {
	h := newHome(t, "[a]\nregion = us-east-1\n", "[profile a]\nregion = us-east-2\n")
	if err := os.Chmod(h.config, 0o666); err != nil {
		t.Fatal(err)
	}
	if p := mustLoad(t, h, "a"); p.Region != "us-east-1" {
		t.Errorf("region %q", p.Region)
	}
	h = newHome(t, "[a]\nca_bundle = /x\n", ours)
	if err := os.Chmod(h.credentials, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := h.load("a"); err == nil || !strings.Contains(err.Error(), h.credentials) {
		t.Errorf("got %v", err)
	}
}

func TestForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	h := newHome(t, "", ours)
	if err := os.Chown(h.config, 12345, 12345); err != nil {
		t.Skip(err)
	}
	if _, err := h.load("a"); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("got %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	h := newHome(t, "", ours)
	if err := os.Chmod(h.config, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.load("a"); !errors.Is(err, os.ErrPermission) || strings.Count(err.Error(), h.config) != 1 {
		t.Errorf("got %v", err)
	}
}
