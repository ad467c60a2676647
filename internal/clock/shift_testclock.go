//go:build testclock

package clock

import (
	"os"
	"strings"
	"time"
)

// shifted moves both clocks by COGNITO_CREDHELPER_TEST_CLOCK, a Go duration, or @ and the file that has one, for a process that
// lives while hours pass: transcripts do not wait for them. Only programs that are built for tests have it.
func shifted() time.Duration {
	text := os.Getenv("COGNITO_CREDHELPER_TEST_CLOCK")
	if file, ok := strings.CutPrefix(text, "@"); ok {
		kept, _ := os.ReadFile(file)
		text = string(kept)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}
