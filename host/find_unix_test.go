//go:build unix

package host

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// refused wants Open to fail before anything is started, with words that tell why and, where a person can mend it, how.
func refused(t *testing.T, o Options, want string) {
	t.Helper()
	c, err := Open(t.Context(), o)
	if err == nil {
		c.Close()
		t.Fatalf("it was started; want a refusal with %q", want)
	}
	if plugin.CodeOf(err) != plugin.CodeBadProfile || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v (%v), want %q in it", err, plugin.CodeOf(err), want)
	}
}

// copied puts this program into a folder, under a name.
func copied(t *testing.T, folder, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func private(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestWrongChecksum(t *testing.T) {
	o := self(t, "")
	o.SHA256 = strings.Repeat("0", 64)
	refused(t, o, "the checksum of ")
	o.Unpinned = true // does not make a wrong checksum right
	refused(t, o, "the checksum of ")
	o.SHA256 = "abc"
	refused(t, o, "64 hexadecimal digits")
}

func TestNothingRecorded(t *testing.T) {
	o := self(t, "")
	o.SHA256 = ""
	refused(t, o, "nobody recorded the checksum")
	o.Unpinned = true
	open(t, o)
	refused(t, Options{}, "not there to be loaded")
	refused(t, Options{Program: "/nonexistent/x", Unpinned: true}, "is not there")
}

func TestNamesThatLeadElsewhere(t *testing.T) {
	base := self(t, "")
	for _, name := range []string{"../x", "a/b", "A", "-a", "a_v1", "a_v1.2.3.4", ".", strings.Repeat("a", 65), "a\n"} {
		o := base
		o.Program, o.Name = "", name
		refused(t, o, "the plugin's name")
		if _, err := Lock(name, private(t)); err == nil {
			t.Errorf("Lock took the name %q", name)
		}
	}
	o := base
	o.Program = "host.test"
	refused(t, o, "not an absolute path")
	o = base
	o.Folder = "plugins"
	refused(t, o, "not an absolute path")
	// A lock file that names what is no name is refused whole.
	folder := private(t)
	text, _ := json.Marshal(lockFile{recordFormat, []Locked{{"../evil", base.SHA256}}})
	if err := os.WriteFile(filepath.Join(folder, lockName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Folder: folder}, "an entry that is not valid")
}

func TestUnsafePlaces(t *testing.T) {
	base := self(t, "")
	folder := private(t)
	program := copied(t, folder, "p")
	o := base
	o.Program = program
	for name, c := range map[string]struct {
		path  string
		mode  os.FileMode
		words string
	}{
		"group-writable folder":  {folder, 0o770, "can be written by other users"},
		"world-writable folder":  {folder, 0o702, "can be written by other users"},
		"sticky folder":          {folder, 0o777 | os.ModeSticky, "can be written by other users"},
		"group-writable program": {program, 0o775, "can be written by other users"},
		"not executable":         {program, 0o600, "is not a program"},
	} {
		t.Run(name, func(t *testing.T) {
			was, err := os.Stat(c.path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(c.path, c.mode); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(c.path, was.Mode())
			refused(t, o, c.words)
		})
	}
	open(t, o) // as it was, it is good

	above := private(t)
	inner := filepath.Join(above, "inner")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Program = copied(t, inner, "p")
	if err := os.Chmod(above, 0o777); err != nil {
		t.Fatal(err)
	}
	refused(t, o, "the folder "+above+" can be written by other users")
}

func TestOthersFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	o := self(t, "")
	folder := private(t)
	o.Program = copied(t, folder, "p")
	if err := os.Chown(o.Program, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	refused(t, o, "belongs to another user")
	if err := os.Chown(o.Program, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(folder, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	refused(t, o, "belongs to another user")
}

// What was checked is what is executed: a program that takes the place of the checked one after the check is not started.
func TestReplacedBetweenCheckAndStart(t *testing.T) {
	o := self(t, "")
	folder := private(t)
	path := copied(t, folder, "p")
	file, real, err := found{path, o.SHA256}.open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	evil := filepath.Join(folder, "evil")
	if err := os.WriteFile(evil, []byte("#!/bin/sh\necho evil\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(evil, real); err != nil {
		t.Fatal(err)
	}
	p, err := newProcess(o, file, real, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if p.cmd.Path == real {
		t.Skip("this platform executes no open file")
	}
	if err := p.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 1000)
	n, _ := p.Stderr().Read(said)
	_ = p.Wait(context.Background())
	if got := string(said[:n]); !strings.Contains(got, "a host application starts it") {
		t.Errorf("what was started said %q", got)
	}
}

func TestRegistration(t *testing.T) {
	o := self(t, "")
	program := o.Program
	o.Program, o.SHA256 = "", ""
	r, err := Register(program, "1.2.3")
	if err != nil || r.Version != "1.2.3" {
		t.Fatal(r, err)
	}
	folder, err := configFolder()
	if err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(folder, registrationName)
	if info, err := os.Stat(record); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the record: %v, %v", info, err)
	}
	open(t, o)
	if err := os.Chmod(record, 0o666); err != nil {
		t.Fatal(err)
	}
	refused(t, o, "can be written by other users")
	if err := os.Chmod(record, 0o600); err != nil {
		t.Fatal(err)
	}
	// An upgrade in place is noticed, and the hint says what to do.
	changed := copied(t, private(t), "p")
	if _, err := Register(changed, "1"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(changed, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("x")
	f.Close()
	refused(t, o, "the checksum of ")
	for _, damaged := range []string{"", "{}", `{"format":1,"path":"x","sha256":""}`, `{"format":2}`, "[]"} {
		if err := os.WriteFile(record, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, o, record)
	}
	if _, err := Register("relative", "1"); err == nil {
		t.Error("a relative path was recorded")
	}
}

// The newest version that the lock file allows is taken, whatever else lies there.
func TestPluginFolder(t *testing.T) {
	base := self(t, "")
	base.Program, base.SHA256 = "", ""
	folder := private(t)
	base.Folder = folder
	for _, name := range []string{"cognito-credhelper", "cognito-credhelper_v1.9.0", "cognito-credhelper_v1.10.0", "cognito-credhelper_v2.0.0", "other_v9.0.0", "Cognito-credhelper_v9.9.9", "cognito-credhelper_v3"} {
		copied(t, folder, name)
	}
	refused(t, base, "nobody recorded the checksum of "+filepath.Join(folder, "cognito-credhelper_v2.0.0"))
	for _, name := range []string{"cognito-credhelper", "cognito-credhelper_v1.9.0", "cognito-credhelper_v1.10.0", "other_v9.0.0"} {
		if _, err := Lock(name, folder); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(folder, lockName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the lock file: %v, %v", info, err)
	}
	f, err := base.find()
	if err != nil || filepath.Base(f.path) != "cognito-credhelper_v1.10.0" {
		t.Errorf("found %v, %v", f, err)
	}
	open(t, base)
	other := base
	other.Name = "other"
	if f, err := other.find(); err != nil || filepath.Base(f.path) != "other_v9.0.0" {
		t.Errorf("found %v, %v", f, err)
	}
	// A locked version whose file is another one is an error, and no reason to start an older one.
	locked := filepath.Join(folder, "cognito-credhelper_v1.10.0")
	if err := os.Remove(locked); err != nil { // it runs, and cannot be written to
		t.Fatal(err)
	}
	if err := os.WriteFile(locked, []byte("changed"), 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, base, "the checksum of ")
	if _, err := Lock("cognito-credhelper_v1.9.0", folder); err != nil {
		t.Fatal(err)
	}
	l, err := readLock(folder)
	if err != nil || len(l.Plugins) != 4 {
		t.Errorf("locking again gave %v, %v", l, err)
	}
}

// Neither PATH nor the working directory is searched.
// A program that is installed beside ours finds the complete program, and never the front.
func TestBesideTheCaller(t *testing.T) {
	root := t.TempDir()
	caller := filepath.Join(root, "bin", "app")
	if got := besideOf(caller); got != "" {
		t.Errorf("nothing is installed, but: %s", got)
	}
	for _, folder := range []string{"bin", "libexec/cognito-credhelper"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	copied(t, filepath.Join(root, "bin"), "cognito-credhelper")
	if got := besideOf(caller); got != "" {
		t.Errorf("the front was taken: %s", got)
	}
	want := copied(t, filepath.Join(root, "libexec", "cognito-credhelper"), "cognito-credhelper-core")
	if got := besideOf(caller); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNeverByPath(t *testing.T) {
	o := self(t, "")
	folder := private(t)
	copied(t, folder, "cognito-credhelper")
	t.Setenv("PATH", folder)
	t.Chdir(folder)
	o.Program, o.Unpinned = "", true
	refused(t, o, "not there to be loaded")
}

// A lock file of a newer version is neither used nor written over.
func TestNewerLockFileIsLeftAlone(t *testing.T) {
	base := self(t, "")
	base.Program, base.SHA256 = "", ""
	base.Folder = private(t)
	copied(t, base.Folder, "cognito-credhelper")
	if _, err := Lock("cognito-credhelper", base.Folder); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(base.Folder, lockName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), `"format": 1`, `"format": 2, "future": true`, 1)
	if err := os.WriteFile(file, []byte(newer), 0o600); err != nil || newer == string(text) {
		t.Fatal(newer, err)
	}
	refused(t, base, "was written by another version of this program")
	if _, err := Lock("cognito-credhelper", base.Folder); err == nil {
		t.Error("Lock wrote over it")
	}
	if left, err := os.ReadFile(file); err != nil || string(left) != newer {
		t.Errorf("it is %q now, %v", left, err)
	}
}
