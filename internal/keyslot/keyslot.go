// Package keyslot holds the data key that sessions are encrypted with, in one of several slots.
//
// It guarantees that a key behind one slot is never the same as behind another, that only Create and Hold make a key, and
// that of many processes which create at once all end with the same one. It never prints a key, forgets one only by Drop,
// and never weakens a slot silently.
// Safe for use by many processes on one machine; not on network file systems.
package keyslot

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
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
	File     Kind = 1 // a key file, mode 0600: protects a copied session file, not against programs that run as you
	OS       Kind = 2 // Secret Service, Keychain, or DPAPI; on Linux with a copy in the kernel's user keyring
	OSStrict Kind = 3 // OS without a copy
	Given    Kind = 4 // a key that the caller gives to each call, by COGNITO_CREDHELPER_KEY; nothing is kept
	None     Kind = 5 // a key in the memory of this process, as are the sessions: see InMemory; never in a file
)

// Kinds are all slots of this build that a session on disk can have.
func Kinds() []Kind { return []Kind{File, OS, OSStrict, Given} }

// String is the slot's name as status shows it and, but for Given, cognito_store takes it.
func (k Kind) String() string {
	switch k {
	case File:
		return "file"
	case OS:
		return "os"
	case OSStrict:
		return "os-strict"
	case Given:
		return "given"
	case None:
		return "none"
	default:
		return "unknown"
	}
}

