package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

func TestLoginSays(t *testing.T) {
	until := clockTime(noon.Add(time.Hour), noon)
	signedIn := tokensource.LoginResult{User: "alice", Tokens: lifetime(time.Hour), Slot: keyslot.File}
	with := func(change func(*tokensource.LoginResult)) tokensource.LoginResult {
		r := signedIn
		change(&r)
		return r
	}
	const stored = "cognito-credhelper: session stored in a file protected by a key file (0600)\n"
	const next = "hint: cognito-credhelper status --profile dev\n"
	tests := []struct {
		name   string
		flow   string // identity flow of the profile
		args   []string
		result tokensource.LoginResult
		want   string
	}{
		{"signed in", "", nil, signedIn,
			"cognito-credhelper: alice is signed in to profile dev; the token is good until " + until + " and renews itself\n" + stored + next},
		{"kept", "", nil, with(func(r *tokensource.LoginResult) { r.Kept = true }),
			"cognito-credhelper: alice is still signed in to profile dev; the token is good until " + until + "\n" + next},
		{"replaced", "", nil, with(func(r *tokensource.LoginResult) { r.Revoked = true; r.Warnings = []string{"that is odd\x1b"} }),
			"cognito-credhelper: alice is signed in to profile dev; the token is good until " + until + " and renews itself\n" + stored +
				"cognito-credhelper: the session before it was revoked\ncognito-credhelper: warning: that is odd?\n" + next},
		{"own session", "", []string{"--username", "alice"}, with(func(r *tokensource.LoginResult) { r.OwnSession = true }),
			"cognito-credhelper: alice is signed in to profile dev; the token is good until " + until + " and renews itself\n" + stored +
				"cognito-credhelper: this is a session beside the profile's own: tools need --username, too\n" +
				"hint: cognito-credhelper token --profile dev --username alice\n"},
		{"own session with AWS", "enhanced", []string{"--username", "alice"}, with(func(r *tokensource.LoginResult) { r.OwnSession = true }),
			"cognito-credhelper: alice is signed in to profile dev; the token is good until " + until + " and renews itself\n" + stored +
				"cognito-credhelper: this is a session beside the profile's own: tools need --username, too\n" +
				"hint: credential_process = /opt/bin/cognito-credhelper credential-process --profile dev --username alice\n"},
		{"an answer that nobody asked for", "", []string{"--answer", "SMS_MFA_CODE=1"}, signedIn,
			"cognito-credhelper: warning: nobody asked for SMS_MFA_CODE\n" +
				"cognito-credhelper: alice is signed in to profile dev; the token is good until " + until + " and renews itself\n" + stored + next},
		{"a password on the command line", "", []string{"--answer", "PASSWORD=hunter2"}, with(func(r *tokensource.LoginResult) { r.Kept = true }),
			"cognito-credhelper: warning: other programs can see the PASSWORD on this command line; give it as PASSWORD=@FILE or PASSWORD=-\n" +
				"cognito-credhelper: alice is still signed in to profile dev; the token is good until " + until + "\n" + next},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.loadProfile = func(s profiles.Selection, _ func(string) string) (profiles.Profile, error) {
				p := devProfile()
				p.Name, p.IdentityFlow = s.Name, tt.flow
				return p, nil
			}
			b.fake.result = tt.result
			if got := b.call(t, append([]string{"login", "--profile", "dev"}, tt.args...)...); got != 0 {
				t.Errorf("exit %d", got)
			}
			printed(t, "standard error", &b.stderr, tt.want)
			printed(t, "standard output", &b.stdout, "")
		})
	}
}

func TestLoginTakesAnswersFirstAndThenAsks(t *testing.T) {
	b := newBench(t)
	b.stdin = *strings.NewReader("hunter2\n")
	b.tty = fakeTerminal{present: true, answer: "123456"}
	b.fake.ask = []challenge.Question{{Name: "PASSWORD", Attempt: 1}, {Name: "SOFTWARE_TOKEN_MFA_CODE", Attempt: 1}, {Name: "SOFTWARE_TOKEN_MFA_CODE", Attempt: 2}}
	b.fake.result.User = "alice"
	if got := b.call(t, "login", "--password-stdin", "--answer", "SOFTWARE_TOKEN_MFA_CODE=000000"); got != 0 {
		t.Fatalf("exit %d: %s", got, b.stderr.String())
	}
	if got := fmt.Sprint(b.fake.asked); got != "[hunter2 000000 123456]" {
		t.Errorf("answers %v", got)
	}
	if b.fake.login.Confirm == nil {
		t.Error("nobody can confirm, although there is a terminal")
	}
}

