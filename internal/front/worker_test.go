//go:build unix

package front

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
	"github.com/cognito-credhelper/cognito-credhelper/internal/handover"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// fakeWorker answers as told, and changes the store as a worker does before it answers.
type fakeWorker struct {
	reply string
	err   error // of waiting
	fails error // nothing is started
	does  func(*fakeStore)

	program string
	jobs    []tokensource.Job
	raw     []byte
	waited  bool
}

func (w *fakeWorker) on(b *bench) *bench {
	b.readAnswer = func(descriptor int) string {
		fd, err := syscall.Dup(descriptor) // the file itself is the front's
		if err != nil {
			b.t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "answer")
		defer f.Close()
		answer, err := io.ReadAll(f)
		if err != nil {
			b.t.Error(err)
		}
		return string(answer)
	}
	b.worker = func(program string, environ []string, lock *os.File, job []byte) (func(context.Context) ([]byte, error), error) {
		if w.fails != nil {
			return nil, w.fails
		}
		if lock == nil || b.store.unlocks > 0 {
			b.t.Error("the worker does not get the lock")
		}
		d := json.NewDecoder(bytes.NewReader(job))
		d.DisallowUnknownFields()
		var j tokensource.Job
		if err := d.Decode(&j); err != nil {
			b.t.Errorf("%s: %v", job, err)
		}
		w.program, w.raw = program, append([]byte(nil), job...)
		w.jobs = append(w.jobs, j)
		return func(ctx context.Context) ([]byte, error) {
			w.waited = true
			if _, bounded := ctx.Deadline(); !bounded {
				b.t.Error("waiting without a deadline")
			}
			if b.store.unlocks != 1 {
				b.t.Errorf("our copy of the lock was let go %d times", b.store.unlocks)
			}
			if w.does != nil {
				w.does(b.store)
			}
			return []byte(w.reply), w.err
		}, nil
	}
	return b
}

func renewed(s *fakeStore) { s.session = withTokens(fresh, life(time.Hour, 0)) }

func TestWorkerRenews(t *testing.T) {
	w := &fakeWorker{reply: detach.Saved, does: renewed}
	s := &fakeStore{session: expired()}
	s.session.HotGeneration = 1<<64 - 1
	b := w.on(newBench(t, s))
	b.wantAnswer(b.run("x token --profile dev"), fresh)
	want := []tokensource.Job{{Format: 1, Session: sessionID, Generation: 1<<64 - 1, Selection: profiles.Selection{Name: "dev", Named: true}, Work: "refresh"}}
	if !reflect.DeepEqual(w.jobs, want) {
		t.Errorf("the job is %+v", w.jobs)
	}
	if filepath.Base(w.program) != coreName {
		t.Errorf("started %s", w.program)
	}
}

func TestWorkerMakesAWSCredentials(t *testing.T) {
	w := &fakeWorker{reply: detach.Saved, does: func(s *fakeStore) { s.session = withAWS("ASIAFRESH", life(time.Hour, 0)) }}
	b := w.on(newBench(t, &fakeStore{session: withAWS("ASIAOLD", life(time.Hour, 2*time.Hour))}))
	b.wantAnswer(b.run("x credential-process"), "ASIAFRESH")
	if len(w.jobs) != 1 || w.jobs[0].Work != "exchange "+record || w.jobs[0].Selection != (profiles.Selection{Name: "default"}) {
		t.Errorf("the job is %+v", w.jobs)
	}
}

func TestWorkerRenewsForAHost(t *testing.T) {
	host, err := profiles.ParseHost("git.example.com")
	if err != nil {
		t.Fatal(err)
	}
	w := &fakeWorker{reply: detach.Saved, does: renewed}
	b := w.on(newBench(t, &fakeStore{session: expired()}))
	b.table = []profileindex.Bound{{Binding: profiles.Binding{Host: "git.example.com", Kind: "access"}, Profile: "bound", SessionID: sessionID}}
	b.adapters = []protocol.Adapter{asks(host)}
	b.wantAnswer(b.run("x asks"), fresh)
	if len(w.jobs) != 1 || w.jobs[0].Selection != (profiles.Selection{Name: "bound", Named: true}) {
		t.Errorf("the job is %+v", w.jobs)
	}
}

