// Command plugin measures what a host waits for this program as a plugin, against the least go-plugin program there is with the
// same security options (AutoMTLS, checksum, no environment of the host's), both stripped, interleaved: from the launch to the
// first token, and a warm call. It prints ratios, since absolute times of one machine say little.
//
// It works in a temp folder with a home of its own and a sandbox on loopback, and leaves nothing behind.
//
//	go run ./bench/plugin             prints the table
//	go run ./bench/plugin -max 1.3    and ends with exit code 1 where a ratio is above 1.3
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cognito-credhelper/cognito-credhelper/host"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

const module = "github.com/cognito-credhelper/cognito-credhelper"

var session = plugin.Selection{Profile: "sandbox"}

func main() {
	launches := flag.Int("launches", 40, "launches of each program")
	rounds := flag.Int("rounds", 60, "rounds of warm calls")
	calls := flag.Int("calls", 200, "warm calls in one round")
	most := flag.Float64("max", 0, "fail where a ratio is above this; 0 never fails")
	flag.Parse()
	ok, err := run(*launches, *rounds, *calls, *most)
	if err != nil {
		fmt.Fprintln(os.Stderr, "plugin:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(launches, rounds, calls int, most float64) (bool, error) {
	folder, err := os.MkdirTemp("", "plugin-bench-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	b := &bench{folder: folder, ok: true, most: most}
	if err := b.prepare(); err != nil {
		return false, err
	}
	defer b.stop()
	for _, c := range []struct {
		name   string
		pinned bool
	}{{"launch to first token", true}, {"the same, without the checksum", false}} {
		if err := b.compare(c.name, launches, func() (time.Duration, error) { return b.launchOurs(c.pinned) }, func() (time.Duration, error) { return b.launchEcho(c.pinned) }); err != nil {
			return false, err
		}
	}
	return b.ok, b.warm(rounds, calls)
}

type bench struct {
	folder           string
	ours, echo       string // programs
	oursSum, echoSum []byte
	token            string // as an answer that echo gives back
	sandbox          *exec.Cmd
	most             float64
	ok               bool
}

// prepare builds, and signs a user in.
func (b *bench) prepare() error {
	var sandbox string
	for path, pkg := range map[*string]string{&b.ours: "/cmd/cognito-credhelper", &b.echo: "/bench/echoplugin", &sandbox: "/cmd/cognito-sandbox"} {
		*path = filepath.Join(b.folder, filepath.Base(pkg))
		c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-tags", "grpcnotrace", "-ldflags", "-s -w", "-o", *path, module+pkg)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
	}
	for path, sum := range map[string]*[]byte{b.ours: &b.oursSum, b.echo: &b.echoSum} {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := sha256.Sum256(text)
		*sum = s[:]
		fmt.Printf("%-20s %5.1f MB\n", filepath.Base(path), float64(len(text))/1e6)
	}
	for name, value := range map[string]string{
		"HOME": b.folder, "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "COGNITO_CREDHELPER_HOME": "", "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": "", "AWS_PROFILE": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return b.signIn(sandbox)
}

func (b *bench) signIn(sandbox string) error {
	config := filepath.Join(b.folder, ".aws", "config")
	if err := os.Mkdir(filepath.Dir(config), 0o700); err != nil {
		return err
	}
	b.sandbox = exec.Command(sandbox, "serve", "--write-profile", config)
	out, err := b.sandbox.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.sandbox.Start(); err != nil {
		return err
	}
	var ready json.RawMessage
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&ready); err != nil {
		return err
	}
	c, err := host.Open(context.Background(), host.Options{Program: b.ours, Unpinned: true})
	if err != nil {
		return err
	}
	defer c.Close()
	answers := map[string]string{"USERNAME": "bob", "PASSWORD": "Tr0ub4dor&3"}
	if _, err := c.Login(context.Background(), plugin.LoginRequest{Selection: session}, plugin.AskerFunc(func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
		return plugin.NewSecret(answers[q.Name]), nil
	})); err != nil {
		return err
	}
	got, err := c.GetTokens(context.Background(), plugin.GetTokensRequest{Selection: session})
	b.token = got.Access.Value.Reveal()
	time.Sleep(3 * time.Second) // younger profile files are believed by nobody
	return err
}

func (b *bench) stop() {
	_ = b.sandbox.Process.Signal(syscall.SIGTERM)
	_ = b.sandbox.Wait()
}

func (b *bench) openOurs(pinned bool) (*host.Client, error) {
	o := host.Options{Program: b.ours, Unpinned: true}
	if pinned {
		o.SHA256 = hex.EncodeToString(b.oursSum)
	}
	return host.Open(context.Background(), o)
}

func (b *bench) launchOurs(pinned bool) (time.Duration, error) {
	begin := time.Now()
	c, err := b.openOurs(pinned)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_, err = c.GetTokens(context.Background(), plugin.GetTokensRequest{Selection: session})
	return time.Since(begin), err
}

// openEcho starts the other program as go-plugin's documentation does, with the options that package host has on.
func (b *bench) openEcho(pinned bool) (*goplugin.Client, *grpc.ClientConn, error) {
	config := &goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "ECHO_PLUGIN", MagicCookieValue: "echo"},
		VersionedPlugins: map[int]goplugin.PluginSet{1: {"echo": conn{}}},
		Cmd:              exec.Command(b.echo),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true, SkipHostEnv: true, Logger: hclog.NewNullLogger(),
	}
	config.Cmd.Env = host.Environ(os.Environ())
	if pinned {
		config.SecureConfig = &goplugin.SecureConfig{Checksum: b.echoSum, Hash: sha256.New()}
	}
	client := goplugin.NewClient(config)
	rpc, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	got, err := rpc.Dispense("echo")
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	return client, got.(*grpc.ClientConn), nil
}

