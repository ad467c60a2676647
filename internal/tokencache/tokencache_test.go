package tokencache

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

var alice = Identity{Region: "eu-central-1", UserPoolID: "eu-central-1_Sample", ClientID: "sampleclient", Username: "alice"}

var day = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)

func life(at time.Time) token.Lifetime {
	return token.Lifetime{Issued: at, Expires: at.Add(time.Hour), Boot: 42 * time.Second}
}

func sampleHot() Hot {
	return Hot{
		Tokens: token.Set{
			Access: token.Token{Value: token.NewSecret("access.token.sample"), Lifetime: life(day)},
			ID:     token.Token{Value: token.NewSecret("id.token.sample"), Lifetime: life(day)},
		},
		Credentials: []Credentials{{Record: "pool/role", AWS: token.AWSCredentials{
			AccessKeyID: "ASIASAMPLE", SecretAccessKey: token.NewSecret("secret"), SessionToken: token.NewSecret("session"),
			AccountID: "123456789012", Lifetime: life(day),
		}}},
		Rejected: []Rejected{{Hash: [32]byte{1, 2, 3}, At: day}},
		Dead:     &Death{Reason: "revoked", At: day},
	}
}

var sampleCold = []byte(`{"refresh_token":"canary-refresh"}`)

// store is a state folder with alice signed in.
type store struct {
	folder string
	slots  *keyslot.Slots
	cache  *Cache
	id     string
}

func emptyStore(t testing.TB) store {
	t.Helper()
	folder := t.TempDir()
	slots := keyslot.Open(folder)
	return store{folder, slots, Open(folder, slots), alice.SessionID()}
}

func newStore(t testing.TB) store {
	t.Helper()
	s := emptyStore(t)
	s.create(t, alice, sampleHot(), sampleCold)
	return s
}

func (s store) path() string { return filepath.Join(s.folder, "sessions", s.id+".ses") }

func (s store) lockPath() string { return filepath.Join(s.folder, "sessions", s.id+".lock") }

func (s store) create(t testing.TB, i Identity, hot Hot, cold []byte) {
	t.Helper()
	key, err := s.slots.Create(context.Background(), keyslot.File)
	if err != nil {
		t.Fatal(err)
	}
	tx := s.lockID(t, i.SessionID())
	if err := tx.Create(i, keyslot.File, key, hot, cold); err != nil {
		t.Fatal(err)
	}
	if err := tx.Unlock(); err != nil {
		t.Fatal(err)
	}
}

func (s store) lock(t testing.TB) *Tx { t.Helper(); return s.lockID(t, s.id) }

func (s store) lockID(t testing.TB, id string) *Tx {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tx, err := s.cache.Lock(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Unlock() })
	return tx
}

func (s store) load(t testing.TB) *Session {
	t.Helper()
	got, err := s.cache.Load(s.id)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s store) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s store) overwrite(t testing.TB, b []byte) {
	t.Helper()
	if err := os.WriteFile(s.path(), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, kind token.Kind) *token.Error {
	t.Helper()
	var e *token.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error %v, want kind %d", err, kind)
	}
	return e
}

func wantDamaged(t testing.TB, err error) {
	t.Helper()
	var d *DamagedError
	if !errors.As(err, &d) {
		t.Fatalf("error %v, want a DamagedError", err)
	}
	wantKind(t, err, token.LoginNeeded)
}

func TestSessionIDSeparatesFields(t *testing.T) {
	ids := map[string]Identity{}
	for _, i := range []Identity{
		{}, alice,
		{Region: "a", UserPoolID: "b"}, {Region: "ab"}, {UserPoolID: "ab"}, {Endpoint: "ab"}, {ClientID: "ab"}, {Username: "ab"},
		{Region: "a_b", UserPoolID: "c"}, {Region: "a", UserPoolID: "b_c"},
	} {
		id := i.SessionID()
		if !validID(id) {
			t.Errorf("%q is not a valid id", id)
		}
		if other, ok := ids[id]; ok {
			t.Errorf("%+v and %+v have the same id", i, other)
		}
		ids[id] = i
	}
}

