package keyslot

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// The key file keys/file.key and the file store have one format, version 1:
//
//	offset 0   8 bytes   magic: "cckey\x1a\n\x01" or "ccstor\n\x01"; the last byte is the format
//	offset 8   n bytes   32 bytes of key, or 16 bytes of store id
//	offset 8+n 8 bytes   start of SHA-256 over all before it
//
// The checksum tells a damaged key from another key: with the first, a new key is made at the next login; the second is
// somebody's choice.
const (
	keyMagic   = "cckey\x1a\n\x01"
	storeMagic = "ccstor\n\x01"

	magicSize    = 8
	checksumSize = 8
	fileLimit    = 4096

	loginHint = "cognito-credhelper login"
)

func encode(magic string, payload []byte) []byte {
	b := make([]byte, 0, magicSize+len(payload)+checksumSize)
	b = append(b, magic...)
	b = append(b, payload...)
	sum := sha256.Sum256(b)
	return append(b, sum[:checksumSize]...)
}

// decode returns the payload of the given size, which is a part of b.
func decode(magic string, size int, b []byte) ([]byte, error) {
	const formatAt = magicSize - 1
	if len(b) >= magicSize && string(b[:formatAt]) == magic[:formatAt] && b[formatAt] > magic[formatAt] {
		return nil, errNewer
	}
	end := magicSize + size
	if len(b) != end+checksumSize || string(b[:magicSize]) != magic {
		return nil, errDamaged
	}
	sum := sha256.Sum256(b[:end])
	if !bytes.Equal(sum[:checksumSize], b[end:]) {
		return nil, errDamaged
	}
	return b[magicSize:end], nil
}

var (
	errDamaged = errors.New("it is damaged")
	errNewer   = errors.New("it was written by a newer version")
)

// keyFile is the slot File.
type keyFile struct{ path string }

func (f keyFile) load() (Key, error) {
	b, payload, err := load(f.path, keyMagic, KeySize, "the data key")
	if err != nil {
		return Key{}, err
	}
	defer clear(b)
	return keyOf((*[KeySize]byte)(bytes.Clone(payload))), nil
}

func (f keyFile) save(key Key) error {
	b := encode(keyMagic, key.bytes()[:])
	defer clear(b)
	return writeKey(f.path, b)
}

func (f keyFile) setAside() error { return setAside(f.path) }
func (f keyFile) drop() error     { return removeKey(f.path) }

// writeKey makes the folder for keys, too.
func writeKey(path string, b []byte) error {
	if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
		return sentence("making the folder for keys", err)
	}
	if err := atomicfile.Write(path, b); err != nil {
		return sentence("saving the data key", err)
	}
	return nil
}

func removeKey(path string) error {
	if err := atomicfile.Remove(path); err != nil {
		return sentence("forgetting the data key", err)
	}
	return nil
}

func loadStore(path string) (StoreID, error) {
	_, payload, err := load(path, storeMagic, len(StoreID{}), "the store's id")
	if err != nil {
		return StoreID{}, err
	}
	return StoreID(payload), nil
}

// load reads and decodes; payload is a part of b.
func load(path, magic string, size int, what string) (b, payload []byte, err error) {
	b, err = atomicfile.Read(path, fileLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &token.Error{Kind: token.LoginNeeded, Message: what + " cannot be read", Next: loginHint, Err: ErrNoKey}
	}
	if err != nil {
		return nil, nil, sentence("reading "+what, err)
	}
	if payload, err = decode(magic, size, b); err != nil {
		return nil, nil, undecodable(what, err)
	}
	return b, payload, nil
}

// undecodable is the error for what decode refuses.
func undecodable(what string, err error) error {
	if errors.Is(err, errNewer) {
		return &token.Error{Kind: token.BadProfile, Message: what + " cannot be read", Next: "upgrade cognito-credhelper", Err: err}
	}
	return &token.Error{Kind: token.LoginNeeded, Message: what + " cannot be read", Next: loginHint, Err: err}
}

func newKey() Key {
	k := keyOf(new([KeySize]byte))
	random(k.bytes()[:])
	return k
}

// random fills b from the system's generator. It takes the bytes from nonces that crypto/cipher draws, because crypto/rand
// links math/big and fmt, which the front must not pay for although it never makes a key.
func random(b []byte) {
	block, err := aes.NewCipher(make([]byte, KeySize))
	if err != nil {
		panic("keyslot: " + err.Error()) // only for another key size
	}
	boxes, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("keyslot: " + err.Error()) // only for another block size
	}
	const nonceSize = 12
	for len(b) > 0 {
		n := copy(b, boxes.Seal(nil, nil, nil, nil)[:nonceSize])
		b = b[n:]
	}
}
