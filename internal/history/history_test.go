package history

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func call(i int) Call {
	return Call{Time: time.Unix(int64(1000+i), 0).UTC(), Operation: "InitiateAuth", RequestID: strconv.Itoa(i)}
}

func folder(t *testing.T) string { return filepath.Join(t.TempDir(), "state") }

func TestTheLastCallsStay(t *testing.T) {
	where := folder(t)
	if _, err := Open(where).Calls(); !IsNone(err) {
		t.Fatal(err)
	}
	if err := Open(where).Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(where); err == nil {
		t.Error("nothing was called, and the folder is there")
	}
	for i := range Limit + 5 {
		l := Open(where)
		l.Note(call(i))
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	calls, err := Open(where).Calls()
	if err != nil || len(calls) != Limit || calls[0].RequestID != "5" || calls[Limit-1].RequestID != "24" || !calls[0].Time.Equal(call(5).Time) {
		t.Errorf("%v, %v", calls, err)
	}
	if err := Open(where).Clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(where).Calls(); !IsNone(err) {
		t.Error(err)
	}
	if err := Open(where).Clear(); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestFolderThatWasRemovedStaysRemoved(t *testing.T) {
	where := folder(t)
	l := Open(where)
	l.Note(call(1))
	if err := l.FlushBehind(); err == nil {
		t.Error("nothing was said")
	}
	if _, err := os.Lstat(where); err == nil {
		t.Error("the folder is there again")
	}
	if err := os.Mkdir(where, 0o700); err != nil {
		t.Fatal(err)
	}
	l.Note(call(2))
	if err := l.FlushBehind(); err != nil {
		t.Fatal(err)
	}
	if calls, err := Open(where).Calls(); err != nil || len(calls) != 1 {
		t.Errorf("%v, %v", calls, err)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	where := folder(t)
	var wg sync.WaitGroup
	for i := range Limit {
		wg.Go(func() {
			l := Open(where)
			l.Note(call(i))
			err := l.Flush()
			for errors.Is(err, context.DeadlineExceeded) { // a busy machine: it waits for no lock for long, and keeps what it has
				err = l.Flush()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	calls, err := Open(where).Calls()
	if err != nil || len(calls) != Limit {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	for i, c := range calls {
		if c.RequestID != strconv.Itoa(i) {
			t.Errorf("call %d is %s", i, c.RequestID)
		}
	}
}

func TestServerTextIsMadeSafe(t *testing.T) {
	l := Open(folder(t))
	l.Note(Call{Code: "a\x1b[2Jb", RequestID: "x\u202ey"})
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	calls, err := l.Calls()
	if err != nil || calls[0].Code == "a\x1b[2Jb" || calls[0].RequestID == "x\u202ey" {
		t.Errorf("%+v, %v", calls, err)
	}
}

func TestADamagedFileIsSaidAndReplaced(t *testing.T) {
	l := Open(folder(t))
	l.Note(call(1))
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.path(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Calls(); token.KindOf(err) != token.Failure || IsNone(err) {
		t.Error(err)
	}
	l.Note(call(2))
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if calls, err := l.Calls(); err != nil || len(calls) != 1 || calls[0].RequestID != "2" {
		t.Errorf("%v, %v", calls, err)
	}
}

// An older program leaves alone what a newer one wrote.
func TestNewerFormatIsLeftAlone(t *testing.T) {
	folder := t.TempDir()
	newer := []byte(`{"format":2,"calls":[],"more":1}`)
	path := filepath.Join(folder, "history.json")
	if err := os.WriteFile(path, newer, 0o600); err != nil {
		t.Fatal(err)
	}
	l := Open(folder)
	l.Note(Call{Operation: "InitiateAuth"})
	if err := l.Flush(); token.KindOf(err) != token.BadProfile {
		t.Errorf("flush: %v", err)
	}
	if _, err := l.Calls(); token.KindOf(err) != token.BadProfile {
		t.Errorf("read: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != string(newer) {
		t.Errorf("the file became %s, %v", got, err)
	}
}
