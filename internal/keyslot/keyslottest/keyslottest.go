// Package keyslottest is the contract of key slots, for each implementation to be held to. Tests import it; nothing of the
// product does.
package keyslottest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// MaxPayload is how many bytes a slot may ask a system to keep: far below every system's limit (2560 bytes on Windows, some
// 3000 on macOS).
const MaxPayload = 64

// Place is one implementation of one kind, to be tried.
type Place struct {
	Kind keyslot.Kind
	// Open gives the slots of a state folder, as each process of a machine would. Two folders share the system's keyring.
	Open func(folder string) *keyslot.Slots
	// Damage changes what is kept for a folder into something that is no key. Nil where nobody can.
	Damage func(t *testing.T, folder string)
	// Break makes the slot unusable until mend is called. Nil where nothing outside the folder is needed.
	Break func(t *testing.T) (mend func())
}

// Contract holds a place to what every slot promises.
func Contract(t *testing.T, p Place) {
	t.Run("LoadMakesNothing", func(t *testing.T) {
		s := p.Open(t.TempDir())
		if _, err := s.Load(p.Kind); !errors.Is(err, keyslot.ErrNoKey) || token.KindOf(err) != token.LoginNeeded {
			t.Errorf("no key: %v", err)
		}
		if st := s.State(p.Kind); st.HasKey || st.Err != nil {
			t.Errorf("state %+v", st)
		}
		if _, err := s.Load(p.Kind); !errors.Is(err, keyslot.ErrNoKey) {
			t.Errorf("looking made a key: %v", err)
		}
	})
	t.Run("CreateOnceAndAdopt", func(t *testing.T) {
		folder := t.TempDir()
		first, second := create(t, p, folder), create(t, p, folder)
		if first != second || load(t, p, folder) != first {
			t.Error("the second Create made another key")
		}
		if st := p.Open(folder).State(p.Kind); !st.HasKey || st.Err != nil {
			t.Errorf("state %+v", st)
		}
	})
	t.Run("EachStoreAndEachKindHasItsOwn", func(t *testing.T) {
		folder := t.TempDir()
		mine := create(t, p, folder)
		if create(t, p, t.TempDir()) == mine {
			t.Error("two stores share a key")
		}
		for _, k := range keyslot.Kinds() {
			if k == p.Kind || k == keyslot.Given {
				continue
			}
			other, err := p.Open(folder).Create(context.Background(), k)
			if err == nil {
				Forget(t, other.ID())
			}
			if err == nil && other.ID() == mine {
				t.Errorf("slots %v and %v have the same key", p.Kind, k)
			}
		}
		if load(t, p, folder) != mine {
			t.Error("another slot's key took the place of this one's")
		}
	})
	t.Run("ManyAtOnce", func(t *testing.T) { manyAtOnce(t, p) })
	t.Run("FindKnowsTheKeyByItsID", func(t *testing.T) {
		folder := t.TempDir()
		id := create(t, p, folder)
		for range 2 { // the second may be answered by a copy
			key, err := p.Open(folder).Find(p.Kind, id)
			if err != nil || key.ID() != id {
				t.Errorf("found %x, %v", key.ID(), err)
			}
		}
		if key, err := p.Open(folder).Find(p.Kind, keyslot.KeyID{1}); err != nil || key.ID() != id {
			t.Errorf("for another id: %v", err)
		}
	})
	t.Run("DropForgets", func(t *testing.T) { dropForgets(t, p) })
	t.Run("HoldMakesAnewWhatWasDropped", func(t *testing.T) {
		folder := t.TempDir()
		have, err := p.Open(folder).Create(context.Background(), p.Kind)
		if err != nil {
			t.Fatal(err)
		}
		old := have.ID()
		drop(t, p, folder, false)
		key, release, err := p.Open(folder).Hold(context.Background(), p.Kind, have)
		if err != nil {
			t.Fatal(err)
		}
		if key.ID() == old || load(t, p, folder) != key.ID() {
			t.Error("a session would have been written with a key that is gone")
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	if p.Damage != nil {
		t.Run("DamageIsNoMissingKey", func(t *testing.T) {
			folder := t.TempDir()
			old := create(t, p, folder)
			p.Damage(t, folder)
			if _, err := p.Open(folder).Load(p.Kind); err == nil || errors.Is(err, keyslot.ErrNoKey) || token.KindOf(err) != token.LoginNeeded {
				t.Errorf("damaged: %v", err)
			}
			if create(t, p, folder) == old {
				t.Error("a damaged key was taken for the old one")
			}
		})
	}
	if p.Break != nil {
		t.Run("UnavailableIsNoMissingKey", func(t *testing.T) { unavailable(t, p) })
	}
}

func manyAtOnce(t *testing.T, p Place) {
	folder := t.TempDir()
	var ids [16]keyslot.KeyID
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			key, err := p.Open(folder).Create(context.Background(), p.Kind)
			if err != nil {
				t.Error(err)
			}
			ids[i] = key.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == (keyslot.KeyID{}) {
			t.Fatalf("keys %x", ids)
		}
	}
	if load(t, p, folder) != ids[0] {
		t.Error("the key that is kept is another")
	}
}

func dropForgets(t *testing.T, p Place) {
	folder := t.TempDir()
	id := create(t, p, folder)
	drop(t, p, folder, true)
	if load(t, p, folder) != id {
		t.Error("a key that is needed was dropped")
	}
	drop(t, p, folder, false)
	if _, err := p.Open(folder).Load(p.Kind); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("after the drop: %v", err)
	}
	if _, err := p.Open(folder).Find(p.Kind, id); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("a copy was left: %v", err)
	}
	drop(t, p, folder, false)
}

