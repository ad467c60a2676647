package front

import (
	"cmp"
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// HostCredential answers for a host that exactly one session is bound to.
func (s *source) HostCredential(_ context.Context, r protocol.HostRequest) (protocol.HostCredential, error) {
	session, b, err := s.loadBound(r)
	if err != nil {
		return protocol.HostCredential{}, err
	}
	return s.credentialOf(session, b, r)
}

// SharedCredential answers where all that is bound is one session's.
func (s *source) SharedCredential(_ context.Context, r protocol.HostRequest) (protocol.HostCredential, error) {
	table, ok := s.tableFor(r)
	if !ok {
		return protocol.HostCredential{}, token.ErrMiss
	}
	session, b, err := s.loadOnly(table.Shared(r.Profile))
	if err != nil {
		return protocol.HostCredential{}, err
	}
	return s.credentialOf(session, b, r)
}

// credentialOf gives the token that the binding names, where it is warm.
func (s *source) credentialOf(session *tokencache.Session, b profileindex.Bound, r protocol.HostRequest) (protocol.HostCredential, error) {
	use := token.Use(b.Binding.Kind)
	if use != token.UseID && use != token.UseAccess {
		return s.derived(session, b, r)
	}
	if isPresent(session, r.Rejected) {
		return protocol.HostCredential{}, token.ErrMiss // the complete program takes the lock for itself to note it
	}
	by := profiles.Selection{Name: b.Profile, Named: true}
	t, err := s.tokenOf(session, by, use, token.Terms{MinTTL: cmp.Or(r.MinTTL, b.MinTTL), Fallback: token.DefaultTokenTTL, RenewFirst: r.RenewFirst})
	if err != nil {
		return protocol.HostCredential{}, err
	}
	return protocol.HostCredential{Token: t, Username: userOf(b), Profile: b.Profile, Path: b.Binding.Path, Kind: b.Binding.Kind}, nil
}

// derived answers with what was made from AWS credentials and is kept among them. From which, the profile's own index says.
func (s *source) derived(session *tokencache.Session, b profileindex.Bound, r protocol.HostRequest) (protocol.HostCredential, error) {
	by := profiles.Selection{Name: b.Profile, Named: true}
	answer, ok := s.lookup(by)
	if !ok || answer.AWSRecord == "" || answer.SessionID != session.ID {
		return protocol.HostCredential{}, token.ErrMiss
	}
	kind := b.Binding.Kind
	if r.Host.Name == "" { // the host does not say who it is; the binding does
		r.Host = b.Binding.At("https")
	}
	record := tokencache.DerivedRecord(kind, answer.AWSRecord, tokencache.DerivedPlace(kind, r.Host.Authority(), r.Host.Path, b.Binding.User))
	q := question{
		session: session, by: by, works: []string{"refresh", "exchange " + answer.AWSRecord, tokencache.DeriveWork(record)},
		terms: token.Terms{MinTTL: r.MinTTL, Fallback: token.DefaultTokenTTL, RenewFirst: r.RenewFirst},
	}
	for _, c := range session.Hot.Credentials {
		if c.Record == record {
			t := token.Token{Value: c.AWS.SecretAccessKey, Lifetime: c.AWS.Lifetime}
			return protocol.HostCredential{Token: t, Username: c.AWS.AccessKeyID, Profile: b.Profile, Path: b.Binding.Path, Kind: kind}, s.judge(q, t.Lifetime)
		}
	}
	return protocol.HostCredential{}, s.miss(q)
}

// Reject answers where there is nothing to note.
func (s *source) Reject(_ context.Context, r protocol.HostRequest) error {
	session, _, err := s.loadBound(r)
	if err != nil {
		if errors.Is(err, protocol.ErrNotBound) {
			return nil
		}
		return err
	}
	if isPresent(session, r.Rejected) && !session.Hot.IsRejected(r.Rejected) {
		return token.ErrMiss
	}
	return nil
}

// isPresent reports whether f names a token that the session has now.
func isPresent(session *tokencache.Session, f protocol.Fingerprint) bool {
	if f == (protocol.Fingerprint{}) {
		return false
	}
	tokens := session.Hot.Tokens
	return f == protocol.FingerprintOf(tokens.Access.Value) || f == protocol.FingerprintOf(tokens.ID.Value)
}

// Hosts lists what the table binds and a live session answers for.
func (s *source) Hosts(_ context.Context, r protocol.HostRequest) ([]protocol.BoundHost, error) {
	table, ok := s.tableFor(r)
	if !ok {
		return nil, token.ErrMiss
	}
	live := map[string]bool{}
	var listed []protocol.BoundHost
	for b, h := range table.Listed(r.Profile) {
		answers, known := live[b.SessionID]
		if !known {
			session, err := s.store.Load(b.SessionID)
			answers = err == nil && session.Hot.Dead == nil
			live[b.SessionID] = answers
		}
		if answers {
			listed = append(listed, protocol.BoundHost{Host: h.Authority(), Path: h.Path, Username: userOf(b)})
		}
	}
	return listed, nil
}

// StoredToken answers with what is kept, and where nothing is.
func (s *source) StoredToken(_ context.Context, h profiles.Host) (token.Secret, error) {
	if !h.ASCII() {
		return token.Secret{}, token.ErrMiss
	}
	kept, err := s.stored.Load(tokencache.HostIdentity(h.Authority()).SessionID())
	switch {
	case errors.Is(err, tokencache.ErrNoSession):
		return token.Secret{}, nil
	case err != nil:
		return token.Secret{}, token.ErrMiss
	}
	return kept.Hot.Tokens.Access.Value, nil
}

// StoreToken is the complete program's.
func (s *source) StoreToken(context.Context, profiles.Host, token.Secret, []byte) error {
	return token.ErrMiss
}

// ForgetToken is the complete program's.
func (s *source) ForgetToken(context.Context, profiles.Host) error { return token.ErrMiss }

// tableFor gives the table of bindings, where it can answer r: the host's name must be comparable as it stands, and a
// profile that is asked for must be in it.
func (s *source) tableFor(r protocol.HostRequest) (profileindex.Hosts, bool) {
	if r.Username != "" || r.Location != "" || !r.Host.ASCII() {
		return profileindex.Hosts{}, false
	}
	table, ok := s.hosts()
	return table, ok && (r.Profile == "" || table.Binds(r.Profile))
}

// loadBound finds the session that answers for the host.
func (s *source) loadBound(r protocol.HostRequest) (*tokencache.Session, profileindex.Bound, error) {
	table, ok := s.tableFor(r)
	if !ok {
		return nil, profileindex.Bound{}, token.ErrMiss
	}
	return s.loadOnly(table.Match(r.Host, r.Profile))
}

// loadOnly loads the session of the one binding that was found.
func (s *source) loadOnly(found []profileindex.Bound) (*tokencache.Session, profileindex.Bound, error) {
	switch len(found) {
	case 0:
		return nil, profileindex.Bound{}, protocol.ErrNotBound
	case 1:
	default:
		return nil, profileindex.Bound{}, token.ErrMiss
	}
	session, err := s.store.Load(found[0].SessionID)
	if err != nil || session.Hot.Dead != nil {
		return nil, found[0], token.ErrMiss
	}
	return session, found[0], nil
}

// userOf is the name to answer with.
func userOf(b profileindex.Bound) string {
	if b.Binding.User != "" {
		return b.Binding.User
	}
	return b.Username
}

// refused reports whether a host said that it was refused this token, and a renewal may mend that.
func (s *source) refused(session *tokencache.Session, t token.Token) bool {
	if len(session.Hot.Rejected) == 0 || !session.Hot.IsRejected(protocol.FingerprintOf(t.Value)) {
		return false
	}
	last, ok := s.store.LastAttempt(session.ID, "refresh")
	return !ok || last.LetsForce(t.Lifetime, s.now().Wall)
}
