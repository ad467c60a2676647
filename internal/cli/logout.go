package cli

import (
	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

func (p *program) logoutCommand() *cobra.Command { return newLogout(p, p.logout) }

// newLogout parses the flags and hands them to run, which tests replace.
func newLogout(p *program, run func(*cobra.Command, selection) error) *cobra.Command {
	var f selection
	c := &cobra.Command{
		Use:   "logout",
		Short: "Revoke and forget a profile's session",
		Long: `Revokes the session's refresh token, so that nothing can be renewed with it, and forgets the session
here, also when revoking failed. Tokens and AWS credentials that tools already have stay valid until
they expire. Where Cognito remembers this computer as a device of the user's, it still does, so that
the next login need not ask for a second factor; device forget, before the logout, ends that.`,
		Example: "  cognito-credhelper logout --profile dev",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c, f) },
	}
	f.define(c, p.completeProfiles, true)
	return c
}

func (p *program) logout(c *cobra.Command, f selection) error {
	t, err := p.target(f)
	if err != nil {
		return err
	}
	s, err := p.sessions()
	if err != nil {
		return ofProfile(t.Selection, err)
	}
	r, err := s.Logout(c.Context(), t)
	if err != nil {
		return ofProfile(t.Selection, err)
	}
	who := "the session"
	if r.User != "" {
		who = r.User + "'s session"
	}
	switch {
	case r.NothingThere:
		p.say("profile %s: nobody was signed in", t.Selection.Name)
	case r.RevokeErr != nil:
		return ofProfile(t.Selection, notRevoked(who, r.RevokeErr, t))
	default:
		p.say("profile %s: %s is revoked and forgotten", t.Selection.Name, who)
	}
	return nil
}

// notRevoked is the error of a logout that Cognito was not told of.
func notRevoked(who string, err error, t tokensource.Target) error {
	kind := token.KindOf(err)
	if kind == token.LoginNeeded || kind == token.Usage {
		kind = token.Failure // a login mends nothing that is forgotten
	}
	return &token.Error{
		Kind:    kind,
		Message: who + " is forgotten here but not revoked, so its tokens stay valid until they expire",
		Next:    "ask an administrator of the user pool to sign the user out, then: " + command("login", t.Selection, t.Username),
		Err:     err,
	}
}
