package cli

import (
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// takeKey reads what COGNITO_CREDHELPER_KEY says and takes it out of the environment, so that no child gets it. It is nil
// where nothing was given.
func takeKey(getenv func(string) string, unsetenv func(string) error) func() (keyslot.Key, error) {
	text := getenv(keyslot.Variable)
	if text == "" {
		return nil
	}
	_ = unsetenv(keyslot.Variable)
	number, ok := strings.CutPrefix(text, keyslot.DescriptorPrefix)
	if !ok {
		return func() (keyslot.Key, error) { return keyslot.ParseKey(text) }
	}
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return func() (keyslot.Key, error) {
			return keyslot.Key{}, &token.Error{Kind: token.BadProfile, Message: keyslot.Variable + ": fd:N takes a descriptor of 3 or above"}
		}
	}
	closeOnExec(fd)
	return sync.OnceValues(func() (keyslot.Key, error) { return readKey(fd) })
}

// keyTextLimit is more than a key and blanks around it.
const keyTextLimit = 1024

// readKey reads a descriptor to its end and closes it.
func readKey(fd int) (keyslot.Key, error) {
	f := os.NewFile(uintptr(fd), "descriptor "+strconv.Itoa(fd))
	if f == nil {
		return keyslot.Key{}, &token.Error{Kind: token.BadProfile, Message: keyslot.Variable + " names a descriptor that is not open"}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, keyTextLimit))
	defer clear(b)
	if err != nil {
		return keyslot.Key{}, &token.Error{Kind: token.BadProfile, Message: "the data key cannot be read from the descriptor that " + keyslot.Variable + " names", Err: err}
	}
	return keyslot.ParseKey(string(b))
}
