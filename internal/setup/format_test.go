package setup

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func host(t testing.TB, s string) Host {
	t.Helper()
	h, ok := ParseHost(s, "access")
	if !ok {
		t.Fatalf("%q is no host", s)
	}
	return h
}

// wants is what each kind is asked to write.
func wants(t testing.TB) map[Kind]Want {
	h := host(t, "h.example:8443")
	return map[Kind]Want{
		Binding:    {Host: h, Name: "profile dev"},
		GitLine:    {Host: h, Program: "/opt/a b/git-credential-cognito"},
		DockerLine: {Host: h},
		Terraform:  {},
		GoLine:     {Program: "/opt/a b/cognito-credhelper"},
		KubeUserOf: {Name: "cognito-dev", Program: "/opt/a b/cognito-credhelper", Profile: "dev"},
		CargoLine:  {Host: h, Program: "/opt/a b/cargo-credential-cognito"},
		BazelLine:  {Host: h, Program: "/opt/a b/bazel-credential-cognito"},
		PipLine:    {Name: "global", Key: "keyring-provider", Program: "subprocess"},
		NpmLine:    {Host: h, Program: "/opt/pnpm-token-cognito"},
		AWSLine:    {Name: "profile dev", Key: "credential_process", Program: `"/opt/a b/cognito-credhelper" credential-process --profile dev`},
	}
}