func TestLoadGivesWhatCreateTook(t *testing.T) {
	s := newStore(t)
	got := s.load(t)
	if got.ID != s.id || got.Identity != alice || got.Slot != keyslot.File || got.HotGeneration != 1 || got.ColdGeneration != 1 {
		t.Errorf("session %+v", got)
	}
	if !reflect.DeepEqual(got.Hot, sampleHot()) {
		t.Errorf("hot %+v\nwant %+v", got.Hot, sampleHot())
	}
	_, cold, err := s.lock(t).Load()
	if err != nil || !bytes.Equal(cold, sampleCold) {
		t.Errorf("cold %q, %v", cold, err)
	}
	for _, secret := range []string{"canary-refresh", "access.token.sample", "secret"} {
		if bytes.Contains(s.bytes(t), []byte(secret)) {
			t.Errorf("%q is readable in the file", secret)
		}
	}
}

func TestLoadOfNothing(t *testing.T) {
	s := emptyStore(t)
	_, err := s.cache.Load(s.id)
	if !errors.Is(err, ErrNoSession) || token.KindOf(err) != token.LoginNeeded {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(s.folder); len(entries) != 0 {
		t.Errorf("a load made %v", entries)
	}
	if _, ok := s.cache.LastAttempt(s.id, "refresh"); ok {
		t.Error("an attempt in an empty store")
	}
	if err := s.cache.Wait(context.Background(), s.id); err != nil {
		t.Errorf("wait: %v", err)
	}
	if ids, err := s.cache.List(); len(ids) != 0 || err != nil {
		t.Errorf("list %v, %v", ids, err)
	}
}

func TestIDsCannotLeaveTheFolder(t *testing.T) {
	s := emptyStore(t)
	for _, id := range []string{"", "../../etc/passwd", strings.Repeat("A", idLength), strings.Repeat("a", idLength-1) + "/", strings.Repeat("a", 200)} {
		if _, err := s.cache.Load(id); token.KindOf(err) != token.BadProfile {
			t.Errorf("load %q: %v", id, err)
		}
		if _, err := s.cache.Lock(context.Background(), id); token.KindOf(err) != token.BadProfile {
			t.Errorf("lock %q: %v", id, err)
		}
	}
}

func TestSaveCopiesWhatIsNotGiven(t *testing.T) {
	s := newStore(t)
	before, _ := parseContainer(s.bytes(t))
	tx := s.lock(t)
	if _, _, err := tx.Load(); err != nil {
		t.Fatal(err)
	}
	hot := sampleHot()
	hot.Dead = nil
	if err := tx.Save(hot, nil); err != nil {
		t.Fatal(err)
	}
	after, err := parseContainer(s.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(after.head, before.head) || !bytes.Equal(after.cold.box, before.cold.box) || after.cold.generation != 1 {
		t.Error("the header or the cold record changed")
	}
	if after.hot.generation != 2 || bytes.Equal(after.hot.box[:12], before.hot.box[:12]) {
		t.Error("the hot record has an old generation or nonce")
	}
	if err := tx.Save(hot, []byte("new")); err != nil {
		t.Fatal(err)
	}
	got, cold, err := tx.Load()
	if err != nil || string(cold) != "new" || got.HotGeneration != 3 || got.ColdGeneration != 2 || got.Hot.Dead != nil {
		t.Errorf("%+v %q %v", got, cold, err)
	}
}

func TestSaveNeedsALoadUnderTheSameLock(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	if err := tx.Save(sampleHot(), nil); !errors.Is(err, errNotLoaded) {
		t.Errorf("save without load: %v", err)
	}
	if _, _, err := tx.Load(); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	if err := tx.Save(sampleHot(), nil); !errors.Is(err, errUnlocked) {
		t.Errorf("save after unlock: %v", err)
	}
	if err := tx.Unlock(); err != nil {
		t.Errorf("second unlock: %v", err)
	}
	for name, call := range map[string]func() error{
		"load":      func() error { _, _, err := tx.Load(); return err },
		"preflight": tx.Preflight,
		"record":    func() error { return tx.Record(Attempt{}) },
		"create":    func() error { return tx.Create(alice, keyslot.File, keyslot.Key{}, Hot{}, nil) },
		"forget":    tx.Forget,
		"set aside": func() error { _, err := tx.SetAside(); return err },
	} {
		if err := call(); !errors.Is(err, errUnlocked) {
			t.Errorf("%s after unlock: %v", name, err)
		}
	}
}

func TestCreateReplacesAndCountsOn(t *testing.T) {
	s := newStore(t)
	s.create(t, alice, Hot{}, []byte("second"))
	got := s.load(t)
	if got.HotGeneration != 2 || got.ColdGeneration != 2 || got.Hot.Dead != nil {
		t.Errorf("%+v", got)
	}
	tx := s.lock(t)
	other := alice
	other.Username = "bob"
	key, _ := s.slots.Load(keyslot.File)
	if err := tx.Create(other, keyslot.File, key, Hot{}, nil); !errors.Is(err, errIdentity) {
		t.Errorf("create under another's lock: %v", err)
	}
	key.Wipe()
	if err := tx.Create(alice, keyslot.File, keyslot.Key{}, Hot{}, nil); err == nil {
		t.Error("create without a key succeeded")
	}
	if again := s.load(t); again.HotGeneration != 2 {
		t.Errorf("refused creates changed the session: %+v", again)
	}
}

func TestForget(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	for range 2 { // the second finds nothing, which is no error
		if err := tx.Forget(); err != nil {
			t.Fatal(err)
		}
	}
	tx.Unlock()
	if _, err := s.cache.Load(s.id); !errors.Is(err, ErrNoSession) {
		t.Errorf("after forget: %v", err)
	}
	if _, err := os.Stat(s.lockPath()); err != nil {
		t.Errorf("the lock file: %v", err)
	}
}

func TestPreflightIsUsedAndRemoved(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	if _, _, err := tx.Load(); err != nil {
		t.Fatal(err)
	}
	temps := func() []string {
		m, _ := filepath.Glob(filepath.Join(s.folder, "sessions", ".*.tmp-*"))
		return m
	}
	if err := errors.Join(tx.Preflight(), tx.Preflight()); err != nil {
		t.Fatal(err)
	}
	if m := temps(); len(m) != 1 {
		t.Fatalf("temp files %v", m)
	}
	prepared, _ := os.Stat(temps()[0])
	if prepared.Size() < room {
		t.Errorf("only %d bytes of room", prepared.Size())
	}
	if err := tx.Save(sampleHot(), nil); err != nil {
		t.Fatal(err)
	}
	if saved, _ := os.Stat(s.path()); !os.SameFile(saved, prepared) {
		t.Error("save did not use the prepared file")
	}
	if err := tx.Preflight(); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	if m := temps(); len(m) != 0 {
		t.Errorf("temp files left: %v", m)
	}
}

func TestOldestCredentialsGoFirst(t *testing.T) {
	s := newStore(t)
	hot := sampleHot()
	hot.Credentials = nil
	for i := range maxCredentials + 3 {
		at := day.Add(time.Duration((i*8)%(maxCredentials+3)) * time.Minute) // not in order
		hot.Credentials = append(hot.Credentials, Credentials{Record: at.String(), AWS: token.AWSCredentials{Lifetime: life(at)}})
	}
	tx := s.lock(t)
	tx.Load()
	if err := tx.Save(hot, nil); err != nil {
		t.Fatal(err)
	}
	kept := s.load(t).Hot.Credentials
	if len(kept) != maxCredentials {
		t.Fatalf("%d kept", len(kept))
	}
	for _, c := range kept {
		if c.AWS.Lifetime.Issued.Before(day.Add(3 * time.Minute)) {
			t.Errorf("%s is older than one that went", c.Record)
		}
	}
	// Whatever does not fit must not keep a rotated refresh token from being saved.
	hot.Credentials = hot.Credentials[:0]
	for i := range 8 {
		at := day.Add(time.Duration(i) * time.Minute)
		hot.Credentials = append(hot.Credentials, Credentials{Record: strings.Repeat("r", 300<<10), AWS: token.AWSCredentials{Lifetime: life(at)}})
	}
	if err := tx.Save(hot, []byte("rotated")); err != nil {
		t.Fatal(err)
	}
	got, cold, err := tx.Load()
	if err != nil || string(cold) != "rotated" || len(got.Hot.Credentials) != 3 || !got.Hot.Credentials[2].AWS.Lifetime.Issued.Equal(day.Add(7*time.Minute)) {
		t.Errorf("%d credentials, cold %q, %v", len(got.Hot.Credentials), cold, err)
	}
}

func TestListIsSortedAndShowsSessionsOnly(t *testing.T) {
	s := newStore(t)
	bob := alice
	bob.Username = "bob"
	s.create(t, bob, Hot{}, nil)
	for _, name := range []string{"notes.ses", s.id + ".ses.bad-20260101T000000Z", "." + s.id + ".ses.tmp-0123456789abcdef"} {
		os.WriteFile(filepath.Join(s.folder, "sessions", name), nil, 0o600)
	}
	want := []string{alice.SessionID(), bob.SessionID()}
	slices.Sort(want)
	if got, err := s.cache.List(); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// What a newer version added must survive a Save of this one: in the header, in the hot record, in its entries, and behind
// the records.
func TestUnknownPartsSurviveASave(t *testing.T) {
	s := newStore(t)
	key, err := s.slots.Load(keyslot.File)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseContainer(s.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Clone(c.head[fixedSize : len(c.head)-checksumSize])
	fields = appendEntry(fields, 900, "header of tomorrow")
	c.head = sealHead(2, 1, fields)
	c.tail = []byte("tail of tomorrow")
	hot := sampleHot()
	inside := token.NewSecret(string(appendEntry(nil, 901, "inside")))
	hot.Credentials[0].extra, hot.Rejected[0].extra, hot.Dead.extra = inside, inside, inside
	extra := token.NewSecret(string(appendEntry(appendEntry(nil, 902, "first"), 903, "second")))
	if err := c.sealCold(key, 1, sampleCold); err != nil {
		t.Fatal(err)
	}
	if err := c.sealHot(key, 1, encodeHot(hot, extra)); err != nil {
		t.Fatal(err)
	}
	s.overwrite(t, c.encode())

	tx := s.lock(t)
	loaded, _, err := tx.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Save(loaded.Hot, []byte("next")); err != nil {
		t.Fatal(err)
	}
	after, err := parseContainer(s.bytes(t))
	if err != nil || !bytes.Equal(after.head, c.head) || !bytes.Equal(after.tail, c.tail) {
		t.Errorf("header or tail changed: %v", err)
	}
	again := s.load(t)
	if !reflect.DeepEqual(again.Hot, hot) || !again.extra.Equal(extra) {
		t.Errorf("hot entries changed: %+v, %q", again.Hot, again.extra)
	}
}

// P7: no verb of fmt shows a secret of a session or of a transaction, not even of what a newer version put there.
func TestPrintingShowsNoSecret(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	loaded, _, err := tx.Load()
	if err != nil {
		t.Fatal(err)
	}
	loaded.extra = token.NewSecret("canary-extra")
	loaded.Hot.Credentials[0].extra = loaded.extra
	tx.extra = loaded.extra
	for _, value := range []any{loaded, *loaded, loaded.Hot, loaded.Hot.Credentials, tx, *tx} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%c", "%t"} {
			shown := fmt.Sprintf(verb, value)
			for _, secret := range []string{"canary", "access.token", "id.token", hex.EncodeToString([]byte("canary"))} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s of %T shows %s", verb, value, secret)
				}
			}
		}
	}
}

// The warm path: two small files and one opening of a box.
func BenchmarkLoad(b *testing.B) {
	s := newStore(b)
	for b.Loop() {
		if _, err := s.cache.Load(s.id); err != nil {
			b.Fatal(err)
		}
	}
}
