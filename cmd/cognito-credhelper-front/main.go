// Left alone, the runtime starts a goroutine, and so a thread, which looks every second whether the limit of processors has
// changed: 7 % of a warm answer, in a process that is over in two milliseconds.
//
//go:debug updatemaxprocs=0

// Command cognito-credhelper-front is installed as cognito-credhelper in front of the complete program: it answers from a
// warm session in about the time of an empty process, and else becomes the complete program.
//
// It never uses the network and never asks a person.
package main

import (
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/front"
)

func main() { os.Exit(front.Main(os.Args)) }
