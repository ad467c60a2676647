package host

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// process is the plugin's process, as go-plugin runs one.
type process struct {
	file *os.File // verified; closed once it runs
	cmd  *exec.Cmd

	stdout, stderr io.ReadCloser
	started        atomic.Bool
	doomed         atomic.Bool // Kill was called
	ended          chan struct{}
	once           sync.Once
}

var _ runner.Runner = (*process)(nil)

// newProcess prepares the process. given is go-plugin's own part of the environment.
func newProcess(o Options, file *os.File, path string, given []string, certificate string) (*process, error) {
	cmd := exec.Command(path, plugin.Argument)
	cmd.Path = executableOf(file, path)
	cmd.Dir = filepath.Dir(path) // not the working directory, which the plugin must not depend on
	cmd.Env = append(append(environ(o), given...), "PLUGIN_CLIENT_CERT="+certificate)
	cmd.SysProcAttr = attributes()
	p := &process{file: file, cmd: cmd, ended: make(chan struct{})}
	var err error
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	p.stderr, err = cmd.StderrPipe()
	return p, err
}

// Start starts it. Where the kernel ends the plugin with its parent, the parent is the thread that started it: that thread
// waits, and does nothing else, as long as the plugin lives.
func (p *process) Start(context.Context) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		p.file.Close()
		result <- err
		if err == nil {
			<-p.ended
		}
	}()
	err := <-result
	p.started.Store(err == nil)
	if err == nil && p.doomed.Load() {
		_ = p.cmd.Process.Kill() // it was killed before it was there
	}
	return err
}

// Wait waits for its end.
func (p *process) Wait(context.Context) error {
	defer p.once.Do(func() { close(p.ended) })
	return p.cmd.Wait()
}

// Kill ends it at once, also where it is about to be started.
func (p *process) Kill(context.Context) error {
	p.doomed.Store(true)
	if !p.started.Load() {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Stdout is where the handshake comes from.
func (p *process) Stdout() io.ReadCloser { return p.stdout }

// Stderr is the plugin's log.
func (p *process) Stderr() io.ReadCloser { return p.stderr }

// Name is the program's path.
func (p *process) Name() string { return p.cmd.Args[0] }

// ID is never empty, so that go-plugin cleans up also after a start that failed.
func (p *process) ID() string {
	if !p.started.Load() {
		return "none"
	}
	return strconv.Itoa(p.cmd.Process.Pid)
}

// Diagnose has nothing to add.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin: both see the same sockets.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin is the other way.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
