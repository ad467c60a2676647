//go:build unix

package plugin

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The watch sees that the process which started this one was killed. This test program is the one that watches, a shell its
// parent.
func TestParentWatch(t *testing.T) {
	const variable = "PARENT_WATCH_TEST"
	if os.Getenv(variable) != "" {
		gone, forget := parentGone()
		defer forget()
		fmt.Println("watching")
		select {
		case <-gone:
			fmt.Println("gone")
		case <-time.After(10 * watchEvery):
			fmt.Println("nothing")
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("/bin/sh", "-c", `"$0" -test.run '^TestParentWatch$' & wait`, self)
	shell.Env = append(os.Environ(), variable+"=1")
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "watching" {
		t.Errorf("it said %q", lines.Text())
	}
	if err := shell.Process.Kill(); err != nil {
		t.Error(err)
	}
	if !lines.Scan() || lines.Text() != "gone" {
		t.Errorf("after its parent was killed it said %q", lines.Text())
	}
	for lines.Scan() { // until it has ended
	}
	_ = shell.Wait()
}

// Whose reader has closed its end is unheard; also Node's hosts, whose pipes are sockets, are. A host that has read nothing yet,
// or keeps a file in place of a pipe, hears.
func TestUnheard(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := os.NewFile(uintptr(pair[0]), "theirs"), os.NewFile(uintptr(pair[1]), "ours")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []*os.File{write, ours, file, null, nil} {
		if unheard(out) {
			t.Errorf("%v is taken for unheard", out)
		}
	}
	read.Close()
	theirs.Close()
	for _, out := range []*os.File{write, ours} {
		if !unheard(out) {
			t.Errorf("%v is taken for heard", out)
		}
	}
	for _, f := range []*os.File{write, ours, file, null} {
		f.Close()
	}
}
