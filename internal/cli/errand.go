package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

// userPool is what the commands about a user's own account need of Cognito.
type userPool interface {
	ForgotPassword(ctx context.Context, username string, metadata map[string]string) (cognito.Delivery, error)
	ConfirmForgotPassword(ctx context.Context, username string, code, password token.Secret, metadata map[string]string) error
	ChangePassword(ctx context.Context, access, before, after token.Secret) error
	ConfirmSignUp(ctx context.Context, username string, code token.Secret, metadata map[string]string) error
	ResendConfirmation(ctx context.Context, username string, metadata map[string]string) (cognito.Delivery, error)
	Factors(ctx context.Context, access token.Secret) (cognito.Factors, error)
	AssociateTOTP(ctx context.Context, access token.Secret) (token.Secret, error)
	VerifyTOTP(ctx context.Context, access, code token.Secret, name string) error
	PreferMFA(ctx context.Context, access token.Secret, enabled []string, preferred string) error
	Devices(ctx context.Context, access token.Secret) ([]cognito.DeviceInfo, error)
	ForgetDevice(ctx context.Context, access token.Secret, key string) error
}

var _ userPool = (*cognito.Client)(nil)

// errandOptions is what the flags of such a command say.
type errandOptions struct {
	selection
	answerFlags
	metadata []string
}

// errand is one run of such a command.
type errand struct {
	*program
	verb     string // as it is typed
	target   tokensource.Target
	pool     userPool
	answers  *answering
	metadata map[string]string
}

// errand checks the form of the flags, then the profile, then reads what was prepared.
func (p *program) errand(c *cobra.Command, o errandOptions) (*errand, error) {
	values := prompt.NewValues(p.Stdin)
	answers, err := p.answering(o.answerFlags, values)
	if err != nil {
		return nil, withHelp(c, err)
	}
	metadata, err := readMetadata(c.Context(), values, o.metadata)
	if err != nil {
		return nil, withHelp(c, err)
	}
	t, err := p.target(o.selection)
	if err != nil {
		return nil, err
	}
	if err := answers.ready(c.Context(), p); err != nil {
		return nil, withHelp(c, err)
	}
	pool, err := p.userPool(t)
	if err != nil {
		return nil, ofProfile(t.Selection, err)
	}
	verb := strings.TrimPrefix(c.CommandPath(), programName+" ")
	return &errand{p, verb, t, pool, answers, merged(t.Profile.ClientMetadata, metadata)}, nil
}

// access is the access token of who is signed in.
func (e *errand) access(ctx context.Context) (token.Secret, error) {
	s, err := e.sessions()
	if err != nil {
		return token.Secret{}, err
	}
	t, err := s.Token(ctx, e.target, tokensource.Want{Use: token.UseAccess})
	return t.Value, err
}

// username is whose account it is, for what is done before anybody is signed in.
func (e *errand) username(ctx context.Context) (string, error) {
	if e.target.Username == "" {
		e.target.Username = e.target.Profile.Username
	}
	if e.target.Username != "" {
		return e.target.Username, nil
	}
	name, err := e.ask(ctx, challenge.Question{Name: challenge.Username, Label: "user name", Attempt: 1})
	e.target.Username = name.Reveal()
	return e.target.Username, err
}

// ask asks one question.
func (e *errand) ask(ctx context.Context, q challenge.Question) (token.Secret, error) {
	answer, err := e.answers.Answer(ctx, q)
	if errors.Is(err, challenge.ErrNoAnswer) {
		return token.Secret{}, &token.Error{
			Kind:    token.LoginNeeded,
			Message: e.verb + " needs the " + q.Label + ", and there is nobody to ask",
			Next:    "run in a terminal: " + e.line() + " (or add " + e.flagFor(q) + ")",
			Err:     err,
		}
	}
	if err == nil && strings.HasSuffix(q.Name, "_CODE") {
		answer = token.NewSecret(strings.Join(strings.Fields(answer.Reveal()), "")) // apps show "123 456"
	}
	return answer, err
}

// line is the command line that does the errand again.
func (e *errand) line() string { return command(e.verb, e.target.Selection, e.target.Username) }

func (e *errand) flagFor(q challenge.Question) string {
	switch {
	case q.Name == challenge.Username:
		return "--username NAME"
	case q.Name == challenge.Password:
		return "--password-stdin"
	case q.Secret:
		return "--answer " + q.Name + "=@FILE"
	case !q.URI.Empty():
		return "--mfa-process CMD" // nobody knows the code before the secret
	default:
		return "--answer " + q.Name + "=VALUE"
	}
}

// given are answers by name.
type given map[string]token.Secret

// maxWrong is how often one answer may be wrong.
const maxWrong = 3

