package tokencache

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Migration says what Migrate did.
type Migration struct {
	Moved   []string         // ids of sessions that now have a key of the new slot
	Already []string         // ids of those that had one
	Failed  map[string]error // by id: what could not be moved; it is as it was
	Dropped []keyslot.Kind   // slots whose keys are forgotten, because nothing needs them any more
	// Kept are slots whose keys stay although nothing was found that needs them, with the reason.
	Kept map[keyslot.Kind]error
}

// lockWait is how long Migrate waits for one session's lock: longer than a renewal takes.
const lockWait = 30 * time.Second

// Migrate gives every session of the store, and every token that OpenHosts keeps, a key of the slot to, and then forgets the keys that nothing needs any more.
//
// A crash at any point loses nothing: the new key is durable before a session uses it; each session file is replaced whole,
// under its lock, and read back; an old key goes last, and only where no session names its slot. Whoever runs it again goes
// on. The error says why it did not begin; what happens to single sessions is in the Migration.
func (c *Cache) Migrate(ctx context.Context, to keyslot.Kind) (Migration, error) {
	m := Migration{Failed: map[string]error{}, Kept: map[keyslot.Kind]error{}}
	path := filepath.Join(filepath.Dir(c.folder), "migrate.lock")
	lock, ok, err := filelock.Try(path)
	if err != nil {
		return m, fileError("locking the store", err)
	}
	if !ok {
		return m, &token.Error{Kind: token.Unavailable, Message: "another migration of the store is in flight", Next: "try again when it has ended"}
	}
	defer filelock.Unlock(lock)
	key, err := c.slots.Create(ctx, to)
	if err != nil {
		return m, err
	}
	defer key.Wipe()
	for _, each := range c.whole() {
		ids, err := each.List()
		if err != nil {
			return m, err
		}
		for _, id := range ids {
			m.add(id)(each.move(ctx, id, to, key))
		}
	}
	c.dropUnused(ctx, to, &m)
	return m, ctx.Err()
}

// whole is everything of the store that has a key.
func (c *Cache) whole() []*Cache {
	return []*Cache{c, OpenHosts(filepath.Dir(c.folder), c.slots)}
}

// add notes what became of a session.
func (m *Migration) add(id string) func(moved bool, err error) {
	return func(moved bool, err error) {
		switch {
		case errors.Is(err, ErrNoSession): // logged out meanwhile
		case err != nil:
			m.Failed[id] = err
		case moved:
			m.Moved = append(m.Moved, id)
		default:
			m.Already = append(m.Already, id)
		}
	}
}

// move gives one session the key and reads it back.
func (c *Cache) move(ctx context.Context, id string, to keyslot.Kind, key keyslot.Key) (moved bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	tx, err := c.Lock(ctx, id)
	if err != nil {
		return false, err
	}
	defer tx.Unlock()
	s, cold, err := tx.Load()
	clear(cold)
	if err != nil {
		return false, err
	}
	if s.Slot == to && s.Key == key.ID() {
		return false, nil
	}
	return true, tx.rekey(to, key)
}

var errReadBack = errors.New("what was read back is not what was written")

// rekey encrypts both records anew, as they stand, under another key, and checks the file that came of it.
func (t *Tx) rekey(slot keyslot.Kind, key keyslot.Key) error {
	hot, err := t.file.openHot(t.key)
	if err != nil {
		return err
	}
	defer clear(hot)
	cold, err := t.file.openCold(t.key)
	if err != nil {
		return err
	}
	defer clear(cold)
	next, err := t.file.withKey(slot, key.ID())
	if err != nil {
		return err
	}
	if err := next.sealCold(key, t.file.cold.generation+1, cold); err != nil {
		return err
	}
	if err := next.sealHot(key, t.file.hot.generation+1, hot); err != nil {
		return err
	}
	if err := t.commit(next.encode()); err != nil {
		return err
	}
	t.unload()
	return t.readBack(key, hot, cold)
}

// readBack compares the file on disk with what it must say.
func (t *Tx) readBack(key keyslot.Key, hot, cold []byte) error {
	s, err := t.cache.read(t.id)
	if err != nil {
		return err
	}
	hotBack, err := s.file.openHot(key)
	if err != nil {
		return t.cache.damaged(t.id, err)
	}
	defer clear(hotBack)
	coldBack, err := s.file.openCold(key)
	if err != nil {
		return t.cache.damaged(t.id, err)
	}
	defer clear(coldBack)
	if !bytes.Equal(hot, hotBack) || !bytes.Equal(cold, coldBack) {
		return t.cache.damaged(t.id, errReadBack)
	}
	return nil
}

// withKey is the container with another slot and key in its header and no records yet. Entries of the header that a newer
// version wrote stay.
func (c *container) withKey(slot keyslot.Kind, key keyslot.KeyID) (container, error) {
	var b []byte
	entries(c.head[fixedSize:len(c.head)-checksumSize], func(tag uint16, value, whole []byte) bool {
		switch tag {
		case tagSlot:
			b = appendEntry(b, tag, []byte{byte(slot)})
		case tagKey:
			b = appendEntry(b, tag, key[:])
		default:
			b = append(b, whole...)
		}
		return true
	})
	next, err := parseHead(sealHead(uint16At(c.head[len(magic):]), uint16At(c.head[len(magic)+2:]), b))
	next.tail = c.tail
	return next, err
}

// dropUnused forgets the keys of other slots than to that no file names.
func (c *Cache) dropUnused(ctx context.Context, to keyslot.Kind, m *Migration) {
	for _, k := range keyslot.Kinds() {
		if k == to || k == keyslot.Given {
			continue
		}
		_, err := c.slots.Load(k)
		if errors.Is(err, keyslot.ErrNoKey) {
			continue
		}
		if err == nil {
			var dropped bool
			if dropped, err = c.slots.Drop(ctx, k, func() (bool, error) { return c.uses(k) }); dropped {
				m.Dropped = append(m.Dropped, k)
			}
		}
		if err != nil && !errors.Is(err, keyslot.ErrUnavailable) {
			m.Kept[k] = err
		}
	}
}

// uses reports whether anything in the store has its key in slot k. What cannot be read, and what this version does not
// know, counts: its key may be that one.
func (c *Cache) uses(k keyslot.Kind) (bool, error) {
	for _, each := range c.whole() {
		ids, err := each.List()
		if err != nil {
			return true, err
		}
		for _, id := range ids {
			s, err := each.read(id)
			if err != nil && !errors.Is(err, ErrNoSession) || err == nil && s.Slot == k {
				return true, nil
			}
		}
	}
	others, err := os.ReadDir(filepath.Join(filepath.Dir(c.folder), "clients"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return len(others) > 0, err
}