func TestLoginWithoutATerminalCannotConfirm(t *testing.T) {
	b := newBench(t)
	b.call(t, "login")
	if b.fake.login.Confirm != nil {
		t.Error("somebody could confirm, although there is no terminal")
	}
}

func TestLoginOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "metadata.json")
	if err := os.WriteFile(file, []byte(`{"a":"file","c":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.loadProfile = func(profiles.Selection, func(string) string) (profiles.Profile, error) {
		p := devProfile()
		p.ClientMetadata = map[string]string{"a": "profile", "d": "profile"}
		return p, nil
	}
	b.call(t, "login", "--username", "alice", "--force", "--if-needed", "--min-ttl", "1h", "--client-metadata", "@"+file, "--client-metadata", "c=flag=x")
	o := b.fake.login
	if got := fmt.Sprint(o.Metadata); got != "map[a:file c:flag=x d:profile]" {
		t.Errorf("metadata %s", got)
	}
	if !o.Force || !o.IfNeeded || o.MinTTL != time.Hour || b.fake.target.Username != "alice" {
		t.Errorf("options %+v of %+v", o, b.fake.target)
	}
}

func TestLogoutSays(t *testing.T) {
	tests := []struct {
		name   string
		result tokensource.LogoutResult
		exit   int
		want   string
	}{
		{"done", tokensource.LogoutResult{User: "alice"}, 0, "cognito-credhelper: profile dev: alice's session is revoked and forgotten\n"},
		{"nothing there", tokensource.LogoutResult{NothingThere: true}, 0, "cognito-credhelper: profile dev: nobody was signed in\n"},
		{"Cognito was not reached", tokensource.LogoutResult{User: "alice", RevokeErr: &token.Error{Kind: token.Unavailable, Message: "no answer"}}, 5,
			"cognito-credhelper: profile dev: alice's session is forgotten here but not revoked: its refresh token stays valid until it expires\ndetail: no answer\nhint: ask an administrator of the user pool to sign the user out, then: cognito-credhelper login --profile dev\n"},
		{"Cognito refused", tokensource.LogoutResult{User: "alice", RevokeErr: &token.Error{Kind: token.Refused, Message: "no"}}, 4,
			"cognito-credhelper: profile dev: alice's session is forgotten here but not revoked: its refresh token stays valid until it expires\ndetail: no\nhint: ask an administrator of the user pool to sign the user out, then: cognito-credhelper login --profile dev\n"},
		{"damaged", tokensource.LogoutResult{Aside: "/away", RevokeErr: &token.Error{Kind: token.LoginNeeded, Message: "the file is damaged"}}, 1,
			"cognito-credhelper: profile dev: the session could not be read, so it is not revoked; its file is kept as /away, and nobody is signed in here: its refresh token stays valid until it expires\ndetail: the file is damaged\nhint: ask an administrator of the user pool to sign the user out, then: cognito-credhelper login --profile dev\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.fake.logout = tt.result
			if got := b.call(t, "logout", "--profile", "dev"); got != tt.exit {
				t.Errorf("exit %d, want %d", got, tt.exit)
			}
			printed(t, "standard error", &b.stderr, tt.want)
			if len(b.tty.asked) > 0 {
				t.Errorf("asked %v", b.tty.asked)
			}
		})
	}
}

// liveStatus has something of everything.
func liveStatus() tokensource.Status {
	return tokensource.Status{
		SessionID: "abc", State: tokensource.SignedIn, User: "alice\x1b[2J", Subject: "sub-1", Flow: "USER_SRP_AUTH", LoggedIn: noon.Add(-6 * time.Minute),
		Slot: keyslot.File, Access: lifetime(54 * time.Minute), ID: lifetime(-5 * time.Minute),
		AWS: []tokensource.AWSStatus{{AccessKeyID: "ASIAEXAMPLE", Lifetime: lifetime(3 * time.Hour)}},
		Last: &tokencache.Attempt{Outcome: tokencache.Transient, Started: noon.Add(-2 * time.Minute), Ended: noon.Add(-time.Minute),
			Message: "no answer", Hint: "wait a moment"},
	}
}

func TestStatusForPeople(t *testing.T) {
	at := func(d time.Duration) string { return clockTime(noon.Add(d), noon) }
	tests := []struct {
		name   string
		status tokensource.Status
		err    error
		exit   int
		want   string
	}{
		{"signed in", liveStatus(), nil, 0, `profile:          dev
state:            signed in
user:             alice?[2J
signed in:        ` + at(-6*time.Minute) + ` (USER_SRP_AUTH)
user pool:        us-east-1_Pool
app client:       client
region:           us-east-1
key slot:         file (a key file, 0600: protects a copied session file, not against programs that run as you)
access token:     expires in 54 min
ID token:         expired 5 min ago
AWS credentials:  ASIAEXAMPLE expires in 3 h
last failure:     ` + at(-time.Minute) + `: no answer
to mend it:       wait a moment, then: cognito-credhelper token --profile dev --claims
`},
		{"signed out", tokensource.Status{State: tokensource.SignedOut}, nil, 3, `profile:     dev
state:       signed out
user pool:   us-east-1_Pool
app client:  client
region:      us-east-1
next:        cognito-credhelper login --profile dev
`},
		{"at work", tokensource.Status{
			State: tokensource.SignedIn, Last: &tokencache.Attempt{Attached: true}, Skew: -2 * time.Hour, Spilled: true,
			Renewing: &tokencache.Holder{PID: 4711, Since: noon.Add(-3 * time.Second)}, LoginInFlight: &tokencache.Holder{PID: 4712, Since: noon},
		}, nil, 0, `profile:          dev
state:            signed in
user pool:        us-east-1_Pool
app client:       client
region:           us-east-1
renewing:         since 11:59 (process 4711)
login in flight:  since 12:00 (process 4712)
renewed by:       the calling process, because no worker could be started
warning:          this computer's clock was 2 h ahead of Cognito's at the last sign-in or renewal; set it
warning:          the session could not be saved in its place and is kept elsewhere; free some space, or mend the disk, before this computer is started anew
`},
		{"ended", tokensource.Status{State: tokensource.Ended, User: "alice", DeadReason: "the refresh token is revoked"}, nil, 3, `profile:     dev
state:       ended; a login is needed: the refresh token is revoked
user:        alice
user pool:   us-east-1_Pool
app client:  client
region:      us-east-1
next:        cognito-credhelper login --profile dev
`},
		{"damaged", tokensource.Status{State: tokensource.Damaged, Problem: &token.Error{Kind: token.LoginNeeded, Message: "the file is damaged"}}, nil, 3, `profile:     dev
state:       damaged; the next login sets the file aside, deletes nothing, and starts anew
user pool:   us-east-1_Pool
app client:  client
region:      us-east-1
problem:     the file is damaged
to mend it:  cognito-credhelper login --profile dev
`},
		{"unsafe", tokensource.Status{}, &token.Error{Kind: token.BadProfile, Message: "others can read it", Next: "chmod 600 x"}, 6, `profile:     dev
state:       unknown; the session file is left as it is
user pool:   us-east-1_Pool
app client:  client
region:      us-east-1
problem:     others can read it
to mend it:  chmod 600 x, then: cognito-credhelper status --profile dev
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.fake.status, b.fake.err = tt.status, tt.err
			if got := b.call(t, "status", "--profile", "dev"); got != tt.exit {
				t.Errorf("exit %d, want %d", got, tt.exit)
			}
			printed(t, "standard output", &b.stdout, tt.want)
			printed(t, "standard error", &b.stderr, "")
		})
	}
}

