package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// noon is the time of every test: a Friday.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// bench is a program whose parts are fakes, and what it printed.
type bench struct {
	*program
	stdout, stderr bytes.Buffer
	stdin          strings.Reader
	env            map[string]string
	fake           fakeSessions
	tty            fakeTerminal
	remembered     []string
	bound          []profiles.Profile // whose bindings count
	remote         string             // the kind of file system that sessions are on
}

// fakeSessions answers with what it holds, and keeps what it was asked.
type fakeSessions struct {
	target tokensource.Target
	want   tokensource.Want
	login  tokensource.LoginOptions

	ask    []challenge.Question // what a login asks
	asked  []string             // and the answers
	result tokensource.LoginResult
	logout tokensource.LogoutResult
	status tokensource.Status
	token  token.Token
	aws    token.AWSCredentials
	err    error

	rejected [][sha256.Size]byte
	live     func(session string) bool // nil: every session is
}

func (f *fakeSessions) Token(_ context.Context, t tokensource.Target, w tokensource.Want) (token.Token, error) {
	f.target, f.want = t, w
	return f.token, f.err
}

func (f *fakeSessions) SealingKey(context.Context, tokensource.Target) (keyslot.Kind, keyslot.Key, error) {
	return 0, keyslot.Key{}, f.err
}

func (f *fakeSessions) Reject(_ context.Context, _ tokensource.Target, hash [sha256.Size]byte) error {
	f.rejected = append(f.rejected, hash)
	return f.err
}

func (f *fakeSessions) Live(session string) bool { return f.live == nil || f.live(session) }

func (f *fakeSessions) Derive(_ context.Context, t tokensource.Target, _ profiles.Binding, _ profiles.Host, w tokensource.Want) (awscreds.Derived, error) {
	f.target, f.want = t, w
	return awscreds.Derived{Username: "AWS", Secret: token.NewSecret("derived"), Lifetime: f.token.Lifetime}, f.err
}

func (f *fakeSessions) Retrieve(_ context.Context, t tokensource.Target, w tokensource.Want) (token.AWSCredentials, error) {
	f.target, f.want = t, w
	return f.aws, f.err
}

func (f *fakeSessions) Login(ctx context.Context, t tokensource.Target, o tokensource.LoginOptions) (tokensource.LoginResult, error) {
	f.target, f.login = t, o
	for _, q := range f.ask {
		a, err := o.Answers.Answer(ctx, q)
		if err != nil {
			return tokensource.LoginResult{}, err
		}
		f.asked = append(f.asked, a.Reveal())
	}
	return f.result, f.err
}

func (f *fakeSessions) Logout(_ context.Context, t tokensource.Target, o tokensource.LogoutOptions) (tokensource.LogoutResult, error) {
	f.target = t
	return f.logout, f.err
}

func (f *fakeSessions) LogoutEverywhere(_ context.Context, t tokensource.Target) (tokensource.LogoutResult, error) {
	f.target = t
	return f.logout, f.err
}

func (f *fakeSessions) Status(t tokensource.Target) (tokensource.Status, error) {
	f.target = t
	return f.status, f.err
}

// fakeTerminal gives one answer to everything, or is absent.
type fakeTerminal struct {
	present bool
	answer  string
	yes     bool
	told    []string
	asked   []string
}

func (f *fakeTerminal) Answer(_ context.Context, q challenge.Question) (token.Secret, error) {
	if !f.present {
		return token.Secret{}, challenge.ErrNoAnswer
	}
	f.asked = append(f.asked, q.Name)
	return token.NewSecret(f.answer), nil
}

func (f *fakeTerminal) Confirm(_ context.Context, question string) (bool, error) {
	f.asked = append(f.asked, question)
	return f.yes, nil
}

func (f *fakeTerminal) Present() bool    { return f.present }
func (f *fakeTerminal) Tell(line string) { f.told = append(f.told, line) }

