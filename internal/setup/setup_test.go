package setup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

var pool = KeyValue{Key: "cognito_user_pool_id", Value: "us-east-1_New"}

func TestEdit(t *testing.T) {
	client := KeyValue{Key: "cognito_client_id", Value: "new"}
	hosts := KeyValue{Key: "cognito_hosts", Block: []string{"a.example = id", "b.example = access"}}
	for _, test := range []struct {
		name, before, section string
		keys                  []KeyValue
		after                 string
	}{
		{"new file", "", "profile a", []KeyValue{pool, client}, "[profile a]\ncognito_user_pool_id = us-east-1_New\ncognito_client_id = new\n"},
		{"section at the end", "[default]\nregion = x\n", "profile a", []KeyValue{pool}, "[default]\nregion = x\n\n[profile a]\ncognito_user_pool_id = us-east-1_New\n"},
		{"no last line ending", "[default]\nregion = x", "profile a", []KeyValue{pool}, "[default]\nregion = x\n\n[profile a]\ncognito_user_pool_id = us-east-1_New\n"},
		{"empty line is there", "[default]\n\n", "profile a", []KeyValue{pool}, "[default]\n\n[profile a]\ncognito_user_pool_id = us-east-1_New\n"},
		{"CRLF", "[default]\r\nregion = x\r\n", "profile a", []KeyValue{pool}, "[default]\r\nregion = x\r\n\r\n[profile a]\r\ncognito_user_pool_id = us-east-1_New\r\n"},
		{"BOM", "\ufeff[profile a]\r\n", "profile a", []KeyValue{pool}, "\ufeff[profile a]\r\ncognito_user_pool_id = us-east-1_New\r\n"},
		{"only BOM", "\ufeff", "profile a", []KeyValue{pool}, "\ufeff[profile a]\ncognito_user_pool_id = us-east-1_New\n"},
		{"in place", "[profile a]\n# c\nCognito_User_Pool_ID=old  # why\n\nx = y\n", "profile a", []KeyValue{pool}, "[profile a]\n# c\nCognito_User_Pool_ID=us-east-1_New  # why\n\nx = y\n"},
		{"in place, CRLF", "[profile a]\r\ncognito_user_pool_id =\told \r\nx = y\r\n", "profile a", []KeyValue{pool}, "[profile a]\r\ncognito_user_pool_id =\tus-east-1_New \r\nx = y\r\n"},
		{"value was empty", "[profile a]\ncognito_user_pool_id =\nx = y", "profile a", []KeyValue{pool}, "[profile a]\ncognito_user_pool_id = us-east-1_New\nx = y"},
		{"added below the last key", "[profile a]\nx = y\n\n# about b\n[profile b]\n", "profile a", []KeyValue{pool}, "[profile a]\nx = y\ncognito_user_pool_id = us-east-1_New\n\n# about b\n[profile b]\n"},
		{"added below the header", "[profile a]\n\n[profile b]\n", "profile a", []KeyValue{pool}, "[profile a]\ncognito_user_pool_id = us-east-1_New\n\n[profile b]\n"},
		{"added below a block", "[profile a]\ns3 =\n  x = 1\n  y = 2\n[b]\n", "profile a", []KeyValue{pool}, "[profile a]\ns3 =\n  x = 1\n  y = 2\ncognito_user_pool_id = us-east-1_New\n[b]\n"},
		{"added and set", "[profile a]\ncognito_client_id = old", "profile a", []KeyValue{pool, client}, "[profile a]\ncognito_client_id = new\ncognito_user_pool_id = us-east-1_New\n"},
		{"indented", "  [profile a]\n  x = y\n  [profile b]\n", "profile a", []KeyValue{pool}, "  [profile a]\n  x = y\n  cognito_user_pool_id = us-east-1_New\n  [profile b]\n"},
		{"the last of two keys", "[profile a]\ncognito_client_id = 1\ncognito_client_id = 2\n", "profile a", []KeyValue{client}, "[profile a]\ncognito_client_id = 1\ncognito_client_id = new\n"},
		{"same value", "[profile a]\ncognito_client_id=new\n", "profile a", []KeyValue{client}, "[profile a]\ncognito_client_id=new\n"},
		{"quoted name", "[profile \"a b\"]\n", "profile a b", []KeyValue{client}, "[profile \"a b\"]\ncognito_client_id = new\n"},
		{"profile default", "[profile default]\n", "default", []KeyValue{client}, "[profile default]\ncognito_client_id = new\n"},
		{"block replaced whole", "[profile a]\ncognito_hosts =\n  # old\n  old.example = id\n\n  older.example = id\nx = y\n", "profile a", []KeyValue{hosts}, "[profile a]\ncognito_hosts =\n    a.example = id\n    b.example = access\nx = y\n"},
		{"block added", "[profile a]\nx = y\n", "profile a", []KeyValue{hosts}, "[profile a]\nx = y\ncognito_hosts =\n    a.example = id\n    b.example = access\n"},
		{"value becomes a block", "[profile a]\ncognito_hosts = odd", "profile a", []KeyValue{hosts}, "[profile a]\ncognito_hosts = \n    a.example = id\n    b.example = access\n"},
		{"no keys", "x\n", "profile a", nil, "x\n\n[profile a]\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			after, _, bad := edit([]byte(test.before), test.section, test.keys)
			if bad != nil || string(after) != test.after {
				t.Errorf("got\n%q %+v\nwant\n%q", after, bad, test.after)
			}
			again, change, bad := edit(after, test.section, test.keys)
			if bad != nil || !bytes.Equal(again, after) || len(change.Keys) != 0 {
				t.Errorf("a second time: %q %+v %+v", again, change, bad)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, before, section string
		kv                    KeyValue
	}{
		{"duplicate section", "[profile a]\n[b]\n[profile a]\n", "profile a", pool},
		{"two forms", "[default]\n[profile default]\n", "default", pool},
		{"line break in a value", "", "profile a", KeyValue{Key: "x", Value: "a\n[profile b]"}},
		{"comment in a value", "", "profile a", KeyValue{Key: "x", Value: "a #b"}},
		{"space around a value", "", "profile a", KeyValue{Key: "x", Value: " a"}},
		{"line break in a name", "", "profile a]\n[b", pool},
		{"bracket in a name", "", "profile a]b", pool},
		{"empty name", "", "", pool},
		{"odd key", "", "profile a", KeyValue{Key: "a = b", Value: "c"}},
		{"comment as a key", "", "profile a", KeyValue{Key: "#a", Value: "c"}},
		{"upper-case key", "", "profile a", KeyValue{Key: "A", Value: "c"}},
		{"comment in a block", "", "profile a", KeyValue{Key: "a", Block: []string{"#x"}}},
		{"value and block", "", "profile a", KeyValue{Key: "a", Block: []string{""}}},
		{"indented lines below a value", "[profile a]\ncognito_user_pool_id = x\n  y = z\n", "profile a", pool},
		{"indented header below a value", "[profile a]\ncognito_user_pool_id = x\n  [profile b]\n", "profile a", pool},
		{"indented header in a block", "[profile a]\ncognito_hosts =\n  h.example = id\n  [profile b]\n", "profile a", KeyValue{Key: "cognito_hosts", Block: []string{"x.example = id"}}},
		{"a deeper header would become a value", "[profile a]\n    [profile b]\n", "profile a", pool},
	} {
		if after, change, bad := edit([]byte(test.before), test.section, []KeyValue{test.kv}); bad == nil {
			t.Errorf("%s: %q %+v", test.name, after, change)
		}
	}
	if _, _, bad := edit(nil, "profile a", []KeyValue{pool, {Key: pool.Key, Value: "other"}}); bad == nil {
		t.Error("a key was given twice")
	}
}

func TestWriteProfile(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "new", "config")
	secret := KeyValue{Key: "cognito_client_secret", Value: "hunter2"}
	planned, err := PlanProfile(file, "profile a", []KeyValue{pool, secret})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(file)); !os.IsNotExist(err) {
		t.Error("a plan wrote something")
	}
	change, err := WriteProfile(file, "profile a", []KeyValue{pool, secret})
	want := Change{File: file, Section: "profile a", NewFile: true, NewSection: true, Keys: []KeyChange{{Key: pool.Key, Added: true, New: pool.Value}, {Key: secret.Key, Added: true, New: "[redacted]"}}}
	if err != nil || !reflect.DeepEqual(change, want) || !reflect.DeepEqual(change, planned) {
		t.Errorf("%+v %+v %v", change, planned, err)
	}
	checkMode(t, file, 0o600)
	checkMode(t, filepath.Dir(file), 0o700|os.ModeDir)
	p, err := inifile.Load(profiles.Selection{Name: "a"}, inifile.Options{Getenv: func(k string) string { return map[string]string{"AWS_CONFIG_FILE": file}[k] }})
	if err != nil || p.UserPoolID != pool.Value || p.ClientSecret.Reveal() != "hunter2" {
		t.Errorf("read back: %+v %v", p, err)
	}
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func checkMode(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != mode {
		t.Errorf("%s: %v %v, want %v", path, info, err, mode)
	}
}

func TestModeAndLinkStay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and links of Unix")
	}
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, link := filepath.Join(folder, "dotfiles-config"), filepath.Join(folder, "config")
	if err := os.WriteFile(file, []byte("[profile a]\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("dotfiles-config", link); err != nil {
		t.Fatal(err)
	}
	change, err := WriteProfile(link, "profile a", []KeyValue{pool})
	if err != nil || change.File != file || change.NewFile || change.NewSection {
		t.Errorf("%+v %v", change, err)
	}
	checkMode(t, file, 0o640)
	if to, err := os.Readlink(link); err != nil || to != "dotfiles-config" {
		t.Errorf("the link is %q %v", to, err)
	}
	before, err := profiles.Stamp(file)
	if err != nil {
		t.Fatal(err)
	}
	if change, err = WriteProfile(link, "profile a", []KeyValue{pool}); err != nil || len(change.Keys) != 0 {
		t.Errorf("%+v %v", change, err)
	}
	if after, err := profiles.Stamp(file); err != nil || after != before {
		t.Error("a file that is right already was written again")
	}
	var e *profiles.FileError
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteProfile(link, "profile a", []KeyValue{pool}); !errors.As(err, &e) {
		t.Errorf("a link to nowhere: %v", err)
	}
	if _, err := WriteProfile(folder, "profile a", []KeyValue{pool}); !errors.As(err, &e) {
		t.Errorf("a folder: %v", err)
	}
}

