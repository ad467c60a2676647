package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/srpstate"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// initiate is one run of initiate-auth or admin-initiate-auth.
type initiate struct {
	raw
	answerFlags
	contextFlags
	flow       string
	parameters pairs
	session    string
	complete   bool
	state      string

	answers    *answering
	given      map[string]token.Secret
	sessionWas token.Secret
}

func (p *program) initiateCommand() *cobra.Command {
	i := &initiate{raw: raw{program: p, operation: "InitiateAuth", members: initiateMembers}, parameters: pairs{option: "--auth-parameter"}}
	c := p.rawCommand(&cobra.Command{
		Use:   "initiate-auth [CLIENT-ID]",
		Short: "Send InitiateAuth and print the answer",
		Long: `Sends InitiateAuth once, with the parameters of Start-CGIPAuth, and prints what Cognito answers as JSON:
tokens or a challenge. Nothing is kept unless --save is given.

The app client is the argument, --client-id, or the profile's; else, or with -, standard input has ids,
one a line, or JSON objects with ClientId, one a line or in an array.

With SRP the caller gives SRP_A and proves the password; or --complete answers every challenge from
--answer, --password-stdin, --mfa-process, and the terminal, and prints the last answer; or --state FILE
keeps what respond-to-auth-challenge --state FILE needs to prove it. A value may be @FILE or - (standard
input); @@ stands for a leading @.`,
		Example: `  cognito-credhelper initiate-auth 1h57kf5cpq --region us-east-1 --auth-flow USER_PASSWORD_AUTH --auth-parameter USERNAME=alice --auth-parameter PASSWORD=@pw
  cognito-credhelper initiate-auth --profile dev --auth-flow USER_SRP_AUTH --auth-parameter USERNAME=alice --complete
  cognito-credhelper initiate-auth --profile dev --auth-flow USER_SRP_AUTH --auth-parameter USERNAME=alice --state alice.srp`,
	}, func(c *cobra.Command, args []string) error { return i.run(c.Context(), args) })
	i.raw.define(c, true)
	i.contextFlags.define(c)
	i.answerFlags.define(c, true)
	defineMetadata(c, &i.metadata)
	i.defineFlow(c)
	c.Flags().BoolVar(&i.complete, "complete", false, "answer every challenge and print the last answer")
	c.Flags().StringVar(&i.state, "state", "", "keep the private value of SRP, sealed, in `FILE`")
	return c
}

