package skips

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// inner runs f in a subtest whose outcome the caller looks at.
func inner(t *testing.T, f func(*testing.T)) (skipped bool) {
	t.Helper()
	t.Run("inner", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		f(t)
	})
	return skipped
}

func TestMissingSkipsAndReports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	t.Setenv(Variable, file)
	if !inner(t, func(t *testing.T) {
		Missing(t, "aws", "no aws\ton PATH\n")
		t.Error("the test went on after Missing")
	}) {
		t.Error("Missing did not skip")
	}
	if inner(t, func(t *testing.T) { Ran(t, "node", "v20"); Ran(t, "node", "v20") }) {
		t.Error("Ran skipped")
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Ran: map[string][]string{"node": {"v20"}}, Skipped: map[string][]string{"aws": {"no aws on PATH"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("report = %v, want %v", got, want)
	}
}

func TestWithoutVariableNothingIsWritten(t *testing.T) {
	t.Setenv(Variable, "")
	t.Chdir(t.TempDir())
	if !inner(t, func(t *testing.T) { Missing(t, "aws", "gone") }) {
		t.Error("Missing did not skip")
	}
	if left, _ := os.ReadDir("."); len(left) != 0 {
		t.Errorf("left %v behind", left)
	}
}

func TestLinesDoNotMix(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			if err := Note(file, true, fmt.Sprintf("client-%d", i), strings.Repeat("v", 500)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	r, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Ran) != 50 {
		t.Errorf("%d of 50 lines arrived whole", len(r.Ran))
	}
}

func TestReadOddFiles(t *testing.T) {
	dir := t.TempDir()
	if r, err := Read(filepath.Join(dir, "absent")); err != nil || len(r.Ran)+len(r.Skipped) != 0 {
		t.Errorf("an absent report gave %v, %v", r, err)
	}
	for _, text := range []string{"ran\n", "ran\ta\n", "walked\ta\tb\n"} {
		file := filepath.Join(dir, "odd")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(file); err == nil {
			t.Errorf("Read took %q for a report", text)
		}
	}
}

func TestBroken(t *testing.T) {
	r := Report{
		Ran:     map[string][]string{"aws": {"2.1"}, "race": {"gcc"}},
		Skipped: map[string][]string{"node-clients": {"no node"}, "race": {"once"}, "fuse": {"no device"}},
	}
	for _, c := range []struct {
		name     string
		required []string
		all      bool
		want     []string
	}{
		{"nothing required", nil, true, nil},
		{"ran", []string{"aws"}, true, nil},
		{"skipped", []string{"node-clients"}, false, []string{"node-clients is required, but was skipped: no node"}},
		{"ran here, skipped there", []string{"race"}, false, []string{"race is required, but was skipped: once"}},
		{"unheard of, part of the run", []string{"gosdk"}, false, nil},
		{"unheard of, whole run", []string{"gosdk"}, true, []string{"gosdk is required, but no test ran it"}},
	} {
		if got := r.Broken(c.required, c.all); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: broken = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRequiredList(t *testing.T) {
	file := filepath.Join(t.TempDir(), "required.txt")
	if err := os.WriteFile(file, []byte("# real clients\naws # the CLI\n\n  race\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Required(file)
	if want := []string{"aws", "race"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Required = %q, %v, want %q", got, err, want)
	}
	if _, err := Required(file + ".absent"); err == nil {
		t.Error("a list that is not there was taken for an empty one")
	}
}

func TestPrint(t *testing.T) {
	var out strings.Builder
	Report{Ran: map[string][]string{"b": {"2"}, "a": {"1", "1.1"}}}.Print(&out)
	want := "real clients and tools that ran:\n  a                            1; 1.1\n  b                            2\nskipped: none\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
