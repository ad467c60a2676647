package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// ServeOptions says how to serve. The zero value is a plugin that a host has started.
type ServeOptions struct {
	// Debug serves without a host that started us, until ctx ends, and writes to it the JSON that a host's
	// COGNITO_CREDHELPER_REATTACH takes. nil for a plugin that a host has started.
	Debug io.Writer
	// Log takes what there is to say, as JSON lines that go-plugin's host understands; nil means standard error. No line has a
	// secret in it.
	Log io.Writer
	// Level is how much is said: trace, debug, info, warn, error, or off; "" means warn.
	Level string
}

// Started reports whether a host has started this process as a plugin: the magic cookie is there.
func Started() bool { return os.Getenv(CookieKey) == CookieValue }

// Serve makes this process a plugin that gives what impl can do: TokenProvider, and each of the other interfaces of this
// package that it implements besides; operations of the others answer CodeUnsupported. It returns when the host ends the
// plugin, when the host dies, however it dies, or when the process gets SIGTERM or SIGHUP; Ctrl-C, which is the host's, does
// nothing. The end of ctx ends it with Debug only: a plugin's standard main ends it on the host's Ctrl-C.
//
// The socket is in a folder that only this user can enter, and is gone when Serve returns. Where there is no such thing as a
// private socket (TCP, on Windows), Serve refuses to serve without the certificates of AutoMTLS.
//
// It takes standard output for the handshake and, as go-plugin does, replaces os.Stdout and os.Stderr. Call it once in a
// process.
func Serve(ctx context.Context, impl TokenProvider, o ServeOptions) error {
	s := &serving{impl: impl, o: o}
	if err := s.check(); err != nil {
		return err
	}
	if o.Debug == nil {
		// Held until the folder is removed: a host that dies with many threads sends SIGTERM more than once.
		defer s.hold()()
	}
	remove, err := s.privateFolder()
	if err != nil {
		return err
	}
	defer remove()
	if o.Debug != nil {
		return s.debug(ctx)
	}
	return s.serve()
}

// shutdownLimit is how long calls in flight may take once the plugin is told to end.
const shutdownLimit = 30 * time.Second

type serving struct {
	impl TokenProvider
	o    ServeOptions

	mu     sync.Mutex
	server *grpc.Server   // nil until go-plugin asks for it
	ended  bool           // no call begins any more
	calls  sync.WaitGroup // of our own operations; added to under mu, while not ended
	orphan bool           // the host has died

	signals chan os.Signal
	unheard chan struct{} // closed where nobody is left to read the handshake
}

// check refuses what must not be served.
func (s *serving) check() error {
	switch {
	case s.o.Debug == nil && !Started():
		return &Error{
			Code:    CodeInvalidRequest,
			Message: "this is a plugin: a host application starts it, and it does nothing by hand",
			Hint:    "record it for hosts with: cognito-credhelper plugin register (or serve a debugger with: cognito-credhelper plugin --debug)",
		}
	default:
		return checkWire(overTCP, s.o.Debug == nil && os.Getenv("PLUGIN_CLIENT_CERT") != "")
	}
}

// checkWire refuses TCP without certificates. A private socket needs none: only its owner can reach it.
func checkWire(tcp, certificates bool) error {
	if !tcp || certificates {
		return nil
	}
	return &Error{
		Code:    CodeInvalidRequest,
		Message: "every program of this computer could ask over TCP, so that the plugin serves no host without AutoMTLS here",
		Hint:    "turn on AutoMTLS in the host's go-plugin ClientConfig",
	}
}

const overTCP = runtime.GOOS == "windows"

// hold takes the signals that would end the process, until release is called. A host that has died reads no log: writing to
// it must not end us before the socket is removed, either.
func (s *serving) hold() (release func()) {
	s.signals = make(chan os.Signal, 1)
	pipe := make(chan os.Signal, 1)
	signal.Notify(s.signals, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(pipe, syscall.SIGPIPE)
	return func() {
		signal.Stop(s.signals)
		signal.Stop(pipe)
	}
}

// serve is the life of a plugin that a host has started.
func (s *serving) serve() error {
	gone, forget := parentGone()
	defer forget()
	s.unheard = make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		goplugin.Serve(s.config())
	}()
	select {
	case <-done:
	case <-s.signals:
	case <-gone:
		s.orphan = true
	case <-s.unheard:
		s.orphan = true
	}
	s.end()
	return s.finish(done)
}

