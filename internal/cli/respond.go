package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/srpstate"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// respond is one run of respond-to-auth-challenge.
type respond struct {
	raw
	answerFlags
	contextFlags
	challenge string
	responses pairs
	session   string
	state     string

	answers *answering
	in      cognito.Respond
}

func (p *program) respondCommand() *cobra.Command {
	r := &respond{raw: raw{program: p, operation: "RespondToAuthChallenge", members: challengeMembers}, responses: pairs{option: "--challenge-response"}}
	c := p.rawCommand(&cobra.Command{
		Use:   "respond-to-auth-challenge [CLIENT-ID]",
		Short: "Send RespondToAuthChallenge and print the answer",
		Long: `Sends RespondToAuthChallenge once and prints what Cognito answers as JSON: tokens or the next
challenge. Nothing is kept unless --save is given.

With --state FILE it proves the password to the challenge that initiate-auth --state FILE got: the
password comes from --password-stdin, --answer PASSWORD=@FILE, or the terminal, everything else from FILE,
which is deleted.`,
		Example: `  cognito-credhelper respond-to-auth-challenge --profile dev --state alice.srp
  cognito-credhelper respond-to-auth-challenge --profile dev --challenge-name SOFTWARE_TOKEN_MFA --session @session --challenge-response USERNAME=alice --challenge-response SOFTWARE_TOKEN_MFA_CODE=123456`,
	}, func(c *cobra.Command, args []string) error { return r.run(c.Context(), args) })
	r.raw.define(c, true)
	r.contextFlags.define(c)
	r.answerFlags.define(c, true)
	defineMetadata(c, &r.metadata)
	f := c.Flags()
	f.StringVar(&r.challenge, "challenge-name", "", "`NAME` of the challenge")
	f.StringArrayVar(&r.responses.given, "challenge-response", nil, "`KEY=VALUE`, KEY=@FILE, KEY=-, or a JSON object as @FILE or -; repeatable")
	f.StringVar(&r.session, "session", "", "the Session that came with the challenge, `@FILE` or -")
	f.StringVar(&r.state, "state", "", "`FILE` of initiate-auth --state")
	return c
}

func (r *respond) run(ctx context.Context, args []string) error {
	if err := r.checkForm(args); err != nil {
		return withHelp(r.c, err)
	}
	if err := r.read(ctx, args); err != nil {
		return err
	}
	if r.state != "" {
		return r.answerState(ctx)
	}
	if err := r.load(); err != nil {
		return err
	}
	if _, named := r.in.Responses["USERNAME"]; !named {
		return usageError(r.c, "%s requires USERNAME: give --challenge-response USERNAME=NAME", r.challenge)
	}
	r.tellVerbose()
	return r.each(ctx, token.Secret{}, r.send)
}

func (r *respond) checkForm(args []string) error {
	switch {
	case r.state == "" && r.challenge == "":
		return usageOf("--challenge-name is needed, or --state")
	case r.state != "" && (r.challenge != "" || r.session != "" || len(r.responses.given) > 0):
		return usageOf("--state has the challenge, its Session, and the responses already")
	case r.state != "" && (len(args) > 0 || r.clientID+r.poolID+r.region+r.endpoint != ""):
		return usageOf("--state says already where the challenge comes from")
	}
	return nil
}

func (r *respond) read(ctx context.Context, args []string) (err error) {
	r.values = prompt.NewValues(r.Stdin)
	if r.answers, err = r.answering(r.answerFlags, r.values); err != nil {
		return withHelp(r.c, err)
	}
	claims := func() error {
		if err := r.responses.claim(r.values); err != nil {
			return err
		}
		return r.values.Claim("--session", r.session)
	}
	if err := r.form(ctx, args, claims); err != nil {
		return err
	}
	r.warnLiteral(r.responses.literals()...)
	r.in.Challenge = r.challenge
	if r.in.Responses, err = r.responses.read(ctx, r.values); err != nil {
		return withHelp(r.c, err)
	}
	if r.session != "" {
		if r.in.Session, err = r.values.Read(ctx, "--session", r.session); err != nil {
			return withHelp(r.c, err)
		}
	}
	return withHelp(r.c, r.answers.ready(ctx, r.program))
}

func (r *respond) send(ctx context.Context, pool rawPool, _ string) (cognito.Response, error) {
	r.in.Context = r.context(r.contextFlags)
	return pool.Respond(ctx, r.in)
}

// answerState proves the password to the challenge in the state file, which is deleted before the proof goes out: Cognito
// takes one answer.
func (r *respond) answerState(ctx context.Context) error {
	slots, err := r.slots()
	if err != nil {
		return err
	}
	s, err := srpstate.Load(r.state, slots.Find, r.now())
	if err != nil {
		return withHelp(r.c, err)
	}
	save := r.save
	r.clientID, r.poolID, r.region, r.endpoint, r.save = s.ClientID, s.UserPoolID, s.Region, s.Endpoint, false
	if err := r.load(); err != nil {
		return err
	}
	r.save, r.where.endpoint = save, s.Endpoint // where the challenge comes from, whatever the environment says now
	if err := r.sameAsProfile(); err != nil {
		return err
	}
	password, err := r.answers.Answer(ctx, challenge.Question{Name: challenge.Password, Label: "password for " + s.Username, Secret: true, Attempt: 1})
	if errors.Is(err, challenge.ErrNoAnswer) {
		return &token.Error{Kind: token.LoginNeeded, Message: "the password is needed, and there is nobody to ask", Next: r.line() + " --password-stdin", Err: err}
	}
	if err != nil {
		return err
	}
	r.tellVerbose()
	r.in.Challenge, r.in.Session = "PASSWORD_VERIFIER", s.Session
	if r.in.Responses, err = s.Prove(password, r.now()); err != nil {
		return err
	}
	if err := srpstate.Remove(r.state); err != nil {
		return err
	}
	return r.each(ctx, token.Secret{}, r.send)
}

// sameAsProfile makes sure that --save keeps what belongs to the profile.
func (r *respond) sameAsProfile() error {
	if !r.save {
		return nil
	}
	p := r.target.Profile
	if err := p.CheckSignIn(); err != nil {
		return r.badProfile(err)
	}
	if strings.Join([]string{p.ClientID, p.UserPoolID, p.SignInRegion, p.EndpointURL}, " ") != strings.Join([]string{r.clientID, r.poolID, r.region, r.endpoint}, " ") {
		return usageError(r.c, "--save keeps the session of profile %s, and the state is of another app client", r.target.Selection.Name)
	}
	return nil
}
