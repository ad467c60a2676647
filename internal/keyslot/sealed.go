package keyslot

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// sealer is a system that encrypts for the user who is signed in to it, and keeps nothing: DPAPI.
type sealer interface {
	seal(plain []byte) ([]byte, error)
	// open fails for another user, another machine, and what was changed; DPAPI does not tell which.
	open(box []byte) ([]byte, error)
}

// sealedFile is a slot of the kinds OS and OSStrict where the system seals: a file with what the sealer makes of the key in
// its file format, so that it tells its own damage from a key of another user.
type sealedFile struct {
	path   string
	sealer sealer
}

func (f sealedFile) load() (Key, error) {
	box, err := atomicfile.Read(f.path, fileLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, &token.Error{Kind: token.LoginNeeded, Message: "the data key cannot be read", Next: loginHint, Err: ErrNoKey}
	}
	if err != nil {
		return Key{}, sentence("reading the data key", err)
	}
	plain, err := f.sealer.open(box)
	if err != nil {
		return Key{}, &token.Error{
			Kind: token.LoginNeeded, Message: "the data key was sealed for another user or machine, or is damaged", Next: loginHint, Err: err,
		}
	}
	defer clear(plain)
	payload, err := decode(keyMagic, KeySize, plain)
	if err != nil {
		return Key{}, undecodable("the data key", err)
	}
	return keyOf((*[KeySize]byte)(bytes.Clone(payload))), nil
}

func (f sealedFile) save(key Key) error {
	plain := encode(keyMagic, key.bytes()[:])
	defer clear(plain)
	box, err := f.sealer.seal(plain)
	if err != nil {
		return unavailable("the system cannot seal the data key", err)
	}
	return writeKey(f.path, box)
}

func (f sealedFile) setAside() error { return setAside(f.path) }
func (f sealedFile) drop() error     { return removeKey(f.path) }
