package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/setup"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// setting is a flag of configure and the key that it writes.
type setting struct{ flag, key, value, help string }

// settings lists what configure can write, in the order of the file.
func settings() []setting {
	return []setting{
		{"user-pool-id", "cognito_user_pool_id", "ID", "user pool, such as us-east-1_AbCdEfGhI"},
		{"client-id", "cognito_client_id", "ID", "app client of the user pool"},
		{"client-secret", "cognito_client_secret", "@FILE|-", "the app client's secret, where it has one"},
		{"username", "cognito_username", "NAME", "who signs in by default"},
		{"auth-flow", "cognito_auth_flow", "FLOW", "USER_SRP_AUTH (default) or another flow of Cognito"},
		{"endpoint-url", "cognito_endpoint_url", "URL", "another endpoint for the user pool"},
		{"identity-pool-id", "cognito_identity_pool_id", "ID", "identity pool that gives AWS credentials"},
		{"role-arn", "cognito_role_arn", "ARN", "role to take with the ID token"},
		{"region", "region", "REGION", "region that AWS tools work in; the sign-in's is the pool's"},
	}
}

// configureOptions is what the flags of configure say.
type configureOptions struct {
	selection
	given map[string]*string // by flag
	print bool
	force bool
}

func (p *program) configureCommand() *cobra.Command { return newConfigure(p, p.configure) }

// newConfigure parses the flags and hands them to run, which tests replace.
func newConfigure(p *program, run func(*cobra.Command, configureOptions) error) *cobra.Command {
	o := configureOptions{given: map[string]*string{}}
	c := &cobra.Command{
		Use:   "configure",
		Short: "Write a profile into the AWS configuration file",
		Long: `Writes a profile's keys into the AWS configuration file (AWS_CONFIG_FILE, else ~/.aws/config) and
changes nothing else in it. Where an identity pool or a role is set, it also writes the
credential_process line through which AWS tools get their credentials. Every value is checked before
anything is written.`,
		Example: `  cognito-credhelper configure --profile dev --user-pool-id us-east-1_AbCd --client-id 1h57kf5cpq
  cognito-credhelper configure --profile dev --identity-pool-id "$IDENTITY_POOL" --region eu-west-1
  cognito-credhelper configure --profile dev --client-secret @secret.txt --print`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, o) },
	}
	o.define(c, p.completeProfiles, false)
	for _, s := range settings() {
		o.given[s.flag] = c.Flags().String(s.flag, "", "`"+s.value+"`: "+s.help)
	}
	c.Flags().BoolVar(&o.print, "print", false, "show what would be written, and write nothing")
	repeatWhole(c)
	c.Flags().BoolVar(&o.force, "force", false, "replace another program's credential_process without asking")
	return c
}

// configure tries the change on a copy first, so that what is written is known to load.
func (p *program) configure(c *cobra.Command, o configureOptions) error {
	keys, err := p.keysOf(c, o)
	if err != nil {
		return withHelp(c, err)
	}
	s := profiles.Select(o.profile, o.location, p.Getenv)
	s.Named = true // it is being written: a missing default is no more welcome than any other
	place, err := p.placeOf(s)
	if err != nil {
		return err
	}
	after := place.before
	if len(keys) > 0 {
		if after, err = p.rehearse(c, place, keys); err != nil {
			return err
		}
	}
	line, err := p.processLine(c.Context(), s, place, after, o)
	if err != nil {
		return err
	}
	if line != "" {
		keys = append(keys, keyValue{"credential_process", line})
	}
	if len(keys) == 0 {
		return usageError(c, "there is nothing to write: give at least one key")
	}
	return p.write(place, keys, after, o.print)
}

