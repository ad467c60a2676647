package tokencache

import (
	"bytes"
	"encoding/base32"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// # The spill file
//
// A session that was renewed and cannot be saved in its place, because the disk is full or sick, may be the only one that
// has a refresh token which Cognito still takes. It then goes, byte for byte as it would have been saved, to a folder on
// another disk. A spill counts where its header is the stored session's and its hot generation is higher: what was saved
// later is newer than any spill, whoever forgets to remove it. Being encrypted and bound like every session file, it needs
// no more trust than that.

// SpillTo names a private folder, on another disk where there is one, for sessions that cannot be saved in their place.
// Without it there are no spills. It is made when it is needed. Call it before the first use; it returns c.
func (c *Cache) SpillTo(folder string) *Cache {
	c.spill = folder
	return c
}

// SpilledError says that Save could not put the session in its place and put it into a spill file instead, where Newer and
// the next transaction find it. Err is why.
type SpilledError struct {
	Path string
	Err  error
}

// Error gives path and reason.
func (e *SpilledError) Error() string { return "saved as " + e.Path + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *SpilledError) Unwrap() error { return e.Err }

// Newer gives what was spilled after s was saved. It takes no lock, and costs one failed open where there is no spill: for
// callers whom s does not serve. A spill that cannot be trusted or read is none.
func (c *Cache) Newer(s *Session) (*Session, bool) {
	file, ok := c.spilled(s)
	if !ok {
		return nil, false
	}
	key, err := c.key(s)
	if err != nil {
		return nil, false
	}
	defer key.Wipe()
	return c.openSpill(s.ID, file, key)
}

// latest is load, or what was spilled after it.
func (c *Cache) latest(id string) (*Session, keyslot.Key, error) {
	s, key, err := c.load(id)
	if err != nil {
		return nil, key, err
	}
	if file, ok := c.spilled(s); ok {
		if newer, ok := c.openSpill(id, file, key); ok {
			s = newer
		}
	}
	return s, key, nil
}

// spilled finds the spill that counts beside s.
func (c *Cache) spilled(s *Session) (container, bool) {
	file, ok := c.readSpill(s.ID, keyslot.StoreID(s.file.fields[tagStore]))
	return file, ok && bytes.Equal(file.head, s.file.head) && file.hot.generation > s.HotGeneration
}

func (c *Cache) readSpill(id string, store keyslot.StoreID) (container, bool) {
	if c.spill == "" {
		return container{}, false
	}
	data, err := atomicfile.Read(c.spillPath(id, store), maxFile)
	if err != nil {
		return container{}, false
	}
	file, err := parseContainer(data)
	return file, err == nil
}

func (c *Cache) openSpill(id string, file container, key keyslot.Key) (*Session, bool) {
	s := sessionOf(id, file)
	s.Spilled = true
	plain, err := s.file.openHot(key)
	if err != nil {
		return nil, false
	}
	defer clear(plain)
	return s, s.decodeHot(plain) == nil
}

// spillPath has the store in its name: two stores may have a session of the same id.
func (c *Cache) spillPath(id string, store keyslot.StoreID) string {
	return filepath.Join(c.spill, id+"-"+strings.ToLower(base32.StdEncoding.EncodeToString(store[:]))[:idLength]+sessionSuffix)
}

// spillOver keeps data, a session file that could not be saved, and says where.
func (t *Tx) spillOver(data []byte, why error) error {
	if t.cache.spill == "" {
		return why
	}
	path := t.cache.spillPath(t.id, keyslot.StoreID(t.file.fields[tagStore]))
	if err := atomicfile.MakeFolder(t.cache.spill); err != nil {
		return why
	}
	if err := atomicfile.Write(path, data); err != nil {
		return why
	}
	return &SpilledError{path, why}
}

// WorkSettle is the work of saving a spilled session in its place, in the record of attempts.
const WorkSettle = "settle"

// settleEach is how often that is tried.
const settleEach = 10 * time.Second

// SettledLately reports whether a spilled session need not be tried to be saved again at now.
func SettledLately(last func(work string) (Attempt, bool), now time.Time) bool {
	a, ok := last(WorkSettle)
	age := now.Sub(a.Started)
	return ok && a.Outcome.Failed() && age >= 0 && age < settleEach
}

// Settle saves a spilled session, as it is, in its place, once the place can be written again. It does nothing where the
// session that this transaction loaded was not spilled.
func (t *Tx) Settle() error {
	switch {
	case t.lock == nil:
		return errUnlocked
	case !t.loaded:
		return errNotLoaded
	case !t.spilled:
		return nil
	}
	return t.commit(t.file.encode())
}

// dropSpill removes the session's spill: what is in its place now is newer, or is to be gone.
func (t *Tx) dropSpill(store keyslot.StoreID) error {
	t.spilled = false
	if t.cache.spill == "" {
		return nil
	}
	// Not durable, and need not be: a spill that comes back after a power cut is older than what was saved.
	if err := os.Remove(t.cache.spillPath(t.id, store)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
