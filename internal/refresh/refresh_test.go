//go:build unix

package refresh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
)

// The test program is its own worker: started with detach.Argument, it serves as the files in its folder say.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == detach.Argument {
		if err := Serve(context.Background(), work); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// work answers with the job, then with what it found out about itself.
func work(ctx context.Context, job []byte, lock *os.File) []byte {
	if string(job) == "silent" {
		return nil
	}
	if rest, ok := bytes.CutPrefix(job, []byte("wait for ")); ok {
		for ctx.Err() == nil {
			if _, err := os.Stat(string(rest)); err == nil {
				return []byte("waited")
			}
			time.Sleep(time.Millisecond)
		}
	}
	report := append([]byte(nil), job...)
	sid, _ := unix.Getsid(0)
	if sid == os.Getpid() {
		report = append(report, " own-session"...)
	}
	if lock != nil {
		// Succeeds only on the very open file that has the lock, or on nobody's.
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			report = append(report, " locked"...)
		}
	}
	for _, fd := range []int{1, 2} {
		var here, null syscall.Stat_t
		if syscall.Fstat(fd, &here) == nil && syscall.Stat(os.DevNull, &null) == nil && here.Rdev == null.Rdev {
			report = append(report, " null"...)
		}
	}
	if _, ok := ctx.Deadline(); ok {
		report = append(report, " bounded"...)
	}
	return append(report, strings.Join(os.Args[1:], " ")...)
}

func locked(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return f
}

func self(t *testing.T) *detach.Worker {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return detach.New(path, []string{"HOME=/nowhere"})
}

func TestWorker(t *testing.T) {
	wait, err := self(t).Start(locked(t), []byte("job"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := wait(t.Context())
	if want := "job own-session locked null null bounded" + detach.Argument; err != nil || string(got) != want {
		t.Errorf("answer %q, %v; want %q", got, err, want)
	}
}

// The lock is never free between the caller's letting it go and the worker's end.
func TestLockGoesOver(t *testing.T) {
	lock := locked(t)
	gate := filepath.Join(t.TempDir(), "gate")
	wait, err := self(t).Start(lock, []byte("wait for "+gate))
	if err != nil {
		t.Fatal(err)
	}
	name := lock.Name()
	lock.Close()
	other, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("the lock is free while the worker works: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := wait(t.Context()); err != nil || string(got) != "waited" {
		t.Errorf("answer %q, %v", got, err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Error(err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	lock := locked(t)
	wait, err := self(t).Start(lock, []byte("wait for "+gate))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(lock.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// The worker goes on alone, and ends once its work is done: then the lock is free.
	if err := errors.Join(os.WriteFile(gate, nil, 0o600), syscall.Flock(int(other.Fd()), syscall.LOCK_EX)); err != nil {
		t.Fatal(err)
	}
}

func TestWorkerWithoutAnAnswer(t *testing.T) {
	wait, err := self(t).Start(locked(t), []byte("silent"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wait(t.Context()); !errors.Is(err, detach.ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
}

func TestNothingStarted(t *testing.T) {
	lock := locked(t)
	if _, err := detach.New(filepath.Join(t.TempDir(), "absent"), nil).Start(lock, []byte("job")); err == nil {
		t.Fatal("a program that is not there was started")
	}
	if _, err := lock.Seek(0, io.SeekStart); err != nil {
		t.Errorf("the lock is not the caller's any more: %v", err)
	}
}

// A program that somebody starts by hand with the hidden argument says what is wrong.
func TestByHand(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess(path, []string{path, detach.Argument}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := p.Wait()
	if err != nil || state.ExitCode() != 1 {
		t.Errorf("exit %v, %v", state, err)
	}
}
