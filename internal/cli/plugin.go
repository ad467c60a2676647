package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/host"
	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/pluginserver"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// logLevel is the variable that says how much a plugin logs.
const logLevel = "COGNITO_CREDHELPER_LOG"

func (p *program) pluginCommand() *cobra.Command {
	var debug bool
	c := &cobra.Command{
		Use:   plugin.Argument,
		Short: "Serve a host application through go-plugin",
		Long: `Serves a host application that loads this program through go-plugin and asks it for tokens, AWS
credentials, or a sign-in whose questions appear in the application itself. The host starts it; by hand
it only explains itself.

With --debug it serves without a host until Ctrl-C, and prints the JSON that a host takes as
COGNITO_CREDHELPER_REATTACH, where the host allows that. COGNITO_CREDHELPER_LOG says how much a plugin
logs to its host: trace, debug, info, warn, error, or off.`,
		Example: `  cognito-credhelper plugin register
  cognito-credhelper plugin --debug`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.servePlugin(c, debug) },
	}
	c.Flags().BoolVar(&debug, "debug", false, "serve without a host, and print where")
	for _, sub := range []*cobra.Command{p.pluginRegisterCommand(), p.pluginLockCommand()} {
		settableOnce(sub)
		c.AddCommand(sub)
	}
	return c
}

func (p *program) pluginRegisterCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "register",
		Short: "Record this program as the plugin that hosts start",
		Long: `Records the path, the SHA-256, and the version of this program, so that host applications find it,
start nothing else in its place, and notice when it was replaced. Run it again after an upgrade.`,
		Example: "  cognito-credhelper plugin register",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			self, err := executable()
			if err != nil {
				return err
			}
			done, err := host.Register(self, version.Number())
			if err != nil {
				return pluginError(err)
			}
			p.say("hosts start %s, with the SHA-256 %s", done.Path, done.SHA256)
			return nil
		},
	}
}

func (p *program) pluginLockCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lock PROGRAM",
		Short: "Allow hosts to start a program of the plugin folder",
		Long: `Records the SHA-256 of a program in the lock file of the plugin folder, which is cognito-credhelper/plugins
in the folder for configuration, so that host applications start it as long as it is the same. PROGRAM is a
name in that folder, such as cognito-credhelper_v1.2.3, or an absolute path.`,
		Example: "  cognito-credhelper plugin lock cognito-credhelper_v1.2.3",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError(c, "lock takes one argument, the program")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			done, err := host.Lock(args[0], "")
			if err != nil {
				return pluginError(err)
			}
			p.say("hosts may start %s, with the SHA-256 %s", done.Program, done.SHA256)
			return nil
		},
	}
}

// pluginError gives an error of the public packages our kind.
func pluginError(err error) error {
	var said *plugin.Error
	if !errors.As(err, &said) {
		return &token.Error{Kind: token.Failure, Message: err.Error(), Err: nil}
	}
	kind := token.Failure
	switch said.Code {
	case plugin.CodeInvalidRequest:
		kind = token.Usage
	case plugin.CodeBadProfile:
		kind = token.BadProfile
	}
	return &token.Error{Kind: kind, Message: said.Message, Next: said.Hint}
}

// servePlugin is the life of a plugin. The host's Ctrl-C is not ours: only a debugging session ends by it.
func (p *program) servePlugin(c *cobra.Command, debug bool) error {
	o := plugin.ServeOptions{Log: p.Stderr, Level: p.Getenv(logLevel)}
	ctx := context.WithoutCancel(c.Context())
	if debug {
		ctx, o.Debug = c.Context(), p.Stdout
	}
	p.asPlugin, p.ownMemory = true, true
	if err := plugin.Serve(ctx, pluginserver.New(&hosted{p, newWarm(p)}, p.Getenv), o); err != nil {
		return pluginError(err)
	}
	return nil
}

// hosted is what this program can do for a host application. Safe for concurrent use.
type hosted struct {
	p *program
	*warm
}

var _ pluginserver.Program = (*hosted)(nil)

func (h *hosted) target(s pluginserver.Session) (tokensource.Target, error) {
	profile, err := h.p.signInProfile(s.Profile)
	return tokensource.Target{Profile: profile, Selection: s.Profile, Username: s.Username}, err
}

// LoginCommand is the command line that signs in to a session, where there is one.
func (h *hosted) LoginCommand(s pluginserver.Session) string {
	if t, err := h.target(s); err == nil && inMemory(t.Profile) {
		return tokensource.LoginCommand(t)
	}
	return command("login", s.Profile, s.Username)
}

