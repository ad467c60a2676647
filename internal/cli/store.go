package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// vault is what the store command needs of the sessions on disk.
type vault interface {
	List() ([]string, error)
	Slot(id string) (keyslot.Kind, error)
	Migrate(ctx context.Context, to keyslot.Kind) (tokencache.Migration, error)
}

var _ vault = (*tokencache.Cache)(nil)

// migratable are the slots that sessions can be moved to, and that a login can be told to use.
const migratable = "file, os, os-strict"

func (p *program) storeCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "store",
		Short: "Show where the keys of sessions can live",
		Long: `Sessions lie encrypted in files; the key to them lives in one of these slots, each with a key of its own:

  file       a key file, mode 0600, beside the sessions: protects a copied session file, not against
             programs that run as you
  os         the system's keyring: Secret Service on Linux, Keychain on macOS, DPAPI on Windows. On Linux a
             copy in the kernel's user keyring, for 8 hours from its last use, keeps tools fast
  os-strict  the same without a copy: every tool's call asks the keyring
  given      a key of 64 hexadecimal digits in COGNITO_CREDHELPER_KEY, or read from descriptor N where that
             is fd:N: for build servers. Nothing is kept

A login takes the slot that --store or cognito_store names; else (auto) the slot of the session that is
there; else given, os, or file, the first that works. Nothing ever moves to another slot by itself.

JSON: folder, slots (each with slot, usable, has_key, sessions, problem).`,
		Example: `  cognito-credhelper store
  cognito-credhelper store --json
  cognito-credhelper store migrate --to os`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(c, "there is no store %q: there is migrate, and store without a word shows what is there", args[0])
			}
			return p.showStore(asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	migrate := p.migrateCommand()
	settableOnce(migrate)
	c.AddCommand(migrate)
	return c
}

// storeJSON is the documented output of store --json. Members are only ever added.
type storeJSON struct {
	Folder string     `json:"folder"`
	Slots  []slotJSON `json:"slots"`
}

type slotJSON struct {
	Slot     string        `json:"slot"`
	Usable   bool          `json:"usable"`
	HasKey   bool          `json:"has_key"`
	Sessions int           `json:"sessions"`
	Problem  *sentenceJSON `json:"problem,omitempty"`
}

func (p *program) showStore(asJSON bool) error {
	folder, _, err := p.stateFolder()
	if err != nil {
		return err
	}
	slots, err := p.slots()
	if err != nil {
		return err
	}
	count, err := p.sessionsBySlot()
	if err != nil {
		return err
	}
	view := storeJSON{Folder: folder}
	for _, k := range keyslot.Kinds() {
		st := slots.State(k)
		view.Slots = append(view.Slots, slotJSON{k.String(), st.Err == nil, st.HasKey, count[k], p.problem(st.Err)})
	}
	if asJSON {
		return p.printJSON(view)
	}
	return p.print(view.describe())
}

// sessionsBySlot counts the sessions of each slot. One whose header cannot be read counts nowhere; status tells of it.
func (p *program) sessionsBySlot() (map[keyslot.Kind]int, error) {
	v, err := p.vault()
	if err != nil {
		return nil, err
	}
	ids, err := v.List()
	if err != nil {
		return nil, err
	}
	count := map[keyslot.Kind]int{}
	for _, id := range ids {
		if k, err := v.Slot(id); err == nil {
			count[k]++
		}
	}
	return count, nil
}

func (v storeJSON) describe() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SLOT\tWORKS\tKEY\tSESSIONS")
	for _, s := range v.Slots {
		why := ""
		if !s.Usable {
			why = "\t" + safetext.Line(s.Problem.sentence(), sentenceLimit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d%s\n", s.Slot, yesNo(s.Usable), yesNo(s.HasKey), s.Sessions, why)
	}
	w.Flush()
	return b.String()
}

// sentence is a problem in one line.
func (s *sentenceJSON) sentence() string {
	if s.Detail == "" {
		return s.Message
	}
	return s.Message + ": " + s.Detail
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (p *program) migrateCommand() *cobra.Command {
	var to string
	var force bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Move the keys of all sessions to another slot",
		Long: `Encrypts every session anew with a key in the slot that --to names (` + migratable + `), reads each back, and
only then forgets the keys that nothing needs any more. It may be interrupted at any time, and run again.`,
		Example: "  cognito-credhelper store migrate --to os\n  cognito-credhelper store migrate --to file --force",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			kind, ok := keyslot.KindOf(to)
			if !ok {
				return usageError(c, "--to takes one of: %s", migratable)
			}
			return p.migrate(c.Context(), kind, force)
		},
	}
	c.Flags().StringVar(&to, "to", "", "the `SLOT`: "+migratable)
	c.Flags().BoolVar(&force, "force", false, "do not ask")
	return c
}

