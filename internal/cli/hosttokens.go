package cli

import (
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// hostTokens keeps tokens that a tool got by itself, one for each host, as sessions are kept.
type hostTokens struct {
	cache *tokencache.Cache
	slots *keyslot.Slots
	now   func() token.Instant
}

// StoredToken gives the token that a tool gave us to keep.
func (s *source) StoredToken(_ context.Context, h profiles.Host) (token.Secret, error) {
	kept, i, err := s.p.hostTokens(h)
	if err != nil {
		return token.Secret{}, err
	}
	session, err := kept.cache.Load(i.SessionID())
	if errors.Is(err, tokencache.ErrNoSession) {
		return token.Secret{}, nil
	}
	if err != nil {
		return token.Secret{}, ofHost(h, err)
	}
	return session.Hot.Tokens.Access.Value, nil
}

// StoreToken keeps a token for a host that no profile binds.
func (s *source) StoreToken(ctx context.Context, h profiles.Host, t token.Secret, document []byte) error {
	switch bound, _, err := s.p.bound(protocol.HostRequest{Host: h}); {
	case err == nil:
		return &token.Error{
			Kind:    token.BadProfile,
			Message: "profile " + bound.Selection.Name + " binds " + h.Authority() + ", so its token comes from that profile's sign-in and no other is kept",
			Next:    command("login", bound.Selection, ""),
		}
	case !errors.Is(err, protocol.ErrNotBound):
		return err
	}
	kept, i, err := s.p.hostTokens(h)
	if err != nil {
		return err
	}
	slot, err := kept.cache.Slot(i.SessionID())
	if err != nil {
		slot = keyslot.File // a login asks the system's keyring first; a tool that gives us its token does not wait for that
	}
	tx, err := kept.cache.Lock(ctx, i.SessionID())
	if err != nil {
		return ofHost(h, err)
	}
	defer tx.Unlock()
	key, release, err := kept.slots.Hold(ctx, slot, keyslot.Key{})
	if err != nil {
		return ofHost(h, err)
	}
	defer release()
	defer key.Wipe()
	hot := tokencache.Hot{Tokens: token.Set{Access: token.Token{Value: t, Lifetime: token.Lifetime{Issued: kept.now().Wall}}}}
	return ofHost(h, tx.Create(i, slot, key, hot, document))
}

// ForgetToken removes the token that is kept for a host.
func (s *source) ForgetToken(ctx context.Context, h profiles.Host) error {
	kept, i, err := s.p.hostTokens(h)
	if err != nil {
		return err
	}
	if _, err := kept.cache.Load(i.SessionID()); errors.Is(err, tokencache.ErrNoSession) {
		return nil // no lock file for a host that we never kept anything for
	}
	tx, err := kept.cache.Lock(ctx, i.SessionID())
	if err != nil {
		return ofHost(h, err)
	}
	defer tx.Unlock()
	return ofHost(h, tx.Forget())
}

// hostTokens gives the store, and the identity of a host in it.
func (p *program) hostTokens(h profiles.Host) (*hostTokens, tokencache.Identity, error) {
	ascii, ok := inifile.ASCIIHost(h)
	if !ok {
		return nil, tokencache.Identity{}, protocol.BadRequest(errNoHostName)
	}
	kept, err := p.kept()
	return kept, tokencache.HostIdentity(ascii.Authority()), err
}

var errNoHostName = errors.New("the host is no host name")

// ofHost names the host in front of what happened with its token.
func ofHost(h profiles.Host, err error) error {
	var e *token.Error
	if !errors.As(err, &e) {
		return err
	}
	return &token.Error{Kind: e.Kind, Message: "the token of " + h.Authority() + ": " + e.Message, Next: e.Next, Err: e.Err}
}