// KindOf finds the slot that a person named.
func KindOf(name string) (k Kind, ok bool) {
	for _, k := range Kinds() {
		if k.String() == name && k != Given {
			return k, true
		}
	}
	return 0, false
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

// Options are what slots need from outside the state folder.
type Options struct {
	// Keyring is the system's place for small secrets, where it has one that is asked by messages (Secret Service,
	// Keychain); nil where it cannot be asked from here, as in the front. On Windows DPAPI comes before it.
	Keyring Keyring
	// Given is the key that the caller of this process gave; nil for none. Slots wipe a copy of it, never
	// the key itself.
	Given func() (Key, error)
}

// Slots is the set of slots of one state folder. Nothing is touched before the first use. Safe for concurrent use.
type Slots struct {
	folder string
	ring   Keyring
	seal   sealer
	given  func() (Key, error)
	memory *memorySlot // the only one, where it is there
}

// Open names the state folder, for slots that need nothing from outside: the file, and of the system's what is warm.
func Open(folder string) *Slots { return OpenWith(folder, Options{}) }

// OpenWith is Open with what other slots need.
func OpenWith(folder string, o Options) *Slots {
	s := &Slots{folder: folder, seal: platformSealer(), given: o.Given}
	if o.Keyring != nil {
		s.ring = &bounded{ring: o.Keyring}
	}
	return s
}

// Load reads the key of a slot, and asks the slot itself: it takes no copy. Errors carry a token.Kind: no key or a damaged
// one is LoginNeeded, unsafe owner or mode is BadProfile, a slot that cannot be used now is Unavailable.
// errors.Is(err, ErrNoKey) tells a key that was never made from a damaged one, and ErrUnavailable a slot that may answer
// another time from everything else.
func (s *Slots) Load(k Kind) (Key, error) {
	slot, err := s.slot(k)
	if err != nil {
		return Key{}, err
	}
	return slot.load()
}

// Find is Load for a session that names its key. A warm copy of exactly that key answers for the slot; where there is none,
// the slot is asked, and leaves a copy if its kind has one. The key may have another id: a replaced one.
func (s *Slots) Find(k Kind, id KeyID) (Key, error) {
	if k != OS {
		return s.Load(k)
	}
	if key, ok := loadCopy(id); ok {
		return key, nil
	}
	key, err := s.Load(k)
	if err == nil {
		_ = saveCopy(key) // it only saves time; Warm tells whether it is there
	}
	return key, err
}

// State is what a slot is good for now.
type State struct {
	HasKey bool
	Err    error // why it cannot be used now, or not at all; nil where it works
}

// State asks a slot, and makes nothing.
func (s *Slots) State(k Kind) State {
	key, err := s.Load(k)
	key.Wipe()
	switch {
	case err == nil:
		return State{HasKey: true}
	case errors.Is(err, ErrNoKey):
		return State{}
	default:
		return State{Err: err}
	}
}

// HasGiven reports whether the caller of this process gave a key.
func (s *Slots) HasGiven() bool { return s.given != nil }

// Warm reports whether a session's key is found without asking a keyring.
func (s *Slots) Warm(k Kind, id KeyID) bool {
	switch k {
	case OS:
		key, ok := loadCopy(id)
		key.Wipe()
		return ok || s.seal != nil
	case OSStrict:
		return s.seal != nil
	default:
		return true
	}
}

var (
	// ErrNoKey says that a slot has no key.
	ErrNoKey    = errors.New("the data key is missing")
	errReadBack = errors.New("it does not give back what it was given")
	// ErrUnavailable says that a slot cannot be used now: locked, not running, not given. Its key may be there all the same.
	ErrUnavailable = errors.New("the key slot cannot be used now")
)

// StoreID is the random name of one state folder. It tells a session of this store from a copy of another's.
type StoreID [16]byte

// Store returns the store's id; Create makes it.
func (s *Slots) Store() (StoreID, error) {
	if s.memory != nil {
		return s.memory.store, nil
	}
	return loadStore(s.storePath())
}

// Create returns the key of a slot, making it when there is none, under the store's lock. The loser of a race adopts. It
// makes the store's id, too. A damaged key is set aside first: nothing can be read with it any more, but it is kept. A new
// key is read back before it is used.
func (s *Slots) Create(ctx context.Context, k Kind) (Key, error) {
	slot, err := s.slot(k)
	if err != nil {
		return Key{}, err
	}
	// Most logins find everything in place; they need no lock.
	if _, err := s.Store(); err == nil {
		if key, err := slot.load(); err == nil || token.KindOf(err) != token.LoginNeeded {
			return s.copied(k, key), err
		}
	}
	lock, err := s.lock(ctx)
	if err != nil {
		return Key{}, err
	}
	defer filelock.Unlock(lock)
	if err := s.createStore(); err != nil {
		return Key{}, err
	}
	key, err := create(slot)
	return s.copied(k, key), err
}

// Hold is Create for a session that is about to be written: until release is called, nobody drops the key. have is the key
// that the slot gave before, if it did, which serves on where the slot cannot be used any more, since nobody can have dropped it then.
func (s *Slots) Hold(ctx context.Context, k Kind, have Key) (key Key, release func() error, err error) {
	slot, err := s.slot(k)
	if err != nil {
		return Key{}, nil, err
	}
	if s.memory != nil {
		key, err := slot.load()
		return key, func() error { return nil }, err
	}
	lock, err := s.lock(ctx)
	if err != nil {
		return Key{}, nil, err
	}
	if err = s.createStore(); err == nil {
		key, err = create(slot)
	}
	if errors.Is(err, ErrUnavailable) && have.key != nil {
		key, err = have, nil
	}
	if err != nil {
		filelock.Unlock(lock)
		return Key{}, nil, err
	}
	return s.copied(k, key), func() error { return filelock.Unlock(lock) }, nil
}

// Drop forgets the key of a slot and the copy of it, under the store's lock, unless used says that something still needs
// it. What has no key is no error.
func (s *Slots) Drop(ctx context.Context, k Kind, used func() (bool, error)) (dropped bool, err error) {
	slot, err := s.slot(k)
	if err != nil {
		return false, err
	}
	lock, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer filelock.Unlock(lock)
	if needed, err := used(); err != nil || needed {
		return false, err
	}
	if key, err := slot.load(); err == nil {
		dropCopy(key.ID())
		key.Wipe()
	}
	if err := slot.drop(); err != nil {
		return false, err
	}
	return true, nil
}

// slot is one place for one key. Errors are those of Slots.Load.
type slot interface {
	load() (Key, error)
	save(Key) error  // under the store's lock
	setAside() error // what load calls damaged, so that save does not destroy it; under the store's lock
	drop() error     // no key is no error; under the store's lock
}

func (s *Slots) slot(k Kind) (slot, error) {
	if s.memory != nil {
		return s.memory, nil
	}
	switch k {
	case File:
		return keyFile{s.keyPath("file")}, nil
	case OS, OSStrict:
		if s.seal != nil {
			return sealedFile{s.keyPath(k.String()), s.seal}, nil
		}
		return keyringItem{s, k}, nil
	case Given:
		return givenKey{s.given}, nil
	default:
		return nil, &token.Error{Kind: token.BadProfile, Message: "the session's key is in a slot that this version does not know", Next: "upgrade cognito-credhelper"}
	}
}

// create runs under the store's lock.
func create(s slot) (Key, error) {
	key, err := s.load()
	if err == nil || token.KindOf(err) != token.LoginNeeded {
		return key, err // somebody was faster; or it is unsafe or unreadable, and making another would hide that
	}
	if !errors.Is(err, ErrNoKey) {
		if err := s.setAside(); err != nil {
			return Key{}, err
		}
	}
	key = newKey()
	if err := s.save(key); err != nil {
		return Key{}, err
	}
	back, err := s.load()
	defer back.Wipe()
	if err == nil && back.ID() != key.ID() {
		err = unavailable("the key slot cannot be used", errReadBack)
	}
	if err != nil {
		key.Wipe()
		return Key{}, err
	}
	return key, nil
}

// copied leaves the copy that the kind has.
func (s *Slots) copied(k Kind, key Key) Key {
	if k == OS && key.key != nil {
		_ = saveCopy(key) // it only saves time
	}
	return key
}

func (s *Slots) lock(ctx context.Context) (*os.File, error) {
	lock, err := filelock.Lock(ctx, filepath.Join(s.folder, "store.lock"))
	if err != nil {
		return nil, sentence("locking the store", err)
	}
	return lock, nil
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

func (s *Slots) keyPath(name string) string { return filepath.Join(s.folder, "keys", name+".key") }
func (s *Slots) storePath() string          { return filepath.Join(s.folder, "store") }

// setAside renames a damaged file; the time in the name keeps older ones.
func setAside(path string) error {
	to := path + asideName(time.Now())
	if err := atomicfile.Rename(path, to); err != nil {
		return sentence("setting a damaged file aside", err)
	}
	return nil
}

// asideName is what a damaged thing's name gets.
func asideName(at time.Time) string { return ".bad-" + at.UTC().Format("20060102T150405.000000000Z") }

// unavailable is the error of a slot that cannot be used now.
func unavailable(reason string, cause error) error {
	return &token.Error{Kind: token.Unavailable, Message: reason, Next: loginHint + " --store file", Err: unavailableError{cause}}
}

// unavailableError is ErrUnavailable in the words of its cause.
type unavailableError struct{ error }

// Unwrap has both.
func (e unavailableError) Unwrap() []error { return []error{ErrUnavailable, e.error} }

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
