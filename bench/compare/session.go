package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// session is a home with a profile that is signed in.
type session struct {
	profile string
	env     []string
}

func (s session) getenv(name string) string {
	for _, e := range s.env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// prepare makes a home with n profiles and signs in to one in their middle.
func prepare(home string, n int, b binaries, how string) (session, error) {
	s, config, err := newHome(home)
	if err != nil {
		return s, err
	}
	if how == "written" {
		s.profile = "bench"
		if err := writeProfiles(config, n, writtenProfile); err != nil {
			return s, err
		}
		settle()
		return s, write(s)
	}
	return s, login(s, config, n, b)
}

// newHome makes a home without profiles; config is where they belong.
func newHome(home string) (s session, config string, err error) {
	config = filepath.Join(home, ".aws", "config")
	s = session{profile: "sandbox", env: []string{"HOME=" + home, "USERPROFILE=" + home, "PATH=" + os.Getenv("PATH"),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(home, "no-bus"), // nothing goes into the caller's keyring
		"COGNITO_CREDHELPER_HOME=" + filepath.Join(home, "state"), "AWS_CONFIG_FILE=" + config,
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(home, ".aws", "credentials")}}
	return s, config, os.MkdirAll(filepath.Dir(config), 0o700)
}

// settle waits until files count as unchanging: an index of younger ones is not kept.
func settle() {
	flush()
	time.Sleep(2100 * time.Millisecond)
}

const writtenProfile = `[profile bench]
region = eu-central-1
cognito_user_pool_id = eu-central-1_BenchPool
cognito_client_id = benchclient
cognito_identity_pool_id = eu-central-1:00000000-0000-4000-8000-000000000000
`

// writeProfiles puts n-1 others around own.
func writeProfiles(config string, n int, own string) error {
	var b strings.Builder
	for i := range n {
		if i == n/2 {
			b.WriteString(own + "\n")
			continue
		}
		fmt.Fprintf(&b, "[profile other%03d]\nregion = eu-central-1\noutput = json\ncognito_user_pool_id = eu-central-1_Pool%03d\n"+
			"cognito_client_id = client%03d\ncognito_identity_pool_id = eu-central-1:00000000-0000-4000-8000-%012d\n\n", i, i, i, i)
	}
	return os.WriteFile(config, []byte(b.String()), 0o600)
}

// write makes a session of usual size without a server.
func write(s session) error {
	folder, _, err := statefolder.Find(s.getenv)
	if err != nil {
		return err
	}
	selection := profiles.Select(s.profile, "", s.getenv)
	p, err := inifile.Load(selection, inifile.Options{Getenv: s.getenv, Home: s.getenv("HOME")})
	if err != nil {
		return err
	}
	const record = "bench"
	identity := tokencache.Identity{Region: p.SignInRegion, UserPoolID: p.UserPoolID, ClientID: p.ClientID}
	if err := writeSession(folder, identity, hot(record)); err != nil {
		return err
	}
	credentials, config := profiles.DefaultFiles(s.getenv, s.getenv("HOME"))
	answer := profileindex.Answer{SessionID: identity.SessionID(), AWSRecord: record}
	return profileindex.Save(folder, selection, credentials, config, p.Consulted, answer, time.Now())
}

func writeSession(folder string, i tokencache.Identity, h tokencache.Hot) error {
	ctx := context.Background()
	slots := keyslot.Open(folder)
	key, err := slots.Create(ctx, keyslot.File)
	if err != nil {
		return err
	}
	tx, err := tokencache.Open(folder, slots).Lock(ctx, i.SessionID())
	if err != nil {
		return err
	}
	return errors.Join(tx.Create(i, keyslot.File, key, h, []byte("{}")), tx.Unlock())
}

// hot has tokens and credentials of the length that Cognito's have.
func hot(record string) tokencache.Hot {
	now := clock.Now()
	l := token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(time.Hour), Boot: now.Boot}
	text := func(n int) token.Secret { return token.NewSecret(strings.Repeat("x", n)) }
	return tokencache.Hot{
		Tokens: token.Set{Access: token.Token{Value: text(1070), Lifetime: l}, ID: token.Token{Value: text(1150), Lifetime: l}},
		Credentials: []tokencache.Credentials{{Record: record, AWS: token.AWSCredentials{AccessKeyID: "ASIAEXAMPLEEXAMPLE00",
			SecretAccessKey: text(40), SessionToken: text(1300), AccountID: "123456789012", Lifetime: l}}},
	}
}

// login signs in to a sandbox, which need not live on: what is warm asks nobody.
func login(s session, config string, n int, b binaries) error {
	sandbox, err := startSandbox(b.sandbox, config+".sandbox", "", s.env)
	if err != nil {
		return err
	}
	defer sandbox.stop()
	if err := writeProfiles(config, n, sandbox.profile); err != nil {
		return err
	}
	settle()
	user, password, err := sandbox.user()
	if err != nil {
		return err
	}
	return signIn(s, b.complete, user, password)
}

// signIn signs in and calls each verb once, so that credentials and index are there.
func signIn(s session, complete, user, password string) error {
	for _, c := range []struct {
		stdin string
		args  []string
	}{
		{password + "\n", []string{"login", "--profile", s.profile, "--username", user, "--password-stdin"}},
		{"", []string{"credential-process", "--profile", s.profile}},
		{"", []string{"token", "--profile", s.profile}},
	} {
		x := exec.Command(complete, c.args...)
		x.Env, x.Stdin = s.env, strings.NewReader(c.stdin)
		var stderr strings.Builder
		x.Stderr = &stderr
		if err := x.Run(); err != nil {
			return fmt.Errorf("%s: %w: %s", c.args[0], err, stderr.String())
		}
	}
	return nil
}
