package tokencache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot/keyslottest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// flaky is a keyring that fails from its nth call on, as if the process had been killed there.
type flaky struct {
	keyslottest.Keyring
	mu    sync.Mutex
	calls int
	limit int // 0: never fails
}

var errFlaky = errors.New("the process would be dead by now")

func (f *flaky) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return f.limit > 0 && f.calls >= f.limit
}

func (f *flaky) Get(name string) (string, error) {
	if f.fails() {
		return "", errFlaky
	}
	return f.Keyring.Get(name)
}

func (f *flaky) Set(name, secret string) error {
	if f.fails() {
		return errFlaky
	}
	return f.Keyring.Set(name, secret)
}

func (f *flaky) Delete(name string) error {
	if f.fails() {
		return errFlaky
	}
	return f.Keyring.Delete(name)
}

// keyringStore has alice and bob signed in, with their key in a file, and a keyring to go to.
func keyringStore(t *testing.T) (store, *flaky) {
	if runtime.GOOS == "windows" {
		t.Skip("DPAPI comes before every keyring")
	}
	ring := &flaky{}
	folder := t.TempDir()
	slots := keyslot.OpenWith(folder, keyslot.Options{Keyring: ring})
	s := store{folder, slots, Open(folder, slots), alice.SessionID()}
	s.create(t, alice, sampleHot(), sampleCold)
	s.create(t, bobOf(alice), sampleHot(), sampleCold)
	t.Cleanup(func() {
		for _, slot := range []keyslot.Kind{keyslot.OS, keyslot.OSStrict} {
			if key, err := slots.Load(slot); err == nil {
				keyslottest.Forget(t, key.ID())
				key.Wipe()
			}
		}
	})
	return s, ring
}

func bobOf(i Identity) Identity {
	i.Username = "bob"
	return i
}

func (s store) wantWhole(t *testing.T, id string, slot keyslot.Kind) {
	t.Helper()
	got, cold, err := s.cache.LoadWhole(id)
	if err != nil {
		t.Fatalf("session %s: %v", id, err)
	}
	if slot != 0 && got.Slot != slot {
		t.Errorf("slot %v, want %v", got.Slot, slot)
	}
	if !bytes.Equal(cold, sampleCold) || got.Hot.Tokens.Access.Value.Reveal() != "access.token.sample" || len(got.Hot.Credentials) != 1 {
		t.Errorf("the session changed: %+v", got)
	}
}

func TestMigrateThereAndBack(t *testing.T) {
	s, _ := keyringStore(t)
	ids := []string{s.id, bobOf(alice).SessionID()}
	slices.Sort(ids)
	for _, to := range []keyslot.Kind{keyslot.OSStrict, keyslot.File, keyslot.OS, keyslot.OSStrict} {
		from, _ := s.cache.Slot(s.id)
		before := s.load(t)
		m, err := s.cache.Migrate(t.Context(), to)
		if err != nil || !slices.Equal(m.Moved, ids) || len(m.Already)+len(m.Failed)+len(m.Kept) > 0 || !slices.Equal(m.Dropped, []keyslot.Kind{from}) {
			t.Fatalf("to %v: %+v, %v", to, m, err)
		}
		for _, id := range ids {
			s.wantWhole(t, id, to)
		}
		if after := s.load(t); after.HotGeneration <= before.HotGeneration || after.ColdGeneration <= before.ColdGeneration {
			t.Errorf("generations %d, %d after %d, %d", after.HotGeneration, after.ColdGeneration, before.HotGeneration, before.ColdGeneration)
		}
		if _, err := s.slots.Load(from); !errors.Is(err, keyslot.ErrNoKey) {
			t.Errorf("the old key is still there: %v", err)
		}
		if again, err := s.cache.Migrate(t.Context(), to); err != nil || len(again.Moved) > 0 || len(again.Already) != 2 || len(again.Dropped) > 0 {
			t.Errorf("again: %+v, %v", again, err)
		}
	}
}