func (p *program) migrate(ctx context.Context, to keyslot.Kind, force bool) error {
	v, err := p.vault()
	if err != nil {
		return err
	}
	ids, err := v.List()
	if err != nil {
		return err
	}
	if err := p.agreeTo(ctx, "move the keys of all sessions ("+fmt.Sprint(len(ids))+") to slot "+to.String()+"?", "store migrate --to "+to.String(), force); err != nil {
		return err
	}
	done, err := v.Migrate(ctx, to)
	p.tellMigration(to, done)
	if err != nil {
		return err
	}
	if len(done.Failed) > 0 {
		first := done.Failed[slices.Sorted(maps.Keys(done.Failed))[0]]
		return &token.Error{
			Kind: token.KindOf(first), Message: fmt.Sprintf("%d of %d sessions were not moved; they are as they were", len(done.Failed), len(done.Failed)+len(done.Moved)+len(done.Already)),
			Next: programName + " store migrate --to " + to.String(),
		}
	}
	return nil
}

// agreeTo asks, where force did not answer already.
func (p *program) agreeTo(ctx context.Context, question, verb string, force bool) error {
	switch {
	case force:
		return nil
	case !p.terminal.Present():
		return &token.Error{Kind: token.Usage, Message: "there is no terminal to confirm: " + question, Next: programName + " " + verb + " --force"}
	}
	yes, err := p.terminal.Confirm(ctx, question)
	if err == nil && !yes {
		err = &token.Error{Kind: token.Failure, Message: "nothing was changed"}
	}
	return err
}

func (p *program) tellMigration(to keyslot.Kind, m tokencache.Migration) {
	p.say("%s a key in slot %s", sessionsHave(len(m.Moved), "now"), to)
	if n := len(m.Already); n > 0 {
		p.say("%s one", sessionsHave(n, "already"))
	}
	for _, id := range slices.Sorted(maps.Keys(m.Failed)) {
		message, detail := split(m.Failed[id])
		p.warn("session " + id + ": " + (&sentenceJSON{Message: message, Detail: detail}).sentence())
	}
	for _, k := range m.Dropped {
		p.say("the key in slot %s is forgotten: nothing needs it any more", k)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Kept)) {
		p.warn("the key in slot " + k.String() + " could not be forgotten: " + m.Kept[k].Error())
	}
}

func sessionsHave(n int, when string) string {
	if n == 1 {
		return "1 session " + when + " has"
	}
	return fmt.Sprintf("%d sessions %s have", n, when)
}

// level says in words what a slot protects against, for status.
func level(k keyslot.Kind, warm bool, goos string) string {
	switch {
	case k == keyslot.File:
		return "file (a key file, 0600: protects a copied session file, not against programs that run as you)"
	case k == keyslot.Given:
		return "given (COGNITO_CREDHELPER_KEY)"
	case goos == "windows":
		return k.String() + " (DPAPI)"
	case goos == "darwin":
		return k.String() + " (Keychain: every answer goes through the complete program; slot file is the fast one)"
	case k == keyslot.OSStrict:
		return "os-strict (Secret Service, no copy: every answer asks the keyring)"
	case warm:
		return "os (Secret Service, with a copy in the kernel's user keyring until 8 h after its last use)"
	default:
		return "os (Secret Service; the kernel takes no copy, so every answer asks the keyring)"
	}
}

// storedIn says how a new session is protected, and why it is not otherwise.
func storedIn(k keyslot.Kind, instead error) string {
	where := "a file protected by a key in slot " + k.String()
	if k == keyslot.File {
		where = "a file protected by a key file (0600)"
	}
	if instead == nil {
		return where
	}
	message, detail := split(instead)
	return where + ", since " + (&sentenceJSON{Message: message, Detail: detail}).sentence()
}
