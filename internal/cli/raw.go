package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// The raw commands are the API's own operations, with the parameters of the cmdlets of AWS Tools for PowerShell. They print
// what Cognito answered and keep nothing unless --save is given.

// rawPool is what they need of Cognito.
type rawPool interface {
	Initiate(ctx context.Context, in cognito.Initiate) (cognito.Response, error)
	Complete(ctx context.Context, in cognito.Initiate, a challenge.Answerer) (cognito.Response, error)
	Respond(ctx context.Context, in cognito.Respond) (cognito.Response, error)
	GetTokens(ctx context.Context, refresh token.Secret, deviceKey string, metadata map[string]string) (cognito.Response, error)
	RevokeToken(ctx context.Context, refresh token.Secret) (cognito.Response, error)
	AdminInitiate(ctx context.Context, keys cognito.AWSKeys, in cognito.Initiate) (cognito.Response, error)
	Result(ctx context.Context, operation string, r cognito.Response) (cognito.Result, error)
	ServiceTime() time.Time
}

var _ rawPool = (*cognito.Client)(nil)

// rawFlags are the flags that all of them share.
type rawFlags struct {
	selection
	clientID, clientSecret, poolID string
	region, endpoint               string
	credentials                    credentialFlags
	network                        string
	metadata                       []string
	path                           string
	force, verbose, save           bool
}

// raw is one run of a raw command.
type raw struct {
	*program
	rawFlags
	c      *cobra.Command
	values *prompt.Values

	operation string
	members   []string
	signed    bool // the operation is signed by AWS credentials

	metadataRead map[string]string
	secret       token.Secret // --client-secret
	keys         awsKeys      // explicit ones
	target       tokensource.Target
	where        rawPlace
}

// rawPlace is where the requests go, and why there.
type rawPlace struct{ region, pool, endpoint string }

// define adds the flags to c; save is false for what gives no tokens.
func (r *raw) define(c *cobra.Command, save bool) {
	r.c = c
	r.selection.define(c, r.completeProfiles, false)
	f := c.Flags()
	f.StringVar(&r.clientID, "client-id", "", "app client `ID`, or - for ids on standard input; else the profile's")
	f.StringVar(&r.clientSecret, "client-secret", "", "its secret, `@FILE` or -; else the profile's, for the profile's app client")
	f.StringVar(&r.poolID, "user-pool-id", "", "user pool `ID`; else the profile's")
	f.StringVar(&r.region, "region", "", "`REGION` of the user pool; else by the profile or the pool's id")
	f.StringVar(&r.endpoint, "endpoint-url", "", "`URL` instead of AWS's own; else the profile's or AWS_ENDPOINT_URL's")
	r.credentials.define(c)
	f.StringVar(&r.network, "network-credential", "", "for SAML role profiles, `USER` or USER:@FILE")
	f.StringVar(&r.path, "select", "*", "print one member only, by its `PATH`, such as AuthenticationResult.IdToken")
	f.BoolVar(&r.verbose, "verbose", false, "say where the request goes, and what is not used")
	f.BoolVar(&r.force, "force", false, "answer confirmations with yes")
	if save {
		f.BoolVar(&r.save, "save", false, "keep the tokens as the profile's session")
	}
}

const clientIDOption = "the app client ids"

// form checks the form of the flags that all share, and reads what stands in files. more are further options that may read
// standard input.
func (r *raw) form(ctx context.Context, args []string, more ...func() error) error {
	if len(args) > 0 && r.clientID != "" {
		return usageError(r.c, "the app client is given twice, as an argument and by --client-id")
	}
	if len(args) > 0 {
		r.clientID = args[0]
	}
	checks := append([]func() error{
		func() error { return checkSelect(r.path, r.members) },
		r.checkPlace,
		func() error { return r.values.Claim(clientIDOption, r.clientID) },
		func() error { return r.values.Claim("--client-secret", r.clientSecret) },
		func() error { return r.credentials.claim(r.values) },
	}, more...)
	for _, check := range checks {
		if err := check(); err != nil {
			return withHelp(r.c, err)
		}
	}
	return withHelp(r.c, r.readFlags(ctx))
}

func (r *raw) readFlags(ctx context.Context) (err error) {
	if r.metadataRead, err = readMetadata(ctx, r.values, r.metadata); err != nil {
		return err
	}
	if r.clientSecret != "" {
		if prompt.Literal(r.clientSecret) {
			r.warnLiteral("--client-secret")
		}
		if r.secret, err = r.values.Read(ctx, "--client-secret", r.clientSecret); err != nil {
			return err
		}
	}
	r.keys, err = r.credentials.read(ctx, r.values, r.warnLiteral, r.now().Wall)
	if err == nil {
		err = checkNetworkCredential(ctx, r.values, r.network)
	}
	return err
}

// warnLiteral is the one line for secrets on the command line.
func (r *raw) warnLiteral(what ...string) {
	if len(what) > 0 {
		r.warn("other programs can see " + strings.Join(what, ", ") + " on this command line; give it as @FILE or -")
	}
}

