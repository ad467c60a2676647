package torture

import (
	"fmt"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/test/torture/tracer"
)

// tracing makes this test program the tracer's process.
const tracing = "TORTURE_TRACER"

// asAnother is what the test program does when it was started as something else.
func asAnother() (code int, done bool) {
	if os.Getenv(tracing) == "" {
		return 0, false
	}
	if err := tracer.Main(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// trace runs a program of the home under the tracer. One processor and no preemption keep the runtime's own calls few.
func (h *home) trace(strike *tracer.Strike, stdin string, args ...string) (tracer.Report, error) {
	return tracer.Do(os.Args[0], tracing, tracer.Job{
		Path: programs + "/" + program, Args: args, Env: append(h.env(), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1"), Stdin: stdin,
		Names:  []tracer.Name{{Path: h.state, Name: "state"}, {Path: h.dir, Name: "home"}, {Path: programs, Name: "bin"}},
		Strike: strike,
	})
}