// devProfile is the profile that every selection finds, under its own name.
func devProfile() profiles.Profile {
	return profiles.Profile{UserPoolID: "us-east-1_Pool", ClientID: "client", SignInRegion: "us-east-1"}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{env: map[string]string{}}
	b.program = &program{
		Env: Env{
			Getenv:   func(key string) string { return b.env[key] },
			Unsetenv: func(key string) error { delete(b.env, key); return nil },
			Environ:  func() []string { return nil },
			Stdin:    &b.stdin, Stdout: &b.stdout, Stderr: &b.stderr,
		},
		terminal:    &b.tty,
		now:         func() token.Instant { return token.Instant{Wall: noon} },
		stateFolder: func() (string, string, error) { return t.TempDir(), "", nil },
		remote:      func(string) string { return b.remote },
		loadProfile: func(s profiles.Selection, _ func(string) string) (profiles.Profile, error) {
			p := devProfile()
			p.Name = s.Name
			return p, nil
		},
		bindings:     func() (profileindex.Hosts, error, error) { return tableOf(b.bound), nil, nil },
		profileNames: func(string) ([]string, error) { return []string{"dev", "prod"}, nil },
		configFile:   func() string { return filepath.Join(t.TempDir(), "config") },
		sessions:     func() (sessions, error) { return &b.fake, nil },
		aws:          func() (awsProvider, error) { return &b.fake, nil },
		remember:     func(s profiles.Selection, _ profiles.Profile) { b.remembered = append(b.remembered, s.Name) },
		executable:   func() (string, error) { return "/opt/bin/cognito-credhelper", nil },
		credLine:     func(program, profile string) string { return program + " credential-process --profile " + profile },
	}
	return b
}

// call runs a command line that names the program by itself.
func (b *bench) call(t *testing.T, args ...string) int {
	t.Helper()
	return b.run(t.Context(), append([]string{programName}, args...))
}

// printed compares what was printed with want, to the letter.
func printed(t *testing.T, name string, got *bytes.Buffer, want string) {
	t.Helper()
	if got.String() != want {
		t.Errorf("%s:\n%swant:\n%s", name, got.String(), want)
	}
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		err  error
		exit int
	}{
		{errors.New("anything"), 1},
		{&token.Error{Kind: token.Failure, Message: "m"}, 1},
		{&token.Error{Kind: token.Usage, Message: "m"}, 2},
		{&token.Error{Kind: token.LoginNeeded, Message: "m"}, 3},
		{&token.Error{Kind: token.Refused, Message: "m"}, 4},
		{&token.Error{Kind: token.Unavailable, Message: "m"}, 5},
		{&token.Error{Kind: token.BadProfile, Message: "m"}, 6},
		{&token.Error{Kind: token.Interrupted, Message: "m"}, 130},
		{fmt.Errorf("wrapped: %w", &token.Error{Kind: token.Refused, Message: "m"}), 4},
	}
	for _, tt := range tests {
		b := newBench(t)
		b.fake.err = tt.err
		if got := b.call(t, "login", "--profile", "dev"); got != tt.exit {
			t.Errorf("%v: exit %d, want %d", tt.err, got, tt.exit)
		}
		if b.stdout.Len() > 0 || b.stderr.Len() == 0 {
			t.Errorf("%v: standard output %q, standard error %q", tt.err, b.stdout.String(), b.stderr.String())
		}
	}
}