func TestFormats(t *testing.T) {
	kube := strings.Join(kubeUser(wants(t)[KubeUserOf], ""), "\n") + "\n"
	const git, line = "[credential \"https://h.example:8443\"]\n", "\thelper = \"!'/opt/a b/git-credential-cognito'\"\n"
	const process = `credential_process = "/opt/a b/cognito-credhelper" credential-process --profile dev` + "\n"
	for _, test := range []struct {
		name          string
		kind          Kind
		before, after string
	}{
		{"new", GitLine, "", git + line},
		{"at the end", GitLine, "[user]\n\tname = a\n", "[user]\n\tname = a\n" + git + line},
		{"no last line ending", GitLine, "[user]\n\tname = a", "[user]\n\tname = a\n" + git + line},
		{"CRLF", GitLine, "[user]\r\n\tname = a\r\n", "[user]\r\n\tname = a\r\n" + strings.ReplaceAll(git+line, "\n", "\r\n")},
		{"helpers of others stay", GitLine, "[credential]\n\thelper = store\n", "[credential]\n\thelper = store\n" + git + line},
		{"the section is there", GitLine, git + "\tusername = me ; mine\n[x]\n", git + "\tusername = me ; mine\n" + line + "[x]\n"},
		{"another path of ours", GitLine, git + "\thelper = /old/git-credential-cognito\n", git + line},
		{"another host", GitLine, "[credential \"https://other.example\"]\n\thelper = x\n", "[credential \"https://other.example\"]\n\thelper = x\n" + git + line},
		{"reset only", GitLine, git + "\thelper =\n", git + "\thelper =\n" + line},

		{"new", DockerLine, "", "{\n\t\"credHelpers\": {\n\t\t\"h.example:8443\": \"cognito\"\n\t}\n}\n"},
		{"empty", DockerLine, "{}", "{\n\t\"credHelpers\": {\n\t\t\"h.example:8443\": \"cognito\"\n\t}\n}"},
		{"store stays", DockerLine, "{\n  \"credsStore\": \"pass\"\n}\n", "{\n  \"credsStore\": \"pass\",\n  \"credHelpers\": {\n    \"h.example:8443\": \"cognito\"\n  }\n}\n"},
		{"beside another", DockerLine, "{\n\t\"credHelpers\": {\n\t\t\"o.example\": \"x\"\n\t}\n}", "{\n\t\"credHelpers\": {\n\t\t\"o.example\": \"x\",\n\t\t\"h.example:8443\": \"cognito\"\n\t}\n}"},
		{"one line", DockerLine, `{"auths":{"a":{"auth":"}\"{"}}}`, `{"auths":{"a":{"auth":"}\"{"}},"credHelpers":{"h.example:8443":"cognito"}}`},
		{"ours for a profile", DockerLine, `{"credHelpers":{"h.example:8443":"cognito-dev"}}`, `{"credHelpers":{"h.example:8443":"cognito-dev"}}`},

		{"new", Terraform, "", terraformBlock + "\n"},
		{"at the end", Terraform, "# credentials_helper \"x\" {}\nprovider_installation {\n  direct {}\n}", "# credentials_helper \"x\" {}\nprovider_installation {\n  direct {}\n}\n" + terraformBlock + "\n"},
		{"with arguments", Terraform, "credentials_helper \"cognito\" {\n  args = [\"--profile\", \"dev\"]\n}\n", "credentials_helper \"cognito\" {\n  args = [\"--profile\", \"dev\"]\n}\n"},

		{"new", GoLine, "", "GOAUTH=netrc;\"/opt/a b/cognito-credhelper\" goauth\n"},
		{"a list", GoLine, "GOFLAGS=-x\nGOAUTH=git /a; x y\nGOPROXY=p\n", "GOFLAGS=-x\nGOAUTH=git /a; x y;\"/opt/a b/cognito-credhelper\" goauth\nGOPROXY=p\n"},
		{"another path of ours", GoLine, "GOAUTH=/old/cognito-credhelper goauth;netrc\n", "GOAUTH=\"/opt/a b/cognito-credhelper\" goauth;netrc\n"},
		{"empty", GoLine, "GOAUTH=\n", "GOAUTH=netrc;\"/opt/a b/cognito-credhelper\" goauth\n"},

		{"new", KubeUserOf, "", "apiVersion: v1\nkind: Config\nusers:\n" + kube},
		{"no users", KubeUserOf, "apiVersion: v1\nkind: Config\n", "apiVersion: v1\nkind: Config\nusers:\n" + kube},
		{"none", KubeUserOf, "users: null\nkind: Config\n", "users:\n" + kube + "kind: Config\n"},
		{"beside another", KubeUserOf, "users:\n- name: a # me\n  user: {token: x}\nkind: Config", "users:\n" + kube + "- name: a # me\n  user: {token: x}\nkind: Config"},
		{"indented", KubeUserOf, "users:\n  - name: a\n    user: {}\n", "users:\n  " + strings.TrimSuffix(strings.ReplaceAll(kube, "\n", "\n  "), "  ") + "  - name: a\n    user: {}\n"},
		{"another path of ours", KubeUserOf, "users:\n- name: cognito-dev\n  user:\n    exec:\n      command: /old/cognito-credhelper\n      args: [kubernetes]\n- name: b\n", "users:\n" + kube + "- name: b\n"},

		{"first", Binding, "[profile dev]\nx = y\n[o]\n", "[profile dev]\nx = y\ncognito_hosts =\n    h.example:8443 = access\n[o]\n"},
		{"below another", Binding, "[profile dev]\ncognito_hosts =\n  # why\n  a.example = id  # a\nx = y\n", "[profile dev]\ncognito_hosts =\n  # why\n  a.example = id  # a\n  h.example:8443 = access\nx = y\n"},
		{"bound", Binding, "[profile dev]\ncognito_hosts =\n  H.example:8443 = id\n", "[profile dev]\ncognito_hosts =\n  H.example:8443 = id\n"},
		{"no last line ending", Binding, "[profile dev]\ncognito_hosts =\n  a.example = id", "[profile dev]\ncognito_hosts =\n  a.example = id\n  h.example:8443 = access\n"},

		{"below the header", CargoLine, "[registries.team]\nindex = \"sparse+https://h.example:8443/index/\" # ours\n[net]\n", "[registries.team]\ncredential-provider = [\"/opt/a b/cargo-credential-cognito\"]\nindex = \"sparse+https://h.example:8443/index/\" # ours\n[net]\n"},
		{"another path of ours", CargoLine, "[registries.\"team\"]\nindex = 'sparse+https://h.example:8443/'\ncredential-provider = \"/old/cargo-credential-cognito\"", "[registries.\"team\"]\nindex = 'sparse+https://h.example:8443/'\ncredential-provider = [\"/opt/a b/cargo-credential-cognito\"]"},
		{"new", BazelLine, "", "common \"--credential_helper=h.example=/opt/a b/bazel-credential-cognito\"\n"},
		{"beside another", BazelLine, "build --credential_helper=o.example=/x\n# build --credential_helper=h.example=/x\n", "build --credential_helper=o.example=/x\n# build --credential_helper=h.example=/x\ncommon \"--credential_helper=h.example=/opt/a b/bazel-credential-cognito\"\n"},
		{"new", PipLine, "", "[global]\nkeyring-provider = subprocess\n"},
		{"beside another key", PipLine, "[global]\nindex-url = https://u@h.example/simple\n", "[global]\nindex-url = https://u@h.example/simple\nkeyring-provider = subprocess\n"},
		{"new", NpmLine, "", "//h.example:8443/:tokenHelper=/opt/pnpm-token-cognito\n"},
		{"beside another", NpmLine, "//h.example:8443/:_authToken=x\n//o.example/:tokenHelper=/x", "//h.example:8443/:_authToken=x\n//o.example/:tokenHelper=/x\n//h.example:8443/:tokenHelper=/opt/pnpm-token-cognito\n"},

		{"below the last key", AWSLine, "[profile dev]\nx = y\n", "[profile dev]\nx = y\n" + process},
		{"another path of ours", AWSLine, "[profile dev]\ncredential_process = /old/cognito-credhelper credential-process --profile dev\n", "[profile dev]\n" + process},
	} {
		t.Run(string(test.kind)+" "+test.name, func(t *testing.T) {
			f, _ := formatOf(test.kind)
			w := wants(t)[test.kind]
			after, bad := f.add([]byte(test.before), w)
			if bad != nil || string(after) != test.after {
				t.Fatalf("got\n%s%+v\nwant\n%s", after, bad, test.after)
			}
			if again, bad := f.add(after, w); bad != nil || !bytes.Equal(again, after) {
				t.Errorf("a second time: %s %+v", again, bad)
			}
			gone, bad := f.remove(after, w)
			if bad != nil || ourWords(gone) {
				t.Errorf("ours is still there: %s %+v", gone, bad)
			}
			if again, bad := f.remove(gone, w); bad != nil || !bytes.Equal(again, gone) {
				t.Errorf("removed a second time: %s %+v", again, bad)
			}
		})
	}
}

