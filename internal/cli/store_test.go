package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// fakeVault has sessions in slots.
type fakeVault struct {
	slots map[string]keyslot.Kind
	done  tokencache.Migration
	err   error
	to    keyslot.Kind
}

func (v *fakeVault) List() ([]string, error) {
	var ids []string
	for id := range v.slots {
		ids = append(ids, id)
	}
	return ids, nil
}

func (v *fakeVault) Slot(id string) (keyslot.Kind, error) {
	if v.slots[id] == 0 {
		return 0, errors.New("its header cannot be read")
	}
	return v.slots[id], nil
}

func (v *fakeVault) Migrate(_ context.Context, to keyslot.Kind) (tokencache.Migration, error) {
	v.to = to
	return v.done, v.err
}

func TestMigrateAsksAndTells(t *testing.T) {
	moved := tokencache.Migration{Moved: []string{"a", "b"}, Already: []string{"c"}, Dropped: []keyslot.Kind{keyslot.File}}
	half := tokencache.Migration{
		Moved:  []string{"a"},
		Failed: map[string]error{"b": &token.Error{Kind: token.LoginNeeded, Message: "the session file is damaged", Err: errors.New("cut\x1b[2J")}},
		Kept:   map[keyslot.Kind]error{keyslot.OS: errors.New("no")},
	}
	for _, c := range []struct {
		name  string
		args  string
		there bool // a terminal
		yes   bool
		done  tokencache.Migration
		exit  int
		to    keyslot.Kind
		want  string
	}{
		{"forced", "--to os --force", false, false, moved, 0, keyslot.OS,
			"cognito-credhelper: 2 sessions now have a key in slot os\ncognito-credhelper: 1 session already has one\n" +
				"cognito-credhelper: the key in slot file is forgotten: nothing needs it any more\n"},
		{"agreed", "--to os-strict", true, true, moved, 0, keyslot.OSStrict, "cognito-credhelper: 2 sessions now have a key in slot os-strict\n"},
		{"not agreed", "--to file", true, false, moved, 1, 0, "cognito-credhelper: nothing was changed\n"},
		{"nobody to ask", "--to file", false, false, moved, 2, 0, "hint: cognito-credhelper store migrate --to file --force\n"},
		{"half of it", "--to os --force", false, false, half, 3, keyslot.OS,
			"cognito-credhelper: 1 session now has a key in slot os\ncognito-credhelper: warning: session b: the session file is damaged: cut?[2J\n" +
				"cognito-credhelper: warning: the key in slot os could not be forgotten: no\n" +
				"cognito-credhelper: 1 of 2 sessions were not moved; they are as they were\nhint: cognito-credhelper store migrate --to os\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.tty = fakeTerminal{present: c.there, yes: c.yes}
			v := &fakeVault{slots: map[string]keyslot.Kind{"a": 1, "b": 1, "c": 1}, done: c.done}
			b.vault = func() (vault, error) { return v, nil }
			if got := b.call(t, append([]string{"store", "migrate"}, strings.Fields(c.args)...)...); got != c.exit {
				t.Errorf("exit %d, want %d", got, c.exit)
			}
			if v.to != c.to {
				t.Errorf("moved to %v, want %v", v.to, c.to)
			}
			if !strings.Contains(b.stderr.String(), c.want) || b.stdout.Len() > 0 {
				t.Errorf("stderr %q, want %q", b.stderr.String(), c.want)
			}
		})
	}
}

// The words of status, on each system and for each kind: never the same for two levels.
func TestLevelsDiffer(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		seen := map[string]bool{}
		for _, k := range keyslot.Kinds() {
			said := level(k, true, goos)
			if !strings.HasPrefix(said, k.String()+" (") || seen[said] {
				t.Errorf("%s: %q", goos, said)
			}
			seen[said] = true
		}
	}
	if level(keyslot.OS, true, "linux") == level(keyslot.OS, false, "linux") {
		t.Error("a missing copy is not told")
	}
}

func TestGivenKeyLeavesTheEnvironment(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 4)
	env := map[string]string{keyslot.Variable: text}
	give := takeKey(func(n string) string { return env[n] }, func(n string) error { delete(env, n); return nil })
	if len(env) != 0 {
		t.Error("the key is still in the environment")
	}
	if got, err := give(); err != nil || got.Text().Reveal() != text {
		t.Errorf("key: %v", err)
	}
	if takeKey(func(string) string { return "" }, nil) != nil {
		t.Error("nothing was given")
	}
}
