//go:build unix

package cli

import (
	"os"
	"syscall"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// runInstead makes this process another program's. It returns only where that failed.
func runInstead(program string, argv, environ []string) error {
	err := syscall.Exec(program, argv, environ)
	return &token.Error{Kind: token.Failure, Message: program + " cannot be run", Err: err}
}

func isExecutable(info os.FileInfo) bool { return info.Mode()&0o111 != 0 }
