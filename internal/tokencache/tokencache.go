// Package tokencache keeps sessions in files that are never lost, never half written, and never readable by others.
//
// It guarantees a lock-free Load, and writes only inside a transaction (Tx) that holds the session's lock. A file is always
// the old or the new version; what a newer version of this program wrote is kept or left alone; what is damaged is set
// aside, not deleted. It never talks to a server and never decides whether something is fresh.
// Safe for many processes and goroutines on one machine; not on network file systems.
package tokencache

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Identity is what makes a session: which user of which app client at which endpoint.
type Identity struct {
	Endpoint   string // endpoint override in canonical form; "" for AWS's own
	Region     string
	UserPoolID string
	ClientID   string
	Username   string // cognito_username (or another user's, by --username); "" when the profile names nobody
}

// idLength is the length of a session id: 130 bits of the hash.
const idLength = 26

// SessionID is the file name stem of a session: lower-case base32 of a hash over the length-prefixed fields and the format.
func (i Identity) SessionID() string {
	b := []byte("cognito-credhelper session\x01")
	for _, field := range []string{i.Endpoint, i.Region, i.UserPoolID, i.ClientID, i.Username} {
		b = appendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	sum := sha256.Sum256(b)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:idLength]
}

// Hot is what answers warm callers.
type Hot struct {
	Tokens      token.Set
	Credentials []Credentials // at most 32; the oldest goes first
	Rejected    []Rejected    // tokens that a host said were refused; at most 32; the oldest goes first
	// Dead says that the refresh token is of no use any more; nil for a live session.
	Dead *Death
}

// Credentials are AWS credentials and the key of what made them.
type Credentials struct {
	Record string
	AWS    token.AWSCredentials
	extra  token.Secret // what a newer version added to this entry, as it stood; it may be a secret
}

// Rejected is the hash of a token that a host rejected, and when.
type Rejected struct {
	Hash  [32]byte
	At    time.Time
	extra token.Secret
}

// IsRejected reports whether a host said that it was refused the token with this SHA-256.
func (h *Hot) IsRejected(hash [32]byte) bool {
	return slices.ContainsFunc(h.Rejected, func(r Rejected) bool { return r.Hash == hash })
}

// Death is the tombstone of a session.
type Death struct {
	Reason string // one sentence
	At     time.Time
	extra  token.Secret
}

// Session is one session file, read.
type Session struct {
	ID             string
	Identity       Identity
	Slot           keyslot.Kind
	Key            keyslot.KeyID // which key of the slot
	HotGeneration  uint64
	ColdGeneration uint64
	Hot            Hot
	Spilled        bool // it is not in its place yet: Tx.Settle

	file  container    // as read, for a rewrite that loses nothing
	extra token.Secret // entries of the hot record that a newer version put there
}

// Cache is the store of one state folder. Safe for concurrent use.
type Cache struct {
	folder string // of the sessions
	spill  string // see SpillTo; "" for none
	slots  *keyslot.Slots
	at     place
	now    func() time.Time
}

// Open names the state folder; nothing on disk is touched.
func Open(folder string, slots *keyslot.Slots) *Cache {
	return &Cache{folder: filepath.Join(folder, "sessions"), slots: slots, at: &disk{}, now: time.Now}
}

// HostIdentity is the identity under which a tool's own token for a host is kept (OpenHosts). authority is host[:port].
func HostIdentity(authority string) Identity { return Identity{Endpoint: "https://" + authority} }

// OpenHosts names the store of tokens that tools gave us to keep, one for each host (HostIdentity): the same files in
// another folder. The token is Hot.Tokens.Access, the tool's own document the cold record.
func OpenHosts(folder string, slots *keyslot.Slots) *Cache {
	return &Cache{folder: filepath.Join(folder, "hosts"), slots: slots, at: &disk{}, now: time.Now}
}

// Load reads the hot record without a lock. A session that is not there gives ErrNoSession; other errors carry a token.Kind
// (damaged: LoginNeeded and a *DamagedError, unsafe owner or mode: BadProfile, newer format: BadProfile, another or a
// missing data key: LoginNeeded). It changes nothing on disk, whatever it finds.
func (c *Cache) Load(id string) (*Session, error) {
	s, key, err := c.load(id)
	key.Wipe()
	return s, err
}

// LoadWhole is Load with the plaintext of the cold record, which the caller wipes. Unlike Load, it looks for a spill.
func (c *Cache) LoadWhole(id string) (s *Session, cold []byte, err error) {
	s, key, err := c.latest(id)
	if err != nil {
		return nil, nil, err
	}
	defer key.Wipe()
	if cold, err = s.file.openCold(key); err != nil {
		return nil, nil, c.damaged(id, err)
	}
	return s, cold, nil
}

