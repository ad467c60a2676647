//go:build testclock

package clock

import (
	"os"
	"time"
)

// shifted moves both clocks by COGNITO_CREDHELPER_TEST_CLOCK, a Go duration: transcripts let hours pass without waiting.
// Only programs that are built for tests have it.
func shifted() time.Duration {
	d, err := time.ParseDuration(os.Getenv("COGNITO_CREDHELPER_TEST_CLOCK"))
	if err != nil {
		return 0
	}
	return d
}
