package tokencache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Tx is the only door to writing: it holds the session's lock until Unlock, after which every method fails. Not safe for
// concurrent use.
type Tx struct {
	cache  *Cache
	id     string
	lock   lockFile // nil after Unlock
	handed bool     // File was called: a child may hold the lock now

	loaded  bool
	spilled bool      // what was loaded is a spill
	file    container // as on disk
	extra   token.Secret
	key     keyslot.Key
	pending pending
}

// Lock waits for the session's lock until ctx ends; the error then names the holder's pid, and is of kind
// token.Unavailable after a deadline, token.Interrupted after a cancellation.
func (c *Cache) Lock(ctx context.Context, id string) (*Tx, error) {
	path, err := c.path(id, lockSuffix)
	if err != nil {
		return nil, err
	}
	f, err := c.at.lock(ctx, path)
	if err != nil {
		return nil, c.lockFailure(id, lockSuffix, err)
	}
	return c.begin(id, f), nil
}

// TryLock does not wait; ok is false when another process holds the lock.
func (c *Cache) TryLock(id string) (tx *Tx, ok bool, err error) {
	path, err := c.path(id, lockSuffix)
	if err != nil {
		return nil, false, err
	}
	f, ok, err := c.at.tryLock(path)
	if err != nil {
		return nil, false, c.lockFailure(id, lockSuffix, err)
	}
	if !ok {
		return nil, false, nil
	}
	return c.begin(id, f), true, nil
}

// Adopt continues with a lock that another process of ours took and handed over as f, which must be the session's lock
// file by device and inode, and locked. After an error f is still the caller's to close.
func (c *Cache) Adopt(id string, f *os.File) (*Tx, error) {
	path, err := c.path(id, lockSuffix)
	if err != nil {
		return nil, err
	}
	if err := filelock.Inherited(f, path); err != nil {
		return nil, c.lockFailure(id, lockSuffix, err)
	}
	return c.begin(id, diskLock{f}), nil
}

func (c *Cache) begin(id string, f lockFile) *Tx {
	stamp(f, c.now())
	return &Tx{cache: c, id: id, lock: f}
}

// File is the locked descriptor, to be handed to a child. The lock lives as long as any copy of it; from now on Unlock only
// closes this copy, because the lock is the child's to let go.
func (t *Tx) File() *os.File {
	if t.lock == nil {
		return nil
	}
	t.handed = true
	return t.lock.file()
}

// Load reads the session anew, with its cold record, and from its spill where there is one. cold is the plaintext of the
// cold record; the caller wipes it. Errors are those of Cache.Load.
func (t *Tx) Load() (s *Session, cold []byte, err error) {
	if t.lock == nil {
		return nil, nil, errUnlocked
	}
	t.unload()
	s, key, err := t.cache.latest(t.id)
	if err != nil {
		return nil, nil, err
	}
	if cold, err = s.file.openCold(key); err != nil {
		key.Wipe()
		return nil, nil, t.cache.damaged(t.id, err)
	}
	t.loaded, t.spilled, t.file, t.extra, t.key = true, s.Spilled, s.file, s.extra, key
	return s, cold, nil
}

func (t *Tx) unload() {
	t.key.Wipe()
	t.loaded, t.spilled, t.file, t.extra, t.key = false, false, container{}, token.Secret{}, keyslot.Key{}
}

// room is how much a session may grow from one version to the next without asking the disk again: new tokens, new
// credentials.
const room = 64 << 10

// Preflight writes, pads, and syncs the temp file that the next Save will use, so that a full disk is known before the
// server is asked. The error is then of kind token.Unavailable.
func (t *Tx) Preflight() error {
	if t.lock == nil {
		return errUnlocked
	}
	if t.pending != nil {
		return nil
	}
	size := len(t.file.head) + len(t.file.hot.box) + len(t.file.cold.box) + len(t.file.tail) + room
	pending, err := t.cache.at.prepare(t.path(), min(size, maxFile))
	if err != nil {
		return fileError("preparing to save the session", err)
	}
	t.pending = pending
	return nil
}

// Create makes or replaces the whole session; Save needs a Load after it. It refuses to replace what a newer version wrote
// and what is unsafe; what cannot be read (damaged, another data key, a key slot that cannot be used) it sets aside first.
func (t *Tx) Create(i Identity, slot keyslot.Kind, key keyslot.Key, hot Hot, cold []byte) error {
	if t.lock == nil {
		return errUnlocked
	}
	if i.SessionID() != t.id {
		return errIdentity
	}
	store, err := t.cache.slots.Store()
	if err != nil {
		return err
	}
	hotBefore, coldBefore, err := t.makeWay()
	if err != nil {
		return err
	}
	if spill, ok := t.cache.readSpill(t.id, store); ok { // newer than any spill, should it come back
		hotBefore = max(hotBefore, spill.hot.generation)
	}
	t.unload()
	next, err := parseHead(newHead(store, slot, key.ID(), i))
	if err != nil {
		return err
	}
	if err := next.sealCold(key, coldBefore+1, cold); err != nil {
		return err
	}
	if err := next.sealWithin(maxFile, key, hotBefore+1, hot, token.Secret{}); err != nil {
		return err
	}
	return t.commit(next.encode())
}

// makeWay clears the way for a new session and tells the generations of the old one.
func (t *Tx) makeWay() (hot, cold uint64, err error) {
	s, key, err := t.cache.load(t.id)
	switch {
	case err == nil:
		key.Wipe()
		return s.HotGeneration, s.ColdGeneration, nil
	case errors.Is(err, ErrNoSession):
		return 0, 0, nil
	case closed(err):
		_, err = t.setAside()
		return 0, 0, err
	default:
		return 0, 0, err
	}
}