func TestWorkerDerivesForAHost(t *testing.T) {
	host, err := profiles.ParseHost("registry.example.com")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, &fakeStore{session: withAWS("ASIA", life(time.Hour, 0))})
	derived := tokencache.DerivedRecord("ecr", record, tokencache.DerivedPlace("ecr", host.Authority(), host.Path, ""))
	w := &fakeWorker{reply: detach.Saved, does: func(s *fakeStore) {
		s.session = withAWS("ASIA", life(time.Hour, 0))
		made := token.AWSCredentials{AccessKeyID: "AWS", SecretAccessKey: token.NewSecret("derived"), Lifetime: life(time.Hour, 0)}
		s.session.Hot.Credentials = append(s.session.Hot.Credentials, tokencache.Credentials{Record: derived, AWS: made})
	}}
	w.on(b)
	b.table = []profileindex.Bound{{Binding: profiles.Binding{Host: host.Name, Kind: "ecr"}, Profile: "bound", SessionID: sessionID}}
	b.adapters = []protocol.Adapter{asks(host)}
	b.wantAnswer(b.run("x asks"), "derived")
	if len(w.jobs) != 1 || w.jobs[0].Selection != (profiles.Selection{Name: "bound", Named: true}) || w.jobs[0].Work != tokencache.DeriveWork(derived) {
		t.Errorf("the job is %+v", w.jobs)
	}
}

// asks is an adapter that asks for a host's credential.
func asks(host profiles.Host) protocol.Adapter {
	return protocol.Adapter{Verb: "asks", Serve: func(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
		found, err := s.HostCredential(ctx, protocol.HostRequest{Host: host})
		if err == nil {
			_, err = io.WriteString(c.Out, found.Token.Value.Reveal())
		}
		return protocol.Result{Err: err}
	}}
}

