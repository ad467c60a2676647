package host

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// running is one plugin's process and the connection to it.
type running struct {
	provider plugin.Provider
	client   *goplugin.Client // nil for one that was started by hand
	conn     *grpc.ClientConn // of that one
	ending   atomic.Bool      // end was called: calls that are still out are broken off
}

func (r *running) exited() bool { return r.client != nil && r.client.Exited() }

func (r *running) pid() int {
	if r.client == nil {
		return 0
	}
	pid, _ := strconv.Atoi(r.client.ID())
	return pid
}

// end ends the process and closes the connection. One that was started by hand goes on.
func (r *running) end() {
	r.ending.Store(true)
	if r.client != nil {
		r.client.Kill()
		return
	}
	_ = r.conn.Close()
}

// reattachVariable has the JSON that `plugin --debug` prints.
const reattachVariable = "COGNITO_CREDHELPER_REATTACH"

// start finds, verifies, and starts the plugin.
func start(ctx context.Context, o Options) (*running, error) {
	if at := os.Getenv(reattachVariable); at != "" && o.AllowReattach {
		return reattach(at)
	}
	own := beginCertificate() // while the program is read
	program, err := o.find()
	if err != nil {
		return nil, err
	}
	file, path, err := program.open()
	if err != nil {
		return nil, err
	}
	tls, text, err := own.config()
	if err != nil {
		file.Close()
		return nil, &plugin.Error{Code: plugin.CodeFailure, Message: "no certificate can be made", Err: err}
	}
	said := &tail{}
	var child atomic.Pointer[process]
	var givenUp atomic.Bool
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  plugin.Handshake(),
		VersionedPlugins: plugin.Plugins(nil),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		TLSConfig:        tls,
		SkipHostEnv:      true,
		StartTimeout:     cmp.Or(o.StartTimeout, startTimeout),
		Stderr:           said,
		Logger:           o.logger(),
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(plugin.MaxMessage), grpc.MaxCallSendMsgSize(plugin.MaxMessage)),
		},
		RunnerFunc: func(_ hclog.Logger, given *exec.Cmd, _ string) (runner.Runner, error) {
			p, err := newProcess(o, file, path, given.Env, text)
			child.Store(p)
			if givenUp.Load() && p != nil {
				_ = p.Kill(ctx)
			}
			return p, err
		},
	})
	return dispense(ctx, &starting{client, file, path, said, &child, &givenUp})
}

// starting is a start that is under way.
type starting struct {
	client *goplugin.Client
	file   *os.File
	path   string
	said   *tail
	child  *atomic.Pointer[process] // nil in it until go-plugin makes one
	gaveUp *atomic.Bool             // nobody waits any more: a process that comes to be now is killed
}

// dispense starts the process and waits for its handshake, or for the end of ctx, which go-plugin does not know.
func dispense(ctx context.Context, s *starting) (*running, error) {
	type result struct {
		provider any
		err      error
	}
	done := make(chan result, 1)
	go func() {
		// Closing it earlier could give its number, by which the child executes it, to another file.
		defer s.file.Close()
		rpc, err := s.client.Client()
		if err != nil {
			done <- result{nil, err}
			return
		}
		provider, err := rpc.Dispense(plugin.Name)
		done <- result{provider, err}
	}()
	select {
	case r := <-done:
		if r.err == nil {
			return &running{provider: r.provider.(plugin.Provider), client: s.client}, nil
		}
		s.client.Kill()
		return nil, notStarted(s.path, r.err, s.said)
	case <-ctx.Done():
		s.gaveUp.Store(true)
		if p := s.child.Load(); p != nil {
			_ = p.Kill(ctx)
		}
		go func() { // as soon as go-plugin lets its lock go
			<-done
			s.client.Kill()
		}()
		return nil, &plugin.Error{Code: plugin.CodeCanceled, Message: "the start of the plugin was given up", Err: ctx.Err()}
	}
}

// notStarted says why a program did not become a plugin, in go-plugin's words and the program's own last line.
func notStarted(path string, err error, said *tail) error {
	message := "the program " + path + " did not start as a plugin: " + printable(err.Error())
	if last := said.last(); last != "" {
		message += "; it said: " + printable(last)
	}
	hint := "look at its log: Options.Log, and LogLevel trace"
	if strings.Contains(err.Error(), "incompatible API version") {
		hint = "host and plugin are of versions that have no wire in common: upgrade the older one"
	}
	return &plugin.Error{Code: plugin.CodeFailure, Message: message, Hint: hint, Err: err}
}

// tail keeps the last of what a program wrote to standard error. Safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4096

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if n := len(t.text); n > tailSize {
		t.text = t.text[n-tailSize:]
	}
	return len(b), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.text), []byte("\n"))
	return string(lines[len(lines)-1])
}

func (o Options) logger() hclog.Logger {
	out, level := o.Log, hclog.LevelFromString(o.LogLevel)
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	if out == nil {
		out, level = io.Discard, hclog.Off
	}
	return hclog.New(&hclog.LoggerOptions{Name: "cognito-credhelper", Level: level, Output: out})
}

// reattach connects to a plugin that was started by hand.
func reattach(text string) (*running, error) {
	var at plugin.Reattach
	err := json.Unmarshal([]byte(text), &at)
	if err != nil || at.Network != "unix" || at.ProtocolVersion != plugin.Version || at.Protocol != string(goplugin.ProtocolGRPC) {
		return nil, &plugin.Error{Code: plugin.CodeInvalidRequest, Message: reattachVariable + " is not what cognito-credhelper plugin --debug prints"}
	}
	conn, err := grpc.NewClient("unix:"+at.Address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(plugin.MaxMessage), grpc.MaxCallSendMsgSize(plugin.MaxMessage)))
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeInvalidRequest, Message: reattachVariable + " has an address that cannot be used", Err: err}
	}
	return &running{provider: plugin.NewClient(conn), conn: conn}, nil
}