// Save writes a new hot record, and a new cold one unless cold is nil; what is not given is copied as it stands. The
// session must have been loaded in this transaction: what was read before the lock may be old. Where credentials do not
// fit, the oldest are left out. A *SpilledError says that the session is kept, but not in its place. After an error Save
// may be called again.
func (t *Tx) Save(hot Hot, cold []byte) error { return t.save(hot, cold, t.extra) }

// Reduce is Save for a session that is over: nothing of it stays but hot and cold, not even what a newer version added.
func (t *Tx) Reduce(hot Hot, cold []byte) error { return t.save(hot, cold, token.Secret{}) }

func (t *Tx) save(hot Hot, cold []byte, extra token.Secret) error {
	if t.lock == nil {
		return errUnlocked
	}
	if !t.loaded {
		return errNotLoaded
	}
	next := t.file
	if cold != nil {
		if err := next.sealCold(t.key, next.cold.generation+1, cold); err != nil {
			return err
		}
	}
	if err := next.sealWithin(maxFile, t.key, next.hot.generation+1, hot, extra); err != nil {
		return err
	}
	// Also when the commit fails: a second try that gives no cold record must copy this one, not the one before it.
	t.file = next
	data := next.encode()
	if err := t.commit(data); err != nil {
		return t.spillOver(data, err)
	}
	return nil
}

// commit makes data the session, with the temp file of Preflight if there is one.
func (t *Tx) commit(data []byte) error {
	pending := t.pending
	t.pending = nil
	var err error
	if pending != nil {
		err = pending.Commit(data)
	} else {
		err = t.cache.at.write(t.path(), data)
	}
	if err != nil {
		return fileError("saving the session", err)
	}
	if file, err := parseHead(data); err == nil {
		_ = t.dropSpill(keyslot.StoreID(file.fields[tagStore])) // one that stays is older than what was saved
	}
	// What killed processes left. It does not matter if this fails: the next Save tries again.
	_ = t.cache.at.sweep(t.cache.folder)
	return nil
}

// Forget deletes the session file (never the lock file). A session that is not there is no error; a damaged one is set
// aside; one that a newer version wrote, or that is unsafe, is left alone, with the error that says so.
func (t *Tx) Forget() error {
	if t.lock == nil {
		return errUnlocked
	}
	t.unload()
	if store, err := t.cache.slots.Store(); err == nil {
		if err := t.dropSpill(store); err != nil { // first: what is forgotten must not come back
			return fileError("forgetting the session", err)
		}
	}
	_, err := t.cache.read(t.id)
	var damaged *DamagedError
	switch {
	case errors.Is(err, ErrNoSession):
		return nil
	case errors.As(err, &damaged):
		_, err = t.setAside()
		return err
	case err != nil:
		return err
	}
	if err := t.cache.at.remove(t.path()); err != nil {
		return fileError("forgetting the session", err)
	}
	return nil
}

// SetAside renames a session file that cannot be read, because it is damaged or its data key cannot be had, to
// <id>.ses.bad-<time> and returns its new path. At most three such files of a session are kept. It checks first that the
// session cannot be read and fails when it can.
func (t *Tx) SetAside() (moved string, err error) {
	_, cold, err := t.Load()
	clear(cold)
	switch {
	case err == nil:
		return "", errReadable
	case errors.Is(err, ErrNoSession), !closed(err):
		return "", err
	}
	return t.setAside()
}

// closed reports whether an error of Load says that a session will never be readable, or not while its key slot cannot be
// used. Neither is a reason to destroy it.
func closed(err error) bool {
	return token.KindOf(err) == token.LoginNeeded || errors.Is(err, keyslot.ErrUnavailable)
}

// asideKept is how many files that were set aside a session keeps.
const asideKept = 3

func (t *Tx) setAside() (string, error) {
	prefix := t.path() + ".bad-"
	at := t.cache.now().UTC()
	to := prefix + at.Format(asideTime)
	for exists(to) { // two in one tick of the clock
		at = at.Add(time.Nanosecond)
		to = prefix + at.Format(asideTime)
	}
	if err := atomicfile.Rename(t.path(), to); err != nil {
		return "", fileError("setting the session aside", err)
	}
	t.pruneAside(filepath.Base(prefix))
	return to, nil
}

// asideTime sorts by age.
const asideTime = "20060102T150405.000000000Z"

// pruneAside removes the oldest, only after the new one has its name. A failure costs disk space and nothing else.
func (t *Tx) pruneAside(prefix string) {
	listed, err := os.ReadDir(t.cache.folder) // sorted by name, so by age
	if err != nil {
		return
	}
	aside := slices.DeleteFunc(listed, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), prefix) })
	for len(aside) > asideKept {
		os.Remove(filepath.Join(t.cache.folder, aside[0].Name()))
		aside = aside[1:]
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Unlock lets the lock go and removes the temp file of a Preflight that no Save used. It is idempotent.
func (t *Tx) Unlock() error {
	if t.lock == nil {
		return nil
	}
	if t.pending != nil {
		t.pending.Abort()
		t.pending = nil
	}
	t.unload()
	lock := t.lock
	t.lock = nil
	if t.handed {
		return lock.leave()
	}
	return lock.unlock()
}

func (t *Tx) path() string { return filepath.Join(t.cache.folder, t.id+sessionSuffix) }