func TestChangedMeanwhile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	p, err := prepare(file, "profile a", []KeyValue{pool})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	var e *profiles.FileError
	if err := p.write(); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
	if data, err := os.ReadFile(file); string(data) != "other" || err != nil {
		t.Errorf("overwritten: %q %v", data, err)
	}
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestDiskFullOrNoRight(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	p, err := prepare(filepath.Join(file, "below-a-file"), "profile a", []KeyValue{pool})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var e *profiles.FileError
	if err := p.write(); !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("got %v", err)
	}
}

// Property: every line that is not one of ours is unchanged, in its order; and doing it twice changes nothing more.
func TestForeignLinesStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"", "  ", "# c", "; c", "[default]", "[profile a]", "[profile b]", "  [profile c]", "[broken", "x = y", "  x = y # c", "s3 =", "    deep = 1", "\tdeep", "nonsense", "=", "cognito_client_id = old", "  cognito_client_id=", "Cognito_Client_Id = a ; b", "%(x)s = %(x)s", "é = ü"})
		eol := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "eol")
		lines := rapid.SliceOfN(line, 0, 12).Draw(t, "lines")
		before := strings.Join(lines, eol)
		keys := []KeyValue{{Key: "cognito_client_id", Value: "new"}, {Key: "cognito_hosts", Block: []string{"h.example = id"}}}
		after, _, bad := edit([]byte(before), "profile a", keys)
		if bad != nil {
			return
		}
		if a, b := foreign(before), foreign(string(after)); !subsequence(a, b) {
			t.Fatalf("before %q\nafter  %q", a, b)
		}
		again, change, bad := edit(after, "profile a", keys)
		if bad != nil || !bytes.Equal(again, after) || len(change.Keys) != 0 {
			t.Fatalf("twice: %q\n%q %+v", after, again, bad)
		}
	})
}