// keysOf turns flags into keys. A client secret never stands on the command line.
func (p *program) keysOf(c *cobra.Command, o configureOptions) ([]keyValue, error) {
	var keys []keyValue
	for _, s := range settings() {
		value := *o.given[s.flag]
		if value == "" {
			continue
		}
		if s.flag == "client-secret" {
			if prompt.Literal(value) {
				p.warn("other programs can see the client secret on this command line; give it as @FILE or -")
			}
			secret, err := prompt.NewValues(p.Stdin).Read(c.Context(), "--client-secret", value)
			if err != nil {
				return nil, err
			}
			value = secret.Reveal()
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return nil, usageError(c, "--%s: the value has more than one line", s.flag)
		}
		keys = append(keys, keyValue{s.key, value})
	}
	return keys, nil
}

// place is where a profile stands, or will.
type place struct {
	selection     profiles.Selection
	file, section string
	before        profiles.Profile // zero when there was none
}

// placeOf finds the file and the section to write.
func (p *program) placeOf(s profiles.Selection) (place, error) {
	at := place{selection: s, file: s.Location, section: setup.SectionName(s.Name)}
	if at.file == "" {
		at.file = p.configFile()
	}
	if at.file == "" {
		return at, &token.Error{Kind: token.BadProfile, Message: "there is no home folder with an AWS configuration file", Next: "set AWS_CONFIG_FILE to the file to write"}
	}
	var missing *profiles.NotFoundError
	var key *profiles.KeyError
	before, err := p.loadProfile(s, p.Getenv)
	switch {
	case err == nil:
		at.before = before
	case !errors.As(err, &missing) && !errors.As(err, &key): // a wrong key is what configure may be mending
		return at, p.badProfile(err)
	}
	for i, f := range before.Files {
		switch {
		case i >= len(before.Sections):
		case sameFile(f, at.file):
			at.section = before.Sections[i]
		default:
			p.warn("profile " + s.Name + " stands in " + f + ", too, and what is set there may win")
		}
	}
	return at, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return a == b || errX == nil && errY == nil && os.SameFile(x, y)
}

// rehearse writes the keys into a private copy of the file and loads the profile from it.
func (p *program) rehearse(c *cobra.Command, at place, keys []keyValue) (profiles.Profile, error) {
	folder, err := os.MkdirTemp("", programName+"-")
	if err != nil {
		return profiles.Profile{}, &token.Error{Kind: token.Failure, Message: "there is no place for a copy to try the change on", Err: err}
	}
	defer os.RemoveAll(folder)
	name := filepath.Join(folder, "config")
	if err := copyFile(at.file, name); err != nil {
		return profiles.Profile{}, err
	}
	if _, err := p.writeProfile(name, at.section, keys); err != nil {
		return profiles.Profile{}, p.ofFile(err, name, at.file)
	}
	s, getenv := at.selection, p.Getenv
	if s.Location != "" {
		s.Location = name
	} else {
		getenv = func(key string) string {
			if key == "AWS_CONFIG_FILE" {
				return name
			}
			return p.Getenv(key)
		}
	}
	after, err := p.loadProfile(s, getenv)
	if err != nil {
		return after, p.ofFile(p.wrongValue(c, err, keys), name, at.file)
	}
	return after, p.checkResult(c, after)
}

// wrongValue blames the flag where the key is one that it gave.
func (p *program) wrongValue(c *cobra.Command, err error, keys []keyValue) error {
	var e *profiles.KeyError
	if errors.As(err, &e) {
		for _, s := range settings() {
			if s.key == e.Key && slices.ContainsFunc(keys, func(k keyValue) bool { return k.key == e.Key }) {
				return usageError(c, "--%s must be %s", s.flag, e.Allowed)
			}
		}
	}
	return p.badProfile(err)
}

// checkResult refuses a profile that could not sign in.
func (p *program) checkResult(c *cobra.Command, after profiles.Profile) error {
	switch {
	case len(after.UnknownKeys) > 0:
		return &token.Error{Kind: token.BadProfile, Message: "profile " + after.Name + " has a key that this version does not know: " + strings.Join(after.UnknownKeys, ", "), Next: "correct or remove that line"}
	case after.UserPoolID == "":
		return usageError(c, "profile %s has no user pool yet: give --user-pool-id", after.Name)
	case after.ClientID == "":
		return usageError(c, "profile %s has no app client yet: give --client-id", after.Name)
	}
	return nil
}

