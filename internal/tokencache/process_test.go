package tokencache

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// children are what this test binary does when a test starts it again under one of these names.
var children = map[string]func(cache *Cache, slots *keyslot.Slots, id string) error{
	"count": countOnce,
	"hold": func(c *Cache, _ *keyslot.Slots, id string) error {
		tx, err := c.Lock(context.Background(), id)
		if err != nil {
			return err
		}
		if err := tx.Record(Attempt{Work: "refresh", PID: os.Getpid(), Started: c.now()}); err != nil {
			return err
		}
		os.Stdout.WriteString("locked\n")
		io.Copy(io.Discard, os.Stdin) // until the test closes it or kills us
		return nil
	},
	"adopt": func(c *Cache, _ *keyslot.Slots, id string) error {
		tx, err := c.Adopt(id, os.NewFile(3, "lock"))
		if err != nil {
			return err
		}
		os.Stdout.WriteString("locked\n")
		io.Copy(io.Discard, os.Stdin)
		return tx.Unlock()
	},
	"save": func(c *Cache, _ *keyslot.Slots, id string) error {
		for {
			tx, err := c.Lock(context.Background(), id)
			if err != nil {
				return err
			}
			s, cold, err := tx.Load()
			if err != nil {
				return err
			}
			if err := errors.Join(tx.Preflight(), tx.Record(Attempt{Work: "refresh"}), tx.Save(s.Hot, cold), tx.Unlock()); err != nil {
				return err
			}
			os.Stdout.WriteString("saved\n")
		}
	},
	"create": func(c *Cache, slots *keyslot.Slots, name string) error {
		i := alice
		i.Username = name
		key, err := slots.Create(context.Background(), keyslot.File)
		if err != nil {
			return err
		}
		tx, err := c.Lock(context.Background(), i.SessionID())
		if err != nil {
			return err
		}
		defer tx.Unlock()
		return tx.Create(i, keyslot.File, key, sampleHot(), sampleCold)
	},
}

func countOnce(c *Cache, _ *keyslot.Slots, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tx, err := c.Lock(ctx, id)
	if err != nil {
		return err
	}
	defer tx.Unlock()
	s, cold, err := tx.Load()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(cold))
	if err != nil {
		return err
	}
	return errors.Join(tx.Preflight(), tx.Save(s.Hot, []byte(strconv.Itoa(n+1))))
}

