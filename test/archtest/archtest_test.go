package archtest

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the module's root, seen from this folder.
const root = "../.."

// TestRepository holds every rule over this repository.
func TestRepository(t *testing.T) {
	files := load(t)
	for _, r := range Rules() {
		t.Run(strings.ReplaceAll(r.Name, " ", "_"), func(t *testing.T) {
			report(t, r.Check(files))
		})
	}
}

// TestModules holds the rule about go.mod files, those of tools and test clients included.
func TestModules(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if d.Name() != "go.mod" {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		seen++
		report(t, Replace(filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator))), src))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no go.mod found: this test looks at the wrong folder")
	}
}

// TestFront holds the front's deny-list on the three platforms.
func TestFront(t *testing.T) {
	links(t, Module+"/cmd/cognito-credhelper-front", denied, passed)
}

// TestWorker holds the worker's.
func TestWorker(t *testing.T) {
	links(t, Module+"/cmd/cognito-credhelper-worker", small, nil)
}

func links(t *testing.T, program string, table []Denied, pass map[string][]string) {
	files := load(t)
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			deps := listDeps(t, goos, program)
			if len(deps) < 10 {
				t.Fatalf("go list -deps gave %d packages: that cannot be %s", len(deps), program)
			}
			report(t, Deny(program, deps, table, pass[goos], files))
		})
	}
}