// conn gives the connection itself.
type conn struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (conn) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }
func (conn) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

func (b *bench) launchEcho(pinned bool) (time.Duration, error) {
	begin := time.Now()
	client, c, err := b.openEcho(pinned)
	if err != nil {
		return 0, err
	}
	defer client.Kill()
	err = b.askEcho(c)
	return time.Since(begin), err
}

// askEcho has an answer of a token's size.
func (b *bench) askEcho(c *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // as ours has
	defer cancel()
	return c.Invoke(ctx, "/bench.Echo/Echo", wrapperspb.String(b.token), &wrapperspb.StringValue{})
}

// warm compares calls of two plugins that run.
func (b *bench) warm(rounds, calls int) error {
	ours, err := b.openOurs(true)
	if err != nil {
		return err
	}
	defer ours.Close()
	client, echo, err := b.openEcho(true)
	if err != nil {
		return err
	}
	defer client.Kill()
	many := func(one func() error) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			took := make([]time.Duration, calls)
			for i := range took {
				begin := time.Now()
				if err := one(); err != nil {
					return 0, err
				}
				took[i] = time.Since(begin)
			}
			return middle(took), nil
		}
	}
	return b.compare("a warm GetTokens", rounds, many(func() error {
		_, err := ours.GetTokens(context.Background(), plugin.GetTokensRequest{Selection: session})
		return err
	}), many(func() error { return b.askEcho(echo) }))
}

// compare runs both by turns, and prints the median of the rounds' ratios: what disturbs the machine for longer than a round
// disturbs both.
func (b *bench) compare(name string, rounds int, ours, echo func() (time.Duration, error)) error {
	var mine, theirs []time.Duration
	var ratios []float64
	for r := range rounds + 2 {
		first, second := ours, echo
		if r%2 == 1 {
			first, second = echo, ours
		}
		x, err := first()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		y, err := second()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if r%2 == 1 {
			x, y = y, x
		}
		if r >= 2 { // the first ones fill caches
			mine, theirs, ratios = append(mine, x), append(theirs, y), append(ratios, x.Seconds()/y.Seconds())
		}
	}
	ratio, verdict := middle(ratios), ""
	if b.most > 0 && ratio > b.most {
		b.ok, verdict = false, fmt.Sprintf("   above %.2f", b.most)
	}
	fmt.Printf("%-32s %.2f times   (%v to %v, medians of %d)%s\n", name, ratio, middle(mine).Round(time.Microsecond), middle(theirs).Round(time.Microsecond), rounds, verdict)
	return nil
}

func middle[T int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