func TestMain(m *testing.M) {
	if len(os.Args) == 4 {
		if child, ok := children[os.Args[1]]; ok {
			slots := keyslot.Open(os.Args[2])
			if err := child(Open(os.Args[2], slots), slots, os.Args[3]); err != nil {
				os.Stderr.WriteString(err.Error() + "\n")
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

func (s store) child(t *testing.T, name, argument string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, name, s.folder, argument)
	cmd.Stderr = os.Stderr
	return cmd
}

// holder starts a child that has the session's lock when this returns; let go ends it.
func (s store) startHolder(t *testing.T, cmd *exec.Cmd) (letGo func()) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { in.Close(); cmd.Wait() })
	t.Cleanup(end)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	return end
}

// The proof of the lock: each of 100 processes reads, adds one, and saves.
func TestHundredProcessesLoseNoUpdate(t *testing.T) {
	const processes = 100
	s := emptyStore(t)
	s.create(t, alice, sampleHot(), []byte("0"))
	var cmds []*exec.Cmd
	for range processes {
		cmd := s.child(t, "count", s.id)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	// Meanwhile a lock-free reader must never meet anything but a whole session.
	generation := uint64(0)
	for _, cmd := range cmds {
		now := s.load(t).HotGeneration
		if now < generation {
			t.Errorf("generation went from %d back to %d", generation, now)
		}
		generation = now
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	got, cold, err := s.lock(t).Load()
	if err != nil || string(cold) != strconv.Itoa(processes) || got.ColdGeneration != processes+1 || got.HotGeneration != processes+1 {
		t.Errorf("counted %s, generation %d, %v", cold, got.ColdGeneration, err)
	}
	s.onlyFiles(t, 2)
}

// onlyFiles checks that no temp file stayed.
func (s store) onlyFiles(t *testing.T, want int) {
	t.Helper()
	entries, err := os.ReadDir(s.cache.folder)
	if err != nil || len(entries) != want {
		t.Errorf("folder has %v, %v", entries, err)
	}
}

// H11: 100 processes create store, key, and a session each, at once: one key, everything readable.
func TestHundredProcessesCreateOneStore(t *testing.T) {
	const processes = 100
	s := emptyStore(t)
	var cmds []*exec.Cmd
	for i := range processes {
		cmd := s.child(t, "create", "user"+strconv.Itoa(i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	ids, err := s.cache.List()
	if err != nil || len(ids) != processes {
		t.Fatalf("%d sessions, %v", len(ids), err)
	}
	store, err := s.slots.Store()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		got, err := s.cache.Load(id)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.file.fields[tagStore]) != string(store[:]) {
			t.Error("a session names another store")
		}
	}
}

func TestKilledHolderLetsTheWaiterOn(t *testing.T) {
	s := newStore(t)
	cmd := s.child(t, "hold", s.id)
	s.startHolder(t, cmd)
	if _, ok, err := s.cache.TryLock(s.id); ok || err != nil {
		t.Fatalf("try: %v, %v", ok, err)
	}
	got, woken := make(chan error, 1), make(chan error, 1)
	go func() {
		tx, err := s.cache.Lock(context.Background(), s.id)
		if err == nil {
			err = tx.Unlock()
		}
		got <- err
	}()
	go func() { woken <- s.cache.Wait(context.Background(), s.id) }()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
	if err := <-woken; err != nil {
		t.Error(err)
	}
	a, ok := s.cache.LastAttempt(s.id, "refresh")
	if !ok || a.Outcome != Running || a.PID != cmd.Process.Pid {
		t.Errorf("attempt of the killed process: %+v, %v", a, ok)
	}
}

// H10, the part of the store: a holder that does not move is named, and nobody goes on without the lock.
func TestLockDeadlineNamesTheHolder(t *testing.T) {
	s := newStore(t)
	cmd := s.child(t, "hold", s.id)
	letGo := s.startHolder(t, cmd)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := s.cache.Lock(ctx, s.id)
	if e := wantKind(t, err, token.Unavailable); !strings.Contains(e.Message, "process "+strconv.Itoa(cmd.Process.Pid)+" ") {
		t.Errorf("message %q", e.Message)
	}
	canceled, stop := context.WithCancel(context.Background())
	stop()
	_, err = s.cache.Lock(canceled, s.id)
	wantKind(t, err, token.Interrupted)
	wantKind(t, s.cache.Wait(canceled, s.id), token.Interrupted)
	letGo()
	// The goroutine that waited for the first Lock must give the lock back when it gets it.
	tx := s.lock(t)
	tx.Unlock()
}

func TestLoginLockIsAnother(t *testing.T) {
	s := newStore(t)
	unlock, err := s.cache.LockLogin(context.Background(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	tx := s.lock(t) // does not wait for the login
	tx.Unlock()
	_, h, ok, err := s.cache.TryLockLogin(s.id)
	if ok || err != nil || h.PID != os.Getpid() || time.Since(h.Since) > time.Minute {
		t.Errorf("%+v, %v, %v", h, ok, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = s.cache.LockLogin(ctx, s.id)
	wantKind(t, err, token.Unavailable)
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = s.cache.LockLogin(context.Background(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// H3, in small: writers are killed at random moments; the session is always whole, the lock free, and the next one works.
func TestKilledWritersLoseNothing(t *testing.T) {
	s := newStore(t)
	for range 40 {
		cmd := s.child(t, "save", s.id)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// After one save at least it is somewhere in the next: where, the scheduler decides.
		if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
			t.Fatal(err)
		}
		for range rand.IntN(2000) {
			runtime.Gosched()
		}
		cmd.Process.Kill()
		cmd.Wait()
		s.load(t)
		tx := s.lock(t)
		if _, cold, err := tx.Load(); err != nil || string(cold) != string(sampleCold) {
			t.Fatalf("cold %q, %v", cold, err)
		}
		tx.Unlock()
	}
}
