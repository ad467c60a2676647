package worker

import (
	"context"
	"encoding/json"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

// WithKey gives the workers that start starts a key that only its caller has, by the private pipe that the job takes.
func WithKey(start tokensource.Worker, key func() (keyslot.Key, error)) tokensource.Worker {
	return keyedWorker{start, key}
}

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
