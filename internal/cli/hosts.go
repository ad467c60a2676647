package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// HostCredential finds the binding of the host, and gives what it promises.
func (s *source) HostCredential(ctx context.Context, r protocol.HostRequest) (protocol.HostCredential, error) {
	t, b, err := s.p.bound(r)
	if err != nil {
		return protocol.HostCredential{}, err
	}
	got, err := s.p.credentialFor(ctx, t, b, r)
	if err != nil {
		return protocol.HostCredential{}, ofProfile(t.Selection, err)
	}
	return protocol.HostCredential{Token: got, Username: cmp.Or(b.User, t.Username, t.Profile.Username), Profile: t.Selection.Name, Path: b.Path}, nil
}

// credentialFor gives the kind of credential that the binding names.
func (p *program) credentialFor(ctx context.Context, t tokensource.Target, b profiles.Binding, r protocol.HostRequest) (token.Token, error) {
	use := token.Use(b.Kind)
	if use != token.UseID && use != token.UseAccess {
		return token.Token{}, &token.Error{
			Kind:    token.BadProfile,
			Message: b.Host + " is bound to " + b.Kind + ", which this version cannot give",
			Next:    "edit cognito_hosts of the profile: id and access can be given",
		}
	}
	tokens, err := p.sessions()
	if err != nil {
		return token.Token{}, err
	}
	if r.Rejected != (protocol.Fingerprint{}) {
		if err := tokens.Reject(ctx, t, r.Rejected); err != nil {
			return token.Token{}, err
		}
	}
	return tokens.Token(ctx, t, tokensource.Want{Use: use, MinTTL: r.MinTTL, RenewFirst: r.RenewFirst})
}

// Reject notes a refused token in the session of the host's binding.
func (s *source) Reject(ctx context.Context, r protocol.HostRequest) error {
	t, _, err := s.p.bound(r)
	if errors.Is(err, protocol.ErrNotBound) {
		return nil
	}
	if err != nil {
		return err
	}
	tokens, err := s.p.sessions()
	if err != nil {
		return err
	}
	return ofProfile(t.Selection, tokens.Reject(ctx, t, r.Rejected))
}

// Hosts lists what is bound and a live session answers for.
func (s *source) Hosts(_ context.Context, r protocol.HostRequest) ([]protocol.BoundHost, error) {
	tokens, err := s.p.sessions()
	if err != nil {
		return nil, err
	}
	table, _, err := s.p.tableFor(r)
	if err != nil {
		return nil, err
	}
	var listed []protocol.BoundHost
	live := map[string]bool{}
	for b, h := range table.Listed(r.Profile) {
		answers, known := live[b.SessionID]
		if !known {
			answers = tokens.Live(b.SessionID)
			live[b.SessionID] = answers
		}
		if answers {
			listed = append(listed, protocol.BoundHost{Host: h.Authority(), Username: cmp.Or(b.Binding.User, b.Username)})
		}
	}
	return listed, nil
}

// bound finds the session that answers for the host, and the binding that says so.
func (p *program) bound(r protocol.HostRequest) (tokensource.Target, profiles.Binding, error) {
	fail := func(err error) (tokensource.Target, profiles.Binding, error) {
		return tokensource.Target{}, profiles.Binding{}, err
	}
	h, ok := inifile.ASCIIHost(r.Host)
	if !ok {
		return fail(protocol.ErrNotBound)
	}
	table, unknown, err := p.tableFor(r)
	if err != nil {
		return fail(err)
	}
	found := table.Match(h, r.Profile)
	switch {
	case len(found) == 0 && unknown != nil:
		return fail(unknown)
	case len(found) == 0:
		return fail(protocol.ErrNotBound)
	case len(found) > 1:
		return fail(ambiguous(h, found[0].Profile, found[1].Profile))
	}
	s := profiles.Selection{Name: found[0].Profile, Named: true, Location: r.Location}
	p.meant = &s
	profile, err := p.signInProfile(s)
	if err != nil {
		return fail(err)
	}
	b, ok := profile.Match(h)
	if !ok {
		return fail(protocol.ErrNotBound) // the profile changed meanwhile
	}
	return tokensource.Target{Profile: profile, Selection: s, Username: r.Username}, b, nil
}

// tableFor gives the bindings that count for r. unknown is why they may not be all.
func (p *program) tableFor(r protocol.HostRequest) (table profileindex.Hosts, unknown, err error) {
	if r.Location == "" {
		table, unknown, err = p.bindings()
		if err != nil || r.Profile == "" || table.Binds(r.Profile) {
			return table, p.badProfile(unknown), p.badProfile(err)
		}
	}
	profile, err := p.loadProfile(profiles.Selection{Name: r.Profile, Named: true, Location: r.Location}, p.Getenv)
	if err != nil {
		return table, nil, p.badProfile(err)
	}
	return tableOf([]profiles.Profile{profile}), nil, nil
}

func ambiguous(h profiles.Host, one, two string) error {
	return &token.Error{
		Kind:    token.BadProfile,
		Message: "profiles " + one + " and " + two + " both bind " + h.Authority() + ", and mean different credentials",
		Next:    "take the line out of cognito_hosts of one of them, or give --profile",
	}
}
