package stage

import (
	"os"
	"strings"
	"testing"
)

// Report names the file in which a run keeps account of real clients: the form is that of test/skips, a package of the
// module above, which this one does not import so that its go.mod need not follow that module's.
const Report = "COGNITO_TEST_REPORT"

// Missing skips the test because the real client called name is not here, and notes it by name.
func Missing(t testing.TB, name, reason string) {
	t.Helper()
	note(t, "skip", name, reason)
	t.Skipf("SKIP-NAMED %s: %s", name, reason)
}

// Ran notes that the real client called name took part. version is what it says of itself.
func Ran(t testing.TB, name, version string) {
	t.Helper()
	note(t, "ran", name, version)
	t.Logf("RAN-NAMED %s: %s", name, version)
}

func note(t testing.TB, verb, name, text string) {
	t.Helper()
	file := os.Getenv(Report)
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(verb + "\t" + name + "\t" + strings.Join(strings.Fields(text), " ") + "\n"); err != nil {
		t.Fatal(err)
	}
}
