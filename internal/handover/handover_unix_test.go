//go:build unix

package handover

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain is both sides: with the variable set, this binary is the complete program, which tells what it took over.
func TestMain(m *testing.M) {
	if os.Getenv(Variable) == "" {
		os.Exit(m.Run())
	}
	s, ok := Take(os.Getenv, os.Unsetenv)
	if !ok {
		os.Stdout.WriteString("nothing")
		os.Exit(0)
	}
	report := s.FrontVersion
	if s.Lock != nil {
		report += " lock " + closeOnExec(s.Lock)
	}
	if s.Replay != nil {
		b, _ := io.ReadAll(s.Replay)
		report += " replay " + closeOnExec(s.Replay.(*os.File)) + " " + string(b)
	}
	if s.Answer != nil {
		b, _ := io.ReadAll(s.Answer)
		report += " answer " + closeOnExec(s.Answer.(*os.File)) + " " + string(b)
	}
	if s.Resumed {
		report += " resumed"
	}
	os.Stdout.WriteString(report + " left=" + os.Getenv(Variable))
	os.Exit(0)
}

func closeOnExec(f *os.File) string {
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC != 0 {
		return "cloexec"
	}
	return "open"
}

// child runs the other side with extra descriptors from 3 on.
func child(t *testing.T, value string, extra ...*os.File) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), Variable+"="+value)
	c.ExtraFiles = extra
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestTakeAcrossExec(t *testing.T) {
	lock, err := os.Create(filepath.Join(t.TempDir(), "s.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	held, err := Hold(t.TempDir(), []byte("consumed bytes"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	answer, err := Hold(t.TempDir(), []byte("job and answer"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	o := Offer{FrontVersion: "1.0", Lock: 3, Replay: 4, Resumed: true, Answer: 5}
	if got := child(t, o.Encode(), lock, held, answer); got != "1.0 lock cloexec replay cloexec consumed bytes answer cloexec job and answer resumed left=" {
		t.Error(got)
	}
}

func TestTakeRefusesOtherDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	o := Offer{FrontVersion: "1.0", Lock: 3, Replay: None, Answer: None}
	if got := child(t, o.Encode(), r); got != "nothing" {
		t.Errorf("a pipe was taken as a lock: %s", got)
	}
	o = Offer{FrontVersion: "1.0", Lock: None, Replay: None, Answer: 3}
	if got := child(t, o.Encode(), r); got != "nothing" {
		t.Errorf("a pipe was taken as a file with an answer: %s", got)
	}
	o.Answer = 199 // this program may itself have been started with a descriptor 3 that goes on to its children
	if got := child(t, o.Encode()); got != "nothing" {
		t.Errorf("a descriptor that was not handed over was taken: %s", got)
	}
}

func TestOwnDescriptorsAreNotTaken(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "own"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if inherited(int(f.Fd())) {
		t.Error("a descriptor of this process counts as inherited")
	}
	fd, err := Inherit(f)
	if err != nil || !inherited(fd) {
		t.Errorf("after Inherit it does not: %v", err)
	}
}

func TestHoldInFile(t *testing.T) {
	folder := t.TempDir()
	big := strings.Repeat("x", 1<<20)
	f, err := holdInFile(folder, []byte(big))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("it has a name: %v", left)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != big {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := holdInFile(filepath.Join(folder, "missing"), nil); err == nil {
		t.Error("no error without a folder")
	}
}