// foreign lists the lines that are neither empty nor one of our keys with what is indented deeper below it.
func foreign(text string) []string {
	var lines []string
	ours, indent := false, 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		name := strings.ToLower(strings.TrimSpace(line))
		if name == "" {
			continue
		}
		at := len(line) - len(strings.TrimLeft(line, " \t"))
		if ours = strings.HasPrefix(name, "cognito_") || ours && at > indent; !ours {
			lines = append(lines, line)
		} else if strings.HasPrefix(name, "cognito_") {
			indent = at
		}
	}
	return lines
}

// subsequence reports whether b is a, but for a section header of ours that may have come.
func subsequence(a, b []string) bool {
	for len(b) > 0 {
		switch {
		case len(a) > 0 && a[0] == b[0]:
			a, b = a[1:], b[1:]
		case b[0] == "[profile a]" || strings.TrimSpace(b[0]) == "h.example = id":
			b = b[1:]
		default:
			return false
		}
	}
	return len(a) == 0
}

// sharedBytes is how many bytes of before still stand at the beginning and the end of after.
func sharedBytes(before, after []byte) int {
	n := 0
	for n < min(len(before), len(after)) && before[n] == after[n] {
		n++
	}
	same := n
	for i := 1; i <= min(len(before), len(after))-n && before[len(before)-i] == after[len(after)-i]; i++ {
		same++
	}
	return same
}