func TestStatusForScripts(t *testing.T) {
	b := newBench(t)
	b.fake.status = liveStatus()
	b.front = "0.9.0"
	if got := b.call(t, "status", "--profile", "dev", "--json"); got != 0 {
		t.Errorf("exit %d", got)
	}
	printed(t, "standard output", &b.stdout, `{
  "profile": "dev",
  "state": "signed-in",
  "user": "alice\u001b[2J",
  "subject": "sub-1",
  "flow": "USER_SRP_AUTH",
  "signed_in_at": "2026-11-20T11:54:00Z",
  "user_pool_id": "us-east-1_Pool",
  "client_id": "client",
  "region": "us-east-1",
  "slot": "file",
  "level": "file (a key file, 0600: protects a copied session file, not against programs that run as you)",
  "session_id": "abc",
  "access_token": {
    "expires_at": "2026-11-20T12:54:00Z",
    "seconds_left": 3240
  },
  "id_token": {
    "expires_at": "2026-11-20T11:55:00Z",
    "seconds_left": -300
  },
  "aws_credentials": [
    {
      "access_key_id": "ASIAEXAMPLE",
      "expires_at": "2026-11-20T15:00:00Z",
      "seconds_left": 10800
    }
  ],
  "last_failure": {
    "at": "2026-11-20T11:59:00Z",
    "outcome": "transient",
    "message": "no answer",
    "hint": "wait a moment, then: cognito-credhelper token --profile dev --claims"
  },
  "version": "0.0.0-dev",
  "front_version": "0.9.0"
}
`)
}