// TestDenyListIsAlive fails when a line of the deny-list names what no longer exists.
func TestDenyListIsAlive(t *testing.T) {
	std := map[string]bool{}
	for _, p := range strings.Fields(string(golang(t, "linux", "list", "std"))) {
		std[p] = true
	}
	var mod struct{ Require []struct{ Path string } }
	if err := json.Unmarshal(golang(t, "linux", "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	required := map[string]bool{}
	for _, r := range mod.Require {
		required[r.Path] = true
	}
	report(t, Stale(append(denied, small...), std, required))
}

// TestPlanted plants a violation for each rule, beside its innocent twin, and expects exactly the finding.
func TestPlanted(t *testing.T) {
	const front = "internal/front/front.go"
	for _, c := range []struct {
		name string
		rule Rule
		path string
		src  string
		want string // part of the one finding; "" for none
	}{
		{"upwards", Directions(layers), "internal/tokencache/a.go", `package tokencache; import _ "` + Module + `/internal/tokensource"`, "a.go:1: internal/tokencache may not import internal/tokensource"},
		{"downwards", Directions(layers), "internal/tokensource/a.go", `package tokensource; import _ "` + Module + `/internal/tokencache"`, ""},
		{"a leaf from anywhere", Directions(layers), "internal/filelock/a.go", `package filelock; import _ "` + Module + `/internal/token"`, ""},
		{"a leaf from outside", Directions(layers), "profiles/a.go", `package profiles; import _ "` + Module + `/internal/token"`, "profiles may not import internal/token"},
		{"the leaf of leaves", Directions(layers), "internal/token/a.go", `package token; import _ "` + Module + `/internal/safetext"`, "internal/token may not import internal/safetext"},
		{"front to the client", Directions(layers), front, `package front; import _ "` + Module + `/internal/cognito"`, "internal/front may not import internal/cognito"},
		{"front to the ini reader", Directions(layers), front, `package front; import _ "` + Module + `/profiles/inifile"`, "internal/front may not import profiles/inifile"},
		{"front to D-Bus", Directions(layers), front, `package front; import _ "` + Module + `/internal/keyslot/secretservice"`, "internal/front may not import internal/keyslot/secretservice"},
		{"cli to D-Bus", Directions(layers), "internal/cli/a.go", `package cli; import _ "` + Module + `/internal/keyslot/secretservice"`, ""},
		{"cli past the client", Directions(layers), "internal/cli/a.go", `package cli; import _ "` + Module + `/internal/cognito/srp"`, "internal/cli may not import internal/cognito/srp"},
		{"adapter to adapter", Directions(layers), "internal/protocol/gitcredential/a.go", `package gitcredential; import _ "` + Module + `/internal/protocol/printtoken"`, "may not import internal/protocol/printtoken"},
		{"adapter to flags", Directions(layers), "internal/protocol/gitcredential/a.go", `package gitcredential; import _ "` + Module + `/internal/protocol/flags"`, ""},
		{"list of adapters", Directions(layers), "internal/protocol/all/a.go", `package all; import _ "` + Module + `/internal/protocol/printtoken"`, ""},
		{"no place", Directions(layers), "internal/novel/a.go", `package novel`, "internal/novel has no place"},
		{"tests look up", Directions(layers), "internal/tokencache/a_test.go", `package tokencache; import _ "` + Module + `/internal/sandbox"`, ""},
		{"windows only", Directions(layers), "internal/filelock/a_windows.go", "//go:build windows\n\npackage filelock\nimport _ \"" + Module + `/internal/tokencache"`, "a_windows.go:4: internal/filelock may not import"},

		{"public to internal", Public(), "host/awsauth/a.go", `package awsauth; import _ "` + Module + `/internal/token"`, "host/awsauth is public"},
		{"public to public", Public(), "host/awsauth/a.go", `package awsauth; import _ "` + Module + `/plugin"`, ""},

		{"sandbox borrows SRP", Independent(), "internal/sandbox/userpool/a.go", `package userpool; import _ "` + Module + `/internal/cognito/srp"`, "its own side of everything"},
		{"sandbox test borrows SRP", Independent(), "internal/sandbox/a_test.go", `package sandbox; import _ "` + Module + `/internal/cognito/srp"`, "its own side of everything"},
		{"sandbox uses the SDK service", Independent(), "internal/sandbox/sts/a.go", `package sts; import _ "github.com/aws/aws-sdk-go-v2/service/sts"`, "its own side of everything"},
		{"sandbox test uses the signer", Independent(), "internal/sandbox/sts/a_test.go", `package sts; import _ "github.com/aws/aws-sdk-go-v2/aws/signer/v4"`, ""},

		{"ini.v1 astray", Confinement(confined), "profiles/a.go", `package profiles; import _ "gopkg.in/ini.v1"`, "gopkg.in/ini.v1 belongs in profiles/inifile only"},
		{"ini.v1 at home", Confinement(confined), "profiles/inifile/a.go", `package inifile; import _ "gopkg.in/ini.v1"`, ""},
		{"user pool service astray", Confinement(confined), "internal/awscreds/a.go", `package awscreds; import _ "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"`, "belongs in internal/cognito only"},
		{"user pool service at home", Confinement(confined), "internal/cognito/a.go", `package cognito; import _ "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"`, ""},
		{"other service astray", Confinement(confined), "internal/cognito/a.go", `package cognito; import _ "github.com/aws/aws-sdk-go-v2/service/cognitoidentity"`, "belongs in internal/awscreds and internal/awscreds/registries only"},
		{"cobra astray", Confinement(confined), "internal/protocol/credentialprocess/a.go", `package credentialprocess; import _ "github.com/spf13/cobra"`, "belongs in internal/cli only"},
		{"go-plugin astray", Confinement(confined), "internal/cli/a.go", `package cli; import _ "github.com/hashicorp/go-plugin"`, "belongs in plugin and host only"},
		{"go-keyring astray", Confinement(confined), "internal/keyslot/a.go", `package keyslot; import _ "github.com/zalando/go-keyring"`, "go-keyring belongs in"},
		{"x/term astray", Confinement(confined), "internal/cli/a.go", `package cli; import _ "golang.org/x/term"`, "belongs in internal/prompt only"},

		{"init", NoInit(), "internal/cli/a.go", "package cli\n\nfunc init() {}\n", "a.go:3: no init()"},
		{"method init", NoInit(), "internal/cli/a.go", "package cli\ntype t struct{}\nfunc (t) init() {}\n", ""},
		{"init in generated code", NoInit(), "plugin/proto/v1/a.go", "// Code generated by protoc-gen-go. DO NOT EDIT.\n\npackage v1\nfunc init() {}\n", ""},

		{"exit below", exits.Rule(), "internal/cli/a.go", "package cli\nimport \"os\"\nfunc f() { os.Exit(1) }\n", "a.go:3: os.Exit: os.Exit only in package main"},
		{"exit below, renamed", exits.Rule(), "internal/cli/a.go", "package cli\nimport sys \"os\"\nfunc f() { sys.Exit(1) }\n", "os.Exit only in package main"},
		{"exit in main", exits.Rule(), "cmd/cognito-credhelper/main.go", "package main\nimport \"os\"\nfunc main() { os.Exit(1) }\n", ""},
		{"fatal", fatals.Rule(), "internal/sandbox/a.go", "package sandbox\nimport \"log\"\nfunc f() { log.Fatal(1) }\n", "log.Fatal and log.Panic end the process"},
		{"stdout below", streams.Rule(), "internal/tokensource/a.go", "package tokensource\nimport \"os\"\nvar w = os.Stdout\n", "a.go:3: os.Stdout"},
		{"stdout in cli", streams.Rule(), "internal/cli/a.go", "package cli\nimport \"os\"\nfunc f() any { return os.Stdout }\n", ""},
		{"environment below", environment.Rule(), "internal/statefolder/a.go", "package statefolder\nimport \"os\"\nvar h, _ = os.LookupEnv(`HOME`)\n", "os.LookupEnv: only front and cli"},
		{"home folder below", environment.Rule(), "profiles/a.go", "package profiles\nimport \"os\"\nvar h, _ = os.UserHomeDir()\n", "os.UserHomeDir: only front and cli"},
		{"environment in a build for tests", environment.Rule(), "internal/clock/a.go", "//go:build testclock\n\npackage clock\nimport \"os\"\nvar e = os.Environ()\n", ""},
		{"environment in a build without tests", environment.Rule(), "internal/clock/a.go", "//go:build !testclock\n\npackage clock\nimport \"os\"\nvar e = os.Environ()\n", "os.Environ: only front and cli"},
		{"environment in handover", environment.Rule(), "internal/handover/a.go", "package handover\nimport \"os\"\nvar e = os.Environ()\n", ""},
		{"environment by syscall", rawEnvironment.Rule(), "internal/keyslot/a.go", "package keyslot\nimport \"syscall\"\nvar e = syscall.Environ()\n", "syscall.Environ: only front and cli"},

		{"program astray", programs.Rule(), "profiles/inifile/a.go", "package inifile\nimport \"os/exec\"\nvar c = exec.Command(`sh`)\n", "a.go:3: os/exec.Command: only cli, prompt, and host start programs"},
		{"program at home", programs.Rule(), "internal/prompt/a.go", "package prompt\nimport \"os/exec\"\nvar c = exec.Command(`sh`)\n", ""},
		{"process astray", processes.Rule(), "internal/awscreds/a.go", "package awscreds\nimport \"os\"\nvar p, _ = os.StartProcess(``, nil, nil)\n", "os.StartProcess: only cli"},
		{"exec astray", replacements.Rule(), "internal/setup/a.go", "package setup\nimport \"syscall\"\nvar p = syscall.Exec(``, nil, nil)\n", "syscall.Exec: only cli"},

		{"silent package", Documented(), "internal/cli/a.go", "package cli\n", "package cli needs a comment"},
		{"wrong first words", Documented(), "internal/cli/a.go", "// The cli.\npackage cli\n", "package cli needs a comment"},
		{"documented", Documented(), "internal/cli/a.go", "// Package cli builds commands.\npackage cli\n", ""},
		{"empty name", PlainNames(), "internal/util/a.go", "package util\n", "does not say what is in it"},

		{"exported variable", Constant(), "internal/cli/a.go", "package cli\nvar Verbose bool\n", "a.go:2: exported variable Verbose"},
		{"exported error", Constant(), "internal/cli/a.go", "package cli\nimport \"errors\"\nvar ErrGone = errors.New(`gone`)\n", ""},
		{"assigned variable", Constant(), "internal/cli/a.go", "package cli\nvar n int\nfunc f() { n = 1 }\n", "a.go:3: package variable n is assigned to"},
		{"written table", Constant(), "internal/cli/a.go", "package cli\nvar m = map[int]int{}\nfunc f() { m[1]++ }\n", "package variable m is assigned to"},
		{"local of the same name", Constant(), "internal/cli/a.go", "package cli\nvar n = 1\nfunc f(n int) { n = 2; _ = n }\n", ""},
		{"lock of the process", Constant(), "internal/cli/a.go", "package cli\nimport \"sync\"\nvar mu sync.Mutex\n", "state of the whole process"},
		{"pointer of the process", Constant(), "internal/cli/a.go", "package cli\nimport \"sync/atomic\"\nvar p atomic.Pointer[int]\n", "state of the whole process"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			f, err := Parse(c.path, []byte(c.src))
			if err != nil {
				t.Fatal(err)
			}
			expect(t, c.rule.Check([]File{f}), c.want)
		})
	}
}

// TestPlantedAcrossFiles plants an assignment in another file than the variable's.
func TestPlantedAcrossFiles(t *testing.T) {
	a, err := Parse("internal/cli/a.go", []byte("package cli\nvar n int\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse("internal/cli/b.go", []byte("package cli\nfunc f() {\n\tn = 1\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, Constant().Check([]File{a, b}), "b.go:3: package variable n is assigned to")
}

// TestPlantedDependency plants a chain from the front to a denied package.
func TestPlantedDependency(t *testing.T) {
	const front = Module + "/cmd/cognito-credhelper-front"
	f, err := Parse("internal/front/front.go", []byte("package front\n\nimport _ \"net/http\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	deps := []Dep{
		{"net/http", []string{"os"}},
		{Module + "/internal/front", []string{"net/http"}},
		{front, []string{Module + "/internal/front"}},
		{"os", nil},
	}
	expect(t, Deny(front, deps, denied, nil, []File{f}), "internal/front/front.go:3: the front must not link net/http ("+network+"): cmd/cognito-credhelper-front → internal/front → net/http")
	expect(t, Deny(front, []Dep{{front, []string{"os"}}, {"os", nil}}, denied, nil, nil), "")
	expect(t, Deny(front, []Dep{{front, []string{"net/netip"}}, {"net/netip", nil}}, denied, nil, nil), "")
	expect(t, Deny(front, []Dep{{front, []string{"log/slog"}}, {"log/slog", nil}}, denied, nil, nil), "must not link log/slog")
}

// TestPassedPackageHidesOnlyItsOwn plants a denied package behind a passed one, then beside it too.
func TestPassedPackageHidesOnlyItsOwn(t *testing.T) {
	const front, sys = Module + "/cmd/cognito-credhelper-front", "golang.org/x/sys/windows"
	deps := []Dep{{"net", nil}, {sys, []string{"net"}}, {"os", []string{sys}}, {front, []string{sys, "os"}}}
	expect(t, Deny(front, deps, denied, []string{sys}, nil), "")
	expect(t, Deny(front, deps, denied, nil, nil), "must not link net")
	deps[2].Imports = append(deps[2].Imports, "net")
	expect(t, Deny(front, deps, denied, []string{sys}, nil), "must not link net")
}

// TestPlantedStaleLine plants lines that forbid nothing.
func TestPlantedStaleLine(t *testing.T) {
	std, required := map[string]bool{"fmt": true}, map[string]bool{"example.org/a": true}
	for _, c := range []struct {
		line Denied
		want string
	}{
		{Denied{Path: "fmt"}, ""},
		{Denied{Path: "fnt"}, "names fnt, which is no package of the standard library"},
		{Denied{Path: "example.org/a", Module: "example.org/a"}, ""},
		{Denied{Path: "example.org/b", Module: "example.org/b"}, "go.mod no longer requires example.org/b"},
		{Denied{Path: "example.org/b", Module: "example.org/b", NotYet: true}, ""},
		{Denied{Path: "example.org/a", Module: "example.org/a", NotYet: true}, "requires example.org/a now"},
	} {
		expect(t, Stale([]Denied{c.line}, std, required), c.want)
	}
}

// TestPlantedReplace plants replace directives in a go.mod.
func TestPlantedReplace(t *testing.T) {
	expect(t, Replace("go.mod", []byte("module m\n\nreplace a => ../a\n")), "go.mod:3: no replace directives")
	expect(t, Replace("go.mod", []byte("module m\nreplace (\n\ta => ../a\n)\n")), "go.mod:3: no replace directives")
	expect(t, Replace("go.mod", []byte("module m\n// replace a => ../a\nrequire replace.example v1.0.0\n")), "")
}

// TestLoadSkips proves that fixtures, nested modules, and installed packages are not taken for our source.
func TestLoadSkips(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"go.mod": "module m\n", "a/a.go": "package a\n", "a/testdata/x.go": "package x\n", "node_modules/y.go": "package y\n",
		"nested/go.mod": "module n\n", "nested/n.go": "package n\n", ".hidden/h.go": "package h\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || files[0].Path != "a/a.go" || files[0].Package != "a" {
		t.Errorf("Load gave %v, want a/a.go alone", files)
	}
}

func load(t *testing.T) []File {
	t.Helper()
	files, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found %d files: this test looks at the wrong folder", len(files))
	}
	return files
}

func report(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		t.Errorf("%v", f)
	}
}

// expect wants one finding that contains want, or none.
func expect(t *testing.T, found []Finding, want string) {
	t.Helper()
	switch {
	case want == "" && len(found) > 0:
		t.Errorf("found %v, want nothing", found)
	case want != "" && (len(found) != 1 || !strings.Contains(found[0].String(), want)):
		t.Errorf("found %v, want one finding with %q", found, want)
	}
}

func listDeps(t *testing.T, goos, pkg string) []Dep {
	t.Helper()
	out := json.NewDecoder(bytes.NewReader(golang(t, goos, "list", "-deps", "-tags", "grpcnotrace", "-json=ImportPath,Imports", pkg)))
	var deps []Dep
	for {
		var d Dep
		switch err := out.Decode(&d); err {
		case nil:
			deps = append(deps, d)
		case io.EOF:
			return deps
		default:
			t.Fatal(err)
		}
	}
}

// golang runs the go command at the module's root, for another platform, and gives what it printed.
func golang(t *testing.T, goos string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}