// ours is how many bytes the key to write took before.
func ours(data []byte, section string) int {
	for _, s := range inifile.Outline(data) {
		if k, ok := last(s.Keys, "cognito_client_id"); ok && s.Name == section {
			return k.End - k.Start
		}
	}
	return 0
}

// Property: edit never panics; it changes no byte outside the key's own lines; what it returns loads the values that were asked for, contains every other key as it was,
// and stays as it is when edited again.
func FuzzEdit(f *testing.F) {
	f.Add([]byte("[profile a]\r\nx = y\r\n"), "a", "v")
	f.Add([]byte("\ufeff[profile a]\n  cognito_client_id = v # c\n\t[b]"), "a b", "$x")
	f.Add([]byte("[profile a"), "default", "`")
	f.Fuzz(func(t *testing.T, data []byte, name, text string) {
		keys := []KeyValue{{Key: "cognito_client_id", Value: text}}
		after, change, bad := edit(data, "profile "+name, keys)
		if bad != nil {
			return
		}
		again, none, bad := edit(after, "profile "+name, keys)
		if bad != nil || !bytes.Equal(again, after) || len(none.Keys) != 0 {
			t.Fatalf("not stable: %q\n%q %+v", after, again, bad)
		}
		if bad := verify(data, after, change.Section, keys); bad != nil {
			t.Fatal(bad.problem)
		}
		if same := sharedBytes(data, after); same < len(data)-ours(data, change.Section) {
			t.Fatalf("only %d of %d bytes stayed: %q", same, len(data), after)
		}
	})
}

func TestCredentialProcessLine(t *testing.T) {
	for _, test := range []struct{ goos, program, profile, want string }{
		{"linux", "/usr/bin/cognito-credhelper", "dev", "/usr/bin/cognito-credhelper credential-process --profile dev"},
		{"linux", "/opt/my tools/c", "dev x", `"/opt/my tools/c" credential-process --profile "dev x"`},
		{"linux", "/c", "-x", "/c credential-process --profile=-x"},
		{"linux", "/c", "a$b", `/c credential-process --profile 'a$b'`},
		{"windows", `C:\tools\c.exe`, "dev", `C:\tools\c.exe credential-process --profile dev`},
		{"windows", `C:\my tools\c.exe`, "dev x", `"C:\my tools\c.exe" credential-process --profile "dev x"`},
	} {
		if got := credentialProcessLine(test.program, test.profile, quoteFor(test.goos)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.goos, got, test.want)
		}
	}
}

