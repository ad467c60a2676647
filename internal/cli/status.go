package cli

import (
	"fmt"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/setup"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
)

// statusOptions is what the flags of status say.
type statusOptions struct {
	selection
	asJSON bool
}

func (p *program) statusCommand() *cobra.Command { return newStatus(p, p.status) }

// newStatus parses the flags and hands them to run, which tests replace.
func newStatus(p *program, run func(*cobra.Command, statusOptions) error) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status",
		Short: "Show a profile's session",
		Long: `Shows who is signed in to a profile, until when, and what failed last. It uses no network and prints
no secret. Exit code: 0 signed in, 3 login needed, 6 profile or session file wrong.

JSON members, those that are known: profile, profile_location, state (signed-in, signed-out, ended,
damaged), user, subject, flow, signed_in_at, user_pool_id, client_id, region, endpoint_url, slot,
level, session_id, access_token and id_token and each of aws_credentials (expires_at, seconds_left;
access_key_id), renewing and login_in_flight (pid, since), renewed_by (caller, where no worker could
be started), clock_skew_seconds (Cognito's clock ahead of this one), warnings, last_failure (at,
outcome, message, hint), ended_reason, problem (message, hint, detail), outranked (message, hint:
what AWS tools take before this program), hosts (host, gives, can: what a bound host can do with
what it gets), next, version, front_version. Times are RFC 3339 in UTC. Members may be added, never
removed.`,
		Example: `  cognito-credhelper status --profile dev
  cognito-credhelper status --profile dev --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, o) },
	}
	o.define(c, p.completeProfiles, true)
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// statusJSON is the documented output of status --json. Members are only ever added.
type statusJSON struct {
	Profile         string        `json:"profile"`
	ProfileLocation string        `json:"profile_location,omitempty"`
	State           string        `json:"state,omitempty"`
	User            string        `json:"user,omitempty"`
	Subject         string        `json:"subject,omitempty"`
	Flow            string        `json:"flow,omitempty"`
	SignedInAt      *time.Time    `json:"signed_in_at,omitempty"`
	UserPoolID      string        `json:"user_pool_id,omitempty"`
	ClientID        string        `json:"client_id,omitempty"`
	Region          string        `json:"region,omitempty"`
	EndpointURL     string        `json:"endpoint_url,omitempty"`
	Slot            string        `json:"slot,omitempty"`
	Level           string        `json:"level,omitempty"`
	SessionID       string        `json:"session_id,omitempty"`
	AccessToken     *lifeJSON     `json:"access_token,omitempty"`
	IDToken         *lifeJSON     `json:"id_token,omitempty"`
	AWSCredentials  []lifeJSON    `json:"aws_credentials,omitempty"`
	Renewing        *holderJSON   `json:"renewing,omitempty"`
	LoginInFlight   *holderJSON   `json:"login_in_flight,omitempty"`
	RenewedBy       string        `json:"renewed_by,omitempty"`
	ClockSkew       int64         `json:"clock_skew_seconds,omitempty"`
	Warnings        []string      `json:"warnings,omitempty"`
	LastFailure     *failureJSON  `json:"last_failure,omitempty"`
	EndedReason     string        `json:"ended_reason,omitempty"`
	Problem         *sentenceJSON `json:"problem,omitempty"`
	// Outranked says what AWS tools take before what this program gives them.
	Outranked    []sentenceJSON `json:"outranked,omitempty"`
	Hosts        []reachJSON    `json:"hosts,omitempty"`
	Next         string         `json:"next,omitempty"`
	Version      string         `json:"version"`
	FrontVersion string         `json:"front_version,omitempty"`
}

// lifeJSON is how long something is good. SecondsLeft is below 0 when it has expired.
type lifeJSON struct {
	AccessKeyID string    `json:"access_key_id,omitempty"`
	ExpiresAt   time.Time `json:"expires_at"`
	SecondsLeft int64     `json:"seconds_left"`

	left time.Duration
}

// holderJSON is a process at work on the session. PID is 0 where that is not known.
type holderJSON struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

type failureJSON struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	sentenceJSON
}

type sentenceJSON struct {
	Message string `json:"message"`
	Detail  string `json:"detail,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func (p *program) status(_ *cobra.Command, o statusOptions) error {
	t, err := p.target(o.selection)
	if err != nil {
		return p.statusOfNoProfile(t, o, err)
	}
	s, err := p.sessions()
	if err != nil {
		return p.statusOfNoProfile(t, o, ofProfile(t.Selection, err))
	}
	st, err := s.Status(t)
	if err != nil {
		st.Problem, st.State = err, "" // the file is there, but nothing in it can be relied on
	}
	view := p.view(t, st)
	if o.asJSON {
		err = p.printJSON(view)
	} else {
		err = p.print(p.describe(view))
	}
	if err != nil {
		return err
	}
	return ending(statusExit(st))
}