// ourWords are in every line of ours.
func ourWords(data []byte) bool {
	return bytes.Contains(data, []byte("cognito-credhelper")) || bytes.Contains(data, []byte("-cognito")) || bytes.Contains(data, []byte(`"cognito"`)) || bytes.Contains(data, []byte("h.example:8443 =")) || bytes.Contains(data, []byte("subprocess"))
}

// What the tool does not take twice, and what answers for the host already, is refused, and force takes its place.
func TestForeign(t *testing.T) {
	for _, test := range []struct {
		name          string
		kind          Kind
		before, after string // after force; "" where even that is refused
	}{
		{"helper", GitLine, "[credential \"https://h.example:8443\"]\n\thelper = manager\n", "[credential \"https://h.example:8443\"]\n\thelper = \"!'/opt/a b/git-credential-cognito'\"\n\thelper = manager\n"},
		{"helper behind a reset", GitLine, "[credential \"https://h.example:8443/\"]\n\thelper =\n\thelper = !gh auth\n", "[credential \"https://h.example:8443/\"]\n\thelper =\n\thelper = \"!'/opt/a b/git-credential-cognito'\"\n\thelper = !gh auth\n"},
		{"helper on the header's line", GitLine, "[credential \"https://h.example:8443\"] helper = manager\n", ""},
		{"broken", GitLine, "[user\n", ""},
		{"broken value", GitLine, "[a]\nx = \"y\n", ""},
		{"helper", DockerLine, `{"credHelpers":{"h.example:8443":"ecr-login"}}`, `{"credHelpers":{"h.example:8443":"cognito"}}`},
		{"no object", DockerLine, `[]`, ""},
		{"twice", DockerLine, `{"credHelpers":{},"credHelpers":{}}`, ""},
		{"helpers are no object", DockerLine, `{"credHelpers":"x"}`, ""},
		{"helper", Terraform, "a = 1\ncredentials_helper \"other\" {\n  args = [\"{\"]\n}\n", "a = 1\n" + terraformBlock + "\n"},
		{"open", Terraform, "credentials_helper \"other\" {\n", ""},
		{"two", Terraform, "credentials_helper \"a\" {}\ncredentials_helper \"b\" {}\n", ""},
		{"off", GoLine, "GOAUTH=off\n", "GOAUTH=\"/opt/a b/cognito-credhelper\" goauth\n"},
		{"user", KubeUserOf, "users:\n- name: cognito-dev\n  user: {token: x}\n- name: b\n", "users:\n" + strings.Join(kubeUser(wants(t)[KubeUserOf], ""), "\n") + "\n- name: b\n"},
		{"flow", KubeUserOf, "{users: []}\n", ""},
		{"users in flow", KubeUserOf, "users: [{name: a}]\n", ""},
		{"two documents", KubeUserOf, "a: 1\n---\nb: 2\n", ""},
		{"no YAML", KubeUserOf, "a: [\n", ""},
		{"process", AWSLine, "[profile dev]\ncredential_process = /opt/other\n", "[profile dev]\n" + `credential_process = "/opt/a b/cognito-credhelper" credential-process --profile dev` + "\n"},
		{"provider", CargoLine, "[registries.team]\nindex = \"sparse+https://h.example:8443/\"\ncredential-provider = \"cargo:token\"\n", "[registries.team]\nindex = \"sparse+https://h.example:8443/\"\ncredential-provider = [\"/opt/a b/cargo-credential-cognito\"]\n"},
		{"no registry", CargoLine, "[registries.o]\nindex = \"sparse+https://o.example/\"\n", ""},
		{"two registries", CargoLine, "[registries.a]\nindex = \"https://h.example:8443/\"\n[registries.b]\nindex = \"https://h.example:8443/\"\n", ""},
		{"over lines", CargoLine, "[registries.a]\nindex = \"https://h.example:8443/\"\ncredential-provider = [\n\"x\"]\n", ""},
		{"helper", BazelLine, "build --credential_helper=h.example=/x\n", "build --credential_helper=h.example=/x\ncommon \"--credential_helper=h.example=/opt/a b/bazel-credential-cognito\"\n"},
		{"goes on", BazelLine, "build \\\n", ""},
		{"provider", PipLine, "[global]\nkeyring-provider = import\n", "[global]\nkeyring-provider = subprocess\n"},
		{"helper", NpmLine, "//h.example:8443/:tokenHelper=/x\n", "//h.example:8443/:tokenHelper=/opt/pnpm-token-cognito\n"},
		{"no section", Binding, "[profile other]\n", ""},
	} {
		t.Run(string(test.kind)+" "+test.name, func(t *testing.T) {
			f, _ := formatOf(test.kind)
			w := wants(t)[test.kind]
			if out, bad := f.add([]byte(test.before), w); bad == nil || bad.foreign != (test.after != "") {
				t.Errorf("%q %+v", out, bad)
			}
			w.Force = true
			out, bad := f.add([]byte(test.before), w)
			if string(out) != test.after || (bad == nil) != (test.after != "") {
				t.Errorf("forced: %q %+v", out, bad)
			}
		})
	}
}

