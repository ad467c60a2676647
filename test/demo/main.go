// Command demo shows cognito-credhelper at work against the local sandbox: a sign-in, credentials in real tools, and a
// clean end. It uses a home folder of its own, talks to 127.0.0.1 only, and leaves nothing behind.
//
// Usage: demo BIN, where BIN is the folder with the built programs (make demo does that).
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo BIN")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		os.Exit(1)
	}
}

// demo is the stage: programs, a private home, a running sandbox.
type demo struct {
	ctx     context.Context
	bin     string
	home    string
	sandbox *exec.Cmd
	ready   ready
	steps   int
}

// ready is the line that the sandbox prints when it serves.
type ready struct {
	Endpoint   string `json:"endpoint"`
	UserPoolID string `json:"user_pool_id"`
	Users      []struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"users"`
}

func run(ctx context.Context, bin string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "cognito-demo-")
	if err != nil {
		return err
	}
	d := &demo{ctx: ctx, bin: bin, home: home}
	defer d.clean()
	fmt.Println("cognito-credhelper: one sign-in, every tool. Nothing here leaves this machine, and nothing stays on it.")
	for _, step := range []func() error{d.pool, d.login, d.status, d.process, d.awsCLI, d.goSDK, d.warm, d.logout} {
		if err := step(); err != nil {
			return err
		}
	}
	fmt.Println("\nThat was all of it. To use your own user pool: cognito-credhelper configure --help")
	return nil
}

func (d *demo) pool() error {
	d.say("A local user pool", "The sandbox is a user pool, an identity pool, and STS on this machine; alice has an authenticator app.\n   configure adds the one line by which every AWS tool asks us.")
	config := filepath.Join(d.home, ".aws", "config")
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		return err
	}
	d.show("cognito-sandbox serve --write-profile ~/.aws/config &")
	cmd := exec.CommandContext(d.ctx, filepath.Join(d.bin, "cognito-sandbox"), "serve", "--write-profile", config)
	cmd.Env = d.env()
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	d.sandbox = cmd
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the sandbox did not start: %w", err)
	}
	if err := json.Unmarshal(line, &d.ready); err != nil {
		return err
	}
	d.print(fmt.Sprintf("user pool %s at %s", d.ready.UserPoolID, d.ready.Endpoint))
	return d.run("cognito-credhelper", "configure", []string{"--profile", "sandbox"})
}

func (d *demo) login() error {
	d.say("Sign in, once", "The password never crosses the wire (SRP), and the six digits come from alice's authenticator.")
	code, err := d.capture("cognito-sandbox", "totp", "--user", d.ready.Users[0].Username, "--endpoint", d.ready.Endpoint)
	if err != nil {
		return err
	}
	codeFile := filepath.Join(d.home, "code")
	if err := os.WriteFile(codeFile, code, 0o600); err != nil {
		return err
	}
	d.show("cognito-credhelper login --profile sandbox --username alice --password-stdin --answer SOFTWARE_TOKEN_MFA_CODE=@code")
	cmd := d.command("cognito-credhelper", "login", "--profile", "sandbox", "--username", d.ready.Users[0].Username, "--password-stdin", "--answer", "SOFTWARE_TOKEN_MFA_CODE=@"+codeFile)
	cmd.Stdin = strings.NewReader(d.ready.Users[0].Password)
	return d.printed(cmd)
}

func (d *demo) status() error {
	d.say("What is kept", "status tells what is stored, how, and until when; never a token.")
	return d.run("cognito-credhelper", "status", []string{"--profile", "sandbox"})
}

func (d *demo) process() error {
	d.say("What the AWS tools get", "This is the answer that every AWS SDK asks for (secrets shortened here, for the display only).")
	d.show("cognito-credhelper credential-process --profile sandbox")
	out, err := d.capture("cognito-credhelper", "credential-process", "--profile", "sandbox")
	if err != nil {
		return err
	}
	d.print(shorten(out))
	return nil
}

func (d *demo) awsCLI() error {
	d.say("The real AWS CLI", "It knows nothing of us but one line in its own configuration file.")
	if _, err := exec.LookPath("aws"); err != nil {
		d.print("aws is not installed here; get it from https://aws.amazon.com/cli/ (or: apt install awscli), then run this again")
		return nil
	}
	return d.run("aws", "sts", []string{"get-caller-identity", "--profile", "sandbox"})
}

func (d *demo) goSDK() error {
	d.say("A Go program with the AWS SDK", "The same line serves terraform, boto3, and everything else that uses an AWS SDK.")
	d.show("AWS_PROFILE=sandbox awssdk    # config.LoadDefaultConfig, then sts.GetCallerIdentity: see test/awssdk")
	cmd := d.command(filepath.Join("demo", "awssdk"))
	cmd.Env = append(cmd.Env, "AWS_PROFILE=sandbox")
	return d.printed(cmd)
}

func (d *demo) warm() error {
	d.say("Warm", "Asked again, the answer comes from the session: no request goes out.")
	// The profile index believes in files that are two seconds old: younger ones may still change within their time stamp.
	if err := sleep(d.ctx, 2*time.Second); err != nil {
		return err
	}
	if _, err := d.capture("cognito-credhelper", "credential-process", "--profile", "sandbox"); err != nil {
		return err
	}
	before, err := d.requests()
	if err != nil {
		return err
	}
	began := time.Now()
	const calls = 20
	for range calls {
		if _, err := d.capture("cognito-credhelper", "credential-process", "--profile", "sandbox"); err != nil {
			return err
		}
	}
	took := time.Since(began) / calls
	after, err := d.requests()
	if err != nil {
		return err
	}
	d.print(fmt.Sprintf("%d calls, %.1f ms each with starting the process, %d requests to the user pool", calls, float64(took.Microseconds())/1000, after-before))
	if after != before {
		return errors.New("a warm call asked the server")
	}
	return nil
}

func (d *demo) logout() error {
	d.say("Sign out", "The refresh token is revoked at Cognito, then the session is forgotten here.")
	return d.run("cognito-credhelper", "logout", []string{"--profile", "sandbox"})
}

func (d *demo) clean() {
	if d.sandbox != nil {
		_ = d.sandbox.Process.Signal(syscall.SIGTERM)
		_ = d.sandbox.Wait()
	}
	_ = os.RemoveAll(d.home)
}

// say begins a step: its name, and one sentence.
func (d *demo) say(title, sentence string) {
	d.steps++
	fmt.Printf("\n%d. %s\n   %s\n", d.steps, title, sentence)
}

func (d *demo) show(line string) { fmt.Println("   $ " + line) }

// print shows text indented, blank lines left out.
func (d *demo) print(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			fmt.Println("     " + strings.ReplaceAll(line, d.home, "~"))
		}
	}
}

func (d *demo) run(program, verb string, rest []string) error {
	args := append([]string{verb}, rest...)
	d.show(program + " " + strings.Join(args, " "))
	return d.printed(d.command(program, args...))
}

func (d *demo) printed(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	d.print(string(out))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

func (d *demo) capture(program string, args ...string) ([]byte, error) {
	cmd := d.command(program, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", program, err, errs.String())
	}
	return out, nil
}

func (d *demo) command(program string, args ...string) *exec.Cmd {
	if own := filepath.Join(d.bin, program); fileExists(own) {
		program = own
	}
	cmd := exec.CommandContext(d.ctx, program, args...)
	cmd.Env = d.env()
	cmd.Dir = d.home
	return cmd
}

// env is the caller's environment with a home of our own and without anything that leads an AWS tool elsewhere.
func (d *demo) env() []string {
	env := []string{"HOME=" + d.home, "XDG_STATE_HOME=" + filepath.Join(d.home, "state"), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(d.home, "no-bus")} // nothing goes into the caller's keyring
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name != "HOME" && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "XDG_") && !strings.HasPrefix(name, "COGNITO_") && name != "DBUS_SESSION_BUS_ADDRESS" {
			env = append(env, v)
		}
	}
	return env
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// requests is how many requests the sandbox has served.
func (d *demo) requests() (int, error) {
	res, err := http.Get(d.ready.Endpoint + "/_sandbox/requests")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	var byOperation map[string]int
	if err := json.Unmarshal(body, &byOperation); err != nil {
		return 0, err
	}
	total := 0
	for _, n := range byOperation {
		total += n
	}
	return total, nil
}

var secrets = regexp.MustCompile(`("(?:SecretAccessKey|SessionToken)":")([^"]{6})[^"]*"`)

func shorten(answer []byte) string {
	return string(secrets.ReplaceAll(answer, []byte(`$1$2…"`)))
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
