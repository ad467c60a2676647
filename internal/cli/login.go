package cli

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// loginOptions is what the flags of login say.
type loginOptions struct {
	selection
	answerFlags
	metadata []string
	force    bool
	ifNeeded bool
	minTTL   duration
	store    string
}

func (p *program) loginCommand() *cobra.Command { return newLogin(p, p.login) }

// newLogin parses the flags and hands them to run, which tests replace.
func newLogin(p *program, run func(*cobra.Command, loginOptions) error) *cobra.Command {
	var o loginOptions
	c := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a profile's user pool",
		Long: `Signs in to the user pool of a profile and keeps the session, so that tools get their credentials
without asking. Questions go to the terminal; answers may also be prepared with --answer.

The names of answers are USERNAME, PASSWORD, NEW_PASSWORD, SOFTWARE_TOKEN_MFA_CODE, SMS_MFA_CODE,
SMS_OTP_CODE, EMAIL_OTP_CODE, ANSWER (of SELECT_MFA_TYPE, SELECT_CHALLENGE, and CUSTOM_CHALLENGE),
CREDENTIAL (of WEB_AUTHN), DEVICE_REMEMBERED (yes or no), and userAttributes.NAME;
SELECT_MFA_TYPE.ANSWER means that challenge's only. A value may be @FILE or - (standard input); @@
stands for a leading @. The same name given again is the answer to the next attempt, or to the next
round of a CUSTOM_CHALLENGE.

The program of --mfa-process is run without a shell; quotes keep words together. It reads one JSON
object (challenge, name, label, note, parameters, uri, attempt) and prints the answer on its first
line, for WEB_AUTHN one JSON object. It is asked for codes, the answers of a CUSTOM_CHALLENGE, and a
passkey's credential, never for names, passwords, or choices; no output means that it does not know.`,
		Example: `  cognito-credhelper login --profile dev
  cognito-credhelper login --profile dev --username alice --password-stdin < password.txt
  cognito-credhelper login --answer PASSWORD=@pw --answer SOFTWARE_TOKEN_MFA_CODE=123456
  cognito-credhelper login --profile dev --mfa-process 'oathtool --totp --base32 @totp-secret'
  cognito-credhelper login --profile dev --if-needed --min-ttl 1h`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.minTTL != 0 && !o.ifNeeded {
				return usageError(c, "--min-ttl needs --if-needed")
			}
			if _, ok := keyslot.KindOf(o.store); o.store != "" && o.store != tokensource.StoreAuto && o.store != tokensource.StoreNone && !ok {
				return usageError(c, "--store takes one of: auto, %s", migratable)
			}
			return run(c, o)
		},
	}
	o.selection.define(c, p.completeProfiles, true)
	o.answerFlags.define(c, true)
	defineMetadata(c, &o.metadata)
	f := c.Flags()
	f.BoolVar(&o.force, "force", false, "do not ask before a live session is replaced")
	f.StringVar(&o.store, "store", "", "the key `SLOT`: auto, "+migratable+"; before cognito_store")
	f.BoolVar(&o.ifNeeded, "if-needed", false, "leave a session that is good alone")
	f.Var(&o.minTTL, "min-ttl", "with --if-needed: the life that the token must still have")
	return c
}

// login checks the form of the flags, then the profile, then what the flow requires, and only then asks anybody.
func (p *program) login(c *cobra.Command, o loginOptions) error {
	ctx := c.Context()
	values := prompt.NewValues(p.Stdin)
	answers, err := p.answering(o.answerFlags, values)
	if err != nil {
		return withHelp(c, err)
	}
	metadata, err := readMetadata(ctx, values, o.metadata)
	if err != nil {
		return withHelp(c, err)
	}
	t, err := p.target(o.selection)
	if err != nil {
		return err
	}
	if t.Profile.AuthFlow == "browser" {
		return browserNotBuilt(t.Selection)
	}
	if err := answers.ready(ctx, p); err != nil {
		return withHelp(c, err)
	}
	result, err := p.signIn(ctx, t, answers, tokensource.LoginOptions{
		Metadata: merged(t.Profile.ClientMetadata, metadata),
		Force:    o.force,
		IfNeeded: o.ifNeeded,
		MinTTL:   time.Duration(o.minTTL),
		Store:    o.store,
	})
	if err != nil {
		return withHelp(c, ofProfile(t.Selection, err))
	}
	if !result.Kept {
		answers.warnUnused(p)
	}
	p.tellLogin(t, result)
	return nil
}

// signIn signs in. Where Cognito wants a new password or a confirmation first and a person is there, it offers that at once
// and goes on with what was typed.
func (p *program) signIn(ctx context.Context, t tokensource.Target, a *answering, o tokensource.LoginOptions) (tokensource.LoginResult, error) {
	s, err := p.sessions()
	if err != nil {
		return tokensource.LoginResult{}, err
	}
	kept := &keeping{a.Answerer, map[string]token.Secret{}}
	o.Answers = kept
	if !p.terminal.Present() {
		return s.Login(ctx, t, o)
	}
	o.Confirm = p.confirmOnce()
	for range maxMended {
		result, err := s.Login(ctx, t, o)
		if err == nil || !mendable(err) {
			return result, err
		}
		if mended, err := p.mend(ctx, t, a, kept, o.Metadata, err); err != nil || !mended {
			return result, err
		}
	}
	return s.Login(ctx, t, o)
}