// ofFile gives an error about the copy the name of the file that it stands for.
func (p *program) ofFile(err error, copied, file string) error {
	return &token.Error{
		Kind:    max(token.KindOf(p.badProfile(err)), token.Usage),
		Message: strings.ReplaceAll(err.Error(), copied, file),
		Next:    strings.ReplaceAll(nextOf(err), copied, file),
	}
}

// copyFile copies a regular file, or makes an empty one where there is none. Anything else might never end.
func copyFile(from, to string) error {
	refuse := func(why string, err error) error {
		return &token.Error{Kind: token.BadProfile, Message: from + " " + why, Next: "ls -lL " + profiles.ShellWord(from), Err: err}
	}
	info, err := os.Stat(from)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.WriteFile(to, nil, 0o600)
	case err != nil:
		return refuse("cannot be read", errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return refuse("is not a regular file", nil)
	}
	in, err := os.Open(from)
	if err != nil {
		return refuse("cannot be read", errors.Unwrap(err))
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, 2<<20)) // more is refused when it is loaded
	if err != nil {
		return refuse("cannot be read", errors.Unwrap(err))
	}
	return os.WriteFile(to, text, 0o600)
}

// processLine is the value of credential_process; "" where the profile leads to no AWS credentials.
func (p *program) processLine(ctx context.Context, s profiles.Selection, at place, after profiles.Profile, o configureOptions) (string, error) {
	if after.IdentityFlow == "" {
		return "", nil
	}
	program, err := p.executable()
	if err != nil {
		return "", err
	}
	line := p.credLine(program, s.Name)
	if s.Location != "" {
		location, err := filepath.Abs(s.Location)
		if err != nil {
			return "", err
		}
		line += " --profile-location " + lineWord(location)
	}
	if before := at.before.CredentialProcess; before != "" && before != line && !setup.Ours(before) {
		question := "profile " + s.Name + " gets its credentials from another program; replace its credential_process line?"
		if err := p.agreed(ctx, o, question); err != nil {
			return "", err
		}
	}
	return line, nil
}

// agreed asks for a confirmation, where --force does not give it and something would be written.
func (p *program) agreed(ctx context.Context, o configureOptions, question string) error {
	if o.force || o.print {
		return nil
	}
	if !p.terminal.Present() {
		return &token.Error{Kind: token.Usage, Message: "there is no terminal to confirm: " + question, Next: p.lineFor(p.selected()) + " --force"}
	}
	yes, err := p.terminal.Confirm(ctx, question)
	if err == nil && !yes {
		err = &token.Error{Kind: token.Failure, Message: "nothing was changed"}
	}
	return err
}

// write carries the change out, or shows it.
func (p *program) write(at place, keys []keyValue, after profiles.Profile, printOnly bool) error {
	if printOnly {
		return p.print(shown(at.section, keys))
	}
	done, err := p.writeProfile(at.file, at.section, keys)
	if err != nil {
		return p.badProfile(err)
	}
	for _, w := range after.Warnings {
		p.warn(w)
	}
	if done.nothing {
		p.say("%s already says that", at.file)
	} else {
		p.say("%s: [%s] written", at.file, at.section)
	}
	for _, l := range done.lines {
		p.say("  %s", l)
	}
	if after.IdentityFlow != "" {
		p.warnOutranking(p.outrankingProfile(at.selection))
	}
	p.hint(command("login", at.selection, ""))
	return nil
}

// shown is what would be written. A client secret stays hidden.
func shown(section string, keys []keyValue) string {
	var b strings.Builder
	b.WriteString("[" + section + "]\n")
	for _, k := range keys {
		if k.key == "cognito_client_secret" {
			k.value = "[redacted]"
		}
		b.WriteString(k.key + " = " + k.value + "\n")
	}
	return b.String()
}