// Who works on the session at this moment, and what is not as it should be, in JSON.
func TestStatusForScriptsTellsOfTrouble(t *testing.T) {
	b := newBench(t)
	b.remote = "NFS"
	b.fake.status = tokensource.Status{
		State: tokensource.SignedIn, Last: &tokencache.Attempt{Attached: true}, Skew: 90 * time.Second,
		Renewing: &tokencache.Holder{PID: 4711, Since: noon}, LoginInFlight: &tokencache.Holder{},
	}
	if got := b.call(t, "status", "--profile", "dev", "--json"); got != 0 {
		t.Errorf("exit %d", got)
	}
	var got struct {
		Renewing      struct{ PID int }  `json:"renewing"`
		LoginInFlight *struct{ PID int } `json:"login_in_flight"`
		RenewedBy     string             `json:"renewed_by"`
		Skew          int                `json:"clock_skew_seconds"`
		Warnings      []string           `json:"warnings"`
	}
	if err := json.Unmarshal(b.stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Renewing.PID != 4711 || got.LoginInFlight == nil || got.RenewedBy != "caller" || got.Skew != 90 || len(got.Warnings) != 2 ||
		!strings.Contains(got.Warnings[0], "are on NFS") || !strings.Contains(got.Warnings[1], "clock was 1 min behind Cognito's") {
		t.Errorf("%+v", got)
	}
}

func TestStatusForScriptsOfAWrongProfile(t *testing.T) {
	b := newBench(t)
	b.loadProfile = func(profiles.Selection, func(string) string) (profiles.Profile, error) {
		return profiles.Profile{}, &profiles.FileError{File: "/f", Problem: "is too large", Next: "make it smaller"}
	}
	if got := b.call(t, "status", "--profile", "dev", "--json"); got != 6 {
		t.Errorf("exit %d, want 6", got)
	}
	printed(t, "standard output", &b.stdout, `{
  "profile": "dev",
  "problem": {
    "message": "/f: is too large",
    "hint": "make it smaller, then: cognito-credhelper status --profile dev"
  },
  "version": "0.0.0-dev"
}
`)
	printed(t, "standard error", &b.stderr, "cognito-credhelper: /f: is too large\nhint: make it smaller, then: cognito-credhelper status --profile dev\n")
}

// ledger is a fake of setup and the loader: it keeps keys by file instead of text.
type ledger struct {
	file    string // the real one
	section string
	real    []keyValue
	copied  []keyValue
	profile profiles.Profile // what the loader gives after a write
	before  error            // what it gives before
	after   error
}

func (l *ledger) write(file, section string, keys []keyValue) (change, error) {
	l.section = section
	if file == l.file {
		l.real = keys
		return change{lines: []string{"a line"}}, nil
	}
	l.copied = keys
	return change{}, nil
}

func (l *ledger) load(s profiles.Selection, _ func(string) string) (profiles.Profile, error) {
	p := l.profile
	p.Name = s.Name
	if l.copied == nil {
		return p, l.before
	}
	return p, l.after
}

func configured(t *testing.T) (*bench, *ledger) {
	b := newBench(t)
	l := &ledger{file: filepath.Join(t.TempDir(), "config"), profile: devProfile(), before: &profiles.NotFoundError{Name: "dev"}}
	b.writeProfile, b.loadProfile = l.write, l.load
	b.configFile = func() string { return l.file }
	return b, l
}

func TestConfigureWrites(t *testing.T) {
	b, l := configured(t)
	if got := b.call(t, "configure", "--profile", "dev", "--client-id", "c", "--user-pool-id", "us-east-1_P"); got != 0 {
		t.Fatalf("exit %d: %s", got, b.stderr.String())
	}
	if got := fmt.Sprint(l.section, l.real); got != "profile dev[{cognito_user_pool_id us-east-1_P} {cognito_client_id c}]" {
		t.Errorf("wrote %s", got)
	}
	printed(t, "standard error", &b.stderr, "cognito-credhelper: "+l.file+": [profile dev] written\ncognito-credhelper:   a line\nhint: cognito-credhelper login --profile dev\n")
}

func TestConfigureWritesTheProcessLineWhereAWSIsReached(t *testing.T) {
	b, l := configured(t)
	l.profile.IdentityFlow = "enhanced"
	if got := b.call(t, "configure", "--identity-pool-id", "us-east-1:x"); got != 0 {
		t.Fatalf("exit %d: %s", got, b.stderr.String())
	}
	if got := fmt.Sprint(l.section, l.real); got != "default[{cognito_identity_pool_id us-east-1:x} {credential_process /opt/bin/cognito-credhelper credential-process --profile default}]" {
		t.Errorf("wrote %s", got)
	}
}

func TestConfigurePrintsOnly(t *testing.T) {
	b, l := configured(t)
	b.stdin = *strings.NewReader("hunter2\n")
	if got := b.call(t, "configure", "--profile", "dev", "--client-id", "c", "--client-secret", "-", "--print"); got != 0 {
		t.Fatalf("exit %d: %s", got, b.stderr.String())
	}
	printed(t, "standard output", &b.stdout, "[profile dev]\ncognito_client_id = c\ncognito_client_secret = [redacted]\n")
	if l.real != nil {
		t.Errorf("wrote %v", l.real)
	}
}

func TestConfigureRefusesBeforeItWrites(t *testing.T) {
	tests := []struct {
		name   string
		change func(*bench, *ledger)
		exit   int
		want   string
	}{
		{"a wrong value", func(_ *bench, l *ledger) {
			l.after = &profiles.KeyError{File: "/tmp/x", Key: "cognito_client_id", Value: "?", Allowed: "letters and digits"}
		}, 2, "--client-id must be letters and digits"},
		{"another wrong key", func(_ *bench, l *ledger) {
			l.after = &profiles.KeyError{Key: "cognito_min_ttl", Value: "?", Allowed: "a length of time"}
		}, 6, "cognito_min_ttl is \"?\"; it must be a length of time"},
		{"no user pool", func(_ *bench, l *ledger) { l.profile.UserPoolID = "" }, 2, "profile dev has no user pool yet: give --user-pool-id"},
		{"no app client", func(_ *bench, l *ledger) { l.profile.ClientID = "" }, 2, "profile dev has no app client yet: give --client-id"},
		{"an unknown key", func(_ *bench, l *ledger) { l.profile.UnknownKeys = []string{"cognito_cleint_id"} }, 6,
			"profile dev has a key that this version does not know: cognito_cleint_id"},
		{"an unreadable file", func(_ *bench, l *ledger) { l.before = &profiles.FileError{File: "/f", Problem: "is too large"} }, 6, "/f: is too large"},
		{"no home folder", func(b *bench, _ *ledger) { b.configFile = func() string { return "" } }, 6, "there is no home folder with an AWS configuration file"},
		{"another program's line", func(_ *bench, l *ledger) {
			l.before, l.profile.IdentityFlow, l.profile.CredentialProcess = nil, "enhanced", "aws-vault exec x"
		}, 2, "there is no terminal to confirm: profile dev gets its credentials from another program; replace its credential_process line?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, l := configured(t)
			tt.change(b, l)
			if got := b.call(t, "configure", "--profile", "dev", "--client-id", "c"); got != tt.exit {
				t.Errorf("exit %d, want %d", got, tt.exit)
			}
			if first, _, _ := strings.Cut(b.stderr.String(), "\n"); first != "cognito-credhelper: "+tt.want {
				t.Errorf("said %q, want %q", first, tt.want)
			}
			if l.real != nil {
				t.Errorf("wrote %v", l.real)
			}
		})
	}
}