// statusOfNoProfile tells a script in JSON what a person reads on standard error.
func (p *program) statusOfNoProfile(t tokensource.Target, o statusOptions, err error) error {
	if !o.asJSON {
		return err
	}
	view := statusJSON{Profile: t.Selection.Name, ProfileLocation: t.Selection.Location, Problem: p.problem(err), Version: version.Number(), FrontVersion: p.front}
	if failed := p.printJSON(view); failed != nil {
		return failed
	}
	return err
}

// statusExit is the exit code for what was found.
func statusExit(st tokensource.Status) int {
	switch {
	case st.Problem != nil:
		return token.KindOf(st.Problem).ExitCode()
	case st.State == tokensource.SignedIn:
		return 0
	default:
		return token.LoginNeeded.ExitCode()
	}
}

// view is what is shown of a session, whatever the form.
func (p *program) view(t tokensource.Target, st tokensource.Status) statusJSON {
	v := statusJSON{
		Profile: t.Selection.Name, ProfileLocation: t.Selection.Location, State: string(st.State),
		User: st.User, Subject: st.Subject, Flow: st.Flow,
		UserPoolID: t.Profile.UserPoolID, ClientID: t.Profile.ClientID, Region: t.Profile.SignInRegion, EndpointURL: t.Profile.EndpointURL,
		SessionID: st.SessionID, AccessToken: p.life(st.Access), IDToken: p.life(st.ID),
		EndedReason: st.DeadReason, Problem: p.problem(st.Problem), Version: version.Number(), FrontVersion: p.front,
	}
	if st.Slot != 0 {
		v.Slot, v.Level = st.Slot.String(), level(st.Slot, st.Warm, runtime.GOOS)
	}
	if !st.LoggedIn.IsZero() {
		at := st.LoggedIn.UTC().Truncate(time.Second)
		v.SignedInAt = &at
	}
	for _, a := range st.AWS {
		if life := p.life(a.Lifetime); life != nil {
			life.AccessKeyID = a.AccessKeyID
			v.AWSCredentials = append(v.AWSCredentials, *life)
		}
	}
	if a := st.Last; a != nil && failed(a.Outcome) {
		hint := withCommand(a.Hint, command("token", t.Selection, t.Username)+" --claims") // tries again, and shows no token
		v.LastFailure = &failureJSON{a.Ended.UTC().Truncate(time.Second), outcomeWord(a.Outcome), sentenceJSON{Message: a.Message, Hint: hint}}
	}
	if t.Profile.IdentityFlow != "" && setup.Ours(t.Profile.CredentialProcess) {
		for _, o := range p.outrankingProfile(t.Selection) {
			v.Outranked = append(v.Outranked, sentenceJSON{Message: o.message, Hint: o.hint})
		}
	}
	v.Renewing, v.LoginInFlight = holder(st.Renewing), holder(st.LoginInFlight)
	if st.Last != nil && st.Last.Attached {
		v.RenewedBy = "caller"
	}
	v.ClockSkew = int64(st.Skew / time.Second)
	v.Warnings = p.statusWarnings(st)
	for _, b := range t.Profile.Hosts {
		host := setup.Host{Binding: b}
		v.Hosts = append(v.Hosts, reachJSON{host.Place(), gives(b.Kind), setup.Reach(b.Kind, t.Profile)})
	}
	if statusExit(st) == token.LoginNeeded.ExitCode() {
		v.Next = command("login", t.Selection, t.Username)
	}
	return v
}

func holder(h *tokencache.Holder) *holderJSON {
	if h == nil {
		return nil
	}
	return &holderJSON{h.PID, h.Since.UTC().Truncate(time.Second)}
}

// statusWarnings are one sentence each about what works, but not as well as it could.
func (p *program) statusWarnings(st tokensource.Status) (warnings []string) {
	if folder, _, err := p.stateFolder(); err == nil {
		if kind := p.remote(folder); kind != "" {
			warnings = append(warnings, "the sessions are on "+kind+", where locks may not hold between machines, so that a session may be lost; set COGNITO_CREDHELPER_HOME to a folder on a local disk")
		}
	}
	if st.Skew != 0 {
		side := "ahead of"
		if st.Skew > 0 {
			side = "behind"
		}
		warnings = append(warnings, "this computer's clock was "+span(st.Skew.Abs())+" "+side+" Cognito's at the last sign-in or renewal; set it")
	}
	if st.Spilled {
		warnings = append(warnings, "the session could not be saved in its place and is kept elsewhere; free some space, or mend the disk, before this computer is started anew")
	}
	return warnings
}