// Slot says where the key of a session is, which needs no key. Errors are those of Load.
func (c *Cache) Slot(id string) (keyslot.Kind, error) {
	s, err := c.read(id)
	if err != nil {
		return 0, err
	}
	return s.Slot, nil
}

// load gives the key, too, where the error is nil.
func (c *Cache) load(id string) (*Session, keyslot.Key, error) {
	none := keyslot.Key{}
	s, key, err := c.readWithKey(id)
	if err != nil {
		return nil, none, err
	}
	plain, err := s.file.openHot(key)
	if err == nil {
		err = s.decodeHot(plain)
		clear(plain)
	}
	if err != nil {
		key.Wipe()
		return nil, none, c.damaged(id, err)
	}
	return s, key, nil
}

// rereads bounds how often a reader follows migrations that go on while it reads.
const rereads = 10

// readWithKey reads the file and finds its key. Where the key is gone, the session may have been given another one between
// the two (Migrate): it is read again for as long as it names another key than before.
func (c *Cache) readWithKey(id string) (*Session, keyslot.Key, error) {
	s, err := c.read(id)
	if err != nil {
		return nil, keyslot.Key{}, err
	}
	for range rereads {
		key, err := c.key(s)
		if token.KindOf(err) != token.LoginNeeded {
			return s, key, err
		}
		again, readErr := c.read(id)
		if readErr != nil || again.Key == s.Key {
			return s, key, err
		}
		s = again
	}
	key, err := c.key(s)
	return s, key, err
}

// key is the one that the session names.
func (c *Cache) key(s *Session) (keyslot.Key, error) {
	key, err := c.slots.Find(s.Slot, s.Key)
	if err == nil && key.ID() != s.Key {
		key.Wipe()
		err = &token.Error{Kind: token.LoginNeeded, Message: "the session was encrypted with another data key", Next: loginHint, Err: ErrOtherKey}
	}
	if err != nil {
		return keyslot.Key{}, err
	}
	return key, nil
}

// read has everything of the file that needs no key.
func (c *Cache) read(id string) (*Session, error) {
	path, err := c.path(id, sessionSuffix)
	if err != nil {
		return nil, err
	}
	data, err := c.at.read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, fileError("reading the session", err)
	}
	file, err := parseContainer(data)
	if errors.Is(err, errNewer) {
		return nil, newer(path)
	}
	if err == nil && file.sessionID() != id {
		err = errSwapped
	}
	if err != nil {
		return nil, c.damaged(id, err)
	}
	return sessionOf(id, file), nil
}

// sessionOf has what a file says in clear.
func sessionOf(id string, file container) *Session {
	return &Session{
		ID: id, Identity: file.identity(), Slot: file.slot(), Key: file.keyID(),
		HotGeneration: file.hot.generation, ColdGeneration: file.cold.generation, file: file,
	}
}

// Wait waits until nobody holds the session's lock.
func (c *Cache) Wait(ctx context.Context, id string) error {
	path, err := c.path(id, lockSuffix)
	if err != nil {
		return err
	}
	if err := c.at.wait(ctx, path); err != nil {
		return c.lockFailure(id, lockSuffix, err)
	}
	return nil
}

// Busy reports whether somebody has the session's lock at this moment, and who. It takes nothing and does not wait.
func (c *Cache) Busy(id string) (Holder, bool) { return c.held(id, lockSuffix) }

func (c *Cache) held(id, suffix string) (Holder, bool) {
	path, err := c.path(id, suffix)
	if err != nil || !c.at.held(path) {
		return Holder{}, false
	}
	return c.holder(id, suffix), true
}

// List names the sessions of the store by id, sorted; also those that cannot be read.
func (c *Cache) List() ([]string, error) {
	entries, err := os.ReadDir(c.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError("listing the sessions", err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), sessionSuffix); ok && validID(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

const (
	sessionSuffix = ".ses"
	lockSuffix    = ".lock"
	loginSuffix   = ".login.lock"
)

// File is the name of a session's file, which need not be there. It is replaced whole at every change.
func (c *Cache) File(id string) (string, error) { return c.path(id, sessionSuffix) }

// path checks the id first: it may come from an index file, and must not lead out of the folder.
func (c *Cache) path(id, suffix string) (string, error) {
	if !validID(id) {
		return "", &token.Error{Kind: token.BadProfile, Message: "that is not a session id"}
	}
	return filepath.Join(c.folder, id+suffix), nil
}

func validID(id string) bool {
	return len(id) == idLength && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