// carryOut asks the questions and does what they are asked for; what Cognito says was wrong is asked again.
func (e *errand) carryOut(ctx context.Context, do func(given) error, questions ...challenge.Question) (given, error) {
	got, wrong, note := given{}, map[string]int{}, ""
	var last error
	for {
		for _, q := range questions {
			if _, ok := got[q.Name]; ok {
				continue
			}
			q.Attempt, q.Note = wrong[q.Name]+1, note
			answer, err := e.ask(ctx, q)
			if last != nil && errors.Is(err, challenge.ErrNoAnswer) {
				return nil, last // that it was wrong is what matters
			}
			if err != nil {
				return nil, err
			}
			got[q.Name], note = answer, ""
		}
		err := do(got)
		name, why := wrongAnswer(err, questions)
		if err == nil || name == "" {
			return got, err
		}
		if wrong[name]++; wrong[name] == maxWrong {
			return nil, threeTimes(err, why)
		}
		delete(got, name)
		last, note = err, why
	}
}

// wrongAnswer says which answer Cognito refused, and why, if it is one of those.
func wrongAnswer(err error, questions []challenge.Question) (name, why string) {
	var said *token.Error
	if !errors.As(err, &said) {
		return "", ""
	}
	switch code, text := answerOf(err); {
	case code == "CodeMismatch", code == "EnableSoftwareTokenMFA":
		name, why = "_CODE", "the code was wrong"
	case code == "ExpiredCode" && strings.Contains(text, "already been used"):
		name, why = "_CODE", "the code was used before: wait for the next one"
	case code == "InvalidPassword", code == "PasswordHistoryPolicyViolation":
		name, why = newPassword, said.Message
	case code == "NotAuthorized" && strings.Contains(text, "incorrect username or password"):
		name, why = challenge.Password, "the current password was wrong"
	default:
		return "", ""
	}
	for _, q := range questions {
		if q.Name == name || name == "_CODE" && strings.HasSuffix(q.Name, name) {
			return q.Name, why
		}
	}
	return "", ""
}

func threeTimes(err error, why string) error {
	var said *token.Error
	errors.As(err, &said)
	return &token.Error{Kind: token.Refused, Message: why + ", three times", Next: said.Next, Err: said.Err}
}

// answerOf is the code, without "Exception", and the text, in lower case, of Cognito's answer in an error.
func answerOf(err error) (code, text string) {
	var e *cognito.Error
	if !errors.As(err, &e) {
		return "", ""
	}
	return strings.TrimSuffix(e.Code, "Exception"), strings.ToLower(e.Message)
}

// failed is an error of the errand as a person reads it: what it says about the login is about this command.
func (e *errand) failed(err error) error {
	err = ofProfile(e.target.Selection, err)
	var said *token.Error
	if !errors.As(err, &said) || said.Kind == token.LoginNeeded || answered(err) == "" {
		return err
	}
	before, _, found := strings.Cut(said.Next, programName+" login")
	if !found {
		return err
	}
	if e.verb == "confirm" && answered(err) == "ExpiredCode" {
		e.verb += " --resend"
	}
	return &token.Error{Kind: said.Kind, Message: said.Message, Next: before + e.line(), Err: said.Err}
}

func answered(err error) string {
	code, _ := answerOf(err)
	return code
}

// mendable reports whether a command of ours mends what Cognito complains about.
func mendable(err error) bool {
	code := answered(err)
	return code == "PasswordResetRequired" || code == "UserNotConfirmed"
}

// delivered says where a code went.
func delivered(d cognito.Delivery) string {
	to := d.Destination
	if to == "" {
		to = "the user"
	}
	switch d.Medium {
	case "EMAIL":
		return to + " by e-mail"
	case "SMS":
		return to + " by text message"
	default:
		return to
	}
}

// errandGroup is a command that only has others below it.
func (p *program) errandGroup(name, short, long, example string, below ...*cobra.Command) *cobra.Command {
	var names []string
	c := &cobra.Command{Use: name, Short: short, Long: long, Example: example, Args: cobra.ArbitraryArgs}
	for _, b := range below {
		settableOnce(b)
		c.AddCommand(b)
		names = append(names, b.Name())
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError(c, "%s needs one of: %s", name, strings.Join(names, ", "))
		}
		return usageError(c, "there is no %s %q: it is one of %s", name, args[0], strings.Join(names, ", "))
	}
	return c
}

// errandCommand completes the command of an errand that asks something.
func (p *program) errandCommand(c *cobra.Command, o *errandOptions, password bool, run func(context.Context, *errand) error) *cobra.Command {
	p.plainErrand(c, o, func(ctx context.Context, e *errand, _ []string) error {
		err := run(ctx, e)
		if err == nil {
			e.answers.warnUnused(p)
		}
		return err
	})
	o.answerFlags.define(c, password)
	return c
}

// plainErrand completes the command of an errand that asks nothing.
func (p *program) plainErrand(c *cobra.Command, o *errandOptions, run func(context.Context, *errand, []string) error) *cobra.Command {
	if c.Args == nil {
		c.Args = noArguments
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		e, err := p.errand(c, *o)
		if err != nil {
			return err
		}
		if err := run(c.Context(), e, args); err != nil {
			return withHelp(c, e.failed(err))
		}
		return nil
	}
	o.selection.define(c, p.completeProfiles, true)
	return c
}