func TestParseHost(t *testing.T) {
	for s, want := range map[string]string{
		"git.example.com": "https://git.example.com", "https://Git.Example.com/": "https://git.example.com", "h.example:443/a/b": "https://h.example/a/b",
		"http://127.0.0.1:80": "http://127.0.0.1:80", "*.example.com": "https://*.example.com", "[::1]:8080": "https://[::1]:8080",
		"http://h.example": "", "ftp://h.example": "", "*.com": "", "a@b.example": "", "h.example = id": "", "": "", "h.example/../x": "", "h\n.example": "",
	} {
		h, ok := ParseHost(s, "access")
		if ok != (want != "") || ok && h.url() != want {
			t.Errorf("%q: %q %v, want %q", s, h.url(), ok, want)
		}
	}
}

// A line that names another place is not taken for ours.
func TestSamePlace(t *testing.T) {
	h := host(t, "h.example/a")
	for s, want := range map[string]bool{
		"https://h.example/a": true, "https://h.example:443/a/": true, "https://H.example/a": true,
		"https://h.example": false, "https://h.example:8443/a": false, "http://h.example/a": false, "https://x.h.example/a": false, "https://h.example/ab": false,
	} {
		if got := h.samePlace(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func says(t *testing.T, file, want string) {
	t.Helper()
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s says %q (%v), want %q", filepath.Base(file), got, err, want)
	}
}

// What two tools share goes with the last of them, in whichever order.
func TestUndoOfWhatIsShared(t *testing.T) {
	const config, docker = "[profile dev]\nx = y", "{}"
	for _, reversed := range []bool{false, true} {
		folder := t.TempDir()
		at := func(name string) string { return filepath.Join(folder, name) }
		write(t, at("config"), config)
		write(t, at("docker.json"), docker)
		write(t, at("bin/cognito-credhelper"), "")
		w := wants(t)
		book := OpenBook(at("state"))
		binding := InFile(Binding, at("config"), w[Binding])
		tasks := []Task{
			{Tool: "git", Name: "h.example:8443", Steps: []Step{LinkTo(at("bin/git-credential-cognito"), at("bin/cognito-credhelper")), InFile(GitLine, at("gitconfig"), w[GitLine]), binding}},
			{Tool: "docker", Name: "h.example:8443", Steps: []Step{InFile(DockerLine, at("docker.json"), w[DockerLine]), binding}},
		}
		for _, task := range tasks {
			for range 2 {
				if err := task.Check(false); err != nil {
					t.Fatal(err)
				}
				if err := book.Do(task); err != nil {
					t.Fatal(err)
				}
			}
		}
		recorded, err := book.Tasks("")
		if err != nil || len(recorded) != 2 || recorded[0].Tool != "docker" {
			t.Fatalf("%+v %v", recorded, err)
		}
		if reversed {
			slices.Reverse(recorded)
		}
		for i, task := range recorded {
			if _, err := book.Undo(task, false); err != nil {
				t.Fatal(err)
			}
			bound, _ := os.ReadFile(at("config"))
			if strings.Contains(string(bound), "h.example:8443 = access") != (i == 0) {
				t.Errorf("reversed %v: after %d: %q", reversed, i+1, bound)
			}
		}
		says(t, at("config"), config)
		says(t, at("docker.json"), docker)
		for _, made := range []string{"gitconfig", "bin/git-credential-cognito"} {
			if _, err := os.Lstat(at(made)); !os.IsNotExist(err) {
				t.Errorf("%s is still there", made)
			}
		}
		if left, _ := os.ReadDir(at("state")); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	}
}

// What others wrote meanwhile stays, and what stood there before setup stays too.
func TestUndoLeavesWhatIsNotOurs(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "gitconfig")
	w := wants(t)[GitLine]
	book := OpenBook(filepath.Join(folder, "state"))
	task := Task{Tool: "git", Name: "h", Steps: []Step{InFile(GitLine, file, w)}}
	if err := book.Do(task); err != nil {
		t.Fatal(err)
	}
	ours, _ := os.ReadFile(file)
	write(t, file, "[a]\n\tb = c\n"+string(ours)+"[d]\n\te = f\n")
	recorded, _ := book.Tasks("git")
	if done, err := book.Undo(recorded[0], false); err != nil || len(done) != 1 {
		t.Fatalf("%+v %v", done, err)
	}
	says(t, file, "[a]\n\tb = c\n[d]\n\te = f\n")

	// By hand: setup adds nothing, and undo takes nothing.
	write(t, file, string(ours))
	if err := book.Do(task); err != nil {
		t.Fatal(err)
	}
	recorded, _ = book.Tasks("git")
	if done, err := book.Undo(recorded[0], false); err != nil || len(done) != 0 {
		t.Fatalf("%+v %v", done, err)
	}
	says(t, file, string(ours))

	// The book is lost: the line is known by what it says.
	if done, err := book.Undo(task, false); err != nil || len(done) != 1 {
		t.Fatalf("%+v %v", done, err)
	}
	says(t, file, "")
}

func TestLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names are hard links there")
	}
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	write(t, at("bin/cognito-credhelper"), "1")
	write(t, at("other"), "2")
	book := OpenBook(at("state"))
	do := func(s Step, force bool) error {
		task := Task{Tool: "x", Name: s.File, Steps: []Step{s}}
		if err := task.Check(force); err != nil {
			return err
		}
		return book.Do(task)
	}
	undo := func() {
		t.Helper()
		tasks, _ := book.Tasks("x")
		for _, task := range tasks {
			if _, err := book.Undo(task, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	beside := LinkTo(at("bin/name"), at("bin/cognito-credhelper"))
	if err := do(beside, false); err != nil {
		t.Fatal(err)
	}
	if to, _ := os.Readlink(at("bin/name")); to != "cognito-credhelper" {
		t.Errorf("the link says %q", to)
	}
	undo()

	// Somebody else's link needs force, and comes back; a program of that name is never replaced.
	if err := os.Symlink(at("other"), at("bin/name")); err != nil {
		t.Fatal(err)
	}
	var foreign *ForeignError
	if err := do(beside, false); !errors.As(err, &foreign) {
		t.Errorf("replaced: %v", err)
	}
	if err := do(beside, true); err != nil {
		t.Fatal(err)
	}
	says(t, at("bin/name"), "1")
	undo()
	says(t, at("bin/name"), "2")
	if err := do(LinkTo(at("other"), at("bin/cognito-credhelper")), true); err == nil {
		t.Error("a program was replaced")
	}
	says(t, at("other"), "2")

	// A link of ours that led to a version which is gone.
	if err := os.Symlink(at("gone/cognito-credhelper-1.0"), at("bin/old")); err != nil {
		t.Fatal(err)
	}
	if err := do(LinkTo(at("bin/old"), at("bin/cognito-credhelper")), false); err != nil {
		t.Error(err)
	}
	says(t, at("bin/old"), "1")
}

// FuzzFormats: of whatever add accepts, adding twice is adding once, the record takes the file back byte for byte, and
// remove leaves nothing of ours that add would not put there again.
func FuzzFormats(f *testing.F) {
	kinds := []Kind{Binding, GitLine, DockerLine, Terraform, GoLine, KubeUserOf, AWSLine, CargoLine, BazelLine, PipLine, NpmLine}
	for i := range kinds {
		for _, seed := range []string{
			"", "[credential \"https://h.example:8443\"]\n\thelper = x\n\tusername = \"a;b\" # c", "[profile dev]\r\ncognito_hosts =\r\n  a.example = id\r\n",
			"{\n  \"credHelpers\": {\"a\": \"b\"},\n  \"x\": [1, {}]\n}", "credentials_helper \"o\" { args = [] }\n", "GOAUTH=netrc;git /x\nA=b", "[registries.a]\nindex = \"https://h.example:8443/\"\ncredential-provider = [\"x\"]", "build --credential_helper=h.example=x \\", "[global]\nkeyring-provider: x", "users:\n- name: a\n  user:\n    token: |\n      x\ncontexts: []\n",
		} {
			f.Add(uint8(i), []byte(seed), true)
			f.Add(uint8(i), []byte(seed), false)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte, force bool) {
		k := kinds[int(kind)%len(kinds)]
		format, _ := formatOf(k)
		w := wants(t)[k]
		w.Force = force
		after, bad := format.add(bytes.Clone(data), w)
		if bad != nil {
			return
		}
		if again, bad := format.add(bytes.Clone(after), w); bad != nil || !bytes.Equal(again, after) {
			t.Fatalf("%s: twice: %q became %q, then %q %+v", k, data, after, again, bad)
		}
		if back, ok := patchOf(data, after).revert(after); !ok || !bytes.Equal(back, data) {
			t.Fatalf("%s: %q came back as %q", k, data, back)
		}
		gone, bad := format.remove(bytes.Clone(after), w)
		if bad != nil {
			return
		}
		if again, bad := format.remove(bytes.Clone(gone), w); bad != nil || !bytes.Equal(again, gone) {
			t.Fatalf("%s: removing from %q gave %q, then %q %+v", k, after, gone, again, bad)
		}
	})
}

// What AWS's services want beside the tool's own line comes with it, also where the line stands already, and goes with it.
func TestLinesOfServices(t *testing.T) {
	commit, cluster := wants(t)[GitLine], wants(t)[KubeUserOf]
	commit.Host.Kind, cluster.Key = "codecommit", ClusterInfo
	const git, line, path = "[credential \"https://h.example:8443\"]\n", "\thelper = \"!'/opt/a b/git-credential-cognito'\"\n", "\tuseHttpPath = true\n"
	kube := strings.Join(kubeUser(cluster, ""), "\n") + "\n"
	plain := strings.Join(kubeUser(wants(t)[KubeUserOf], ""), "\n") + "\n"
	if !strings.Contains(kube, "      provideClusterInfo: true\n") {
		t.Error(kube)
	}
	for _, test := range []struct {
		name, before, after string
		f                   format
		w                   Want
	}{
		{"git, new", "", git + line + path, gitFormat(), commit},
		{"git, the helper stands", git + line, git + line + path, gitFormat(), commit},
		{"git, the helper and the path stand", git + path + line, git + path + line, gitFormat(), commit},
		{"git, the path is off", git + line + "\tuseHttpPath = false\n", git + line + "\tuseHttpPath = false\n" + path, gitFormat(), commit},
		{"git, another spelling", "[credential \"HTTPS://h.example:8443/\"]\n" + line, "[credential \"HTTPS://h.example:8443/\"]\n" + line + git + path, gitFormat(), commit},
		{"kubectl, new", "users:\n", "users:\n" + kube, kubeFormat(), cluster},
		{"kubectl, without clusters before", "users:\n" + plain, "users:\n" + kube, kubeFormat(), cluster},
	} {
		t.Run(test.name, func(t *testing.T) {
			after, bad := test.f.add([]byte(test.before), test.w)
			if bad != nil || string(after) != test.after {
				t.Fatalf("got\n%s%+v\nwant\n%s", after, bad, test.after)
			}
			if gone, bad := test.f.remove(after, test.w); bad != nil || ourWords(gone) || bytes.Contains(gone, []byte("HttpPath = true")) {
				t.Errorf("ours is still there: %s %+v", gone, bad)
			}
		})
	}
}
