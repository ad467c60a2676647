// Package skips keeps account of real clients: which ran, and which a test missed and why. A skip that nobody sees is a
// test that nobody runs, so every skip has a name, and a build server can insist on names.
//
// It guarantees that lines of test processes running at once do not mix. It never decides what is required: a file does
// (ci/required.txt). Tests use it; nothing of the product does.
package skips

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// Variable names the file that tests report to. Without it they only print.
const Variable = "COGNITO_TEST_REPORT"

// Missing skips the test because the real client called name is not here, and says so by name.
func Missing(t testing.TB, name, reason string) {
	t.Helper()
	record(t, line{skip, name, reason})
	t.Skipf("SKIP-NAMED %s: %s", name, reason)
}

// Ran notes that the real client called name took part in a test that goes on. version is what it says of itself.
func Ran(t testing.TB, name, version string) {
	t.Helper()
	record(t, line{ran, name, version})
	t.Logf("RAN-NAMED %s: %s", name, version)
}

// Note writes one line to a report, as Missing and Ran do: for checks that are no Go test.
func Note(file string, took bool, name, text string) error {
	verb := skip
	if took {
		verb = ran
	}
	return appendLine(file, line{verb, name, text})
}

const (
	ran  = "ran"
	skip = "skip"
)

type line struct{ verb, name, text string }

// record writes to the file of the run. A report that cannot be written fails the test: a lost skip would pass for a run.
func record(t testing.TB, l line) {
	t.Helper()
	file := os.Getenv(Variable)
	if file == "" {
		return
	}
	if err := appendLine(file, l); err != nil {
		t.Fatalf("reporting to %s: %v", Variable, err)
	}
}

// appendLine appends in one write, which is what keeps the lines of many processes whole.
func appendLine(file string, l line) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(l.verb + "\t" + oneField(l.name) + "\t" + oneField(l.text) + "\n")
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

func oneField(s string) string { return strings.Join(strings.Fields(s), " ") }

// Report is what a run said: texts by name, without repetition, in the order in which they came.
type Report struct {
	Ran     map[string][]string // versions
	Skipped map[string][]string // reasons
}

// Read reads a report. A file that is not there is an empty report.
func Read(file string) (Report, error) {
	r := Report{Ran: map[string][]string{}, Skipped: map[string][]string{}}
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer f.Close()
	return r, r.scan(f)
}

func (r Report) scan(in io.Reader) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 {
			return fmt.Errorf("not a line of a report: %q", lines.Text())
		}
		group := r.Ran
		switch fields[0] {
		case ran:
		case skip:
			group = r.Skipped
		default:
			return fmt.Errorf("not a line of a report: %q", lines.Text())
		}
		if !slices.Contains(group[fields[1]], fields[2]) {
			group[fields[1]] = append(group[fields[1]], fields[2])
		}
	}
	return lines.Err()
}

// Required reads a list of names, one a line; # begins a comment, and a word behind the name is for whoever runs the client.
func Required(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var names []string
	for l := range strings.Lines(string(text)) {
		l, _, _ = strings.Cut(l, "#")
		if words := strings.Fields(l); len(words) > 0 {
			names = append(names, words[0])
		}
	}
	return names, nil
}

// Broken says what the report lacks of the required names: those skipped, and with all also those that nothing named,
// since a test that was removed skips nothing.
func (r Report) Broken(required []string, all bool) []string {
	var broken []string
	for _, name := range required {
		switch {
		case len(r.Skipped[name]) > 0:
			broken = append(broken, fmt.Sprintf("%s is required, but was skipped: %s", name, strings.Join(r.Skipped[name], "; ")))
		case all && len(r.Ran[name]) == 0:
			broken = append(broken, name+" is required, but no test ran it")
		}
	}
	return broken
}

// Print writes the report for people, sorted by name.
func (r Report) Print(out io.Writer) {
	for _, g := range []struct {
		title string
		names map[string][]string
	}{{"real clients and tools that ran", r.Ran}, {"skipped", r.Skipped}} {
		if len(g.names) == 0 {
			fmt.Fprintf(out, "%s: none\n", g.title)
			continue
		}
		fmt.Fprintf(out, "%s:\n", g.title)
		for _, name := range sorted(g.names) {
			fmt.Fprintf(out, "  %-28s %s\n", name, strings.Join(g.names[name], "; "))
		}
	}
}

func sorted(m map[string][]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
