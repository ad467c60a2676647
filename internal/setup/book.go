package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Book remembers what was set up, one small file for each thing, so that Undo takes out exactly that, and what two tools share
// only with the last of them. The files are private: they hold what a line replaced. Two processes that set up the same thing at
// once leave one record of it. A record of a newer version is left alone, and so is what it is about.
type Book struct{ folder string }

// bookFormat is the format of the book's files. Members may be added to it; whatever else changes counts it up.
const bookFormat = 1

// OpenBook gives the book in a folder of the state, which is made when it is first written to.
func OpenBook(folder string) Book { return Book{folder} }

// Task is one host, or one profile, that is set up for one tool.
type Task struct {
	Tool    string
	Name    string // the host's place, or the profile
	Profile string
	Steps   []Step // in the order in which they are done

	recorded bool
	order    int
}

// taskRecord is a file of the book.
type taskRecord struct {
	Format              int
	Tool, Name, Profile string
	Order               int      // counts up, so that the last is undone first
	Uses                []string // the steps that setup made
}

// stepRecord is a file of the book.
type stepRecord struct {
	Format  int
	Kind    Kind
	File    string
	Want    Want
	Target  string `json:",omitempty"`
	Patch   patch
	NewFile bool   `json:",omitempty"`
	OldLink string `json:",omitempty"`
}

func (r stepRecord) step() Step {
	f, _ := formatOf(r.Kind)
	s := Step{Kind: r.Kind, File: r.File, format: f, want: r.Want, target: r.Target}
	s.Lines = s.show()
	return s
}

// InFile is the step that writes one line, by the rules of its kind.
func InFile(k Kind, file string, w Want) Step {
	f, _ := formatOf(k)
	s := Step{Kind: k, File: file, format: f, want: w}
	s.Lines = s.show()
	return s
}

func (s Step) show() []string {
	if s.Kind == Link {
		return []string{s.File + " -> " + s.target}
	}
	return s.format.show(s.want)
}