// maxMended is how often one login is begun again: a user may have to be confirmed, and then need a new password.
const maxMended = 2

// confirmOnce asks each question once: a login that begins again must not ask twice what was agreed to.
func (p *program) confirmOnce() func(context.Context, string) (bool, error) {
	agreed := map[string]bool{}
	return func(ctx context.Context, question string) (bool, error) {
		if agreed[question] {
			return true, nil
		}
		yes, err := p.terminal.Confirm(ctx, question)
		agreed[question] = yes
		return yes, err
	}
}

// mend offers what Cognito wants before it lets the user in. It gives why back where the person does not want that.
func (p *program) mend(ctx context.Context, t tokensource.Target, a *answering, kept *keeping, metadata map[string]string, why error) (mended bool, err error) {
	pool, err := p.userPool(t)
	if err != nil {
		return false, err
	}
	if name, ok := kept.known[challenge.Username]; ok {
		t.Username = name.Reveal()
	}
	e := &errand{p, "login", t, pool, a, metadata}
	if answered(why) == "UserNotConfirmed" {
		yes, err := p.terminal.Confirm(ctx, "the user is not confirmed yet; have a code sent and confirm now?")
		if err != nil || !yes {
			return false, orWhy(err, why)
		}
		return true, e.confirmUser(ctx, !a.prepared.Has(confirmationCode))
	}
	yes, err := p.terminal.Confirm(ctx, "the password must be reset before the user can sign in; reset it now?")
	if err != nil || !yes {
		return false, orWhy(err, why)
	}
	kept.known[challenge.Password], err = e.resetPassword(ctx)
	return true, err
}

func orWhy(err, why error) error {
	if err != nil {
		return err
	}
	return why
}

// tellLogin says what a login did, and what to try next.
func (p *program) tellLogin(t tokensource.Target, r tokensource.LoginResult) {
	until := clockTime(r.Tokens.Expires, p.now().Wall)
	name := r.User
	if name == "" {
		name = "the user"
	}
	if r.Kept {
		p.say("%s is still signed in to profile %s; the token is good until %s", name, t.Selection.Name, until)
	} else {
		p.say("%s is signed in to profile %s; the token is good until %s and renews itself", name, t.Selection.Name, until)
		p.say("session stored in %s", storedIn(r.Slot, r.Instead))
		if r.SlotWas != 0 && r.SlotWas != r.Slot {
			p.say("the session's key slot was %s before", r.SlotWas)
		}
	}
	if r.Revoked {
		p.say("the session before it was revoked")
	}
	for _, w := range r.Warnings {
		p.warn(w)
	}
	if !r.OwnSession {
		p.hint(command("status", t.Selection, ""))
		return
	}
	p.say("this is a session beside the profile's own: tools need --username, too")
	p.hint(p.toolLine(t))
}

// toolLine is the line that makes a tool use a session that --username selects.
func (p *program) toolLine(t tokensource.Target) string {
	if t.Profile.IdentityFlow == "" {
		return command("token", t.Selection, t.Username)
	}
	program, err := p.executable()
	if err != nil {
		program = programName
	}
	line := p.credLine(program, t.Selection.Name)
	if t.Selection.Location != "" {
		line += " --profile-location " + lineWord(t.Selection.Location)
	}
	return "credential_process = " + line + " --username " + lineWord(t.Username)
}

func browserNotBuilt(s profiles.Selection) error {
	return &token.Error{
		Kind:    token.BadProfile,
		Message: "profile " + s.Name + ": signing in through a browser (cognito_auth_flow = browser) is not built yet",
		Next:    command("configure", s, "") + " --auth-flow USER_SRP_AUTH",
	}
}

// withHelp adds the command's --help to a usage error that says nothing about what to do.
func withHelp(c *cobra.Command, err error) error {
	if token.KindOf(err) == token.Usage && nextOf(err) == "" {
		return flagError(c, err)
	}
	return err
}

// readMetadata reads --client-metadata: KEY=VALUE, or a file with one JSON object of strings.
func readMetadata(ctx context.Context, v *prompt.Values, given []string) (map[string]string, error) {
	metadata := map[string]string{}
	for _, g := range given {
		if name, isFile := strings.CutPrefix(g, "@"); isFile {
			text, err := v.Read(ctx, "--client-metadata", "@"+name)
			if err != nil {
				return nil, err
			}
			if json.Unmarshal([]byte(text.Reveal()), &metadata) != nil {
				return nil, &token.Error{Kind: token.Usage, Message: "--client-metadata: the file is not one JSON object of strings"}
			}
			continue
		}
		key, value, ok := strings.Cut(g, "=")
		if !ok || key == "" {
			return nil, &token.Error{Kind: token.Usage, Message: "--client-metadata takes KEY=VALUE or @FILE"}
		}
		metadata[key] = value
	}
	return metadata, nil
}

// merged is the profile's metadata with that of the flags over it.
func merged(profile, flags map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, profile)
	maps.Copy(all, flags)
	return all
}