// unavailable holds that a slot which cannot be used now never looks like one whose key is gone, and makes nothing.
func unavailable(t *testing.T, p Place) {
	folder := t.TempDir()
	id := create(t, p, folder)
	mend := p.Break(t)
	s := p.Open(folder)
	_, loadErr := s.Load(p.Kind)
	_, createErr := s.Create(context.Background(), p.Kind)
	_, newErr := p.Open(t.TempDir()).Create(context.Background(), p.Kind)
	for _, err := range []error{loadErr, createErr, newErr, s.State(p.Kind).Err} {
		if !errors.Is(err, keyslot.ErrUnavailable) || errors.Is(err, keyslot.ErrNoKey) || token.KindOf(err) != token.Unavailable {
			t.Errorf("unavailable: %v", err)
		}
	}
	have := create(t, Place{Kind: keyslot.File, Open: p.Open}, folder) // any key
	if have == id {
		t.Error("the file got the same key")
	}
	mend()
	if load(t, p, folder) != id {
		t.Error("the key did not survive")
	}
}

func create(t *testing.T, p Place, folder string) keyslot.KeyID {
	t.Helper()
	key, err := p.Open(folder).Create(context.Background(), p.Kind)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Wipe()
	Forget(t, key.ID())
	return key.ID()
}

func load(t *testing.T, p Place, folder string) keyslot.KeyID {
	t.Helper()
	key, err := p.Open(folder).Load(p.Kind)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Wipe()
	Forget(t, key.ID())
	return key.ID()
}

func drop(t *testing.T, p Place, folder string, used bool) {
	t.Helper()
	dropped, err := p.Open(folder).Drop(context.Background(), p.Kind, func() (bool, error) { return used, nil })
	if err != nil || dropped == used {
		t.Fatalf("dropped %v, %v", dropped, err)
	}
}

// Keyring is a keyring in memory that counts what it is asked to keep. Safe for concurrent use.
type Keyring struct {
	mu    sync.Mutex
	items map[string]string
	// Fail, when not nil, is what every call says.
	Fail error
	// Largest is the length of the longest secret that was set.
	Largest int
}

var _ keyslot.Keyring = (*Keyring)(nil)

// Get gives a secret.
func (k *Keyring) Get(name string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	secret, ok := k.items[name]
	switch {
	case k.Fail != nil:
		return "", k.Fail
	case !ok:
		return "", keyslot.ErrNoKey
	}
	return secret, nil
}

// Set keeps a secret.
func (k *Keyring) Set(name, secret string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Fail != nil {
		return k.Fail
	}
	if k.items == nil {
		k.items = map[string]string{}
	}
	k.items[name], k.Largest = secret, max(k.Largest, len(secret))
	return nil
}

// Delete forgets a secret.
func (k *Keyring) Delete(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.items[name]; !ok && k.Fail == nil {
		return keyslot.ErrNoKey
	}
	delete(k.items, name)
	return k.Fail
}

// Change replaces every secret by what change makes of it.
func (k *Keyring) Change(change func(string) string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, secret := range k.items {
		k.items[name] = change(secret)
	}
}
