package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

const module = "github.com/cognito-credhelper/cognito-credhelper"

// binaries are paths of built programs; complete, sandbox, and pair are "" where they are not wanted. pair is a front with
// the complete program and the worker beside it, all with a clock that can be set.
// naive is another helper: one that renews as most do.
type binaries struct{ hello, front, complete, sandbox, pair, naive string }

// target is one program to build.
type target struct {
	path *string
	file string // below the folder of programs
	pkg  string
	tags string
}

// build makes the programs as a release does. Each is copied once more: what the linker wrote and a copy of it differ by some
// ten percent in start-up, by their place in the page cache.
func build(folder string, whole bool) (b binaries, err error) {
	var core, worker string
	targets := []target{
		{&b.hello, "hello", "/bench/hello", "grpcnotrace"},
		{&b.front, "cognito-credhelper", "/cmd/cognito-credhelper-front", "grpcnotrace"},
	}
	if whole {
		targets = append(targets,
			target{&b.complete, "complete", "/cmd/cognito-credhelper", "grpcnotrace"},
			target{&b.naive, "naive", "/bench/naive", ""},
			target{&b.sandbox, "cognito-sandbox", "/cmd/cognito-sandbox", "grpcnotrace"},
			target{&b.pair, "pair/cognito-credhelper", "/cmd/cognito-credhelper-front", "grpcnotrace,testclock"},
			target{&core, "pair/cognito-credhelper-core", "/cmd/cognito-credhelper", "grpcnotrace,testclock"},
			target{&worker, "pair/cognito-credhelper-worker", "/cmd/cognito-credhelper-worker", "grpcnotrace,testclock"})
	}
	linked := filepath.Join(folder, "linked")
	for _, t := range targets {
		*t.path = filepath.Join(folder, "bin", filepath.FromSlash(t.file))
		if runtime.GOOS == "windows" {
			*t.path += ".exe"
		}
		if err := os.MkdirAll(filepath.Dir(*t.path), 0o700); err != nil {
			return b, err
		}
		c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-tags", t.tags, "-ldflags", "-s -w", "-o", linked, module+t.pkg)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return b, fmt.Errorf("building %s: %w\n%s", t.pkg, err, out)
		}
		if err := copyFile(*t.path, linked); err != nil {
			return b, err
		}
	}
	return b, os.Remove(linked)
}

// copyFile writes in one piece: like install(1), which has large ones, and unlike the linker, it leaves few and large folios in the
// page cache.
func copyFile(to, from string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o700)
}
