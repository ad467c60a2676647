package keyslot

import (
	"errors"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Keyring is a place of the operating system for small secrets, by name. Its calls may block: a daemon may hang, and a
// person may not answer. Slots gives each a limit and does not come back after one was missed.
//
// An error that is not ErrNoKey says in its text why the keyring cannot be used now.
type Keyring interface {
	Get(name string) (secret string, err error) // ErrNoKey where there is none
	Set(name, secret string) error              // replaces
	Delete(name string) error                   // ErrNoKey where there is none
}

// KeyringLimit is how long a call of a keyring may take. Somebody who has to type a password for it is not that fast; a
// tool that waits for us is not that patient.
const KeyringLimit = 3 * time.Second

// keyringItem is a slot of the kinds OS and OSStrict where the system has a keyring. The item's name has the store's id, so
// that two state folders of one user have two keys.
type keyringItem struct {
	slots *Slots
	kind  Kind
}

// name is the item's name; the error is ErrNoKey where there is no store yet.
func (i keyringItem) name() (string, error) {
	id, err := i.slots.Store()
	return hexText(id[:]) + "/" + i.kind.String(), err
}

var errNotHere = errors.New("it cannot be asked from here")

// ring fails where a keyring cannot be asked from here.
func (i keyringItem) ring() (Keyring, error) {
	if i.slots.ring == nil {
		return nil, unavailable("the system's keyring cannot be used now", errNotHere)
	}
	return i.slots.ring, nil
}

func (i keyringItem) load() (Key, error) {
	ring, err := i.ring()
	if err != nil {
		return Key{}, err
	}
	name, err := i.name()
	if err != nil && !errors.Is(err, ErrNoKey) {
		return Key{}, err
	}
	// Without a store there is no such item. But whether the keyring works is asked here.
	secret, err := ring.Get(name)
	if err != nil {
		return Key{}, keyringError(err)
	}
	b, ok := parseHex(secret)
	if !ok || len(b) != KeySize {
		clear(b)
		return Key{}, undecodable("the data key", errDamaged)
	}
	return keyOf((*[KeySize]byte)(b)), nil
}

func (i keyringItem) save(key Key) error {
	name, err := i.name()
	if err != nil {
		return err
	}
	if err := i.slots.ring.Set(name, hexText(key.bytes()[:])); err != nil {
		return keyringError(err)
	}
	return nil
}

// setAside keeps what was there under another name.
func (i keyringItem) setAside() error {
	name, err := i.name()
	if err != nil {
		return err
	}
	secret, err := i.slots.ring.Get(name)
	if err == nil {
		err = i.slots.ring.Set(name+asideName(time.Now()), secret)
	}
	if err != nil {
		return keyringError(err)
	}
	return nil
}

func (i keyringItem) drop() error {
	ring, err := i.ring()
	if err != nil {
		return err
	}
	name, err := i.name()
	if err != nil {
		return err
	}
	if err := ring.Delete(name); err != nil && err != ErrNoKey {
		return keyringError(err)
	}
	return nil
}

// keyringError sorts what a keyring says.
func keyringError(err error) error {
	if err == ErrNoKey {
		return &token.Error{Kind: token.LoginNeeded, Message: "the system's keyring does not have the data key any more", Next: loginHint, Err: ErrNoKey}
	}
	return unavailable("the system's keyring cannot be used now", err)
}

// bounded gives each call of a keyring a limit. After a call that missed it, the keyring hangs, and every further call
// fails at once: nobody should wait twice for the same thing. The call itself is left behind; it ends with the process.
type bounded struct {
	ring Keyring
	mu   sync.Mutex
	hung bool
}

var _ Keyring = (*bounded)(nil)

// errSlow is the reason that people read.
type errSlow struct{}

func (errSlow) Error() string { return "it did not answer within 3 s" }

// Get is bounded.
func (b *bounded) Get(name string) (string, error) {
	return b.call(func() (string, error) { return b.ring.Get(name) })
}

// Set is bounded.
func (b *bounded) Set(name, secret string) error {
	_, err := b.call(func() (string, error) { return "", b.ring.Set(name, secret) })
	return err
}

// Delete is bounded.
func (b *bounded) Delete(name string) error {
	_, err := b.call(func() (string, error) { return "", b.ring.Delete(name) })
	return err
}

func (b *bounded) call(do func() (string, error)) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hung {
		return "", errSlow{}
	}
	type reply struct {
		secret string
		err    error
	}
	done := make(chan reply, 1) // room for a reply that comes too late
	go func() {
		secret, err := do()
		done <- reply{secret, err}
	}()
	limit := time.NewTimer(KeyringLimit)
	defer limit.Stop()
	select {
	case r := <-done:
		return r.secret, r.err
	case <-limit.C:
		b.hung = true
		return "", errSlow{}
	}
}
