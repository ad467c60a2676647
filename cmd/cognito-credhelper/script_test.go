package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs is where TestMain builds the real programs, once: alone/ has the complete program under its own name, pair/ the
// layout of make install, and apart/ that layout with a front of another version and without the small worker. pairfront/ and apartfront/ have these
// fronts without a core, for answers that must come from the front.
var programs string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "credhelper-transcripts-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		programs = dir
		return m.Run()
	}())
}

const module = "github.com/cognito-credhelper/cognito-credhelper"

func build(dir string) error {
	for _, p := range []struct {
		command, version string
		paths            []string
	}{
		{"cognito-credhelper", "1.0.0", []string{
			"alone/cognito-credhelper", "pair/libexec/cognito-credhelper/cognito-credhelper-core", "apart/libexec/cognito-credhelper/cognito-credhelper-core",
		}},
		{"cognito-credhelper-front", "1.0.0", []string{"pair/bin/cognito-credhelper", "pairfront/cognito-credhelper"}},
		{"cognito-credhelper-front", "0.9.0", []string{"apart/bin/cognito-credhelper", "apartfront/cognito-credhelper"}},
		{"cognito-credhelper-worker", "1.0.0", []string{"pair/libexec/cognito-credhelper/cognito-credhelper-worker"}},
		{"cognito-sandbox", "1.0.0", []string{"tools/cognito-sandbox"}},
	} {
		// Stripped, as they are shipped: it also links faster.
		cmd := exec.Command("go", "build", "-tags", "testclock,grpcnotrace", "-ldflags", "-s -w -X "+module+"/internal/version.number="+p.version,
			"-o", filepath.Join(dir, p.paths[0]), module+"/cmd/"+p.command)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", p.paths[0], err, out)
		}
		for _, path := range p.paths[1:] {
			if err := link(filepath.Join(dir, p.paths[0]), filepath.Join(dir, path)); err != nil {
				return err
			}
		}
	}
	return buildClients(filepath.Join(dir, "tools"))
}

// link gives a program another name, by which it finds what stands beside that.
func link(program, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.Link(program, name)
}

// Every transcript holds for the complete program alone, for the pair, and for a pair whose front is another version, where the
// complete program is the worker.
func TestScripts(t *testing.T) {
	for mode, bin := range map[string][2]string{
		"alone": {"alone", "alone"}, "pair": {"pair/bin", "pairfront"}, "apart": {"apart/bin", "apartfront"},
	} {
		t.Run(mode, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:                 "testdata/script",
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
				Setup: func(env *testscript.Env) error {
					return setup(env, filepath.Join(programs, bin[0]), filepath.Join(programs, bin[1]))
				},
				Condition: func(name string) (bool, error) { return condition(name, mode) },
				Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
					"sandbox":    sandboxCommand,
					"storm":      storm,
					"code":       code,
					"says":       says,
					"terminal":   terminal,
					"damage":     damage,
					"session":    session,
					"interrupt":  interrupt,
					"smalldisk":  smalldisk,
					"fill":       fill,
					"readonly":   readonly,
					"client":     client,
					"answerer":   answerer,
					"sent":       sent,
					"triggers":   triggers,
					"profile":    profile,
					"devicekey":  devicekey,
					"hostserver": hostserver,
					"piped":      piped,
				},
			})
		})
	}
}

// condition knows the mode, "root", and "have:PROGRAM".
func condition(name, mode string) (bool, error) {
	switch name {
	case "alone", "pair", "apart":
		return name == mode, nil
	case "root":
		return os.Geteuid() == 0, nil
	}
	if program, ok := strings.CutPrefix(name, "have:"); ok {
		_, err := exec.LookPath(program)
		return err == nil || exists(filepath.Join(programs, "tools", program)), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// rustupHome is where the toolchains of whoever runs this are.
func rustupHome() string {
	if folder := os.Getenv("RUSTUP_HOME"); folder != "" {
		return folder
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".rustup")
}

// setup gives a script a home of its own and nothing of the caller's environment that could lead elsewhere.
func setup(env *testscript.Env, bin, front string) error {
	env.Values[testOf{}] = env.T()
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"PATH":                      strings.Join([]string{bin, filepath.Join(programs, "tools"), os.Getenv("PATH")}, string(os.PathListSeparator)),
		"HOME":                      home,
		"RUSTUP_HOME":               rustupHome(), // else rustup's cargo finds no toolchain
		"USERPROFILE":               home,
		"BIN":                       bin,
		"FRONT":                     front, // answers from here are the front's own, where there is one
		"CONFIG":                    filepath.Join(home, ".aws", "config"),
		"STATE":                     filepath.Join(home, ".local", "state", "cognito-credhelper"),
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_PAGER":                 "",
		// No session bus, so that no test touches the keyring of whoever runs it.
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(env.WorkDir, "no-bus"),
		// The profile index believes in files only that are 2 s old, so a script begins a little ahead.
		"COGNITO_CREDHELPER_TEST_CLOCK": "10s",
	} {
		env.Setenv(name, value)
	}
	env.Defer(func() { removeState(filepath.Join(home, ".local")) })
	return nil
}

// removeState removes the state of a script that has ended. A renewal that nobody waits for may end after it, and write its history
// while the folder is being removed.
func removeState(folder string) {
	for range 100 {
		if os.RemoveAll(folder) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
