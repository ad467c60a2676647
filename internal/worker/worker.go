// Package worker is the composition root of the process that renews a session, and has what the complete program builds in
// just the same way: profiles, slots, the clients of the services.
//
// The process is a small program of its own where it is installed (cmd/cognito-credhelper-worker): it starts in less than half
// the time of the complete one, and a hundred callers of an expired session wait for that start. The complete program can be
// one as well, and is where the small one is not there, or does not have what the job asks for.
//
// It guarantees that both do a job in the same way. It never decides what to renew, and never asks a person.
package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
	"github.com/cognito-credhelper/cognito-credhelper/internal/history"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protect"
	"github.com/cognito-credhelper/cognito-credhelper/internal/refresh"
	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/netsdk"
)

// Main runs the command line args of the small program, whose first element is its name, and returns the exit code.
func Main(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	protect.Process()
	switch {
	case len(args) == 2 && args[1] == "--version":
		io.WriteString(stdout, version.Number()+"\n")
		return 0
	case len(args) != 2 || args[1] != detach.Argument:
		io.WriteString(stderr, "cognito-credhelper-worker: this program is started to renew a session; it does nothing by hand\n")
		return token.Usage.ExitCode()
	}
	p := New(getenv, clock.Now)
	if folder, _, err := statefolder.Find(getenv); err == nil {
		p.Calls = history.Open(folder)
	}
	if err := p.Serve(ctx); err != nil {
		io.WriteString(stderr, "cognito-credhelper-worker: "+err.Error()+"\n")
		return token.KindOf(err).ExitCode()
	}
	return 0
}

// Parts builds what a renewal is made of. Its fields are set before the first use; then it is safe for concurrent use.
type Parts struct {
	Getenv func(string) string
	Home   string // the person's home folder; "" where the environment names none
	Now    func() token.Instant
	Calls  *history.Log                // where calls of services are noted; nil notes none
	Key    func() (keyslot.Key, error) // that the caller gave; nil for none
	Ask    awscreds.Registries         // what some derived credentials come from; the zero value has none of it
}

// New builds parts that go by this environment and this clock. Nothing is read but the environment.
func New(getenv func(string) string, now func() token.Instant) *Parts {
	home := "HOME"
	if runtime.GOOS == "windows" {
		home = "USERPROFILE"
	}
	return &Parts{Getenv: getenv, Home: getenv(home), Now: now}
}

// Ini says how profiles are read.
func (p *Parts) Ini(getenv func(string) string) inifile.Options {
	return inifile.Options{Getenv: getenv, Home: p.Home, Encrypted: netsdk.Default(getenv)}
}

// Profile reads a profile. Errors carry a token.Kind.
func (p *Parts) Profile(s profiles.Selection, getenv func(string) string) (profiles.Profile, error) {
	return inifile.Load(s, p.Ini(getenv))
}

// Slots are the places for keys of a state folder.
func (p *Parts) Slots(folder string) *keyslot.Slots {
	return keyslot.OpenWith(folder, keyslot.Options{Keyring: systemKeyring(p.Getenv), Given: p.Key})
}

// Sessions are the session files of a state folder.
func (p *Parts) Sessions(folder string, slots *keyslot.Slots) *tokencache.Cache {
	return tokencache.Open(folder, slots).SpillTo(statefolder.Spill(p.Getenv))
}

// Pool says how the user pool of a target is asked.
func (p *Parts) Pool(t tokensource.Target) cognito.Options {
	profile := t.Profile
	return cognito.Options{
		Region:           profile.SignInRegion,
		UserPoolID:       profile.UserPoolID,
		ClientID:         profile.ClientID,
		ClientSecret:     token.NewSecret(profile.ClientSecret.Reveal()),
		ClientSecretNext: token.NewSecret(profile.ClientSecretNext.Reveal()),
		Endpoint:         profile.EndpointURL,
		UseFIPS:          profile.UseFIPS,
		UseDualStack:     profile.UseDualStack,
		CABundle:         p.Bundle(profile),
		Profile:          profile.Name,
		Login:            tokensource.LoginCommand(t),
		Now:              p.Now,
		Observe:          p.Note,
	}
}

// HTTP carries the requests to the other services, and notes them.
func (p *Parts) HTTP(profile profiles.Profile) awscreds.HTTPClient {
	return noted{transport.New(p.Bundle(profile)), p.Now, p.Note}
}

// Bundle is the file of certificates to trust: the profile's, else the one that the environment names to the AWS tools or
// to every program; "" means the system's.
func (p *Parts) Bundle(profile profiles.Profile) string {
	return cmp.Or(profile.CABundle, p.Getenv("AWS_CA_BUNDLE"), p.Getenv("SSL_CERT_FILE"))
}

// Exchange turns ID tokens of the source into AWS credentials, and those into what is derived from them. http carries its requests.
func (p *Parts) Exchange(source *tokensource.Source, http func(profiles.Profile) awscreds.HTTPClient) *awscreds.Provider {
	return awscreds.New(awscreds.Options{Source: source, HTTP: http, Now: p.Now, Region: p.Getenv("AWS_REGION"), Ask: p.Ask})
}

// Note remembers a call of a service for the history, until Calls is flushed.
func (p *Parts) Note(c cognito.Call) {
	if p.Calls != nil {
		p.Calls.Note(history.Call{
			Time: c.At.UTC().Truncate(time.Millisecond), Operation: c.Operation, Region: c.Region, Status: c.Status,
			Code: c.Code, RequestID: c.RequestID, Took: c.Took.Milliseconds(),
		})
	}
}

// Serve is the life of a worker: one job, under the lock that came with it. Calls are flushed.
func (p *Parts) Serve(ctx context.Context) error {
	if p.Calls != nil {
		defer p.Calls.FlushBehind()
	}
	return refresh.Serve(ctx, func(ctx context.Context, text []byte, lock *os.File) []byte {
		text, key := unwrapJob(text)
		if key != nil {
			p.Key = key
		}
		folder, _, err := statefolder.Find(p.Getenv)
		if err != nil {
			return nil
		}
		slots := p.Slots(folder)
		source := tokensource.New(tokensource.Options{
			Cache: p.Sessions(folder, slots), Slots: slots, Now: p.Now, PID: os.Getpid(),
			Client: func(t tokensource.Target) (tokensource.Client, error) { return cognito.New(p.Pool(t)) },
		})
		var job tokensource.Job
		_ = json.Unmarshal(text, &job) // a job that cannot be read has no format, which Work refuses in its own words
		profile, _ := p.Profile(job.Selection, p.Getenv)
		t := tokensource.Target{Profile: profile, Selection: job.Selection, Username: job.Username}
		return source.Work(ctx, job, t, lock, func(work string) (tokensource.Goal, error) {
			return goal(p.Exchange(source, p.HTTP), profile, work)
		})
	})
}

// goal is the exchange that a job names.
func goal(provider *awscreds.Provider, profile profiles.Profile, work string) (tokensource.Goal, error) {
	g, derived, err := provider.DerivedGoal(profile, work)
	if !derived {
		g, err = provider.Goal(profile)
	}
	if err == nil && g.Work() != work {
		err = &token.Error{Kind: token.Unavailable, Message: "the profile changed while it was used"}
	}
	return g, err
}
