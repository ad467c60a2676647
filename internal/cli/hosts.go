package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"

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
	return s.p.hostCredential(ctx, t, b, r)
}

// SharedCredential finds what all bindings promise, and gives it.
func (s *source) SharedCredential(ctx context.Context, r protocol.HostRequest) (protocol.HostCredential, error) {
	t, b, err := s.p.shared(r)
	if err != nil {
		return protocol.HostCredential{}, err
	}
	return s.p.hostCredential(ctx, t, b, r)
}

func (p *program) hostCredential(ctx context.Context, t tokensource.Target, b profiles.Binding, r protocol.HostRequest) (protocol.HostCredential, error) {
	if inMemory(t.Profile) && !p.ownMemory {
		return protocol.HostCredential{}, ofProfile(t.Selection, tokensource.NothingKept(t))
	}
	got, name, err := p.credentialFor(ctx, t, b, r)
	if err != nil {
		return protocol.HostCredential{}, ofProfile(t.Selection, err)
	}
	return protocol.HostCredential{Token: got, Username: cmp.Or(name, b.User, t.Username, t.Profile.Username), Profile: t.Selection.Name, Path: b.Path, Kind: b.Kind}, nil
}

// credentialFor gives the kind of credential that the binding names, and the user name that it comes with, where it comes with
// one.
func (p *program) credentialFor(ctx context.Context, t tokensource.Target, b profiles.Binding, r protocol.HostRequest) (token.Token, string, error) {
	use := token.Use(b.Kind)
	if use != token.UseID && use != token.UseAccess {
		return p.derivedFor(ctx, t, b, r)
	}
	tokens, err := p.sessions()
	if err != nil {
		return token.Token{}, "", err
	}
	if r.Rejected != (protocol.Fingerprint{}) {
		if err := tokens.Reject(ctx, t, r.Rejected); err != nil {
			return token.Token{}, "", err
		}
	}
	got, err := tokens.Token(ctx, t, tokensource.Want{Use: use, MinTTL: r.MinTTL, RenewFirst: r.RenewFirst})
	return got, "", err
}

// derivedFor gives what AWS's own services take, and keeps for the front how the profile resolved.
func (p *program) derivedFor(ctx context.Context, t tokensource.Target, b profiles.Binding, r protocol.HostRequest) (token.Token, string, error) {
	aws, err := p.aws()
	if err != nil {
		return token.Token{}, "", err
	}
	got, err := aws.Derive(ctx, t, b, r.Host, tokensource.Want{MinTTL: r.MinTTL, RenewFirst: r.RenewFirst})
	if err != nil {
		return token.Token{}, "", err
	}
	if r.Username == "" && r.Location == "" && !inMemory(t.Profile) {
		p.remember(t.Selection, t.Profile)
	}
	return token.Token{Value: got.Secret, Lifetime: got.Lifetime}, got.Username, nil
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
			listed = append(listed, protocol.BoundHost{Host: h.Authority(), Path: h.Path, Username: cmp.Or(b.Binding.User, b.Username)})
		}
	}
	return listed, nil
}

func noTarget(err error) (tokensource.Target, profiles.Binding, error) {
	return tokensource.Target{}, profiles.Binding{}, err
}

// bound finds the session that answers for the host, and the binding that says so.
func (p *program) bound(r protocol.HostRequest) (tokensource.Target, profiles.Binding, error) {
	h, ok := inifile.ASCIIHost(r.Host)
	if !ok {
		return noTarget(protocol.ErrNotBound)
	}
	table, unknown, err := p.tableFor(r)
	if err != nil {
		return noTarget(err)
	}
	found := table.Match(h, r.Profile)
	switch {
	case len(found) == 0 && unknown != nil:
		return noTarget(unknown)
	case len(found) == 0:
		return noTarget(protocol.ErrNotBound)
	case len(found) > 1:
		return noTarget(ambiguous(h, found[0].Profile, found[1].Profile))
	}
	t, err := p.hostTarget(found[0].Profile, r)
	if err != nil {
		return noTarget(err)
	}
	b, ok := t.Profile.Match(h)
	if !ok {
		return noTarget(protocol.ErrNotBound) // the profile changed meanwhile
	}
	return t, b, nil
}

// shared finds the session that every binding leads to, and one of them.
func (p *program) shared(r protocol.HostRequest) (tokensource.Target, profiles.Binding, error) {
	table, unknown, err := p.tableFor(r)
	if err = cmp.Or(err, unknown); err != nil { // what is not known may differ
		return noTarget(err)
	}
	found := table.Shared(r.Profile)
	switch len(found) {
	case 0:
		return noTarget(protocol.ErrNotBound)
	case 1:
	default:
		return noTarget(&protocol.NotSharedError{One: boundHost(found[0].Binding), Two: boundHost(found[1].Binding)})
	}
	t, err := p.hostTarget(found[0].Profile, r)
	if err != nil {
		return noTarget(err)
	}
	if !slices.Contains(t.Profile.Hosts, found[0].Binding) {
		return noTarget(protocol.ErrNotBound) // the profile changed meanwhile
	}
	return t, found[0].Binding, nil
}

// hostTarget is the session of a profile that binds the host of r.
func (p *program) hostTarget(name string, r protocol.HostRequest) (tokensource.Target, error) {
	s := profiles.Selection{Name: name, Named: true, Location: r.Location}
	p.meant.Store(&s)
	profile, err := p.signInProfile(s)
	return tokensource.Target{Profile: profile, Selection: s, Username: r.Username}, err
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