func TestConfigureAsksBeforeItReplacesAnotherProgram(t *testing.T) {
	for _, tt := range []struct {
		line  string
		yes   bool
		force bool
		exit  int
		asked int
	}{
		{"aws-vault exec x", true, false, 0, 1},
		{"aws-vault exec x", false, false, 1, 1},
		{"aws-vault exec x", false, true, 0, 0},
		{"/old/cognito-credhelper credential-process", false, false, 0, 0},
	} {
		b, l := configured(t)
		b.tty = fakeTerminal{present: true, yes: tt.yes}
		l.before, l.profile.IdentityFlow, l.profile.CredentialProcess = nil, "enhanced", tt.line
		args := []string{"configure", "--profile", "dev", "--client-id", "c"}
		if tt.force {
			args = append(args, "--force")
		}
		if got := b.call(t, args...); got != tt.exit || len(b.tty.asked) != tt.asked || (l.real != nil) != (tt.exit == 0) {
			t.Errorf("%+v: exit %d, asked %v, wrote %v", tt, got, b.tty.asked, l.real)
		}
	}
}

func TestConfigureKeepsTheSectionThatIsThere(t *testing.T) {
	b, l := configured(t)
	if err := os.WriteFile(l.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.before, l.profile.Files, l.profile.Sections = nil, []string{"/h/.aws/credentials", l.file}, []string{"dev", "profile  dev"}
	b.call(t, "configure", "--profile", "dev", "--client-id", "c")
	if l.section != "profile  dev" {
		t.Errorf("section %q", l.section)
	}
	if !strings.Contains(b.stderr.String(), "warning: profile dev stands in /h/.aws/credentials, too") {
		t.Errorf("said %q", b.stderr.String())
	}
}

func TestConfigureDoesNotWaitForAPipe(t *testing.T) {
	b, l := configured(t)
	l.file = t.TempDir() // a folder is no regular file either, on every platform
	if got := b.call(t, "configure", "--profile", "dev", "--client-id", "c"); got != 6 {
		t.Errorf("exit %d, want 6", got)
	}
	if want := "cognito-credhelper: " + l.file + " is not a regular file\nhint: ls -lL " + l.file + ", then: cognito-credhelper configure --profile dev --client-id c\n"; b.stderr.String() != want {
		t.Errorf("said %q, want %q", b.stderr.String(), want)
	}
}

func TestNoValueOfASecretIsPrinted(t *testing.T) {
	const secret = "hunter2"
	for _, args := range [][]string{
		{"login", "--answer", "PASSWORD=" + secret}, {"login", "--answer", "NEW_PASSWORD=" + secret, "--answer", "NEW_PASSWORD=" + secret},
		{"configure", "--profile", "dev", "--client-secret", secret}, {"configure", "--client-secret", secret, "--client-secret", secret},
		{"configure", "--profile", "dev", "--client-secret", secret, "--print"},
	} {
		b, l := configured(t)
		l.after = errors.New("no")
		b.call(t, args...)
		if out := b.stdout.String() + b.stderr.String(); strings.Contains(out, secret) {
			t.Errorf("%v printed %q", args, out)
		}
	}
}