// finish waits for calls in flight, since one of them may be renewing a session in this process.
func (s *serving) finish(done <-chan struct{}) error {
	idle := make(chan struct{})
	go func() {
		<-done
		s.calls.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-time.After(shutdownLimit):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil && !s.orphan {
		return &Error{Code: CodeFailure, Message: "the plugin's socket cannot be opened", Hint: "set TMPDIR to a folder of yours with a short name"}
	}
	return nil
}

// end stops the server, now or as soon as there is one.
func (s *serving) end() {
	s.mu.Lock()
	server := s.server
	s.ended = true
	s.mu.Unlock()
	if server != nil {
		server.Stop()
	}
}

func (s *serving) config() *goplugin.ServeConfig {
	return &goplugin.ServeConfig{
		HandshakeConfig:  Handshake(),
		VersionedPlugins: Plugins(s.impl),
		GRPCServer:       s.newServer,
		Logger:           s.logger(),
	}
}

// newServer adds our bounds to what go-plugin wants. It is called right before the handshake, for which every host that lives
// still has standard output open: one that died before the watch of it began is noticed here, whoever is our parent now.
func (s *serving) newServer(options []grpc.ServerOption) *grpc.Server {
	if s.unheard != nil && unheard(os.Stdout) {
		close(s.unheard)
	}
	server := grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage), grpc.MaxConcurrentStreams(256),
		grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
	)...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = server
	if s.ended {
		go server.Stop()
	}
	return server
}

// unary counts a call, and keeps a panic from ending the plugin, and its text, which may have a secret in it, from the log.
func (s *serving) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	if _, ours := info.Server.(*server); ours {
		if err := s.begin(); err != nil {
			return nil, err
		}
		defer s.calls.Done()
	}
	defer recovered(&err)
	return handle(ctx, in)
}

// stream does for Login what unary does. go-plugin's own streams last as long as the connection, and are nobody's call.
func (s *serving) stream(impl any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	if _, ours := impl.(*server); ours {
		if err := s.begin(); err != nil {
			return err
		}
		defer s.calls.Done()
	}
	defer recovered(&err)
	return handle(impl, stream)
}

func (s *serving) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return toStatus(&Error{Code: CodeUnavailable, Message: "the plugin is ending"})
	}
	s.calls.Add(1)
	return nil
}

func recovered(err *error) {
	if recover() != nil {
		*err = toStatus(&Error{Code: CodeFailure, Message: "the plugin met an error of its own in this call"})
	}
}

func (s *serving) logger() hclog.Logger {
	level := hclog.LevelFromString(s.o.Level)
	if level == hclog.NoLevel {
		level = hclog.Warn
	}
	return hclog.New(&hclog.LoggerOptions{Level: level, Output: s.o.Log, JSONFormat: true})
}

// privateFolder makes the folder for the socket one that only this user can enter: the host's, where it is such a one, else a
// new one in it.
func (s *serving) privateFolder() (remove func(), err error) {
	if overTCP {
		return func() {}, nil
	}
	given := os.Getenv(goplugin.EnvUnixSocketDir)
	if given != "" && isPrivate(given) {
		// A host that has died cannot remove it, and the socket in it is gone by then. go-plugin's hosts make it for one plugin.
		return func() {
			if s.orphan || strings.HasPrefix(filepath.Base(given), "plugin-dir") {
				_ = os.Remove(given)
			}
		}, nil
	}
	own, err := os.MkdirTemp(given, "cognito-credhelper-")
	if err != nil {
		return nil, &Error{Code: CodeFailure, Message: "there is no place for the plugin's socket", Hint: "set TMPDIR to a folder of yours", Err: err}
	}
	if err := os.Setenv(goplugin.EnvUnixSocketDir, own); err != nil {
		return nil, err
	}
	return func() { _ = os.RemoveAll(own) }, nil
}

// debug serves whoever has what is printed.
func (s *serving) debug(ctx context.Context) error {
	reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	c := s.config()
	c.Test = &goplugin.ServeTestConfig{Context: ctx, ReattachConfigCh: reattach, CloseCh: closed}
	go goplugin.Serve(c)
	var err error
	select {
	case r := <-reattach:
		err = printReattach(s.o.Debug, r)
	case <-closed:
	}
	if err != nil {
		s.end()
	}
	<-closed
	s.end()
	return first(err, s.finish(closed))
}

// Reattach is what COGNITO_CREDHELPER_REATTACH has, as JSON: where a plugin that was started by hand listens.
type Reattach struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Network         string // unix
	Address         string
}

func printReattach(out io.Writer, r *goplugin.ReattachConfig) error {
	address, err := filepath.Abs(r.Addr.String())
	if err != nil {
		return err
	}
	text, err := json.Marshal(Reattach{string(r.Protocol), r.ProtocolVersion, r.Pid, r.Addr.Network(), address})
	if err == nil {
		_, err = fmt.Fprintf(out, "%s\n", text)
	}
	return err
}
