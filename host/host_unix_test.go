//go:build unix

package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// mode is how this test program behaves when it is started as a plugin.
const mode = "COGNITO_CREDHELPER_TESTMODE"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == plugin.Argument {
		os.Exit(asPlugin(os.Getenv(mode)))
	}
	if len(os.Args) == 2 && os.Args[1] == hostArgument {
		os.Exit(asHost())
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"))
}

// asPlugin is the plugin of the tests, well behaved or not.
func asPlugin(mode string) int {
	kind, argument, _ := strings.Cut(mode, " ")
	fake := &plugintest.Fake{}
	switch kind {
	case "": // as it should be
	case "silent":
		return 0
	case "dies":
		fmt.Fprintln(os.Stderr, "no such thing\x1b[31m here")
		return 1
	case "garbage":
		fmt.Println("hello\x1b[2J, I am no plugin")
		hang()
	case "flood":
		for {
			if _, err := os.Stdout.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return 1
			}
		}
	case "hangs":
		hang()
	case "other-version":
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig: plugin.Handshake(), GRPCServer: goplugin.DefaultGRPCServer,
			VersionedPlugins: map[int]goplugin.PluginSet{99: plugin.Plugins(fake)[plugin.Version]},
		})
		return 0
	case "no-certificate":
		os.Unsetenv("PLUGIN_CLIENT_CERT")
	case "environment":
		if err := os.WriteFile(argument, []byte(strings.Join(os.Environ(), "\x00")), 0o600); err != nil {
			return 1
		}
	}
	err := plugin.Serve(context.Background(), &odd{fake, kind, argument}, plugin.ServeOptions{Level: os.Getenv("COGNITO_CREDHELPER_LOG")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func hang() {
	signal.Ignore(syscall.SIGHUP)
	time.Sleep(time.Hour)
}

// odd misbehaves in one operation.
type odd struct {
	*plugintest.Fake
	kind, argument string
}

func (o *odd) GetTokens(ctx context.Context, r plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
	switch o.kind {
	case "dies-in-call":
		os.Exit(3)
	case "dies-once":
		if f, err := os.OpenFile(o.argument, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
			os.Exit(3)
		}
		return plugin.GetTokensResponse{Access: plugin.Token{Value: plugin.NewSecret("second life")}}, nil
	case "hangs-in-call":
		time.Sleep(time.Hour)
	}
	return o.Fake.GetTokens(ctx, r)
}

func (o *odd) Login(ctx context.Context, r plugin.LoginRequest, ask plugin.Asker) (plugin.LoginResponse, error) {
	if o.kind == "dies-in-login" {
		go func() {
			time.Sleep(50 * time.Millisecond)
			os.Exit(3)
		}()
	}
	return o.Fake.Login(ctx, r, ask)
}

// self is this program, with its checksum, and a home without any record.
func self(t testing.TB, behaves string) Options {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Program: program, SHA256: sumOf(t, program), Env: []string{mode + "=" + behaves}}
}

func sumOf(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func open(t testing.TB, o Options) *Client {
	t.Helper()
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func answers(_ testing.TB, q plugin.Question) string {
	return map[string]string{"USERNAME": plugintest.User, "PASSWORD": plugintest.Password, "SMS_MFA_CODE": plugintest.Code}[q.Name]
}

func signIn(t testing.TB, c *Client) {
	t.Helper()
	_, err := c.Login(t.Context(), plugin.LoginRequest{}, plugin.AskerFunc(func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
		return plugin.NewSecret(answers(t, q)), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// shortTemp is the folder for temp files from now on; t.TempDir has the test's name in it, which is too long for a socket.
func shortTemp(t testing.TB) string {
	t.Helper()
	short, err := os.MkdirTemp("", "h")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	t.Setenv("TMPDIR", short)
	return short
}

// The contract holds over a real process with AutoMTLS.
func TestContractOverProcess(t *testing.T) {
	c := open(t, self(t, ""))
	plugintest.Run(t, plugintest.Subject{
		Provider: c, Selection: plugin.Selection{Profile: plugintest.Profile}, Missing: plugin.Selection{Profile: "missing"},
		Bound: plugintest.URL, Unbound: "https://other.example.com/", User: plugintest.User, Answer: answers,
	})
}

func TestCloseLeavesNothing(t *testing.T) {
	o, short := self(t, ""), shortTemp(t)
	c := open(t, o)
	pid := c.Pid()
	inside, err := filepath.Glob(filepath.Join(short, "*", "*"))
	if err != nil || len(inside) != 1 {
		t.Errorf("sockets: %v", inside)
	}
	if info, err := os.Stat(filepath.Dir(inside[0])); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder: %v, %v", info, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error("closing twice:", err)
	}
	if left, _ := os.ReadDir(short); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("the process is still there")
	}
	if _, err := c.GetTokens(t.Context(), plugin.GetTokensRequest{}); !errors.Is(err, plugin.ErrPluginEnded) {
		t.Errorf("after Close: %v", err)
	}
}

// Programs that are no plugin, or a bad one, each give an error that says so.
func TestBadPrograms(t *testing.T) {
	for behaves, want := range map[string]string{
		"silent": "did not start as a plugin", "dies": "no such thing?[31m here", "garbage": "hello?[2J, I am no plugin", "flood": "did not start as a plugin",
		"hangs": "timeout", "other-version": "Plugin version: 99", "no-certificate": "did not start as a plugin",
	} {
		t.Run(behaves, func(t *testing.T) {
			o := self(t, behaves)
			o.StartTimeout = 5 * time.Second
			if behaves == "hangs" {
				o.StartTimeout = 300 * time.Millisecond
			}
			c, err := Open(t.Context(), o)
			if behaves == "no-certificate" && err == nil {
				// The connection is made by the first call.
				defer c.Close()
				if _, err = c.Status(t.Context(), plugin.StatusRequest{}); err == nil {
					t.Error("a plugin without a certificate was believed")
				}
				return
			}
			if err == nil {
				c.Close()
				t.Fatal("it was taken for a plugin")
			}
			if plugin.CodeOf(err) != plugin.CodeFailure || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("got %v, want %q in it", err, want)
			}
		})
	}
}

func TestOpenIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, self(t, "hangs"))
	if plugin.CodeOf(err) != plugin.CodeCanceled || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDeathInLogin(t *testing.T) {
	c := open(t, self(t, "dies-in-login"))
	asked := 0
	_, err := c.Login(t.Context(), plugin.LoginRequest{}, plugin.AskerFunc(func(ctx context.Context, _ plugin.Question) (plugin.Secret, error) {
		asked++
		<-ctx.Done() // a person who thinks longer than the plugin lives
		return plugin.Secret{}, ctx.Err()
	}))
	if !errors.Is(err, plugin.ErrPluginEnded) {
		t.Errorf("got %v", err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestHangInCall(t *testing.T) {
	o := self(t, "hangs-in-call")
	o.CallTimeout = 200 * time.Millisecond
	c := open(t, o)
	_, err := c.GetTokens(t.Context(), plugin.GetTokensRequest{})
	if plugin.CodeOf(err) != plugin.CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Status(t.Context(), plugin.StatusRequest{}); err != nil {
		t.Errorf("another call meanwhile: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := c.GetTokens(ctx, plugin.GetTokensRequest{}); plugin.CodeOf(err) != plugin.CodeCanceled {
		t.Errorf("a host that cancels: %v", err)
	}
}

// A plugin that dies is started again for the question that it died over; one that dies over and over is not.
func TestRestart(t *testing.T) {
	c := open(t, self(t, "dies-once "+filepath.Join(t.TempDir(), "mark")))
	first := c.Pid()
	got, err := c.GetTokens(t.Context(), plugin.GetTokensRequest{})
	if err != nil || got.Access.Value.Reveal() != "second life" || c.Pid() == first {
		t.Errorf("got %v, %v", got, err)
	}
	killed := c.Pid()
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context(), plugin.StatusRequest{}); err != nil {
		t.Errorf("after SIGKILL: %v", err)
	}

	c = open(t, self(t, "dies-in-call"))
	for range 3 {
		if _, err := c.GetTokens(t.Context(), plugin.GetTokensRequest{}); !errors.Is(err, plugin.ErrPluginEnded) {
			t.Errorf("got %v", err)
		}
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	c := open(t, self(t, ""))
	signIn(t, c)
	if err := syscall.Kill(c.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := c.Status(t.Context(), plugin.StatusRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// A client on the socket that has not the host's certificate gets nothing, in the clear or with one of its own.
func TestForeignClientIsRefused(t *testing.T) {
	o, short := self(t, ""), shortTemp(t)
	c := open(t, o)
	sockets, err := filepath.Glob(filepath.Join(short, "*", "*"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets: %v", sockets)
	}
	own := beginCertificate()
	config, _, err := own.config()
	if err != nil {
		t.Fatal(err)
	}
	config.InsecureSkipVerify = true // a thief does not care whom it talks to
	for name, credentials := range map[string]grpc.DialOption{
		"clear": grpc.WithTransportCredentials(insecure.NewCredentials()), "other certificate": grpc.WithTransportCredentials(tlsCredentials(config)),
	} {
		conn, err := grpc.NewClient("unix:"+sockets[0], credentials)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if got, err := pb.NewCredentialHelperClient(conn).Status(ctx, &pb.StatusRequest{}); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
		cancel()
		conn.Close()
	}
	if raw, err := net.Dial("unix", sockets[0]); err == nil {
		fmt.Fprint(raw, "GET / HTTP/1.1\r\n\r\n")
		_ = raw.SetReadDeadline(time.Now().Add(2 * time.Second))
		if answer, _ := io.ReadAll(raw); bytes.Contains(answer, []byte("200")) {
			t.Errorf("HTTP got %q", answer)
		}
		raw.Close()
	}
	if _, err := c.Status(t.Context(), plugin.StatusRequest{}); err != nil {
		t.Errorf("the host itself: %v", err)
	}
}

func TestEnvironmentIsListed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environ")
	t.Setenv("GITHUB_TOKEN", "other")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "other")
	t.Setenv("AWS_PROFILE", "dev")
	t.Setenv("COGNITO_CREDHELPER_REATTACH", "x")
	t.Setenv("COGNITO_CREDHELPER_HOME", "/state")
	o := self(t, "environment "+file)
	open(t, o)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range strings.Split(string(text), "\x00") {
		name, _, _ := strings.Cut(v, "=")
		goPlugins := strings.HasPrefix(name, "PLUGIN_") || name == plugin.CookieKey
		if !goPlugins && len(Environ([]string{v})) == 0 {
			t.Errorf("the plugin got %s", name)
		}
	}
	for _, want := range []string{"\x00AWS_PROFILE=dev\x00", "\x00COGNITO_CREDHELPER_HOME=/state\x00"} {
		if !strings.Contains("\x00"+string(text)+"\x00", want) {
			t.Errorf("the plugin did not get %q", want)
		}
	}
}

// The log has no secret in it, also where everything is logged.
func TestNoSecretInTheLog(t *testing.T) {
	var log safeBuffer
	o := self(t, "")
	o.Log, o.LogLevel = &log, "trace"
	o.Env = append(o.Env, "COGNITO_CREDHELPER_LOG=trace")
	c := open(t, o)
	signIn(t, c)
	got, err := c.GetTokens(t.Context(), plugin.GetTokensRequest{Use: plugin.UseBoth})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	text := log.String()
	if len(text) == 0 {
		t.Error("trace logs nothing")
	}
	for _, secret := range []string{plugintest.Password, plugintest.Code, got.Access.Value.Reveal(), got.ID.Value.Reveal()} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q in it", secret)
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func tlsCredentials(c *tls.Config) credentials.TransportCredentials { return credentials.NewTLS(c) }

// A host that speaks net/rpc is not served.
func TestNetRPCIsRefused(t *testing.T) {
	o := self(t, "")
	shortTemp(t)
	cmd := exec.Command(o.Program, plugin.Argument)
	cmd.Env = append(os.Environ(), o.Env...)
	c := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: plugin.Handshake(), VersionedPlugins: plugin.Plugins(nil), Cmd: cmd,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolNetRPC}, Logger: hclog.NewNullLogger(),
	})
	defer c.Kill()
	if _, err := c.Client(); err == nil || !strings.Contains(err.Error(), "protocol") {
		t.Errorf("got %v", err)
	}
}
