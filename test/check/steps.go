package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// step is one thing that must pass.
type step struct {
	name string
	what string
	run  func(report string) result
}

// result is how a step ended. A step with a reason to skip did nothing.
type result struct {
	output string
	err    error
	skip   string
	show   bool // the output, also where it passed
}

// target is a platform that we build for.
type target struct{ goos, goarch string }

var targets = []target{
	{"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

// nested are the modules below this one. They have go.mod files of their own so that they never weigh on the product's.
var nested = []string{"tools", "tools/protoc", "test/awssdk", "test/gcpsdk", "test/powercut", "test/clients", "test/clients/tools"}

// steps is the whole list, quick ones first. work is a folder for what they build; cc is a C compiler, or "".
func steps(work, cc string) []step {
	list := []step{
		{"gofmt", "formatting", func(string) result { return formatted() }},
		{"tidy", "go.mod and go.sum say what is used", func(string) result { return tidy() }},
		{"vet", "go vet, this platform", func(string) result { return vet() }},
		{"staticcheck", "staticcheck, pinned in tools/go.mod", func(string) result { return staticcheck(work) }},
		{"generated", "generated files are what make generate writes", func(string) result { return generated() }},
	}
	list = append(list, testSteps(cc)...)
	list = append(list, step{
		"awssdk", "the Go SDK program",
		func(report string) result {
			return command(testEnv(report), "go", "-C", "test/awssdk", "test", "./...")
		},
	})
	list = append(list, step{
		"clients", "adapters through the hosts' own libraries",
		func(report string) result {
			return all(
				func() result { return command(nil, "go", "-C", "test/clients", "vet", "./...") },
				func() result {
					return command(testEnv(report), "go", "-C", "test/clients", "test", "./library", "./obtain", "./run")
				},
			)
		},
	})
	list = append(list, step{
		"gcpsdk", "the Go program for Google Cloud",
		func(report string) result {
			return command(testEnv(report), "go", "-C", "test/gcpsdk", "test", "./...")
		},
	})
	list = append(list, step{"install", "make install, and the front finds its core", func(string) result { return install(work) }})
	for _, t := range targets {
		list = append(list, step{"cross-" + t.goos + "-" + t.goarch, "builds and vets for " + t.goos + "/" + t.goarch, func(string) result { return cross(t, work) }})
	}
	return list
}

// apart are steps that take minutes, or change what is compiled: they run only when they are asked for by name.
func apart() []step {
	return []step{
		{"torture", "sessions that cannot be lost", func(report string) result {
			// Not kept from an earlier run, and shown: what was struck, how often, and what was lost.
			return all(
				func() result {
					return shown(command(testEnv(report), "go", "test", "-count=1", "-v", "-tags=torture", "-timeout=20m", "./test/torture/..."))
				},
				func() result {
					return shown(command(testEnv(report), "go", "test", "-count=1", "-v", "-run=^TestInterleavings$", "./internal/tokensource", "-rapid.checks=10000"))
				},
			)
		}},
		{"mutants", "each guard taken away turns a named test red", func(report string) result {
			return shown(command(testEnv(report), "go", "run", "./test/mutants"))
		}},
	}
}

// shown keeps the output of a step that passed, too, without what only says that a test began or went on.
func shown(r result) result {
	var lines []string
	for line := range strings.Lines(r.output) {
		if !strings.HasPrefix(line, "=== ") {
			lines = append(lines, line)
		}
	}
	r.output, r.show = strings.Join(lines, ""), true
	return r
}

// install installs into a folder of its own and runs what stands there.
func install(work string) result {
	if runtime.GOOS == "windows" {
		return result{skip: "make install is for Unix"}
	}
	root := filepath.Join(work, "root")
	return all(
		func() result {
			return command(nil, "make", "-s", "install", "DESTDIR="+root, "PREFIX=/usr", "BIN="+filepath.Join(work, "bin"), "VERSION=9.8.7")
		},
		func() result { return tells("9.8.7", filepath.Join(root, "usr/bin/cognito-credhelper"), "version") },
		func() result {
			return tells("9.8.7", filepath.Join(root, "usr/libexec/cognito-credhelper/cognito-credhelper-worker"), "--version")
		},
	)
}

// tells runs a program and looks for a version in what it says.
func tells(version, program, arg string) result {
	r := command(nil, program, arg)
	if r.err == nil && !strings.Contains(r.output, version) {
		r.err = errors.New(program + " does not say which version was built")
	}
	return r
}

// command runs one command at the module's root, without input.
func command(env []string, name string, args ...string) result {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return result{output: out.String(), err: fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)}
	}
	return result{output: out.String()}
}