func (i *initiate) defineFlow(c *cobra.Command) {
	c.Flags().StringVar(&i.flow, "auth-flow", "", "`FLOW`, such as USER_SRP_AUTH")
	flows := strings.Split(rawFlows, ", ")
	if i.signed {
		flows = slices.Sorted(maps.Keys(adminFlows))
	}
	// An error here means that the flag is not defined, which it is.
	_ = c.RegisterFlagCompletionFunc("auth-flow", cobra.FixedCompletions(flows, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringArrayVar(&i.parameters.given, "auth-parameter", nil, "`KEY=VALUE`, KEY=@FILE, KEY=-, or a JSON object as @FILE or -; repeatable")
	c.Flags().StringVar(&i.session, "session", "", "the Session of a confirmed sign-up, `@FILE` or -")
}

func (i *initiate) run(ctx context.Context, args []string) error {
	required, err := i.checkFlow()
	if err != nil {
		return withHelp(i.c, err)
	}
	if err := i.read(ctx, args); err != nil {
		return err
	}
	if err := i.load(); err != nil {
		return err
	}
	if err := i.checkParameters(required); err != nil {
		return withHelp(i.c, err)
	}
	i.tellVerbose()
	if i.state != "" {
		return i.keepState(ctx)
	}
	err = i.each(ctx, i.given["REFRESH_TOKEN"], i.send)
	if err == nil && i.complete {
		i.answers.warnUnused(i.program)
	}
	return err
}

// rawFlows are the flows that InitiateAuth takes, as its help lists them.
const rawFlows = "USER_SRP_AUTH, USER_PASSWORD_AUTH, CUSTOM_AUTH, USER_AUTH, REFRESH_TOKEN_AUTH, REFRESH_TOKEN"

func (i *initiate) checkFlow() ([]string, error) {
	if i.flow == "" {
		return nil, usageOf("--auth-flow is needed: one of " + rawFlows)
	}
	if i.complete && i.state != "" {
		return nil, usageOf("--complete answers the challenge at once, and --state keeps it for later: give one of them")
	}
	return cognito.Required(i.flow)
}

// read checks the form of all flags, then reads what they name.
func (i *initiate) read(ctx context.Context, args []string) (err error) {
	i.values = prompt.NewValues(i.Stdin)
	if i.answers, err = i.answering(i.answerFlags, i.values); err != nil {
		return withHelp(i.c, err)
	}
	claims := func() error {
		if err := i.parameters.claim(i.values); err != nil {
			return err
		}
		return i.values.Claim("--session", i.session)
	}
	if err := i.form(ctx, args, claims); err != nil {
		return err
	}
	literals := i.parameters.literals()
	if i.session != "" && prompt.Literal(i.session) {
		literals = append(literals, "--session")
	}
	i.warnLiteral(literals...)
	if i.given, err = i.parameters.read(ctx, i.values); err != nil {
		return withHelp(i.c, err)
	}
	if i.session != "" {
		if i.sessionWas, err = i.values.Read(ctx, "--session", i.session); err != nil {
			return withHelp(i.c, err)
		}
	}
	return withHelp(i.c, i.answers.ready(ctx, i.program))
}

// srp reports whether the flow begins with SRP.
func (i *initiate) srp() bool {
	return i.flow == "USER_SRP_AUTH" || i.given["CHALLENGE_NAME"].Reveal() == "SRP_A" || i.given["PREFERRED_CHALLENGE"].Reveal() == "PASSWORD_SRP"
}

// checkParameters says what the flow requires and nobody gives.
func (i *initiate) checkParameters(required []string) error {
	_, a := i.given["SRP_A"]
	switch {
	case a && (i.complete || i.state != ""):
		return usageOf("only who made SRP_A can answer what follows: leave out SRP_A, or --complete and --state")
	case i.srp() && !a && !i.complete && i.state == "":
		return usageOf("SRP_A is needed; without it, --complete answers every challenge, or --state FILE keeps what respond-to-auth-challenge --state FILE needs")
	case i.state != "" && !i.srp():
		return usageOf("--state is for sign-ins that begin with SRP")
	case i.where.pool == "" && i.srp() && !a:
		return usageOf("SRP needs the user pool's id: give --user-pool-id, or a profile")
	}
	missing := slices.DeleteFunc(required, func(name string) bool {
		_, given := i.given[name]
		asked := i.complete && name != "REFRESH_TOKEN"
		return given || asked || i.srp() && name == "SRP_A"
	})
	if len(missing) > 0 {
		return usageOf(i.flow + " requires " + strings.Join(missing, " and ") + ": give --auth-parameter " + missing[0] + "=VALUE")
	}
	return nil
}

// send is one InitiateAuth, with all that follows where --complete is given.
func (i *initiate) send(ctx context.Context, pool rawPool, id string) (cognito.Response, error) {
	in := cognito.Initiate{Flow: i.flow, Parameters: i.given, Session: i.sessionWas, Context: i.context(i.contextFlags)}
	if err := i.nameUser(ctx, i.options(id)); err != nil {
		return cognito.Response{}, err
	}
	if i.complete {
		return pool.Complete(ctx, in, i.answers)
	}
	return pool.Initiate(ctx, in)
}

// nameUser asks for the user of a refresh, where SECRET_HASH must be computed and needs it.
func (i *initiate) nameUser(ctx context.Context, o cognito.Options) error {
	_, hash := i.given["SECRET_HASH"]
	_, user := i.given[challenge.Username]
	if !strings.HasPrefix(i.flow, "REFRESH_TOKEN") || o.ClientSecret.Empty() || hash || user {
		return nil
	}
	name, err := i.answers.Answer(ctx, challenge.Question{Name: challenge.Username, Label: "user name", Attempt: 1})
	if errors.Is(err, challenge.ErrNoAnswer) {
		return usageOf("the app client has a secret, so that SECRET_HASH must be computed: give --auth-parameter USERNAME=NAME, the user's real name")
	}
	i.given[challenge.Username] = name
	return err
}

// keepState sends InitiateAuth with an A of ours, and keeps what proves the password later.
func (i *initiate) keepState(ctx context.Context) error {
	if i.clientID == "-" || i.clientID == "" && i.target.Profile.ClientID == "" {
		return usageError(i.c, "--state keeps one sign-in: name one app client")
	}
	s, err := i.sessions()
	if err != nil {
		return err
	}
	slot, key, err := s.SealingKey(ctx, i.target)
	if err != nil {
		return err
	}
	defer key.Wipe()
	file, err := srpstate.Prepare(i.state)
	if err != nil {
		return err
	}
	defer file.Abort()
	return i.each(ctx, token.Secret{}, func(ctx context.Context, pool rawPool, id string) (cognito.Response, error) {
		return i.sendOwn(ctx, pool, id, func(s srpstate.State) error { return file.Save(slot, key, s) })
	})
}

func (i *initiate) sendOwn(ctx context.Context, pool rawPool, id string, keep func(srpstate.State) error) (cognito.Response, error) {
	s, err := srpstate.Begin(rand.Reader)
	if err != nil {
		return cognito.Response{}, err
	}
	i.given["SRP_A"] = s.A()
	got, err := i.send(ctx, pool, id)
	if err != nil {
		return got, err
	}
	if got.ChallengeName != "PASSWORD_VERIFIER" {
		i.say("nothing is kept in %s: there is no PASSWORD_VERIFIER to answer", i.state)
		return got, nil
	}
	s.Began, s.Service = i.now(), pool.ServiceTime()
	s.Region, s.UserPoolID, s.ClientID, s.Endpoint = i.where.region, i.where.pool, id, i.where.endpoint
	s.Username, s.Session, s.Parameters = i.given[challenge.Username].Reveal(), got.Session, got.ChallengeParameters
	return got, keep(s)
}

// adminFlows are the flows of the signed twin and what each requires. Source: AdminInitiateAuth in the API reference.
var adminFlows = map[string][]string{
	"ADMIN_USER_PASSWORD_AUTH": {"USERNAME", "PASSWORD"},
	"ADMIN_NO_SRP_AUTH":        {"USERNAME", "PASSWORD"},
	"USER_SRP_AUTH":            {"USERNAME", "SRP_A"},
	"CUSTOM_AUTH":              {"USERNAME"},
	"USER_AUTH":                {"USERNAME"},
	"REFRESH_TOKEN_AUTH":       {"REFRESH_TOKEN"},
	"REFRESH_TOKEN":            {"REFRESH_TOKEN"},
}

func (p *program) adminInitiateCommand() *cobra.Command {
	i := &initiate{raw: raw{program: p, operation: "AdminInitiateAuth", members: initiateMembers, signed: true}, parameters: pairs{option: "--auth-parameter"}}
	c := p.rawCommand(&cobra.Command{
		Use:   "admin-initiate-auth [CLIENT-ID]",
		Short: "Send a signed AdminInitiateAuth and print the answer",
		Long: `Sends AdminInitiateAuth once, the twin of initiate-auth that is signed by AWS credentials: those of
--access-key and --secret-key, of --credential, of the profile, or of the environment. Nothing is kept
unless --save is given.`,
		Example: `  cognito-credhelper admin-initiate-auth --profile dev --auth-flow ADMIN_USER_PASSWORD_AUTH --auth-parameter USERNAME=alice --auth-parameter PASSWORD=@pw
  cognito-credhelper admin-initiate-auth 1h57kf5cpq --user-pool-id us-east-1_AbCd --auth-flow ADMIN_USER_PASSWORD_AUTH --auth-parameter @parameters.json --credential @keys.json`,
	}, func(c *cobra.Command, args []string) error { return i.runSigned(c.Context(), args) })
	i.raw.define(c, true)
	c.Flags().StringVar(&i.analytics, "analytics-endpoint-id", "", "AnalyticsMetadata.AnalyticsEndpointId, `ID`")
	defineMetadata(c, &i.metadata)
	i.defineFlow(c)
	return c
}

func (i *initiate) runSigned(ctx context.Context, args []string) error {
	required, known := adminFlows[i.flow]
	if !known {
		return usageError(i.c, "--auth-flow must be one of ADMIN_USER_PASSWORD_AUTH, ADMIN_NO_SRP_AUTH, %s", rawFlows)
	}
	if err := i.read(ctx, args); err != nil {
		return err
	}
	if err := i.load(); err != nil {
		return err
	}
	if err := i.signer(); err != nil {
		return err
	}
	if i.where.pool == "" {
		return usageError(i.c, "AdminInitiateAuth needs the user pool's id: give --user-pool-id, or a profile")
	}
	missing := slices.DeleteFunc(slices.Clone(required), func(name string) bool { _, given := i.given[name]; return given })
	if len(missing) > 0 {
		return usageError(i.c, "%s requires %s: give --auth-parameter %s=VALUE", i.flow, strings.Join(missing, " and "), missing[0])
	}
	i.tellVerbose()
	return i.each(ctx, i.given["REFRESH_TOKEN"], func(ctx context.Context, pool rawPool, _ string) (cognito.Response, error) {
		return pool.AdminInitiate(ctx, i.keys.AWSKeys, cognito.Initiate{Flow: i.flow, Parameters: i.given, Session: i.sessionWas, Context: i.context(i.contextFlags)})
	})
}