func key(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

func (s Step) key() string {
	return "step-" + key(string(s.Kind), s.File, s.want.Host.Place(), s.want.Name, s.want.Key)
}
func (t Task) key() string { return "task-" + key(t.Tool, t.Name) }

// Check works out what each step would do, and marks those that stand. It writes nothing. A *ForeignError says that something
// else answers already; force passes over that.
func (t *Task) Check(force bool) error {
	for i := range t.Steps {
		s := &t.Steps[i]
		s.want.Force = force
		if s.Kind == Link {
			standing, err := s.standingLink(force)
			if err != nil {
				return err
			}
			s.Standing = standing
			continue
		}
		p, err := planFile(s.File, s.format, s.want, s.format.add)
		if err != nil {
			return err
		}
		s.Standing = !p.differs()
	}
	return nil
}

// Do carries the steps out, in their order, and records each before the next. What stands already stays whose it was. After an
// error the steps before it are done, and recorded.
func (b Book) Do(t Task) error {
	if err := b.readable(t); err != nil {
		return err
	}
	record := taskRecord{Format: bookFormat, Tool: t.Tool, Name: t.Name, Profile: t.Profile}
	tasks, err := b.tasks()
	if err != nil {
		return err
	}
	for _, other := range tasks {
		record.Order = max(record.Order, other.Order+1)
		if other.Tool == t.Tool && other.Name == t.Name {
			record.Uses = other.Uses
		}
	}
	for _, s := range t.Steps {
		made, err := b.do(s)
		if err != nil {
			return err
		}
		if _, known := b.step(s.key()); (made || known) && !slices.Contains(record.Uses, s.key()) {
			record.Uses = append(record.Uses, s.key())
		}
		if err := b.save(t.key(), record); err != nil {
			return err
		}
	}
	return nil
}

func (b Book) do(s Step) (made bool, err error) {
	record := stepRecord{Format: bookFormat, Kind: s.Kind, File: s.File, Want: s.want, Target: s.target}
	if s.Kind == Link {
		if standing, err := s.standingLink(s.want.Force); err != nil || standing {
			return false, err
		}
		if record.OldLink, err = s.makeLink(); err != nil {
			return false, err
		}
		return true, b.save(s.key(), record)
	}
	p, err := planFile(s.File, s.format, s.want, s.format.add)
	if err != nil || !p.differs() {
		return false, err
	}
	if err := p.write(); err != nil {
		return false, err
	}
	record.Patch, record.NewFile = patchOf(p.old, p.new), p.change.NewFile
	if before, known := b.step(s.key()); known {
		record.Patch, record.NewFile = patch{}, before.NewFile // our line before this one is nothing to go back to
	}
	return true, b.save(s.key(), record)
}

// Tasks lists what is recorded for a tool, the newest first; "" means every tool.
func (b Book) Tasks(tool string) ([]Task, error) {
	records, err := b.tasks()
	if err != nil {
		return nil, err
	}
	var found []Task
	for _, r := range records {
		if tool != "" && r.Tool != tool {
			continue
		}
		t := Task{Tool: r.Tool, Name: r.Name, Profile: r.Profile, recorded: true, order: r.Order}
		for _, k := range r.Uses {
			if s, ok := b.step(k); ok {
				t.Steps = append(t.Steps, s.step())
			}
		}
		found = append(found, t)
	}
	slices.SortFunc(found, func(a, b Task) int { return b.order - a.order })
	return found, nil
}

// Undo takes out what setup did for t, the last step first, and gives what it took out. What another task still uses stays. A
// file that nobody changed since becomes what it was, byte for byte; of any other only our line goes. For a t that the book
// does not know only the tool's own lines go. unbind takes the binding out even if setup did not add it.
func (b Book) Undo(t Task, unbind bool) (done []Step, err error) {
	if err := b.readable(t); err != nil {
		return nil, err
	}
	others, err := b.Tasks("")
	if err != nil {
		return nil, err
	}
	others = slices.DeleteFunc(others, func(o Task) bool { return o.key() == t.key() })
	for _, s := range slices.Backward(t.Steps) {
		shared := slices.ContainsFunc(others, func(o Task) bool {
			return slices.ContainsFunc(o.Steps, func(u Step) bool { return u.key() == s.key() })
		})
		record, known := b.step(s.key())
		line := s.Kind != Link && s.Kind != Binding
		if shared || !known && !(line && !t.recorded) && !(s.Kind == Binding && unbind) {
			continue
		}
		if !known {
			record = stepRecord{Kind: s.Kind, File: s.File, Want: s.want, Target: s.target}
		}
		changed, err := undo(record)
		if err != nil {
			return done, err
		}
		if changed {
			done = append(done, s)
		}
		if err := b.drop(s.key()); err != nil {
			return done, err
		}
	}
	return done, b.drop(t.key())
}

func undo(r stepRecord) (changed bool, err error) {
	s := r.step()
	if r.Kind == Link {
		return s.unlink(r.OldLink)
	}
	p, err := planFile(r.File, s.format, r.Want, func(data []byte, w Want) ([]byte, *refusal) {
		if before, ok := r.Patch.revert(data); ok {
			return before, nil
		}
		return s.format.remove(data, w)
	})
	if err != nil || !p.differs() {
		return false, err
	}
	if r.NewFile && len(p.new) == 0 {
		if err := os.Remove(p.change.File); err != nil {
			return false, p.failed(err)
		}
		return true, nil
	}
	return true, p.write()
}

func (b Book) tasks() ([]taskRecord, error) {
	entries, err := os.ReadDir(b.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, b.failed(err)
	}
	var found []taskRecord
	for _, e := range entries {
		var r taskRecord
		if strings.HasPrefix(e.Name(), "task-") && strings.HasSuffix(e.Name(), ".json") && b.load(e.Name(), &r) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (b Book) step(k string) (stepRecord, bool) {
	var r stepRecord
	ok := b.load(k+".json", &r)
	if _, known := formatOf(r.Kind); !known && r.Kind != Link {
		return r, false // of a newer version
	}
	return r, ok
}

// load is false for a record that cannot be read: then nothing is known, and nothing is taken out.
func (b Book) load(name string, into any) bool {
	data, err := os.ReadFile(filepath.Join(b.folder, name))
	return err == nil && !newer(data) && json.Unmarshal(data, into) == nil
}

// newer reports whether a record is of a format that this version does not know.
func newer(record []byte) bool {
	var r struct{ Format int }
	return json.Unmarshal(record, &r) == nil && r.Format > bookFormat
}

// readable fails where a newer version noted the task or one of its steps: what it knows would be lost.
func (b Book) readable(t Task) error {
	keys := []string{t.key()}
	for _, s := range t.Steps {
		keys = append(keys, s.key())
	}
	for _, k := range keys {
		file := filepath.Join(b.folder, k+".json")
		if data, err := os.ReadFile(file); err == nil && newer(data) {
			return &profiles.FileError{File: file, Problem: "a newer version of this program noted there what it set up", Next: "use that version for it"}
		}
	}
	return nil
}

func (b Book) save(k string, record any) error {
	data, err := json.Marshal(record)
	if err == nil {
		err = os.MkdirAll(b.folder, 0o700)
	}
	if err == nil {
		err = atomicfile.Write(filepath.Join(b.folder, k+".json"), append(data, '\n'))
	}
	return b.failed(err)
}

func (b Book) drop(k string) error {
	return b.failed(atomicfile.Remove(filepath.Join(b.folder, k+".json")))
}

func (b Book) failed(err error) error {
	if err == nil {
		return nil
	}
	return &profiles.FileError{File: b.folder, Problem: "what setup did cannot be noted there", Next: "ls -ld " + profiles.ShellWord(b.folder), Err: cause(err)}
}
