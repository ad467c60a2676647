// Command obtain puts the client programs that are not on every machine into a folder: built from Debian's source
// packages, unpacked from Debian's packages, built from Go modules, or installed from npm. Nothing is installed into the
// system, and root is not needed.
//
// It prints a line per program: what it is and where it came from, or why it could not be had. A program that could not be
// had is no failure here; the tests that need it skip it by name, and ci/required.txt says which names must not be skipped.
// What an earlier run left is used again where its recipe is still the same.
//
//	obtain FOLDER          all of them; programs are linked into FOLDER/bin
//	obtain FOLDER NAME...  these
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// limit is for one program: a mirror that hangs must not hang a build.
const limit = 12 * time.Minute

// recipe is how one program is had.
type recipe struct {
	name string
	// text is all that decides what comes out; a change makes the program anew.
	text string
	// make puts the program and all that it needs below into, and gives the path to link to.
	make func(ctx context.Context, into string) (program string, err error)
	// version is the argument that makes the program say which it is.
	version []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: obtain FOLDER [NAME...]")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "obtain:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string, names []string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(folder, "bin"), 0o755); err != nil {
		return err
	}
	for _, r := range recipes() {
		if len(names) > 0 && !slices.Contains(names, r.name) {
			continue
		}
		version, err := r.obtain(ctx, folder)
		if err != nil {
			fmt.Printf("%-12s not to be had: %s\n", r.name, firstLine(err.Error()))
			continue
		}
		fmt.Printf("%-12s %s\n", r.name, version)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// obtain makes the program unless an earlier run made it by the same recipe, and gives what it says of itself.
func (r recipe) obtain(ctx context.Context, folder string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sum := sha256.Sum256([]byte(r.text))
	into := filepath.Join(folder, r.name+"-"+hex.EncodeToString(sum[:6]))
	link := filepath.Join(folder, "bin", r.name)
	if at, err := os.Readlink(link); err == nil && within(at, into) {
		if version, err := r.ask(ctx, link); err == nil {
			return version + " (kept)", nil
		}
	}
	if err := os.RemoveAll(into); err != nil {
		return "", err
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", err
	}
	program, err := r.make(ctx, into)
	if err == nil {
		err = relink(program, link)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(into))
	}
	return r.ask(ctx, link)
}

func within(path, folder string) bool {
	return strings.HasPrefix(path, folder+string(filepath.Separator))
}

// ask runs the program once: one that does not run was not had.
func (r recipe) ask(ctx context.Context, program string) (string, error) {
	cmd := exec.CommandContext(ctx, program, r.version...)
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull) // this machine's own may be one that OpenTofu warns of
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("it does not run: %w: %s", err, firstLine(string(out)))
	}
	return firstLine(string(out)), nil
}

func relink(program, link string) error {
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(program, link)
}

// command runs one program in dir and keeps what it said for the error.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, lastLines(string(out), 3))
	}
	return string(out), nil
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return first
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
