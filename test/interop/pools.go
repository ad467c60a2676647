package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ready is how long a sandbox may take to say that it listens, stopping how long it may take to end.
const (
	ready    = 20 * time.Second
	stopping = 5 * time.Second
)

// build builds the sandbox into work.
func build(ctx context.Context, work string) (program string, err error) {
	program = filepath.Join(work, "cognito-sandbox")
	said, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/cognito-sandbox").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the sandbox: %w\n%s", err, said)
	}
	return program, nil
}

// startPools starts one sandbox per pool. stop ends those that run; it works whatever the error.
func startPools(ctx context.Context, program, work string) (pools map[string]pool, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	pools = map[string]pool{}
	for _, name := range poolNames {
		file := filepath.Join(work, name+".json")
		if err := writeJSON(file, config(name)); err != nil {
			return nil, stop, err
		}
		p, s, err := serve(ctx, program, file)
		if err != nil {
			return nil, stop, fmt.Errorf("starting the sandbox of pool %s: %w", name, err)
		}
		pools[name], stops = p, append(stops, s)
	}
	return pools, stop, nil
}

func writeJSON(file string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// serve starts one sandbox and reads its ready line.
func serve(ctx context.Context, program, file string) (pool, func(), error) {
	cmd := exec.CommandContext(ctx, program, "serve", "--addr", "127.0.0.1:0", "--config", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopping
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return pool{}, nil, err
	}
	if err := cmd.Start(); err != nil {
		return pool{}, nil, err
	}
	stop := func() {
		cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(stopping, func() { cmd.Process.Kill() })
		defer late.Stop()
		cmd.Wait()
	}
	lines := make(chan []byte, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadBytes('\n')
		lines <- line
	}()
	select {
	case line := <-lines:
		p, err := parseReady(line)
		if err != nil {
			stop()
			return pool{}, nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
		}
		return p, stop, nil
	case <-time.After(ready):
		stop()
		return pool{}, nil, errors.New("it did not say that it is ready")
	}
}

// parseReady reads the line that a sandbox prints when it listens.
func parseReady(line []byte) (pool, error) {
	var said struct {
		Endpoint string `json:"endpoint"`
		PoolID   string `json:"user_pool_id"`
	}
	if err := json.Unmarshal(line, &said); err != nil || said.Endpoint == "" || said.PoolID == "" {
		return pool{}, fmt.Errorf("not a ready line: %q", line)
	}
	return pool{Endpoint: said.Endpoint, PoolID: said.PoolID}, nil
}