// Login signs in through the host.
func (h *hosted) Login(ctx context.Context, s pluginserver.Session, r plugin.LoginRequest, a challenge.Answerer, confirm pluginserver.Confirm) (plugin.LoginResponse, error) {
	t, err := h.target(s)
	if err != nil {
		return plugin.LoginResponse{}, err
	}
	if t.Profile.AuthFlow == "browser" {
		return plugin.LoginResponse{}, browserNotBuilt(t.Selection)
	}
	sessions, err := h.p.sessions()
	if err != nil {
		return plugin.LoginResponse{}, ofProfile(t.Selection, err)
	}
	defer h.p.flushCalls()
	done, err := sessions.Login(ctx, t, tokensource.LoginOptions{
		Answers: a, Metadata: merged(t.Profile.ClientMetadata, r.ClientMetadata), Force: r.Force, IfNeeded: r.IfNeeded, MinTTL: r.MinTTL, Confirm: confirm,
	})
	if err != nil {
		return plugin.LoginResponse{}, ofProfile(t.Selection, err)
	}
	return plugin.LoginResponse{
		User: safetext.Line(done.User, sentenceLimit), Expires: done.Tokens.Expires, Kept: done.Kept, Revoked: done.Revoked, Slot: done.Slot.String(),
		Warnings: safeLines(done.Warnings), OwnSession: done.OwnSession,
	}, nil
}

func safeLines(lines []string) (safe []string) {
	for _, l := range lines {
		safe = append(safe, safetext.Line(l, sentenceLimit))
	}
	return safe
}

// Logout revokes and forgets.
func (h *hosted) Logout(ctx context.Context, s pluginserver.Session) (plugin.LogoutResponse, error) {
	t, err := h.target(s)
	if err != nil {
		return plugin.LogoutResponse{}, err
	}
	sessions, err := h.p.sessions()
	if err != nil {
		return plugin.LogoutResponse{}, ofProfile(t.Selection, err)
	}
	defer h.p.flushCalls()
	done, err := sessions.Logout(ctx, t, tokensource.LogoutOptions{})
	if err != nil {
		return plugin.LogoutResponse{}, ofProfile(t.Selection, err)
	}
	r := plugin.LogoutResponse{User: safetext.Line(done.User, sentenceLimit), Nobody: done.NothingThere}
	if done.RevokeErr != nil {
		r.NotRevoked = pluginserver.Failure(ctx, ofProfile(t.Selection, h.p.notRevoked("the session", done, t)))
	}
	return r, nil
}

// states are the words of a session's state.
var states = map[tokensource.State]plugin.SessionState{
	tokensource.SignedOut: plugin.StateSignedOut, tokensource.SignedIn: plugin.StateSignedIn, tokensource.Ended: plugin.StateEnded, tokensource.Damaged: plugin.StateDamaged,
}

// Status shows a session.
func (h *hosted) Status(ctx context.Context, s pluginserver.Session) (plugin.StatusResponse, error) {
	t, err := h.target(s)
	if err != nil {
		return plugin.StatusResponse{}, err
	}
	sessions, err := h.p.sessions()
	if err != nil {
		return plugin.StatusResponse{}, ofProfile(t.Selection, err)
	}
	st, err := sessions.Status(t)
	if err != nil {
		return plugin.StatusResponse{}, ofProfile(t.Selection, err)
	}
	r := plugin.StatusResponse{
		Profile: t.Selection.Name, State: states[st.State], User: safetext.Line(st.User, sentenceLimit), Subject: safetext.Line(st.Subject, sentenceLimit),
		UserPoolID: t.Profile.UserPoolID, ClientID: t.Profile.ClientID, Region: t.Profile.SignInRegion,
		SignedInAt: st.LoggedIn, AccessTokenExpires: st.Access.Expires, IDTokenExpires: st.ID.Expires,
	}
	if st.Slot != 0 {
		r.Slot = st.Slot.String()
	}
	problem := st.Problem
	if st.State == tokensource.Ended {
		problem = &token.Error{Kind: token.LoginNeeded, Message: cmp.Or(st.DeadReason, "the session has ended"), Next: h.LoginCommand(s)}
	}
	if problem != nil {
		r.Problem = pluginserver.Failure(ctx, ofProfile(t.Selection, problem))
	}
	return r, nil
}

