package cli

import (
	"errors"
	"os"
	"os/exec"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// runInstead runs another program to its end: Windows cannot make this process another program's.
func runInstead(program string, argv, environ []string) error {
	cmd := exec.Command(program, argv[1:]...)
	cmd.Env = environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ending(ended.ExitCode())
	}
	if err != nil {
		return &token.Error{Kind: token.Failure, Message: program + " cannot be run", Err: err}
	}
	return nil
}

func isExecutable(os.FileInfo) bool { return true }
