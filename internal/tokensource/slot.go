package tokensource

import (
	"cmp"
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// slotChoice is where a new session's key goes.
type slotChoice struct {
	slot    keyslot.Kind
	was     keyslot.Kind // of the session that is there; 0 when there is none, or none whose header can be read
	free    bool         // nobody named the slot and no session has one: the file will do
	instead error        // why it is the file
}

// Slot choices that are not slots.
const (
	StoreAuto = "auto" // the slot of the session that is there; else what the caller gives, the system's, the file, in this order
	StoreNone = "none" // nothing is kept
)

// choose decides by what the flag, else the profile says. It asks no keyring.
func (l *login) choose() error {
	l.was, _ = l.Source.o.Cache.Slot(l.id)
	name := cmp.Or(l.o.Store, l.target.Profile.Store, StoreAuto)
	kind, named := keyslot.KindOf(name)
	switch {
	case l.Source.o.Slots.InMemory():
		l.slot = keyslot.None
	case name == StoreNone:
		return NothingKept(l.target)
	case named:
		l.slot = kind
	case name != StoreAuto:
		return &token.Error{Kind: token.Usage, Message: "there is no key slot " + name}
	case l.was != 0:
		l.slot = l.was
	case l.Source.o.Slots.HasGiven():
		l.slot = keyslot.Given
	default:
		l.slot, l.free = keyslot.OS, true
	}
	return nil
}

// createKey gives the key of the chosen slot.
func (l *login) createKey(ctx context.Context) (keyslot.Key, error) {
	key, err := l.Source.o.Slots.Create(ctx, l.slot)
	if l.free && errors.Is(err, keyslot.ErrUnavailable) {
		l.slot, l.instead = keyslot.File, err
		key, err = l.Source.o.Slots.Create(ctx, l.slot)
	}
	return key, loginNeededFor(l.target, err)
}

// SealingKey is the key for what must be as safe as the target's session, and where it is: the session's own, else the one
// that a login would take. The caller wipes it.
func (s *Source) SealingKey(ctx context.Context, t Target) (keyslot.Kind, keyslot.Key, error) {
	l := &login{Source: s, target: t, id: t.Identity().SessionID()}
	if t.Profile.Store == StoreNone {
		l.o.Store = StoreAuto // it is for sessions
	}
	if err := l.choose(); err != nil {
		return 0, keyslot.Key{}, err
	}
	key, err := l.createKey(ctx)
	return l.slot, key, err
}

// NothingKept is the error for cognito_store = none where a session must outlive the command.
func NothingKept(t Target) error {
	next := loginLine(t) + " --store file"
	if t.Profile.Store == StoreNone {
		next = "take that line out of the profile, then: " + loginLine(t)
	}
	return &token.Error{
		Kind:    token.BadProfile,
		Message: "cognito_store = none keeps no session, which works only inside exec, serve, and plugin",
		Next:    next,
	}
}