// all runs one thing after the other until one fails. What is to be shown of them is shown together.
func all(runs ...func() result) result {
	var done result
	for _, run := range runs {
		r := run()
		if r.err != nil {
			return r
		}
		if r.show {
			done.output, done.show = done.output+r.output, true
		}
	}
	return done
}

// formatted asks gofmt about every Go file that git knows or would add.
func formatted() result {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.go")
	listed, err := cmd.Output()
	if err != nil {
		return result{err: fmt.Errorf("listing files with git: %w", err)}
	}
	return judgeFormat(presentFiles(strings.Split(strings.TrimRight(string(listed), "\x00"), "\x00")))
}

// presentFiles drops what git still lists but is deleted.
func presentFiles(names []string) []string {
	var present []string
	for _, n := range names {
		if _, err := os.Lstat(n); err == nil {
			present = append(present, n)
		}
	}
	return present
}

func judgeFormat(files []string) result {
	if len(files) == 0 {
		return result{err: errors.New("found no Go files: run this at the root of the repository")}
	}
	r := command(nil, "gofmt", append([]string{"-l"}, files...)...)
	if r.err == nil && r.output != "" {
		r.err = errors.New("these files are not formatted; run: gofmt -w FILE")
	}
	return r
}

func tidy() result {
	runs := []func() result{func() result { return command(nil, "go", "mod", "tidy", "-diff") }}
	for _, dir := range nested {
		runs = append(runs, func() result { return command(nil, "go", "-C", dir, "mod", "tidy", "-diff") })
	}
	return all(runs...)
}

func vet() result {
	return all(
		func() result { return command(nil, "go", "vet", "./...") },
		// Transcripts run programs built with testclock; torture has the tests that need minutes, root, or FUSE.
		func() result { return command(nil, "go", "vet", "-tags=testclock,torture", "./...") },
		func() result { return command(nil, "go", "-C", "test/awssdk", "vet", "./...") },
		func() result { return command(nil, "go", "-C", "test/gcpsdk", "vet", "./...") },
		func() result { return command(nil, "go", "-C", "test/powercut", "vet", "./...") },
	)
}

// generated compares the code of the plugin's wire with what the pinned generators write now.
func generated() result {
	return command(nil, "go", "-C", "tools/protoc", "run", ".", "-check", "../..", "plugin/proto/v1/cognito_credhelper.proto")
}

// staticcheck builds the pinned program and runs it: `go run` would do the same and hide its exit code.
func staticcheck(work string) result {
	program := filepath.Join(work, "staticcheck")
	return all(
		func() result {
			return command(nil, "go", "-C", "tools", "build", "-o", program, "honnef.co/go/tools/cmd/staticcheck")
		},
		func() result { return command(nil, program, "-tags=torture", "./...") },
	)
}

// testArgs bounds a test binary's time: a test that hangs must say where. Nothing is taken from an earlier run: the transcripts build the
// programs that they run, which go test knows nothing of.
var testArgs = []string{"-count=1", "-timeout=15m", "./..."}

// testSteps runs each test once: under the race detector where that can be built, else without.
func testSteps(cc string) []step {
	const what = "unit tests, transcripts, fuzz seeds"
	if cc == "" {
		return []step{
			{"tests", what, func(report string) result {
				return command(testEnv(report), "go", append([]string{"test"}, testArgs...)...)
			}},
			{"race", "the same under the race detector", func(string) result { return result{skip: "no C compiler works here"} }},
		}
	}
	return []step{{"tests", what + ", under the race detector", func(report string) result { return race(report, cc) }}}
}

func race(report, cc string) result {
	r := command(append(testEnv(report), "CGO_ENABLED=1"), "go", append([]string{"test", "-race"}, testArgs...)...)
	if r.err == nil {
		r.err = skips.Note(report, true, "race", cc)
	}
	return r
}

func testEnv(report string) []string { return []string{skips.Variable + "=" + report} }

// compiler gives the C compiler that the race detector needs, or "" when there is none that compiles.
func compiler() string {
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		return ""
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return ""
	}
	cmd := exec.Command(words[0], append(words[1:], "-x", "c", "-fsyntax-only", "-")...)
	// A compiler without the C library's headers is common on small machines, and as good as none.
	cmd.Stdin = strings.NewReader("#include <stdlib.h>\n")
	if cmd.Run() != nil {
		return ""
	}
	return words[0]
}

func cross(t target, work string) result {
	env := []string{"GOOS=" + t.goos, "GOARCH=" + t.goarch, "CGO_ENABLED=0"}
	dir := filepath.Join(work, t.goos+"-"+t.goarch) + string(filepath.Separator)
	return all(
		func() result { return command(env, "go", "build", "-tags=grpcnotrace", "-o", dir, "./cmd/...") },
		func() result { return command(env, "go", "vet", "-tags=grpcnotrace", "./...") },
	)
}
