package worker

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// keeper keeps the job that it is to start a worker with.
type keeper struct{ job []byte }

func (k *keeper) Start(_ *os.File, job []byte) (func(context.Context) ([]byte, error), error) {
	k.job = append([]byte(nil), job...)
	return nil, nil
}

func TestGivenKeyTravelsByTheJobOnly(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 4)
	k := &keeper{}
	start := WithKey(k, func() (keyslot.Key, error) { return keyslot.ParseKey(text) })
	if _, err := start.Start(nil, []byte(`{"format":1}`)); err != nil {
		t.Fatal(err)
	}
	job, key := unwrapJob(k.job)
	if string(job) != `{"format":1}` || key == nil {
		t.Fatalf("job %q", job)
	}
	if got, err := key(); err != nil || got.Text().Reveal() != text {
		t.Errorf("key: %v", err)
	}
	if job, key := unwrapJob([]byte(`{"format":1}`)); key != nil || string(job) != `{"format":1}` {
		t.Errorf("a job without a key: %q", job)
	}
}
