//go:build unix

package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	// What TestMain builds: go test keeps no result of before it changed.
	_ "github.com/cognito-credhelper/cognito-credhelper/internal/cli"
	_ "github.com/cognito-credhelper/cognito-credhelper/internal/front"
)

// programs is the folder where TestMain builds the programs, once: the front with the complete program beside it, both with
// a clock that can be set.
var programs string

func TestMain(m *testing.M) {
	if code, done := asAnother(); done {
		os.Exit(code)
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "credhelper-torture-")
		if err == nil {
			defer os.RemoveAll(dir)
			dir, err = filepath.EvalSymlinks(dir) // the kernel's names for what lies in it
		}
		if err == nil {
			err = build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		programs = dir
		return m.Run()
	}())
}

const module = "github.com/cognito-credhelper/cognito-credhelper"

func build(dir string) error {
	for _, p := range []struct{ command, name string }{
		{"cognito-credhelper-front", "cognito-credhelper"},
		{"cognito-credhelper", "cognito-credhelper-core"},
		{"cognito-credhelper-worker", "cognito-credhelper-worker"},
	} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "testclock,grpcnotrace", "-o", filepath.Join(dir, p.name), module+"/cmd/"+p.command)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", p.command, err, out)
		}
	}
	return nil
}