// Profiles are those that a person can sign in to.
func (h *hosted) Profiles(ctx context.Context, location string) ([]plugin.Profile, error) {
	names, err := h.p.profileNames(location)
	if err != nil {
		return nil, h.p.badProfile(err)
	}
	var found []plugin.Profile
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, err := h.p.signInProfile(profiles.Selection{Name: name, Named: true, Location: location})
		if err != nil {
			continue // status and doctor say what is wrong with it
		}
		about := plugin.Profile{
			Name: p.Name, UserPoolID: p.UserPoolID, ClientID: p.ClientID, Region: p.SignInRegion, Username: p.Username, AWSCredentials: p.IdentityFlow != "",
		}
		for _, b := range p.Hosts {
			about.Hosts = append(about.Hosts, boundHost(b))
		}
		found = append(found, about)
	}
	return found, nil
}

// boundHost is a binding's left side, as in cognito_hosts.
func boundHost(b profiles.Binding) string {
	return profiles.Host{Name: b.Host, Port: b.Port}.Authority() + b.Path
}

// pool is the user pool of a raw operation.
func (h *hosted) pool(operation string, a plugin.AppClient) (rawPool, *raw, error) {
	r := &raw{program: h.p, operation: operation, c: &cobra.Command{Use: programName}}
	r.clientID, r.region = a.ClientID, a.Region
	r.profile, r.location = a.Selection.Profile, a.Selection.Location
	if err := r.load(); err != nil {
		return nil, nil, err
	}
	id := cmp.Or(a.ClientID, r.target.Profile.ClientID)
	if id == "" {
		return nil, nil, usageOf("no app client is given, and the profile names none")
	}
	if err := checkClientID("the app client", id); err != nil {
		return nil, nil, err
	}
	pool, err := h.p.rawPool(r.options(id))
	return pool, r, err
}

// callContext is the host's context over the profile's metadata.
func callContext(r *raw, c plugin.CallContext) cognito.CallContext {
	return cognito.CallContext{
		Metadata: merged(r.target.Profile.ClientMetadata, c.ClientMetadata), AnalyticsEndpointID: c.AnalyticsEndpointID,
		UserContextData: c.UserContextData, UserIPAddress: c.UserIPAddress,
	}
}

// InitiateAuth sends it once.
func (h *hosted) InitiateAuth(ctx context.Context, in plugin.InitiateAuthRequest) (plugin.AuthResponse, error) {
	pool, r, err := h.pool("InitiateAuth", in.AppClient)
	if err != nil {
		return plugin.AuthResponse{}, err
	}
	defer h.p.flushCalls()
	got, err := pool.Initiate(ctx, cognito.Initiate{
		Flow: in.AuthFlow, Parameters: secretsOf(in.AuthParameters), Session: token.NewSecret(in.Session.Reveal()), Context: callContext(r, in.Context),
	})
	return authResponse(got), err
}

// RespondToAuthChallenge sends it once.
func (h *hosted) RespondToAuthChallenge(ctx context.Context, in plugin.RespondToAuthChallengeRequest) (plugin.AuthResponse, error) {
	pool, r, err := h.pool("RespondToAuthChallenge", in.AppClient)
	if err != nil {
		return plugin.AuthResponse{}, err
	}
	defer h.p.flushCalls()
	got, err := pool.Respond(ctx, cognito.Respond{
		Challenge: in.ChallengeName, Responses: secretsOf(in.ChallengeResponses), Session: token.NewSecret(in.Session.Reveal()), Context: callContext(r, in.Context),
	})
	return authResponse(got), err
}

func secretsOf(in map[string]plugin.Secret) map[string]token.Secret {
	out := make(map[string]token.Secret, len(in))
	for name, value := range in {
		out[name] = token.NewSecret(value.Reveal())
	}
	return out
}

func authResponse(r cognito.Response) plugin.AuthResponse {
	out := plugin.AuthResponse{
		ChallengeName: r.ChallengeName, ChallengeParameters: r.ChallengeParameters, Session: plugin.NewSecret(r.Session.Reveal()), AvailableChallenges: r.AvailableChallenges,
	}
	if t := r.Tokens; t != nil {
		out.AuthenticationResult = &plugin.AuthenticationResult{
			AccessToken: plugin.NewSecret(t.Access.Reveal()), IDToken: plugin.NewSecret(t.ID.Reveal()), RefreshToken: plugin.NewSecret(t.Refresh.Reveal()),
			ExpiresIn: t.ExpiresIn, TokenType: t.Type,
		}
		if d := t.Device; d != nil {
			out.AuthenticationResult.NewDeviceMetadata = &plugin.NewDeviceMetadata{DeviceKey: d.Key, DeviceGroupKey: d.GroupKey}
		}
	}
	return out
}
