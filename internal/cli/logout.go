package cli

import (
	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

// logoutOptions is what the flags of logout say.
type logoutOptions struct {
	selection
	everywhere bool
	force      bool
}

func (p *program) logoutCommand() *cobra.Command { return newLogout(p, p.logout) }

// newLogout parses the flags and hands them to run, which tests replace.
func newLogout(p *program, run func(*cobra.Command, logoutOptions) error) *cobra.Command {
	var o logoutOptions
	c := &cobra.Command{
		Use:   "logout",
		Short: "Revoke and forget a profile's session",
		Long: `Revokes the session's refresh token, so that nothing can be renewed with it, and forgets the session
here, also when revoking failed. Tokens and AWS credentials that tools already have stay valid until
they expire. Where Cognito remembers this computer as a device of the user's, it still does, so that
the next login need not ask for a second factor; device forget, before the logout, ends that.

A session that cannot be read cannot be revoked. Where its file is damaged, or its key is gone for
good, the file is kept under another name, and nobody is signed in here any more. Where the key may
come back (a locked keyring, a key that was not given), nothing is changed unless --force says so.

With --everywhere, all sessions of the user end, on every machine and in every app client; where
that fails, nothing is forgotten.`,
		Example: `  cognito-credhelper logout --profile dev
  cognito-credhelper logout --profile dev --everywhere`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, o) },
	}
	o.define(c, p.completeProfiles, true)
	c.Flags().BoolVar(&o.everywhere, "everywhere", false, "end all sessions of the user, on every machine")
	c.Flags().BoolVar(&o.force, "force", false, "forget also a session whose key cannot be had, unrevoked")
	repeatWhole(c)
	return c
}

func (p *program) logout(c *cobra.Command, o logoutOptions) error {
	if o.everywhere && o.force {
		return usageError(c, "--everywhere forgets nothing where it fails, so --force says nothing")
	}
	t, err := p.target(o.selection)
	if err != nil {
		return err
	}
	s, err := p.sessions()
	if err != nil {
		return ofProfile(t.Selection, err)
	}
	if o.everywhere {
		return p.logoutEverywhere(c, t, s)
	}
	r, err := s.Logout(c.Context(), t, tokensource.LogoutOptions{Force: o.force})
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
		return ofProfile(t.Selection, p.notRevoked(who, r, t))
	default:
		p.say("profile %s: %s is revoked and forgotten", t.Selection.Name, who)
	}
	return nil
}

func (p *program) logoutEverywhere(c *cobra.Command, t tokensource.Target, s sessions) error {
	r, err := s.LogoutEverywhere(c.Context(), t)
	if err != nil {
		return ofProfile(t.Selection, err)
	}
	who := r.User
	if who == "" {
		who = "the user"
	}
	p.say("profile %s: %s is signed out everywhere, and the session is forgotten here", t.Selection.Name, who)
	return nil
}

// notRevoked is the error of a logout that Cognito was not told of: what still lives, and until when.
func (p *program) notRevoked(who string, r tokensource.LogoutResult, t tokensource.Target) error {
	kind := token.KindOf(r.RevokeErr)
	if kind == token.LoginNeeded || kind == token.Usage || r.Aside != "" {
		kind = token.Failure // a login mends nothing that is forgotten, and a second try does not either
	}
	message := who + " is forgotten here but not revoked"
	if r.Aside != "" {
		message = who + " could not be read, so it is not revoked; its file is kept as " + r.Aside + ", and nobody is signed in here"
	}
	message += ": its refresh token stays valid until it expires"
	if now := p.now().Wall; r.Until.After(now) {
		message += ", what tools have of it until " + clockTime(r.Until, now)
	}
	return &token.Error{
		Kind:    kind,
		Message: message,
		Next:    "ask an administrator of the user pool to sign the user out, then: " + command("login", t.Selection, t.Username),
		Err:     r.RevokeErr,
	}
}
