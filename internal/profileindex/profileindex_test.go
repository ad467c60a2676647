package profileindex

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// setup is a state folder, two files that were changed an hour ago, and their stamps. The change time cannot be set, so
// that tests ask Save as if it were an hour later.
type setup struct {
	folder, credentials, config string
	consulted                   []profiles.FileStamp
	selection                   profiles.Selection
	later                       time.Time
}

func newSetup(t *testing.T) setup {
	t.Helper()
	home := t.TempDir()
	s := setup{
		folder: filepath.Join(t.TempDir(), "state"), credentials: filepath.Join(home, "credentials"), config: filepath.Join(home, "config"),
		selection: profiles.Selection{Name: "dev", Named: true}, later: time.Now().Add(time.Hour),
	}
	if err := os.WriteFile(s.config, []byte("[profile dev]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.credentials, s.config} {
		stamp, err := profiles.Stamp(path)
		if err != nil {
			t.Fatal(err)
		}
		s.consulted = append(s.consulted, stamp)
	}
	if !s.consulted[0].Absent || s.consulted[1].Absent {
		t.Fatalf("stamps %+v", s.consulted)
	}
	return s
}

var answer = Answer{SessionID: "session", AWSRecord: "record", MinTTL: 7 * time.Minute}

func (s setup) save(t *testing.T) {
	t.Helper()
	if err := Save(s.folder, s.selection, s.credentials, s.config, s.consulted, answer, s.later); err != nil {
		t.Fatal(err)
	}
}

func (s setup) load() (Answer, bool) {
	return Load(s.folder, s.selection, s.credentials, s.config)
}

func (s setup) file() string {
	return key{s.selection.Name, s.credentials, s.config}.path(s.folder)
}

func TestAnswerIsKept(t *testing.T) {
	s := newSetup(t)
	if _, ok := s.load(); ok {
		t.Fatal("an answer before any was kept")
	}
	s.save(t)
	if got, ok := s.load(); !ok || got != answer {
		t.Errorf("got %+v %v", got, ok)
	}
	if runtime.GOOS != "windows" {
		for path, mode := range map[string]os.FileMode{s.file(): 0o600, filepath.Dir(s.file()): 0o700 | os.ModeDir} {
			if info, err := os.Stat(path); err != nil || info.Mode() != mode {
				t.Errorf("%s: %v %v", path, info.Mode(), err)
			}
		}
	}
	other := s
	other.selection.Name = "prod"
	if _, ok := other.load(); ok {
		t.Error("an answer for another profile")
	}
	other = s
	other.config = s.credentials
	if _, ok := other.load(); ok {
		t.Error("an answer for other files")
	}
	other = s
	other.selection.Location = s.config
	if _, ok := other.load(); ok {
		t.Error("an answer for a location")
	}
}

// Any difference of any consulted file voids the answer.
func TestAnyChangeVoids(t *testing.T) {
	for name, change := range map[string]func(s setup) error{
		"touched":          func(s setup) error { return os.Chtimes(s.config, time.Time{}, time.Now().Add(time.Minute)) },
		"longer":           func(s setup) error { return os.WriteFile(s.config, []byte("[profile dev]\n\n"), 0o600) },
		"removed":          func(s setup) error { return os.Remove(s.config) },
		"appeared":         func(s setup) error { return os.WriteFile(s.credentials, nil, 0o600) },
		"appeared, broken": func(s setup) error { return os.Mkdir(s.credentials, 0o700) },
		"replaced by an equal file with equal times": func(s setup) error {
			copied := s.config + "2"
			if err := os.WriteFile(copied, []byte("[profile dev]\n"), 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(copied, time.Time{}, time.Unix(0, s.consulted[1].MTime)); err != nil {
				return err
			}
			return os.Rename(copied, s.config)
		},
		"written with the old time set back": func(s setup) error {
			// The change time of the file system's clock moves on with the write; wait until it has.
			for {
				if err := os.WriteFile(s.config, []byte("[profile DEV]\n"), 0o600); err != nil {
					return err
				}
				if err := os.Chtimes(s.config, time.Time{}, time.Unix(0, s.consulted[1].MTime)); err != nil {
					return err
				}
				now, err := profiles.Stamp(s.config)
				if err != nil || now.CTime != s.consulted[1].CTime || runtime.GOOS == "windows" {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && name == "written with the old time set back" {
				t.Skip("no change time here")
			}
			s := newSetup(t)
			s.save(t)
			if _, ok := s.load(); !ok {
				t.Fatal("not kept")
			}
			if err := change(s); err != nil {
				t.Fatal(err)
			}
			if got, ok := s.load(); ok {
				t.Errorf("still %+v", got)
			}
		})
	}
}

func TestYoungFilesAreNotKept(t *testing.T) {
	s := newSetup(t)
	written := time.Unix(0, max(s.consulted[1].MTime, s.consulted[1].CTime))
	for _, test := range []struct {
		now  time.Time
		kept bool
	}{{written, false}, {written.Add(age - time.Nanosecond), false}, {written.Add(age), true}} {
		if err := Save(s.folder, s.selection, s.credentials, s.config, s.consulted, answer, test.now); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.load(); ok != test.kept {
			t.Errorf("at %v: kept %v", test.now.Sub(written), ok)
		}
	}
}

func TestNothingIsKept(t *testing.T) {
	s := newSetup(t)
	located := s.selection
	located.Location = s.config
	for _, err := range []error{
		Save(s.folder, located, s.credentials, s.config, s.consulted, answer, s.later),
		Save(s.folder, s.selection, s.credentials, s.config, nil, answer, s.later),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(s.folder); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}

func TestOddFilesAreRejected(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes, links, and FIFOs of Unix")
	}
	for name, spoil := range map[string]func(path string) error{
		"readable by the group": func(p string) error { return os.Chmod(p, 0o640) },
		"writable by others":    func(p string) error { return os.Chmod(p, 0o602) },
		"empty":                 func(p string) error { return os.Truncate(p, 0) },
		"cut":                   func(p string) error { return os.Truncate(p, 40) },
		"too large":             func(p string) error { return os.Truncate(p, sizeLimit+1) },
		"a folder": func(p string) error {
			os.Remove(p)
			return os.Mkdir(p, 0o700)
		},
		"a link": func(p string) error {
			if err := os.Rename(p, p+"x"); err != nil {
				return err
			}
			return os.Symlink(p+"x", p)
		},
		"a FIFO": func(p string) error {
			os.Remove(p)
			return fifo(p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t)
			s.save(t)
			if err := spoil(s.file()); err != nil {
				t.Fatal(err)
			}
			if got, ok := s.load(); ok {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Whatever single byte of an index is changed, nothing is answered.
func TestEveryByteCounts(t *testing.T) {
	s := newSetup(t)
	good := encode(record{key{"dev", s.credentials, s.config}, answer, s.consulted})
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if r, ok := decode(bad); ok {
			t.Errorf("byte %d: %+v", i, r)
		}
	}
}

// A newer program may append what this one does not know, and may say that this one must not read.
func TestNewerFormats(t *testing.T) {
	body := encode(record{key{"a", "b", "c"}, answer, []profiles.FileStamp{{Path: "p"}}})
	body = body[:len(body)-sumSize]
	seal := func(b []byte) []byte { return append(b, checksum(b)...) }
	newer := append(bytes.Clone(body), "more"...)
	newer[len(magic)] = 2
	if r, ok := decode(seal(newer)); !ok || r.answer != answer {
		t.Errorf("what was appended is in the way: %+v %v", r, ok)
	}
	newer[len(magic)+1] = 2
	if _, ok := decode(seal(bytes.Clone(newer))); ok {
		t.Error("min_reader 2 was read")
	}
}

func TestAtMost256Files(t *testing.T) {
	s := newSetup(t)
	s.save(t)
	index := filepath.Dir(s.file())
	for i := range keep + 5 {
		path := filepath.Join(index, filePrefix+strconv.Itoa(i)+fileSuffix)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-1000) * time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for name, at := range map[string]time.Time{tempPrefix + "old": time.Now().Add(-2 * tempAge), tempPrefix + "new": time.Now(), "foreign": time.Unix(0, 0)} {
		path := filepath.Join(index, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	s.save(t)
	names := map[string]bool{}
	entries, err := os.ReadDir(index)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names[e.Name()] = true
	}
	if _, ok := s.load(); !ok || len(names) != keep+2 || names["p-5.idx"] || !names["p-6.idx"] || names[tempPrefix+"old"] || !names[tempPrefix+"new"] || !names["foreign"] {
		t.Errorf("kept %d: %v", len(names), names)
	}
}

// Readers meet the old or the new answer, and never half of one.
func TestManyWriters(t *testing.T) {
	s := newSetup(t)
	s.save(t)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 20 {
				mine := Answer{SessionID: "session", MinTTL: time.Duration(i)}
				if err := Save(s.folder, s.selection, s.credentials, s.config, s.consulted, mine, s.later); err != nil && runtime.GOOS != "windows" {
					t.Error(err)
				}
				if got, ok := s.load(); !ok && runtime.GOOS != "windows" || ok && got.SessionID != "session" {
					t.Errorf("got %+v %v", got, ok)
				}
			}
		})
	}
	wait.Wait()
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	s := newSetup(t)
	if err := os.WriteFile(s.folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Save(s.folder, s.selection, s.credentials, s.config, s.consulted, answer, s.later); err == nil {
		t.Error("no error")
	}
	if _, ok := s.load(); ok {
		t.Error("an answer")
	}
}

// Property: decode never panics, and what it accepts encodes to the same bytes but for what newer formats append.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("dev"), []byte("more"), true)
	f.Add([]byte{}, []byte{}, false)
	f.Fuzz(func(t *testing.T, name, extra []byte, absent bool) {
		r := record{key{string(name), "c", "d"}, Answer{SessionID: "s", AWSRecord: string(extra)}, []profiles.FileStamp{{Path: string(extra), Absent: absent, Size: int64(len(name)), MTime: -1}}}
		got, ok := decode(encode(r))
		if !ok || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v became %+v %v", r, got, ok)
		}
		raw := append([]byte(magic), name...)
		raw = append(raw, extra...)
		if got, ok := decode(append(raw, checksum(raw)...)); ok && !bytes.HasPrefix(raw[6:], encode(got)[6:len(encode(got))-sumSize]) {
			t.Errorf("%x became %+v", raw, got)
		}
	})
}

func TestNumbersAreLittleEndian(t *testing.T) {
	if got := appendUint64(nil, 0x0102030405060708); binary.LittleEndian.Uint64(got) != 0x0102030405060708 || number(got) != 0x0102030405060708 {
		t.Errorf("%x", got)
	}
}

func BenchmarkLoad(b *testing.B) {
	home, folder := b.TempDir(), b.TempDir()
	config := filepath.Join(home, "config")
	if err := os.WriteFile(config, []byte("x"), 0o600); err != nil {
		b.Fatal(err)
	}
	stamp, err := profiles.Stamp(config)
	if err != nil {
		b.Fatal(err)
	}
	s := profiles.Selection{Name: "dev"}
	if err := Save(folder, s, config+"x", config, []profiles.FileStamp{{Path: config + "x", Absent: true}, stamp}, answer, time.Now().Add(time.Hour)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := Load(folder, s, config+"x", config); !ok {
			b.Fatal("no answer")
		}
	}
}
