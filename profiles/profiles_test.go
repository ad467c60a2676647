package profiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	env := func(value string) func(string) string {
		return func(name string) string { return map[string]string{"AWS_PROFILE": value}[name] }
	}
	for _, test := range []struct {
		flag, env string
		want      Selection
	}{
		{"a", "b", Selection{Name: "a", Named: true, Location: "f"}},
		{"", "b", Selection{Name: "b", Named: true, Location: "f"}},
		{"", "", Selection{Name: "default", Location: "f"}},
		{"default", "", Selection{Name: "default", Named: true, Location: "f"}},
	} {
		if got := Select(test.flag, "f", env(test.env)); got != test.want {
			t.Errorf("%q %q: %+v", test.flag, test.env, got)
		}
	}
}

func TestDefaultFiles(t *testing.T) {
	home := filepath.FromSlash("/home/me")
	for _, test := range []struct{ credentials, config, home, wantCredentials, wantConfig string }{
		{"", "", home, "/home/me/.aws/credentials", "/home/me/.aws/config"},
		{"/x/c", "~/y", home, "/x/c", "/home/me/y"},
		{"", "/y", "", "", "/y"},
		{"~/x", "", "", "", ""},
		{"~x", "rel", home, "~x", "rel"},
	} {
		env := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": test.credentials, "AWS_CONFIG_FILE": test.config}
		credentials, config := DefaultFiles(func(k string) string { return env[k] }, test.home)
		if filepath.ToSlash(credentials) != test.wantCredentials || filepath.ToSlash(config) != test.wantConfig {
			t.Errorf("%+v: %q %q", test, credentials, config)
		}
	}
}

