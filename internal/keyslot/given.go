package keyslot

import (
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Variable is the environment variable that gives a key: its text, or DescriptorPrefix and the number of a descriptor to read
// that from.
const (
	Variable         = "COGNITO_CREDHELPER_KEY"
	DescriptorPrefix = "fd:"
)

// givenKey is the slot Given. It keeps nothing.
type givenKey struct{ give func() (Key, error) }

var errNotGiven = errors.New(Variable + " gives no key")

func (g givenKey) load() (Key, error) {
	if g.give == nil {
		return Key{}, unavailable("the key slot given cannot be used now", errNotGiven)
	}
	key, err := g.give()
	if err != nil {
		return Key{}, err
	}
	copied := *key.bytes() // callers wipe what they get
	return keyOf(&copied), nil
}

func (givenKey) save(Key) error  { return nil }
func (givenKey) setAside() error { return nil }
func (givenKey) drop() error     { return nil }

// ParseKey reads a key that a person or a build server gives: 64 hexadecimal digits, blanks around them do not count. Errors
// are of kind token.BadProfile and do not repeat the text.
func ParseKey(text string) (Key, error) {
	b, ok := parseHex(strings.TrimSpace(text))
	if !ok || len(b) != KeySize {
		clear(b)
		return Key{}, &token.Error{
			Kind: token.BadProfile, Message: "COGNITO_CREDHELPER_KEY is not a data key, which is 64 hexadecimal digits", Next: "openssl rand -hex 32",
		}
	}
	return keyOf((*[KeySize]byte)(b)), nil
}

// Text is the key in the form that ParseKey reads, for a private pipe to another process of ours.
func (k Key) Text() token.Secret {
	if k.key == nil {
		return token.Secret{}
	}
	return token.NewSecret(hexText(k.bytes()[:]))
}
