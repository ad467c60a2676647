package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
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

// keyedWorker gives the worker the key that the caller gave to us, by the private pipe that the job takes.
type keyedWorker struct {
	tokensource.Worker
	key func() (keyslot.Key, error)
}

// keyedJob is a job with a key.
type keyedJob struct {
	Key string          `json:"key"`
	Job json.RawMessage `json:"job"`
}

// Start wraps the job.
func (w keyedWorker) Start(lock *os.File, job []byte) (wait func(context.Context) ([]byte, error), err error) {
	key, err := w.key()
	if err != nil {
		return nil, err
	}
	wrapped, err := json.Marshal(keyedJob{key.Text().Reveal(), job})
	if err != nil {
		return nil, err
	}
	defer clear(wrapped)
	return w.Worker.Start(lock, wrapped)
}

// unwrapJob gives the job in text, and the key that came with it; nil without one.
func unwrapJob(text []byte) (job []byte, key func() (keyslot.Key, error)) {
	var k keyedJob
	if json.Unmarshal(text, &k) != nil || k.Key == "" {
		return text, nil
	}
	return k.Job, func() (keyslot.Key, error) { return keyslot.ParseKey(k.Key) }
}