// The SDK for Go on Windows: exec.Command("cmd.exe", "/C", LINE), which cmd reads only where no quote stands in LINE.
func TestCmdReadsTheLine(t *testing.T) {
	if runtime.GOOS != "windows" {
		t.Skip("cmd.exe is of Windows")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "my tools", "show.exe")
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cmd.exe", "/C", CredentialProcessLine(program, "dev"))
	cmd.Env = append(os.Environ(), showArguments+"=1")
	out, err := cmd.CombinedOutput()
	if want := "credential-process --profile dev\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v", out, err)
	}
}

// showArguments makes this test program one that prints its arguments.
const showArguments = "SETUP_TEST_SHOW_ARGUMENTS"

func TestMain(m *testing.M) {
	if os.Getenv(showArguments) != "" {
		fmt.Println(strings.Join(os.Args[1:], " "))
		return
	}
	os.Exit(m.Run())
}

// The shell itself is asked how it reads the line, whatever the name.
func TestShellReadsTheLine(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		skips.Missing(t, "sh", "it is not on PATH")
	}
	program := filepath.Join(t.TempDir(), "my $tool's \"dir\"", "show args")
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, profile := range []string{"dev", "dev x", "it's", `a"b`, "$HOME", "`id`", `a\b`, "a!b", "*", "~", "a;b", "a&b", "é", "'", `"'$`} {
		out, err := exec.Command(sh, "-c", CredentialProcessLine(program, profile)).Output()
		if want := "credential-process\n--profile\n" + profile + "\n"; err != nil || string(out) != want {
			t.Errorf("%s: got %q %v", profile, out, err)
		}
	}
}

// botocore reads the line with shlex; where Python is there, it is asked.
func TestShlexReadsTheLine(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || runtime.GOOS == "windows" {
		skips.Missing(t, "python3", "its shlex, as in botocore, reads credential_process lines")
	}
	skips.Ran(t, "python3", python)
	for _, profile := range []string{"dev", "dev x", "it's", `a"b`, "$HOME", `a\b`, "é", `"'$`} {
		out, err := exec.Command(python, "-c", "import shlex,sys\nsys.stdout.buffer.write('\\n'.join(shlex.split(sys.argv[1])).encode())", CredentialProcessLine("/a b/c", profile)).Output()
		if want := "/a b/c\ncredential-process\n--profile\n" + profile; err != nil || string(out) != want {
			t.Errorf("%s: got %q %v", profile, out, err)
		}
	}
}

// Whatever the name, the section that is written for it is found under it again; python's shlex, which the AWS CLI uses,
// sees two words.
func TestSectionName(t *testing.T) {
	python, _ := exec.LookPath("python3")
	for _, profile := range []string{"default", "dev", "dev x", "it's", `a"b`, `a\b`, "a#b", "a ;b", "é", "prod.eu", "a:b"} {
		file := filepath.Join(t.TempDir(), "config")
		if _, err := WriteProfile(file, SectionName(profile), []KeyValue{pool}); err != nil {
			t.Errorf("%s: %v", profile, err)
			continue
		}
		p, err := inifile.Load(profiles.Selection{Name: profile}, inifile.Options{Getenv: func(k string) string { return map[string]string{"AWS_CONFIG_FILE": file}[k] }})
		if err != nil || p.UserPoolID != pool.Value {
			t.Errorf("%s: %+v %v", profile, p, err)
		}
		if python == "" || profile == "default" {
			continue
		}
		out, err := exec.Command(python, "-c", "import shlex,sys\nsys.stdout.buffer.write('\\n'.join(shlex.split(sys.argv[1])).encode())", SectionName(profile)).Output()
		if err != nil || string(out) != "profile\n"+profile {
			t.Errorf("%s: shlex reads %q %v", profile, out, err)
		}
	}
}
