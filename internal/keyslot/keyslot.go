// Package keyslot holds the data key that sessions are encrypted with, in one of several slots.
//
// It guarantees that a key behind one slot is never the same as behind another, that only Create makes a key, and that of
// many processes which create at once all end with the same one. It never prints a key, never deletes one, and never
// weakens a slot silently.
// Safe for use by many processes on one machine; not on network file systems.
package keyslot

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Kind names a slot. The numbers are part of the session file's format.
type Kind uint8

// The slots of this build.
const (
	File Kind = 1 // a key file, mode 0600: protects a copied session file, not against programs that run as you
)

// String is the slot's name as status shows it and cognito_store takes it.
func (k Kind) String() string {
	if k == File {
		return "file"
	}
	return "unknown"
}

// KeySize is the length of a data key in bytes: AES-256.
const KeySize = 32

// Key is one 32-byte data key. Printing it shows nothing of it. The zero value is no key.
// Copies share the bytes: Wipe wipes them all. Safe for concurrent use until Wipe.
type Key struct {
	// Two pointers: for a verb that does not fit, such as %c, package fmt follows one, even in a field that is not exported.
	key **[KeySize]byte
}

func keyOf(b *[KeySize]byte) Key { return Key{&b} }

// bytes is nil for no key.
func (k Key) bytes() *[KeySize]byte {
	if k.key == nil {
		return nil
	}
	return *k.key
}

// String is what every print of a key shows.
func (k Key) String() string { return "[redacted]" }

// GoString keeps %#v from showing more than String does.
func (k Key) GoString() string { return k.String() }

// KeyID identifies a key without telling it.
type KeyID [8]byte

// ID returns the key's id: the start of a hash, under a label of its own so that it equals no other hash of the key.
func (k Key) ID() KeyID {
	if k.key == nil {
		return KeyID{}
	}
	const label = "cognito-credhelper key id\x00"
	material := append([]byte(label), k.bytes()[:]...)
	defer clear(material)
	sum := sha256.Sum256(material)
	return KeyID(sum[:8])
}

// AEAD is AES-256-GCM under the key, with a random 12-byte nonce in front of each box. Random nonces are safe for 2^32
// boxes (NIST SP 800-38D, 8.3); a session that is renewed each minute for a century stays below 2^26.
func (k Key) AEAD() (cipher.AEAD, error) {
	if k.key == nil {
		return nil, &token.Error{Kind: token.LoginNeeded, Message: "there is no data key"}
	}
	block, err := aes.NewCipher(k.bytes()[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Wipe overwrites the key. Best effort: the cipher that AEAD gave keeps its own schedule until it is collected.
func (k Key) Wipe() {
	if k.key != nil {
		clear(k.bytes()[:])
	}
}

// Slots is the set of slots of one state folder. Nothing is touched before the first use.
type Slots struct{ folder string }

// Open names the state folder.
func Open(folder string) *Slots { return &Slots{folder} }

// Load reads the key of a slot. Errors carry a token.Kind: no key or a damaged one is LoginNeeded, unsafe owner or mode is
// BadProfile. errors.Is(err, ErrNoKey) tells a key that was never made from a damaged one.
func (s *Slots) Load(k Kind) (Key, error) {
	if k != File {
		return Key{}, &token.Error{Kind: token.BadProfile, Message: "the session's key is in a slot that this version does not know", Next: "upgrade cognito-credhelper"}
	}
	return loadFile(s.keyPath())
}

// ErrNoKey says that a slot has no key.
var ErrNoKey = errors.New("the data key is missing")

// StoreID is the random name of one state folder. It tells a session of this store from a copy of another's.
type StoreID [16]byte

// Store returns the store's id; Create makes it.
func (s *Slots) Store() (StoreID, error) { return loadStore(s.storePath()) }

// Create returns the key of a slot, making it when there is none, under the store's lock. The loser of a race adopts. It
// makes the store's id, too. A damaged key is set aside first: nothing can be read with it any more, but it is kept.
func (s *Slots) Create(ctx context.Context, k Kind) (Key, error) {
	if k != File {
		return Key{}, &token.Error{Kind: token.BadProfile, Message: "this version cannot keep keys in that slot", Next: "set cognito_store to file"}
	}
	// Most logins find everything in place; they need no lock.
	if key, err := s.existing(); err == nil {
		return key, nil
	}
	lock, err := filelock.Lock(ctx, filepath.Join(s.folder, "store.lock"))
	if err != nil {
		return Key{}, sentence("locking the store", err)
	}
	defer filelock.Unlock(lock)
	if err := s.createStore(); err != nil {
		return Key{}, err
	}
	return s.createFileKey()
}

// existing succeeds only where both the store's id and its key are there and sound.
func (s *Slots) existing() (Key, error) {
	if _, err := s.Store(); err != nil {
		return Key{}, err
	}
	return s.Load(File)
}

// createFileKey runs under the store's lock.
func (s *Slots) createFileKey() (Key, error) {
	path := s.keyPath()
	key, err := loadFile(path)
	if err == nil || token.KindOf(err) != token.LoginNeeded {
		return key, err // somebody was faster; or it is unsafe or unreadable, and making another would hide that
	}
	if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
		return Key{}, sentence("making the folder for keys", err)
	}
	if !errors.Is(err, ErrNoKey) {
		if err := setAside(path); err != nil {
			return Key{}, err
		}
	}
	key = newKey()
	if err := atomicfile.Write(path, encode(keyMagic, key.bytes()[:])); err != nil {
		return Key{}, sentence("saving the data key", err)
	}
	return key, nil
}

// createStore runs under the store's lock.
func (s *Slots) createStore() error {
	path := s.storePath()
	_, err := loadStore(path)
	if err == nil || token.KindOf(err) != token.LoginNeeded {
		return err
	}
	if !errors.Is(err, ErrNoKey) {
		if err := setAside(path); err != nil {
			return err
		}
	}
	var id StoreID
	random(id[:])
	if err := atomicfile.Write(path, encode(storeMagic, id[:])); err != nil {
		return sentence("saving the store's id", err)
	}
	return nil
}

func (s *Slots) keyPath() string   { return filepath.Join(s.folder, "keys", "file.key") }
func (s *Slots) storePath() string { return filepath.Join(s.folder, "store") }

// setAside renames a damaged file; the time in the name keeps older ones.
func setAside(path string) error {
	to := path + ".bad-" + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := atomicfile.Rename(path, to); err != nil {
		return sentence("setting a damaged file aside", err)
	}
	return nil
}

// sentence gives an error of the file system the kind and the hint that a person needs.
func sentence(doing string, err error) error {
	var unsafe *atomicfile.UnsafeError
	switch {
	case errors.As(err, &unsafe):
		return &token.Error{Kind: token.BadProfile, Message: unsafe.Error(), Next: unsafe.Fix}
	case errors.Is(err, context.Canceled):
		return &token.Error{Kind: token.Interrupted, Message: doing + " was interrupted", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &token.Error{Kind: token.Unavailable, Message: doing + " took too long", Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &token.Error{Kind: token.BadProfile, Message: doing + " is not permitted", Err: err}
	default:
		return &token.Error{Kind: token.Unavailable, Message: doing + " failed", Err: err}
	}
}
