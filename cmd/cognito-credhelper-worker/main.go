// A goroutine that looks every second whether the limit of processors has changed is not worth a thread at each start.
//
//go:debug updatemaxprocs=0

// Command cognito-credhelper-worker renews one session, detached from the process that started it. It is installed beside the
// complete program, which can do the same, only later: what is linked there is initialized at every start.
//
// Everything is in internal/worker.
package main

import (
	"context"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/worker"
)

func main() {
	os.Exit(worker.Main(context.Background(), os.Args, os.Getenv, os.Stdout, os.Stderr))
}