// A migration that ends at any step leaves every session readable, and a second one completes it.
func TestMigrateInterruptedAtEachKeyringCall(t *testing.T) {
	for _, from := range []keyslot.Kind{keyslot.File, keyslot.OSStrict} {
		to := keyslot.File
		if from == keyslot.File {
			to = keyslot.OSStrict
		}
		steps := 0
		for n := 1; ; n++ {
			s, ring := keyringStore(t)
			if _, err := s.cache.Migrate(t.Context(), from); err != nil {
				t.Fatal(err)
			}
			ring.calls, ring.limit = 0, n
			_, _ = s.cache.Migrate(t.Context(), to)
			done := ring.calls < n
			ring.limit = 0
			for _, id := range []string{s.id, bobOf(alice).SessionID()} {
				s.wantWhole(t, id, 0)
			}
			if m, err := s.cache.Migrate(t.Context(), to); err != nil || len(m.Failed) > 0 {
				t.Fatalf("step %d: %+v, %v", n, m, err)
			}
			s.wantWhole(t, s.id, to)
			if _, err := s.slots.Load(from); !errors.Is(err, keyslot.ErrNoKey) {
				t.Errorf("step %d: the old key was left: %v", n, err)
			}
			if done {
				steps = n - 1
				break
			}
		}
		t.Logf("from %v to %v: %d keyring calls, each failed once", from, to, steps)
		if steps < 3 {
			t.Errorf("only %d steps were tried", steps)
		}
	}
}

// What cannot be moved stays as it is, and so does the key that it needs.
func TestMigrateLeavesWhatItCannotRead(t *testing.T) {
	s, _ := keyringStore(t)
	bad := s.bytes(t)
	bad[len(bad)-1] ^= 1
	s.overwrite(t, bad)
	m, err := s.cache.Migrate(t.Context(), keyslot.OSStrict)
	if err != nil || len(m.Moved) != 1 || len(m.Failed) != 1 || len(m.Dropped) > 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	wantDamaged(t, m.Failed[s.id])
	if !bytes.Equal(s.bytes(t), bad) {
		t.Error("the damaged session was touched")
	}
	if _, err := s.slots.Load(keyslot.File); err != nil {
		t.Errorf("the key of a session that was not moved is gone: %v", err)
	}
	s.wantWhole(t, bobOf(alice).SessionID(), keyslot.OSStrict)
}

func TestMigrateTakesHostsAlong(t *testing.T) {
	s, _ := keyringStore(t)
	hosts := OpenHosts(s.folder, s.slots)
	i := HostIdentity("registry.example.com")
	store{s.folder, s.slots, hosts, i.SessionID()}.create(t, i, sampleHot(), sampleCold)
	if m, err := s.cache.Migrate(t.Context(), keyslot.OSStrict); err != nil || len(m.Moved) != 3 || len(m.Dropped) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	store{s.folder, s.slots, hosts, i.SessionID()}.wantWhole(t, i.SessionID(), keyslot.OSStrict)
}