// load reads the profile, where there is one, and decides where the requests go. A default that nobody named may be missing.
func (r *raw) load() error {
	s := profiles.Select(r.profile, r.location, r.Getenv)
	profile, err := r.loadProfile(s, r.Getenv)
	var missing *profiles.NotFoundError
	if errors.As(err, &missing) && !missing.Named {
		profile, err = profiles.Profile{}, nil
	}
	for _, w := range profile.Warnings {
		r.warn(w)
	}
	if err != nil {
		return r.badProfile(err)
	}
	if r.network != "" {
		return noSAML(s, profile)
	}
	r.target = tokensource.Target{Profile: profile, Selection: s}
	if r.save {
		if err := r.checkSave(); err != nil {
			return err
		}
	}
	return r.resolve()
}

// checkSave makes sure that what is saved is the profile's own session.
func (r *raw) checkSave() error {
	if err := r.target.Profile.CheckSignIn(); err != nil {
		return r.badProfile(err)
	}
	if r.clientID != "" && r.clientID != r.target.Profile.ClientID || r.poolID+r.region+r.endpoint != "" {
		return usageError(r.c, "--save keeps the session of profile %s: it goes with no other app client, user pool, region, or endpoint", r.target.Selection.Name)
	}
	return nil
}

// inputs are the app clients to work on; piped says that they come from standard input.
func (r *raw) inputs(ctx context.Context) (in <-chan rawInput, piped bool, err error) {
	id := r.clientID
	if id == "" {
		id = r.target.Profile.ClientID
	}
	if id == "" && r.piped() {
		id = "-"
	}
	switch id {
	case "":
		return nil, false, r.noClient()
	case "-":
		stdin, err := r.values.Stdin(clientIDOption)
		if err != nil {
			return nil, false, withHelp(r.c, err)
		}
		return clientIDs(ctx, stdin), true, nil
	}
	if err := checkClientID("the app client", id); err != nil {
		return nil, false, withHelp(r.c, err)
	}
	one := make(chan rawInput, 1)
	one <- rawInput{id: id}
	close(one)
	return one, false, nil
}

func (r *raw) noClient() error {
	return usageError(r.c, "no app client is given: name one as argument, or by --client-id, a profile, or standard input")
}

// call is one operation on one app client.
type call func(ctx context.Context, pool rawPool, id string) (cognito.Response, error)

// each does the operation for every app client, in order, and prints each answer as it comes. A failed one of several is
// printed, too, and the rest goes on; the exit code then is the worst.
func (r *raw) each(ctx context.Context, sent token.Secret, do call) error {
	in, piped, err := r.inputs(ctx)
	if err != nil {
		return err
	}
	worst, none := 0, true
	for i := range in {
		none = false
		if i.end != nil {
			r.report(i.end)
			worst = max(worst, token.KindOf(i.end).ExitCode())
			break
		}
		err := i.err
		if err == nil {
			err = r.one(ctx, i.id, !piped, sent, do)
		}
		if err != nil && (!piped || ctx.Err() != nil) {
			return err
		}
		if err != nil {
			text, _ := render(describeError(i.id, err), false)
			if err := r.print(text); err != nil {
				return err
			}
			r.report(err)
			worst = max(worst, token.KindOf(err).ExitCode())
		}
		r.flushCalls() // the next input may take its time
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case none && r.clientID == "":
		return r.noClient() // nobody said that standard input has them
	default:
		return ending(worst)
	}
}

// one does it for one app client and prints the answer.
func (r *raw) one(ctx context.Context, id string, alone bool, sent token.Secret, do call) error {
	pool, err := r.rawPool(r.options(id))
	if err != nil {
		return err
	}
	switch {
	case !r.save:
		got, err := do(ctx, pool, id)
		if err != nil {
			return err
		}
		return r.printSelected(got, r.path, alone)
	case id != r.target.Profile.ClientID:
		return usageOf("--save keeps the session of profile " + r.target.Selection.Name + ", whose app client is another one")
	default:
		return r.oneKept(ctx, pool, id, alone, sent, do)
	}
}

func (r *raw) printSelected(got cognito.Response, path string, alone bool) error {
	text, err := selected(got, r.members, path, alone)
	if err != nil {
		return err
	}
	return r.print(text)
}

// errNoTokens says that there is a challenge to answer first.
var errNoTokens = errors.New("there are no tokens yet")

// oneKept is one with --save. Whatever Cognito answered is printed, also when it could not be saved.
func (r *raw) oneKept(ctx context.Context, pool rawPool, id string, alone bool, sent token.Secret, do call) error {
	var got cognito.Response
	answered := false
	result, err := r.adopt(ctx, sent, func(ctx context.Context) (cognito.Result, error) {
		var err error
		if got, err = do(ctx, pool, id); err != nil {
			return cognito.Result{}, err
		}
		if answered = true; got.Tokens == nil {
			return cognito.Result{}, errNoTokens
		}
		return pool.Result(ctx, r.operation, got)
	})
	waits := errors.Is(err, errNoTokens)
	switch {
	case !answered:
		return err
	case err != nil && !waits:
		return r.unsaved(got, alone, err)
	}
	// What is saved is told also where --select names what the answer lacks.
	err = r.printSelected(got, r.path, alone)
	if waits {
		r.say("nothing is saved: Cognito asks for %s first", got.ChallengeName)
	} else {
		r.tellLogin(r.target, result)
	}
	return err
}