func TestErrorsNameTheProfileOnceAndWhatToDo(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"its own hint", &token.Error{Kind: token.Refused, Message: "user name or password is wrong", Next: "do this\nthen that"},
			"cognito-credhelper: profile dev x: user name or password is wrong\nhint: do this\nhint: then that, then: cognito-credhelper logout --profile 'dev x'\n"},
		{"a cause", &token.Error{Kind: token.Unavailable, Message: "no answer", Err: errors.New("connection refused")},
			"cognito-credhelper: profile dev x: no answer\ndetail: connection refused\nhint: cognito-credhelper logout --profile 'dev x'\n"},
		{"a cause that the sentence ends with", &token.Error{Kind: token.BadProfile, Message: "the file is a FIFO", Err: errors.New("the file is a FIFO")},
			"cognito-credhelper: profile dev x: the file is a FIFO\nhint: cognito-credhelper logout --profile 'dev x'\n"},
		{"login needed", &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in"},
			"cognito-credhelper: profile dev x: nobody is signed in\nhint: cognito-credhelper login --profile 'dev x'\n"},
		{"named already", &token.Error{Kind: token.Failure, Message: "profile dev x: broken"},
			"cognito-credhelper: profile dev x: broken\n"},
		{"hostile text", &token.Error{Kind: token.Refused, Message: "no\x1b[2J\nway", Next: "\x07"},
			"cognito-credhelper: profile dev x: no?[2J way\nhint: ?, then: cognito-credhelper logout --profile 'dev x'\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.fake.err = tt.err
			b.call(t, "logout", "--profile", "dev x")
			printed(t, "standard error", &b.stderr, tt.want)
		})
	}
}

func TestInterruptedAnywhereIs130(t *testing.T) {
	for _, err := range []error{
		&token.Error{Kind: token.Unavailable, Message: "no answer", Err: context.Canceled},
		fmt.Errorf("waiting: %w", context.Canceled),
		&token.Error{Kind: token.Interrupted, Message: "interrupted"},
	} {
		for _, args := range [][]string{{"login"}, {"logout"}, {"echo", "dev"}} {
			b := newBench(t)
			b.adapters = []protocol.Adapter{echo()}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			b.fake.err = err
			if got := b.run(ctx, append([]string{programName}, args...)); got != 130 {
				t.Errorf("%v after %v: exit %d, want 130", args, err, got)
			}
			printed(t, "standard error", &b.stderr, "cognito-credhelper: interrupted\n")
		}
	}
}

func TestProfileErrors(t *testing.T) {
	missing := &profiles.NotFoundError{Name: "dev", Named: true, Files: []string{"/h/.aws/config"}}
	tests := []struct {
		name    string
		profile profiles.Profile
		err     error
		want    string
	}{
		{"no profile", profiles.Profile{}, missing,
			"cognito-credhelper: profile \"dev\" is not in /h/.aws/config\n" +
				"hint: cognito-credhelper configure --profile dev --user-pool-id REGION_ID --client-id ID\n"},
		{"no pool", profiles.Profile{Name: "dev", ClientID: "c"}, nil,
			"cognito-credhelper: cognito_user_pool_id is missing; write: cognito_user_pool_id = us-east-1_AbCdEfGhI\n" +
				"hint: cognito-credhelper configure --profile dev --user-pool-id REGION_ID --client-id ID\n"},
		{"browser", profiles.Profile{Name: "dev", UserPoolID: "us-east-1_P", ClientID: "c", SignInRegion: "us-east-1", AuthFlow: "browser"}, nil,
			"cognito-credhelper: profile dev: signing in through a browser (cognito_auth_flow = browser) is not built yet\n" +
				"hint: cognito-credhelper configure --profile dev --auth-flow USER_SRP_AUTH\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.loadProfile = func(profiles.Selection, func(string) string) (profiles.Profile, error) { return tt.profile, tt.err }
			if got := b.call(t, "login", "--profile", "dev"); got != 6 {
				t.Errorf("exit %d, want 6", got)
			}
			printed(t, "standard error", &b.stderr, tt.want)
			if b.fake.login.Answers != nil {
				t.Error("the sign-in began")
			}
		})
	}
}

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		args []string
		want string // the first line, without the program's name
		next string
	}{
		{nil, "a command is needed", "cognito-credhelper --help"},
		{[]string{"nope"}, `there is no command "nope"`, "cognito-credhelper --help"},
		{[]string{"logni"}, `there is no command "logni"`, "cognito-credhelper login --help"},
		{[]string{"help", "nope"}, `there is no command "nope"`, "cognito-credhelper --help"},
		{[]string{"login", "--hunter2"}, "there is no flag --hunter2 here", "cognito-credhelper login --help"},
		{[]string{"login", "-phunter2"}, "there is no flag -p here", "cognito-credhelper login --help"},
		{[]string{"login", "hunter2"}, "login takes no argument beside its flags", "cognito-credhelper login --help"},
		{[]string{"login", "--profile", "a", "--profile", "hunter2"}, "--profile: it is given twice", "cognito-credhelper login --help"},
		{[]string{"login", "--profile", "a", "--profile-name", "hunter2"}, "--profile: it is given twice", "cognito-credhelper login --help"},
		{[]string{"login", "--force", "--force"}, "--force: it is given twice", "cognito-credhelper login --help"},
		{[]string{"status", "--username="}, "--username: the value is empty", "cognito-credhelper status --help"},
		{[]string{"login", "--min-ttl", "5m"}, "--min-ttl needs --if-needed", "cognito-credhelper login --help"},
		{[]string{"login", "--if-needed", "--min-ttl", "soon"}, "--min-ttl: it must be a length of time such as 90s, 15m, 1h, or a number of seconds", "cognito-credhelper login --help"},
		{[]string{"login", "--answer", "hunter2"}, "--answer takes NAME=VALUE, NAME=@FILE, or NAME=-", "cognito-credhelper login --help"},
		{[]string{"login", "--password-stdin", "--answer", "X=-"}, "standard input cannot serve --password-stdin and --answer X", "cognito-credhelper login --help"},
		{[]string{"login", "--client-metadata", "hunter2"}, "--client-metadata takes KEY=VALUE or @FILE", "cognito-credhelper login --help"},
		{[]string{"completion"}, "name one shell: bash, zsh, fish, or powershell", "cognito-credhelper completion --help"},
		{[]string{"configure"}, "there is nothing to write: give at least one key", "cognito-credhelper configure --help"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			b := newBench(t)
			if got := b.call(t, tt.args...); got != 2 {
				t.Errorf("exit %d, want 2", got)
			}
			printed(t, "standard error", &b.stderr, "cognito-credhelper: "+tt.want+"\nhint: "+tt.next+"\n")
			if b.stdout.Len() > 0 {
				t.Errorf("standard output %q", b.stdout.String())
			}
		})
	}
}