// Tokens and secrets that another version keeps there may need the key.
func TestMigrateKeepsTheKeyOfWhatItDoesNotKnow(t *testing.T) {
	s, _ := keyringStore(t)
	if err := os.MkdirAll(filepath.Join(s.folder, "clients"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.folder, "clients", "abc"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := s.cache.Migrate(t.Context(), keyslot.OSStrict); err != nil || len(m.Moved) != 2 || len(m.Dropped) > 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMigrateToASlotThatDoesNotWork(t *testing.T) {
	s, ring := keyringStore(t)
	before := s.bytes(t)
	ring.limit = 1
	_, err := s.cache.Migrate(t.Context(), keyslot.OS)
	wantKind(t, err, token.Unavailable)
	if !bytes.Equal(s.bytes(t), before) {
		t.Error("the session was touched")
	}
}

func TestOneMigrationAtATime(t *testing.T) {
	s, ring := keyringStore(t)
	entered, goOn := make(chan struct{}), make(chan struct{})
	slots := keyslot.OpenWith(s.folder, keyslot.Options{Keyring: &halting{&ring.Keyring, entered, goOn, sync.Once{}}})
	done := make(chan error)
	go func() {
		_, err := Open(s.folder, slots).Migrate(t.Context(), keyslot.OSStrict)
		done <- err
	}()
	<-entered
	_, err := s.cache.Migrate(t.Context(), keyslot.File)
	wantKind(t, err, token.Unavailable)
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// halting is a keyring whose first call waits.
type halting struct {
	*keyslottest.Keyring
	entered, goOn chan struct{}
	once          sync.Once
}

func (h *halting) Get(name string) (string, error) {
	h.once.Do(func() {
		close(h.entered)
		<-h.goOn
	})
	return h.Keyring.Get(name)
}

// Readers that met the old file just before its key went find the new file.
func TestReadersDuringMigrations(t *testing.T) {
	s, ring := keyringStore(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			slots := keyslot.OpenWith(s.folder, keyslot.Options{Keyring: &ring.Keyring})
			cache := Open(s.folder, slots)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := cache.Load(s.id); err != nil {
					t.Errorf("a reader saw: %v", err)
					return
				}
			}
		})
	}
	for i := range 20 {
		to := keyslot.OSStrict
		if i%2 == 1 {
			to = keyslot.File
		}
		if _, err := s.cache.Migrate(t.Context(), to); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

// Entries of a header that a newer version wrote survive another key.
func TestMigrateKeepsUnknownHeaderEntries(t *testing.T) {
	s, _ := keyringStore(t)
	c, err := parseContainer(s.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.slots.Load(keyslot.File)
	if err != nil {
		t.Fatal(err)
	}
	hot, err := c.openHot(key)
	if err != nil {
		t.Fatal(err)
	}
	entriesOf := c.head[fixedSize : len(c.head)-checksumSize]
	next, err := parseHead(sealHead(2, 1, appendEntry(bytes.Clone(entriesOf), 99, "from tomorrow")))
	if err != nil {
		t.Fatal(err)
	}
	next.tail = []byte("tail from tomorrow")
	if err := errors.Join(next.sealCold(key, 5, sampleCold), next.sealHot(key, 7, hot)); err != nil {
		t.Fatal(err)
	}
	s.overwrite(t, next.encode())
	if m, err := s.cache.Migrate(t.Context(), keyslot.OSStrict); err != nil || len(m.Failed) > 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	s.wantWhole(t, s.id, keyslot.OSStrict)
	got, err := parseContainer(s.bytes(t))
	if err != nil || uint16At(got.head[len(magic):]) != 2 || string(got.tail) != "tail from tomorrow" || !bytes.Contains(got.head, []byte("from tomorrow")) {
		t.Errorf("lost in the move: %v", err)
	}
}

// A session whose key slot cannot be used is set aside by a login into another slot, not destroyed.
func TestUnavailableSlotIsSetAside(t *testing.T) {
	s, ring := keyringStore(t)
	if _, err := s.cache.Migrate(t.Context(), keyslot.OSStrict); err != nil {
		t.Fatal(err)
	}
	before := s.bytes(t)
	ring.limit = 1
	_, err := s.cache.Load(s.id)
	if wantKind(t, err, token.Unavailable); !errors.Is(err, keyslot.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if slot, err := s.cache.Slot(s.id); err != nil || slot != keyslot.OSStrict {
		t.Errorf("slot %v, %v", slot, err)
	}
	s.create(t, alice, sampleHot(), sampleCold)
	s.wantWhole(t, s.id, keyslot.File)
	aside, _ := filepath.Glob(s.path() + ".bad-*")
	if len(aside) != 1 {
		t.Fatalf("set aside: %v", aside)
	}
	if b, _ := os.ReadFile(aside[0]); !bytes.Equal(b, before) {
		t.Error("the session that could not be read was not kept")
	}
}
