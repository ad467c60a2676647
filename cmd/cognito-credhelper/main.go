// A goroutine that looks every second whether the limit of processors has changed is not worth a thread at each start.
//
//go:debug updatemaxprocs=0

// Command cognito-credhelper signs in to an Amazon Cognito user pool once and gives every developer tool its credential
// from that sign-in. This is the complete program: every command, in one file.
//
// Everything is in internal/cli; here are only the process's own things: signals, streams, and the exit code.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the next one ends the process at once, as people expect.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args, cli.Env{
		Getenv:   os.Getenv,
		Unsetenv: os.Unsetenv,
		Environ:  os.Environ,
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
	}))
}