func TestMatch(t *testing.T) {
	plain := Binding{Host: "h.example"}
	wild := Binding{Host: "*.b.example"}
	ported := Binding{Host: "h.example", Port: "8443"}
	pathed := Binding{Host: "h.example", Path: "/team/a"}
	local := Binding{Host: "127.0.0.1", Loopback: true}
	local443 := Binding{Host: "127.0.0.1", Port: "443", Loopback: true}
	for _, test := range []struct {
		b                        Binding
		scheme, host, port, path string
		want                     bool
	}{
		{plain, "https", "h.example", "", "", true},
		{plain, "https", "H.EXAMPLE", "443", "/any", true},
		{plain, "https", "h.example", "8443", "", false},
		{plain, "http", "h.example", "", "", false},
		{plain, "http", "h.example", "443", "", false},
		{plain, "ssh", "h.example", "", "", false},
		{plain, "", "h.example", "", "", false},
		{plain, "HTTPS", "h.example", "", "", false},
		{plain, "https", "", "", "", false},
		{plain, "https", "xh.example", "", "", false},
		{plain, "https", "h.example.evil.example", "", "", false},
		{plain, "https", "h.example.", "", "", false},
		{plain, "https", "h.example\n", "", "", false},
		{plain, "https", "u@h.example", "", "", false},
		{Binding{}, "https", "", "", "", false},
		{wild, "https", "a.b.example", "", "", true},
		{wild, "https", "x.a.b.example", "", "", true},
		{wild, "https", "b.example", "", "", false},
		{wild, "https", ".b.example", "", "", false},
		{wild, "https", "ab.example", "", "", false},
		{wild, "https", "evil.example/.b.example", "", "", false},
		{wild, "https", "evil.example#.b.example", "", "", false},
		{wild, "https", "a..b.example", "", "", false},
		{wild, "https", "*.b.example", "", "", false},
		{ported, "https", "h.example", "8443", "", true},
		{ported, "https", "h.example", "", "", false},
		{pathed, "https", "h.example", "", "/team/a", true},
		{pathed, "https", "h.example", "", "team/a/", true},
		{pathed, "https", "h.example", "", "/team/a/repo.git", true},
		{pathed, "https", "h.example", "", "/team/ab", false},
		{pathed, "https", "h.example", "", "/team", false},
		{pathed, "https", "h.example", "", "", false},
		{pathed, "https", "h.example", "", "/Team/a", false},
		{pathed, "https", "h.example", "", "/team/a/../b", false},
		{pathed, "https", "h.example", "", "/team/a/%2e%2e/b", false},
		{pathed, "https", "h.example", "", "/team/a\\..\\b", false},
		{pathed, "https", "h.example", "", "/team/a//b", false},
		{pathed, "https", "h.example", "", "/team/a?x", false},
		{local, "http", "127.0.0.1", "", "", true},
		{local, "http", "127.0.0.1", "80", "", true},
		{local, "https", "127.0.0.1", "443", "", true},
		{local, "http", "127.0.0.1", "443", "", false},
		{local443, "http", "127.0.0.1", "443", "", true},
		{local443, "http", "127.0.0.1", "", "", false},
	} {
		if got := test.b.Match(Host{test.scheme, test.host, test.port, test.path}); got != test.want {
			t.Errorf("%+v matches %s %q %q %q: %v", test.b, test.scheme, test.host, test.port, test.path, got)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, test := range []struct {
		err interface {
			Error() string
			Hint() string
		}
		message, hint string
	}{
		{&NotFoundError{Name: "de v", Named: true, Files: []string{"/a", "/b"}}, `profile "de v" is not in /a or /b`, "cognito-credhelper configure --profile 'de v' --user-pool-id REGION_ID --client-id ID"},
		{&NotFoundError{Name: "dev", Files: []string{"/a"}, Nearest: "dev2"}, `profile "dev" is not in /a`, "did you mean --profile dev2?"},
		{&NotFoundError{Name: "dev"}, `there is no home folder to look for profile "dev" in`, "set AWS_CONFIG_FILE to your profile file"},
		{&KeyError{File: "/a", Line: 3, Section: "profile dev", Key: "k", Value: "v", Allowed: "one of x, y"}, `/a:3: [profile dev] k is "v"; it must be one of x, y`, "edit /a:3"},
		{&KeyError{File: "/a", Line: 3, Section: "s", Key: "k", Allowed: "x"}, `/a:3: [s] k has a value that is not allowed; it must be x`, "edit /a:3"},
		{&KeyError{Key: "k", Value: "v", Allowed: "x"}, `k is "v"; it must be x`, ""},
		{&KeyError{File: "/a", Section: "s", Key: "k", Missing: true, Profile: "dev"}, `/a: [s] k is missing`, "cognito-credhelper configure --profile dev --user-pool-id REGION_ID --client-id ID"},
		{&KeyError{Section: "s\x1b", Key: "k\n", Value: "\x1b[2J" + strings.Repeat("x", 200), Allowed: "x"}, `[s?] k? is "\x1b[2J` + strings.Repeat("x", 76) + `"...; it must be x`, ""},
		{&FileError{File: "/a", Line: 2, Problem: "p", Next: "n"}, "/a:2: p", "n"},
		{&FileError{File: "/a", Problem: "p\x1b", Err: fs.ErrPermission}, "/a: p?: permission denied", ""},
	} {
		if got := test.err.Error(); got != test.message {
			t.Errorf("got %s, want %s", got, test.message)
		}
		if got := test.err.Hint(); got != test.hint {
			t.Errorf("got %s, want %s", got, test.hint)
		}
	}
	if err := error(&FileError{Err: fs.ErrPermission}); !errors.Is(err, fs.ErrPermission) {
		t.Error("the cause is lost")
	}
}

func TestCheckSignIn(t *testing.T) {
	p := Profile{Name: "a", Files: []string{"/cred", "/config"}, Sections: []string{"a", "profile a"}}
	for _, test := range []struct {
		key string
		set func()
	}{
		{"cognito_user_pool_id", func() { p.UserPoolID = "x" }},
		{"cognito_client_id", func() { p.ClientID = "x" }},
		{"cognito_region", func() { p.SignInRegion = "x" }},
	} {
		var e *KeyError
		if err := p.CheckSignIn(); !errors.As(err, &e) || e.Key != test.key || !e.Missing || !strings.Contains(e.Error(), "is missing; write: "+test.key+" = ") || e.File != "/config" || e.Section != "profile a" {
			t.Errorf("%s: %#v", test.key, err)
		}
		test.set()
	}
	if err := p.CheckSignIn(); err != nil {
		t.Error(err)
	}
}

// No way of printing a profile shows a secret.
func TestSecretsAreNotPrinted(t *testing.T) {
	p := Profile{ClientSecret: NewSecret("hunter2"), SessionToken: NewSecret("hunter2")}
	shown, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	all := string(shown)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		all += fmt.Sprintf(verb, p) + fmt.Sprintf(verb, &p) + fmt.Sprintf(verb, p.ClientSecret)
	}
	if strings.Contains(all, "hunter2") || strings.Contains(all, "68756e74657232") {
		t.Error(all)
	}
	if p.ClientSecret.Reveal() != "hunter2" || !(Secret{}).Empty() || NewSecret("").Reveal() != "" {
		t.Error("the secret itself is wrong")
	}
}

func TestStamp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if s, err := Stamp(path); err != nil || s != (FileStamp{Path: path, Absent: true}) {
		t.Errorf("absent: %+v %v", s, err)
	}
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Stamp(filepath.Join(path, "below")); err != nil || !s.Absent {
		t.Errorf("below a file: %+v %v", s, err)
	}
	s, err := Stamp(path)
	if err != nil || s.Absent || s.Size != 3 || s.Inode == 0 || s.MTime == 0 {
		t.Errorf("%+v %v", s, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if same, err := StampFile(path, f); err != nil || same != s {
		t.Errorf("%+v, opened %+v %v", s, same, err)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a-b_c.d/e": "a-b_c.d/e", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "~": "'~'"} {
		if got := ShellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