// life shows a lifetime; it is nil for the zero one.
func (p *program) life(l token.Lifetime) *lifeJSON {
	if l.Expires.IsZero() {
		return nil
	}
	left := l.Left(p.now())
	return &lifeJSON{ExpiresAt: l.Expires.UTC().Truncate(time.Second), SecondsLeft: int64(left / time.Second), left: left}
}

func (p *program) problem(err error) *sentenceJSON {
	if err == nil {
		return nil
	}
	message, detail := split(err)
	return &sentenceJSON{message, detail, p.hintFor(err)}
}

func failed(o tokencache.Outcome) bool { return outcomeWord(o) != "" }

// outcomeWord is the word for a failed attempt, "" for any other.
func outcomeWord(o tokencache.Outcome) string {
	switch o {
	case tokencache.Transient:
		return "transient"
	case tokencache.Blocked:
		return "refused"
	case tokencache.Misconfigured:
		return "configuration"
	case tokencache.Dead:
		return "ended"
	default:
		return ""
	}
}

// describe is the view for a person.
func (p *program) describe(v statusJSON) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s:\t%s\n", name, safetext.Line(value, sentenceLimit))
		}
	}
	row("profile", v.Profile)
	row("in file", v.ProfileLocation)
	row("state", stateSentence(v))
	row("user", v.User)
	if v.SignedInAt != nil {
		row("signed in", clockTime(*v.SignedInAt, p.now().Wall)+flowNote(v.Flow))
	}
	row("user pool", v.UserPoolID)
	row("app client", v.ClientID)
	row("region", v.Region)
	row("endpoint", v.EndpointURL)
	if v.Slot != "" {
		row("key slot", v.Level)
	}
	row("access token", v.AccessToken.describe())
	row("ID token", v.IDToken.describe())
	for i := range v.AWSCredentials {
		row("AWS credentials", v.AWSCredentials[i].AccessKeyID+" "+v.AWSCredentials[i].describe())
	}
	if h := v.Renewing; h != nil {
		row("renewing", h.describe(p.now().Wall))
	}
	if h := v.LoginInFlight; h != nil {
		row("login in flight", h.describe(p.now().Wall))
	}
	if v.RenewedBy != "" {
		row("renewed by", "the calling process, because no worker could be started")
	}
	for _, w := range v.Warnings {
		row("warning", w)
	}
	if f := v.LastFailure; f != nil {
		row("last failure", clockTime(f.At, p.now().Wall)+": "+f.Message)
		row("to mend it", f.Hint)
	}
	if v.Problem != nil {
		row("problem", v.Problem.Message)
		row("detail", v.Problem.Detail)
		row("to mend it", v.Problem.Hint)
	}
	for _, o := range v.Outranked {
		row("never asked", o.Message)
		row("to mend it", o.Hint)
	}
	for _, h := range v.Hosts {
		row("bound host", h.Host+" gets the "+h.Gives+": "+h.Can)
	}
	if v.FrontVersion != "" && v.FrontVersion != v.Version {
		row("versions", "front "+v.FrontVersion+", this program "+v.Version)
	}
	if v.Problem == nil || v.Problem.Hint == "" {
		row("next", v.Next)
	}
	w.Flush()
	return b.String()
}

// describe says which process is at work, and since when.
func (h *holderJSON) describe(now time.Time) string {
	if h.PID == 0 {
		return "yes"
	}
	return fmt.Sprintf("since %s (process %d)", clockTime(h.Since, now), h.PID)
}

// stateSentence says what the state means for the next use.
func stateSentence(v statusJSON) string {
	switch tokensource.State(v.State) {
	case tokensource.SignedIn:
		return "signed in"
	case tokensource.SignedOut:
		return "signed out"
	case tokensource.Ended:
		return strings.TrimSuffix("ended; a login is needed: "+v.EndedReason, ": ")
	case tokensource.Damaged:
		return "damaged; the next login sets the file aside, deletes nothing, and starts anew"
	default:
		return "unknown; the session file is left as it is"
	}
}

func flowNote(flow string) string {
	if flow == "" {
		return ""
	}
	return " (" + flow + ")"
}

// describe says when something expires; "" where there is nothing.
func (l *lifeJSON) describe() string {
	switch {
	case l == nil:
		return ""
	case l.left <= 0:
		return "expired " + span(-l.left) + " ago"
	default:
		return "expires in " + span(l.left)
	}
}