// What is written here by hand is what the complete program would write.
func TestJobIsTheCompleteProgramsOwn(t *testing.T) {
	for _, s := range []stale{
		{id: "s", works: []string{"refresh"}},
		{id: `"\` + "\n\u2028é😀", generation: 7, selection: profiles.Selection{Name: `p"\ ` + "\t", Named: true, Location: "/f"}, works: []string{"refresh", "exchange x/y"}},
	} {
		want, err := json.Marshal(tokensource.Job{Format: 1, Session: s.id, Generation: s.generation, Selection: s.selection, Work: s.works[len(s.works)-1]})
		if got := s.job(); err != nil || string(got) != string(want) {
			t.Errorf("%s, want %s, %v", got, want, err)
		}
	}
}

// The small worker is started where it stands beside the complete program, and only for what it can do.
func TestWorkerFor(t *testing.T) {
	core := filepath.Join(t.TempDir(), coreName)
	small := filepath.Join(filepath.Dir(core), workerName)
	for _, c := range []struct {
		name string
		make func() error
		work string
		want string
	}{
		{"none", func() error { return nil }, "refresh", core},
		{"no file", func() error { return os.Mkdir(small, 0o700) }, "refresh", core},
		{"tokens", func() error { return errors.Join(os.Remove(small), os.WriteFile(small, nil, 0o700)) }, "refresh", small},
		{"AWS credentials", func() error { return nil }, "exchange " + record, small},
		{"a registry's token", func() error { return nil }, tokencache.DeriveWork(tokencache.DerivedRecord("ecr", record, "host")), core},
	} {
		if err := c.make(); err != nil {
			t.Fatal(err)
		}
		if got := workerFor(core, c.work); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestDueIsRenewedBehind(t *testing.T) {
	w := &fakeWorker{}
	b := w.on(newBench(t, &fakeStore{session: withTokens(old, life(time.Hour, 57*time.Minute))}))
	b.wantAnswer(b.run("x token"), old)
	if len(w.jobs) != 1 || w.waited || b.store.unlocks != 1 {
		t.Errorf("%d jobs, waited %v, %d unlocks", len(w.jobs), w.waited, b.store.unlocks)
	}
}

// Whoever waited for it takes what was just issued, however short its life.
func TestWorkerRenewsForALongerLifeThanThereIs(t *testing.T) {
	w := &fakeWorker{reply: detach.Saved, does: func(s *fakeStore) {
		l := life(time.Hour, 0)
		l.Boot = present.Boot - 30*time.Minute
		s.session = withTokens(fresh, l)
	}}
	b := w.on(newBench(t, &fakeStore{session: expired()}))
	b.wantAnswer(b.run("x token --min-ttl 59m"), fresh)
}

// Whatever is to be told, the complete program tells it.
func TestWhatTheWorkerSaysGoesAlong(t *testing.T) {
	for name, w := range map[string]*fakeWorker{
		"an error":                    {reply: `{"format":1,"error":{"kind":3,"message":"m"},"saved":true}`},
		"saved elsewhere":             {reply: `{"format":1,"saved":true,"spilled":"/f","why":"w"}`, does: renewed},
		"saved nowhere":               {reply: `{"format":1,"saved":false,"hot":{"access":{"value":"only.here"}}}`},
		"no answer":                   {err: detach.ErrNoAnswer, does: begun},
		"no answer in time":           {err: context.DeadlineExceeded},
		"saved, but nothing is found": {reply: detach.Saved},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.on(newBench(t, &fakeStore{session: expired()}))
			exit := b.run("x token")
			b.wantCore(exit, false, true)
			if want := string(w.raw) + "\n" + w.reply; b.core.answer != want || len(w.raw) == 0 {
				t.Errorf("handed over %q, want %q", b.core.answer, want)
			}
		})
	}
}

// begun is what a worker does before it asks.
func begun(s *fakeStore) {
	s.attempts = map[string]tokencache.Attempt{"refresh": {Outcome: tokencache.Running, Started: present.Wall}}
}

// A file that is no worker keeps nobody from a renewal.
func TestWorkerThatNeverBegan(t *testing.T) {
	w := &fakeWorker{err: detach.ErrNoAnswer}
	b := w.on(newBench(t, &fakeStore{session: expired(), attempts: map[string]tokencache.Attempt{
		"refresh": {Outcome: tokencache.Running, Started: present.Wall.Add(-time.Second)}, // an earlier one's
	}}))
	b.wantCore(b.run("x token"), false, true)
	if b.core.answer != "" {
		t.Errorf("handed over %q", b.core.answer)
	}
}

func TestInterruptedWhileItWaits(t *testing.T) {
	w := &fakeWorker{err: context.Canceled}
	b := w.on(newBench(t, &fakeStore{session: expired()}))
	if exit := b.run("x token"); exit != 130 || b.core != nil || b.out.Len() > 0 || b.err.String() != "cognito-credhelper: interrupted\n" {
		t.Errorf("exit %d, core %+v, stdout %q, stderr %q", exit, b.core, b.out.String(), b.err.String())
	}
}

// Where the complete program would do anything but start a worker, it gets the lock.
func TestNoWorkerFromHere(t *testing.T) {
	failed := map[string]tokencache.Attempt{"refresh": {Outcome: tokencache.Transient, Ended: present.Wall.Add(-time.Hour)}}
	spill := withTokens(fresh, life(time.Hour, 0))
	spill.Spilled = true
	for name, c := range map[string]struct {
		store fakeStore
		key   string
		fails error
	}{
		"the last try failed":      {store: fakeStore{session: expired(), attempts: failed}},
		"it is only to be settled": {store: fakeStore{session: expired(), spill: spill}},
		"a key is given":           {store: fakeStore{session: expired()}, key: strings.Repeat("0", 64)},
		"none can be started":      {store: fakeStore{session: expired()}, fails: errors.New("no process")},
	} {
		t.Run(name, func(t *testing.T) {
			w := &fakeWorker{fails: c.fails}
			b := w.on(newBench(t, &c.store))
			b.env[keyslot.Variable] = c.key
			b.wantCore(b.run("x token"), true, false)
			if len(w.jobs) > 0 || b.core.offer.Answer != handover.None {
				t.Errorf("jobs %+v, handed over %+v", w.jobs, b.core.offer)
			}
		})
	}
}

func TestConsumedInputGoesAlongWithTheAnswer(t *testing.T) {
	w := &fakeWorker{err: detach.ErrNoAnswer, does: begun}
	b := w.on(newBench(t, &fakeStore{session: expired()}))
	b.adapters = []protocol.Adapter{readsInput()}
	b.in = strings.NewReader("line 1line 2")
	b.wantCore(b.run("x reads"), false, true)
	if b.core.replay != "line 1" || !strings.HasSuffix(b.core.answer, "\n") {
		t.Errorf("replayed %q, answer %q", b.core.replay, b.core.answer)
	}
}