// unsaved prints the whole of an answer, whatever --select names: with rotation, its refresh token is all that is left of
// the session, and now it is nowhere else.
func (r *raw) unsaved(got cognito.Response, alone bool, why error) error {
	if err := r.printSelected(got, "*", alone); err != nil {
		return err
	}
	e := &token.Error{Kind: token.KindOf(why), Message: "the answer could not be saved: it is on standard output, and nowhere else", Next: nextOf(why), Err: why}
	if !got.Tokens.Refresh.Empty() {
		e.Next = command("get-tokens-from-refresh-token", r.target.Selection, "") + " --refresh-token @FILE --save"
		if d := got.Tokens.Device; d != nil {
			e.Next += " --device-key " + profiles.ShellWord(d.Key)
		}
	}
	return e
}

func (r *raw) adopt(ctx context.Context, sent token.Secret, get func(context.Context) (cognito.Result, error)) (tokensource.LoginResult, error) {
	s, err := r.sessions()
	if err != nil {
		return tokensource.LoginResult{}, err
	}
	o := tokensource.LoginOptions{Force: r.force}
	if r.terminal.Present() {
		o.Confirm = r.terminal.Confirm
	}
	result, err := s.Adopt(ctx, r.target, o, sent, get)
	var said *token.Error
	if errors.As(err, &said) && said.Kind == token.Usage {
		err = &token.Error{Kind: said.Kind, Message: said.Message, Next: r.line() + " --force", Err: said.Err}
	}
	return result, err
}

// line is the command line that hints name.
func (r *raw) line() string { return repeated(r.c, r.target.Selection) }

// options describe the client for one app client. The profile's secret belongs to the profile's app client only.
func (r *raw) options(id string) cognito.Options {
	p := r.target.Profile
	o := cognito.Options{
		Region: r.where.region, UserPoolID: r.where.pool, ClientID: id, Endpoint: r.where.endpoint,
		UseFIPS: p.UseFIPS, UseDualStack: p.UseDualStack, CABundle: p.CABundle,
		Profile: p.Name, Login: r.line(), Now: r.now, Raw: true,
		ClientSecret: r.secret,
	}
	if r.secret.Empty() && id == p.ClientID {
		o.ClientSecret, o.ClientSecretNext = token.NewSecret(p.ClientSecret.Reveal()), token.NewSecret(p.ClientSecretNext.Reveal())
	}
	return o
}

// tellVerbose says what --verbose asks for.
func (r *raw) tellVerbose() {
	if !r.verbose {
		return
	}
	if files := r.target.Profile.Files; len(files) > 0 {
		r.say("profile %s, from %s", r.target.Selection.Name, strings.Join(files, " and "))
	}
	r.say("%s goes to %s", r.operation, cmp.Or(r.where.endpoint, "region "+r.where.region))
	switch {
	case !r.signed:
		r.say("%s is unsigned: AWS credentials are not used", r.operation)
	case r.keys.from != "":
		r.say("%s is signed by the AWS credentials of %s", r.operation, r.keys.from)
	}
}

// context is what goes along for triggers and threat protection.
func (r *raw) context(f contextFlags) cognito.CallContext {
	return cognito.CallContext{
		Metadata:            merged(r.target.Profile.ClientMetadata, r.metadataRead),
		AnalyticsEndpointID: f.analytics, UserContextData: f.userContext, UserIPAddress: f.address,
	}
}

// contextFlags hold what goes along beside ClientMetadata.
type contextFlags struct{ analytics, userContext, address string }

func (f *contextFlags) define(c *cobra.Command) {
	c.Flags().StringVar(&f.analytics, "analytics-endpoint-id", "", "AnalyticsMetadata.AnalyticsEndpointId, `ID`")
	c.Flags().StringVar(&f.userContext, "user-context-data", "", "UserContextData.EncodedData, `DATA`")
	c.Flags().StringVar(&f.address, "user-ip-address", "", "UserContextData.IpAddress, `ADDRESS`")
}

// rawCommand completes a raw command. run gets its argument, if there is one.
func (p *program) rawCommand(c *cobra.Command, run func(*cobra.Command, []string) error) *cobra.Command {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usageError(c, "%s takes one argument, the app client's id", c.Name())
		}
		return nil
	}
	c.RunE = run
	repeatWhole(c)
	return c
}

// flushCalls writes down which services were called; history is nobody's reason to fail.
func (p *program) flushCalls() {
	if p.calls != nil {
		_ = p.calls.Flush()
	}
}