func TestFlagsReachTheCommands(t *testing.T) {
	b := newBench(t)
	parse := func(c *cobra.Command, args ...string) {
		t.Helper()
		settableOnce(c)
		c.SetArgs(args)
		if err := c.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	var in loginOptions
	parse(newLogin(b.program, func(_ *cobra.Command, o loginOptions) error { in = o; return nil }),
		"--profile-name", "dev", "--profile-location=f", "--username", "alice", "--password-stdin", "--answer", "A=1,2", "--answer", "B=3",
		"--client-metadata", "k=v", "--force", "--if-needed", "--min-ttl", "90")
	if in.selection != (selection{"dev", "f", "alice"}) || !in.passwordStdin || !in.force || !in.ifNeeded || time.Duration(in.minTTL) != 90*time.Second ||
		fmt.Sprint(in.answers, in.metadata) != "[A=1,2 B=3] [k=v]" {
		t.Errorf("login got %+v", in)
	}
	var out selection
	parse(newLogout(b.program, func(_ *cobra.Command, f logoutOptions) error { out = f.selection; return nil }), "--profile=dev", "--username", "bob")
	if out != (selection{"dev", "", "bob"}) {
		t.Errorf("logout got %+v", out)
	}
	var st statusOptions
	parse(newStatus(b.program, func(_ *cobra.Command, o statusOptions) error { st = o; return nil }), "--json")
	if st != (statusOptions{asJSON: true}) {
		t.Errorf("status got %+v", st)
	}
	var conf configureOptions
	parse(newConfigure(b.program, func(_ *cobra.Command, o configureOptions) error { conf = o; return nil }),
		"--profile", "dev", "--user-pool-id", "p", "--client-id", "c", "--print", "--force")
	if conf.profile != "dev" || *conf.given["user-pool-id"] != "p" || *conf.given["client-id"] != "c" || *conf.given["region"] != "" || !conf.print || !conf.force {
		t.Errorf("configure got %+v", conf)
	}
}

func TestSelectionComesFromTheEnvironmentWhereNoFlagNamesIt(t *testing.T) {
	tests := []struct {
		args []string
		aws  string
		want profiles.Selection
	}{
		{nil, "", profiles.Selection{Name: "default"}},
		{nil, "prod", profiles.Selection{Name: "prod", Named: true}},
		{[]string{"--profile", "dev"}, "prod", profiles.Selection{Name: "dev", Named: true}},
		{[]string{"--profile-location", "/f"}, "", profiles.Selection{Name: "default", Location: "/f"}},
	}
	for _, tt := range tests {
		b := newBench(t)
		b.env["AWS_PROFILE"] = tt.aws
		b.call(t, append([]string{"logout"}, tt.args...)...)
		if b.fake.target.Selection != tt.want {
			t.Errorf("%v: selected %+v, want %+v", tt.args, b.fake.target.Selection, tt.want)
		}
	}
}

// What --answer takes and what the help of login says are the same names.
func TestHelpNamesEveryAnswer(t *testing.T) {
	b := newBench(t)
	for _, name := range answerNames() {
		if help := b.loginCommand().Long; name != confirmationCode && !strings.Contains(help, name) {
			t.Errorf("%s is not in the help of login", name)
		}
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	b := newBench(t)
	b.adapters = []protocol.Adapter{echo()}
	for _, c := range b.root().Commands() {
		if c.GroupID == machines {
			continue // an adapter's own help is its package's matter
		}
		if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, programName+" "+c.Name()) && c.Name() != "completion" {
			t.Errorf("%s: short, long, or example is missing", c.Name())
		}
		if strings.HasSuffix(c.Short, ".") || len(c.Short) > 60 {
			t.Errorf("%s: short is %q", c.Name(), c.Short)
		}
	}
	for _, args := range [][]string{{"--help"}, {"login", "--help"}, {"logout", "--help"}, {"status", "--help"}, {"configure", "--help"},
		{"password", "--help"}, {"password", "reset", "--help"}, {"help", "password", "change"}, {"confirm", "--help"},
		{"mfa", "--help"}, {"mfa", "list", "--help"}, {"mfa", "setup", "--help"}, {"mfa", "prefer", "--help"},
		{"device", "--help"}, {"device", "list", "--help"}, {"device", "forget", "--help"},
		{"version", "--help"}, {"completion", "--help"}, {"help", "help"}, {"help", "login"}, {"echo", "--help"}, {"help", "echo"}} {
		b := newBench(t)
		b.adapters = []protocol.Adapter{echo()}
		if got := b.call(t, args...); got != 0 || b.stderr.Len() > 0 {
			t.Fatalf("%v: exit %d, standard error %q", args, got, b.stderr.String())
		}
		if !strings.Contains(b.stdout.String(), "Usage:") {
			t.Errorf("%v: no usage in %q", args, b.stdout.String())
		}
		for line := range strings.Lines(b.stdout.String()) {
			if line = strings.TrimRight(line, "\n"); len(line) > 100 {
				t.Errorf("%v: %d columns: %s", args, len(line), line)
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		b := newBench(t)
		if got := b.call(t, "completion", shell); got != 0 || !strings.Contains(b.stdout.String(), programName) {
			t.Errorf("%s: exit %d, %d bytes", shell, got, b.stdout.Len())
		}
	}
	for typed, want := range map[string]string{
		"":             "confirm\t|device\t|mfa\t|password\t",
		"password ":    "change\t|reset\t",
		"mfa ":         "list\t|prefer\t|setup\t",
		"mfa prefer ":  "SOFTWARE_TOKEN_MFA\n|SMS_MFA\n|EMAIL_OTP\n|none\n",
		"device ":      "forget\t|list\t",
		"confirm --re": "--resend\t",
	} {
		b := newBench(t)
		b.call(t, append([]string{"__complete"}, strings.Split(typed, " ")...)...)
		for _, w := range strings.Split(want, "|") {
			if !strings.Contains("\n"+b.stdout.String(), "\n"+w) {
				t.Errorf("after %q, no %q among %q", typed, w, b.stdout.String())
			}
		}
	}
	for _, args := range [][]string{{"login", "--profile", ""}, {"mfa", "list", "--profile", ""}, {"echo", "--profile", ""}, {"echo", "--profile-name", ""}} {
		b := newBench(t)
		b.adapters = []protocol.Adapter{echo()}
		if got := b.call(t, append([]string{"__complete"}, args...)...); got != 0 || !strings.HasPrefix(b.stdout.String(), "dev\nprod\n") {
			t.Errorf("%v: exit %d, %q", args, got, b.stdout.String())
		}
	}
}

func TestVersion(t *testing.T) {
	b := newBench(t)
	if got := b.call(t, "version"); got != 0 || !strings.HasPrefix(b.stdout.String(), "cognito-credhelper ") || strings.Count(b.stdout.String(), "\n") != 1 {
		t.Errorf("exit %d, %q", got, b.stdout.String())
	}
	b = newBench(t)
	if got := b.call(t, "version", "--json"); got != 0 || !strings.Contains(b.stdout.String(), `"handover": 1`) {
		t.Errorf("exit %d, %q", got, b.stdout.String())
	}
}

// full is an output without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAnOutputThatCannotBeWrittenIsAFailure(t *testing.T) {
	b := newBench(t)
	b.Stdout = full{}
	if got := b.call(t, "version"); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	printed(t, "standard error", &b.stderr, "cognito-credhelper: the output cannot be written\ndetail: no space left on device\n")
}

func TestAnIgnoredVariableIsSaidToPeople(t *testing.T) {
	b := newBench(t)
	b.stateFolder = func() (string, string, error) { return "/h/.local/state/x", "XDG_STATE_HOME", nil }
	b.fake.logout.NothingThere = true
	b.call(t, "logout")
	printed(t, "standard error", &b.stderr,
		"cognito-credhelper: warning: XDG_STATE_HOME is not an absolute path and is ignored\ncognito-credhelper: profile default: nobody was signed in\n")
}

// echo is an adapter that prints what the source gives.
func echo() protocol.Adapter {
	return protocol.Adapter{
		Verb: "echo", Short: "Print it", Usage: "Usage: cognito-credhelper echo\n",
		Serve: func(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
			r := protocol.Request{Profile: profiles.Select(strings.Join(c.Args, ""), "", c.Getenv), Use: token.UseID, MinTTL: time.Minute, RenewFirst: true}
			t, err := s.Token(ctx, r)
			if err == nil {
				_, err = io.WriteString(c.Out, t.Value.Reveal()+"\n")
			}
			return protocol.Result{Exit: token.KindOf(err).ExitCode() * boolInt(err != nil), Err: err, Terminal: true}
		},
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestMachineVerb(t *testing.T) {
	b := newBench(t)
	b.adapters = []protocol.Adapter{echo()}
	b.fake.token = token.Token{Value: token.NewSecret("jwt")}
	if got := b.call(t, "echo", "dev"); got != 0 {
		t.Errorf("exit %d", got)
	}
	printed(t, "standard output", &b.stdout, "jwt\n")
	printed(t, "standard error", &b.stderr, "")
	if w := (tokensource.Want{Use: token.UseID, MinTTL: time.Minute, RenewFirst: true}); b.fake.want != w {
		t.Errorf("wanted %+v, want %+v", b.fake.want, w)
	}
	if fmt.Sprint(b.remembered) != "[dev]" {
		t.Errorf("remembered %v", b.remembered)
	}
}

func TestMachineVerbWithoutASession(t *testing.T) {
	b := newBench(t)
	b.adapters = []protocol.Adapter{echo()}
	b.tty.present = true
	b.fake.err = &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in", Next: "cognito-credhelper login --profile dev"}
	if got := b.call(t, "echo", "dev"); got != 3 {
		t.Errorf("exit %d, want 3", got)
	}
	printed(t, "standard output", &b.stdout, "")
	printed(t, "standard error", &b.stderr, "cognito-credhelper: profile dev: nobody is signed in\nhint: cognito-credhelper login --profile dev\n")
	if want := "[cognito-credhelper: profile dev: nobody is signed in; run: cognito-credhelper login --profile dev]"; fmt.Sprint(b.tty.told) != want {
		t.Errorf("told the terminal %v, want %v", b.tty.told, want)
	}
	if len(b.tty.asked) > 0 || len(b.remembered) > 0 {
		t.Errorf("asked %v, remembered %v", b.tty.asked, b.remembered)
	}
}

func TestMachineVerbKeepsTheProtocolsOwnExitCode(t *testing.T) {
	a := echo()
	a.Serve = func(context.Context, protocol.Call, protocol.Source) protocol.Result {
		return protocol.Result{Exit: 0, Err: &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in"}}
	}
	b := newBench(t)
	b.adapters = []protocol.Adapter{a}
	if got := b.call(t, "echo"); got != 0 || b.stderr.Len() == 0 {
		t.Errorf("exit %d, standard error %q", got, b.stderr.String())
	}
}

func TestOnlyPlainRequestsAreRemembered(t *testing.T) {
	b := newBench(t)
	s := &source{b.program}
	for _, r := range []protocol.Request{
		{Profile: profiles.Selection{Name: "a"}},
		{Profile: profiles.Selection{Name: "b"}, Username: "alice"},
		{Profile: profiles.Selection{Name: "c", Location: "/f"}},
	} {
		if _, err := s.AWSCredentials(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(b.remembered) != "[a]" {
		t.Errorf("remembered %v, want [a]", b.remembered)
	}
}

func TestStablePath(t *testing.T) {
	root := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(to, name string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Skipf("no symbolic links: %v", err)
		}
		return path
	}
	alone := write("cellar/1.2.3/bin/" + programName + exe())
	linked := link(alone, "bin/"+programName+exe())
	front := write("pair/bin/" + programName + exe())
	core := write("pair/libexec/cognito-credhelper/" + programName + "-core" + exe())
	other := write("other/" + programName + exe())
	path := func(files ...string) string {
		var folders []string
		for _, f := range files {
			folders = append(folders, filepath.Dir(f))
		}
		return strings.Join(folders, string(filepath.ListSeparator))
	}
	for _, tt := range []struct{ name, self, path, want string }{
		{"a link on PATH instead of a versioned path", alone, path(other, linked), linked},
		{"not on PATH", alone, path(other), alone},
		{"the pair's front", core, path(other), front},
		{"the pair's front on PATH", core, path(front), front},
		{"a relative folder of PATH does not count", alone, "bin", alone},
	} {
		if got := filepath.Clean(stablePath(tt.self, tt.path)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestJSONCannotDriveATerminal(t *testing.T) {
	b := newBench(t)
	if err := b.printJSON(map[string]string{"a": "\x1b[2J\u009b\u202e\U000e0001é\n"}); err != nil {
		t.Fatal(err)
	}
	printed(t, "standard output", &b.stdout, "{\n  \"a\": \"\\u001b[2J\\u009b\\u202e\\udb40\\udc01é\\n\"\n}\n")
}

func TestSpansAndTimes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		42 * time.Second: "42 s", 54*time.Minute + 59*time.Second: "54 min", 119 * time.Minute: "119 min",
		3 * time.Hour: "3 h", 5*time.Hour + 10*time.Minute: "5 h 10 min", 48 * time.Hour: "2 d", 76 * time.Hour: "3 d 4 h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.Local)
	for at, want := range map[time.Time]string{
		now.Add(2 * time.Hour): "14:00", now.AddDate(0, 0, 1): "Sat 12:00", now.AddDate(0, 0, -2): "Wed 12:00", now.AddDate(0, 1, 0): "2026-12-20 12:00",
	} {
		if got := clockTime(at, now); got != want {
			t.Errorf("clockTime(%v) = %q, want %q", at, got, want)
		}
	}
}

func lifetime(left time.Duration) token.Lifetime {
	return token.Lifetime{Issued: noon.Add(left - time.Hour), Expires: noon.Add(left)}
}
