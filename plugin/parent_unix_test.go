//go:build unix

package plugin

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
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
