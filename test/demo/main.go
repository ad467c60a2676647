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
	for _, step := range []func() error{d.pool, d.login, d.status, d.process, d.awsCLI, d.goSDK, d.bind, d.git, d.docker, d.terraform, d.warm, d.logout} {
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

// bindings is what the profile binds: the only hosts that get a token.
const bindings = `cognito_hosts =
  git.example.com = access
  registry.example.com = access user=alice
  app.example.com = access
`

// bind writes the bindings into the profile, and links the helpers under the names that tools look for.
func (d *demo) bind() error {
	d.say("Which hosts may have a token", "None, until the profile names them; each gets the kind of token that its line says, and no other host gets anything.")
	config := filepath.Join(d.home, ".aws", "config")
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	const section = "[profile sandbox]\n"
	before, after, ok := strings.Cut(string(text), section)
	if !ok {
		return errors.New("the profile is not in ~/.aws/config")
	}
	if err := os.WriteFile(config, []byte(before+section+bindings+after), 0o600); err != nil {
		return err
	}
	d.show("edit ~/.aws/config")
	d.print(section + bindings)
	return d.link("git-credential-cognito", "docker-credential-cognito", "terraform-credentials-cognito")
}

// link gives the program the names of helpers, in a folder of the demo's that is on PATH.
func (d *demo) link(names ...string) error {
	if err := os.MkdirAll(d.helpers(), 0o700); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Symlink(filepath.Join(d.bin, "cognito-credhelper"), filepath.Join(d.helpers(), name)); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) helpers() string { return filepath.Join(d.home, "bin") }

func (d *demo) git() error {
	d.say("The real git", "One line of its configuration; a host that is not bound gets nothing, and git would ask for a password.")
	if _, err := exec.LookPath("git"); err != nil {
		d.print("git is not installed here")
		return nil
	}
	if err := d.run("git", "config", []string{"--global", "credential.helper", "cognito"}); err != nil {
		return err
	}
	if err := d.answered("echo url=https://git.example.com | git credential fill", "url=https://git.example.com\n", "git", "credential", "fill"); err != nil {
		return err
	}
	d.show("echo url=https://elsewhere.example.com | git credential fill")
	cmd := d.command("git", "credential", "fill")
	cmd.Stdin = strings.NewReader("url=https://elsewhere.example.com\n")
	cmd.Env = append(cmd.Env, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err == nil || bytes.Contains(out, []byte("password=")) {
		return errors.New("a host that is not bound got a credential")
	}
	d.print(string(out))
	return nil
}

func (d *demo) docker() error {
	d.say("docker, crane, oras, helm, skopeo", "They start docker-credential-cognito with the registry on standard input; the token is the password.")
	if err := d.answered("echo registry.example.com | docker-credential-cognito get", "registry.example.com\n", filepath.Join(d.helpers(), "docker-credential-cognito"), "get"); err != nil {
		return err
	}
	d.show("docker-credential-cognito list")
	if err := d.printed(d.command(filepath.Join(d.helpers(), "docker-credential-cognito"), "list")); err != nil {
		return err
	}
	if _, err := exec.LookPath("docker"); err != nil {
		return nil // its CLI would be asked next
	}
	settings := filepath.Join(d.home, ".docker", "config.json")
	if err := os.MkdirAll(filepath.Dir(settings), 0o700); err != nil {
		return err
	}
	const line = `{"credHelpers": {"registry.example.com": "cognito"}}`
	if err := os.WriteFile(settings, []byte(line+"\n"), 0o600); err != nil {
		return err
	}
	d.show("echo '" + line + "' > ~/.docker/config.json")
	return d.run("docker", "logout", []string{"registry.example.com"}) // the real CLI, which asks the helper; the session stays
}

func (d *demo) terraform() error {
	d.say("Terraform and OpenTofu", "Their credentials helper gives module and provider registries the same session's token; a stranger's module gets {}.")
	helper := filepath.Join(d.helpers(), "terraform-credentials-cognito")
	if err := d.answered("terraform-credentials-cognito get app.example.com", "", helper, "get", "app.example.com"); err != nil {
		return err
	}
	d.show("terraform-credentials-cognito get elsewhere.example.com")
	return d.printed(d.command(helper, "get", "elsewhere.example.com"))
}

// answered runs what line says with stdin, and shows its answer, which must have a token in it.
func (d *demo) answered(line, stdin, program string, args ...string) error {
	d.show(line)
	cmd := d.command(program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	shown := shorten(out)
	if shown == string(out) {
		return fmt.Errorf("%s gave no token", line)
	}
	d.print(shown)
	return nil
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
	env := []string{"HOME=" + d.home, "PATH=" + d.helpers() + string(os.PathListSeparator) + d.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "XDG_STATE_HOME=" + filepath.Join(d.home, "state"), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(d.home, "no-bus")} // nothing goes into the caller's keyring
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name != "HOME" && name != "PATH" && !strings.HasPrefix(name, "GIT_") && !strings.HasPrefix(name, "DOCKER_") && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "XDG_") && !strings.HasPrefix(name, "COGNITO_") && name != "DBUS_SESSION_BUS_ADDRESS" {
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

// secrets are the values that shorten shows the beginning of: in JSON, and in git's lines.
var secrets = regexp.MustCompile(`("(?:SecretAccessKey|SessionToken|Secret|token)":"|(?m:^)(?:password|credential)=)([^"\n]{6})[^"\n]*`)

func shorten(answer []byte) string {
	return string(secrets.ReplaceAll(answer, []byte(`$1$2…`)))
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
