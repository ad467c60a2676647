package setup

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// What a newer version noted is neither used, nor written over, nor taken out with what it is about.
func TestNewerRecordsAreLeftAlone(t *testing.T) {
	for _, kind := range []string{"task-", "step-"} {
		t.Run(kind, func(t *testing.T) {
			folder := t.TempDir()
			book, file := OpenBook(filepath.Join(folder, "setup")), filepath.Join(folder, "env")
			task := Task{Tool: "go", Name: "h.example", Steps: []Step{InFile(GoLine, file, Want{Program: "/opt/cognito-credhelper"})}}
			if err := book.Do(task); err != nil {
				t.Fatal(err)
			}
			notes, err := filepath.Glob(filepath.Join(folder, "setup", kind+"*.json"))
			if err != nil || len(notes) != 1 {
				t.Fatal(notes, err)
			}
			note := contents(t, notes[0])
			if !strings.Contains(note, `"Format":1`) {
				t.Fatalf("the record does not say its format: %s", note)
			}
			note = strings.Replace(note, `"Format":1`, `"Format":2,"Future":true`, 1)
			if err := os.WriteFile(notes[0], []byte(note), 0o600); err != nil {
				t.Fatal(err)
			}
			line := contents(t, file)
			_, undone := book.Undo(task, false)
			for what, err := range map[string]error{"set up again": book.Do(task), "taken out": undone} {
				var refused *profiles.FileError
				if !errors.As(err, &refused) || refused.File != notes[0] {
					t.Errorf("%s: %v", what, err)
				}
			}
			if contents(t, notes[0]) != note || contents(t, file) != line {
				t.Error("something was changed")
			}
		})
	}
}

func contents(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(data))
}
