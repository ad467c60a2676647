package main_test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// Whatever goes wrong in a transcript, a person is told what to run: a command of this very build, with flags that it has.

// needsHint are the exit codes that a command of ours can lead out of; 1 and 130 say nothing about what to do.
var needsHint = map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true}

// inStatus finds the hint of a failure that status tells about, as text or JSON.
var inStatus = regexp.MustCompile(`(?m)^(?:(?:to mend it|next): +|\s*"(?:hint|next)": ")(.*?)"?,?$`)

// checkHint fails unless a failed run says last what to run, and that is a command of the program that failed. status
// answers on standard output, all others complain on standard error.
func checkHint(ts *testscript.TestScript, exit int, stdout, stderr string) {
	if !needsHint[exit] {
		return
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	hint, found := strings.CutPrefix(lines[len(lines)-1], "hint: ")
	if told := inStatus.FindAllStringSubmatch(stdout, -1); !found && len(told) > 0 {
		hint, found = told[len(told)-1][1], true
	}
	if !found {
		ts.Fatalf("exit code %d without a hint:\n%s", exit, stderr)
	}
	if err := pasteable(filepath.Join(ts.Getenv("BIN"), "cognito-credhelper"), hint); err != nil {
		ts.Fatalf("hint: %s\n%v", hint, err)
	}
}

var commandWord = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// pasteable reports what is wrong with the command line that a hint names.
func pasteable(program, hint string) error {
	_, line, found := strings.Cut(" "+hint, " cognito-credhelper ")
	if !found {
		return errors.New("it names no command of this program")
	}
	var command, flags []string
	for _, word := range strings.Fields(line) {
		switch {
		case strings.HasPrefix(word, "--"):
			flag, _, _ := strings.Cut(word, "=")
			flags = append(flags, strings.TrimRight(flag, "),"))
		case len(flags) == 0 && commandWord.MatchString(word):
			command = append(command, word)
		}
	}
	help, err := helpOf(program, command)
	if err != nil {
		return err
	}
	for _, f := range flags {
		if f != "--help" && !regexp.MustCompile(regexp.QuoteMeta(f)+`\b[^-]`).MatchString(help) {
			return fmt.Errorf("%s has no flag %s", strings.Join(command, " "), f)
		}
	}
	return nil
}

// helps keeps each command's help: many transcripts run into the same one.
var helps sync.Map

func helpOf(program string, command []string) (string, error) {
	key := program + " " + strings.Join(command, " ")
	if known, ok := helps.Load(key); ok {
		return known.(string), nil
	}
	out, err := exec.Command(program, append(command, "--help")...).Output()
	if err != nil {
		return "", fmt.Errorf("%s --help: %w", key, err)
	}
	if !strings.Contains(string(out), "cognito-credhelper "+strings.Join(command, " ")) {
		return "", fmt.Errorf("%s --help is about something else", key)
	}
	helps.Store(key, string(out))
	return string(out), nil
}
