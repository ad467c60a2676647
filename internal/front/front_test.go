package front

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/handover"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const (
	sessionID = "session-1"
	record    = "record-1"
	fresh     = "fresh.access.token"
	old       = "old.access.token"
)

// present is the moment of every test here.
var present = token.Instant{Wall: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Boot: 100 * time.Hour}

// life is one that began age ago.
func life(total, age time.Duration) token.Lifetime {
	return token.Lifetime{Issued: present.Wall.Add(-age), Expires: present.Wall.Add(total - age), Boot: present.Boot - age}
}

func withTokens(value string, l token.Lifetime) *tokencache.Session {
	s := &tokencache.Session{ID: sessionID}
	s.Hot.Tokens.Access = token.Token{Value: token.NewSecret(value), Lifetime: l}
	return s
}

func withAWS(id string, l token.Lifetime) *tokencache.Session {
	s := withTokens(old, life(time.Hour, 0))
	s.Hot.Credentials = []tokencache.Credentials{{Record: record, AWS: token.AWSCredentials{AccessKeyID: id,
		SecretAccessKey: token.NewSecret("s"), SessionToken: token.NewSecret("t"), Lifetime: l}}}
	return s
}

// fakeStore is a store in memory. The hooks change it as another process would.
type fakeStore struct {
	session  *tokencache.Session // nil: not there
	spill    *tokencache.Session // nil: none
	attempts map[string]tokencache.Attempt
	busy     bool
	lockErr  error
	onLock   func(*fakeStore)                        // when this process has got the lock
	onWait   func(*fakeStore, context.Context) error // while this process waits; nil must not be waited for
	lockFile func() *os.File

	tries, waits, unlocks int
}

func (s *fakeStore) Load(id string) (*tokencache.Session, error) {
	if s.session == nil || id != sessionID {
		return nil, &token.Error{Kind: token.LoginNeeded, Message: "no session"}
	}
	return s.session, nil
}

func (s *fakeStore) Newer(*tokencache.Session) (*tokencache.Session, bool) {
	return s.spill, s.spill != nil
}

func (s *fakeStore) LastAttempt(id, work string) (tokencache.Attempt, bool) {
	a, ok := s.attempts[work]
	return a, ok && id == sessionID
}

func (s *fakeStore) TryLock(string) (lock, bool, error) {
	s.tries++
	if s.lockErr != nil || s.busy {
		return nil, false, s.lockErr
	}
	if s.onLock != nil {
		s.onLock(s)
	}
	return fakeLock{s}, true, nil
}

func (s *fakeStore) Wait(ctx context.Context, _ string) error {
	s.waits++
	if s.onWait == nil {
		return errors.New("nothing to wait for in this test")
	}
	return s.onWait(s, ctx)
}

type fakeLock struct{ s *fakeStore }

func (l fakeLock) File() *os.File { return l.s.lockFile() }

func (l fakeLock) Unlock() error {
	l.s.unlocks++
	return nil
}

// bench is a front on fakes, with a core that only tells how it was started.
type bench struct {
	t        *testing.T
	store    *fakeStore
	stored   *fakeStore           // nil: empty
	index    *profileindex.Answer // nil: no index
	table    []profileindex.Bound // nil: no table
	in       io.Reader
	adapters []protocol.Adapter
	env      map[string]string
	worker   startWorker // nil: none can be started
	after    func(time.Duration, func())
	// readAnswer reads what is handed over of a worker's answer.
	readAnswer func(descriptor int) string

	asked    []profiles.Selection // of the index
	out, err bytes.Buffer
	core     *started // nil: it was not started
}

type started struct {
	args   []string
	offer  handover.Offer
	replay string
	answer string
}

const coreExit = 42

// patience is what bench's callers have.
const patience = 30 * time.Second

type noInput struct{ t *testing.T }

func (n noInput) Read([]byte) (int, error) {
	n.t.Error("standard input was read")
	return 0, io.EOF
}

func newBench(t *testing.T, s *fakeStore) *bench {
	folder := t.TempDir()
	s.lockFile = func() *os.File {
		f, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	return &bench{t: t, store: s, index: &profileindex.Answer{SessionID: sessionID, AWSRecord: record}, in: noInput{t},
		adapters: all.Adapters(nil), after: after, env: map[string]string{"COGNITO_CREDHELPER_HOME": folder}}
}

func (b *bench) run(line string) int {
	b.t.Helper()
	folder := b.env["COGNITO_CREDHELPER_HOME"]
	core := filepath.Join(folder, coreName)
	if runtime.GOOS == "windows" {
		core += ".exe"
	}
	if err := os.WriteFile(core, nil, 0o700); err != nil {
		b.t.Fatal(err)
	}
	p := process{
		args:       strings.Fields(line),
		getenv:     func(name string) string { return b.env[name] },
		environ:    func() []string { return []string{"A=1", handover.Variable + "=stale"} },
		in:         b.in,
		out:        &b.out,
		err:        &b.err,
		executable: func() (string, error) { return filepath.Join(folder, "cognito-credhelper"), nil },
		adapters:   b.adapters,
		open:       func(string) store { return b.store },
		stored: func(string) store {
			if b.stored == nil {
				return &fakeStore{}
			}
			return b.stored
		},
		hosts: func(string) (profileindex.Hosts, bool) { return profileindex.NewHosts(b.table), b.table != nil },
		lookup: func(_ string, s profiles.Selection) (profileindex.Answer, bool) {
			b.asked = append(b.asked, s)
			if b.index == nil {
				return profileindex.Answer{}, false
			}
			return *b.index, true
		},
		now:     func() token.Instant { return present },
		replace: b.replace,
		worker:  b.worker,
		maxWait: patience,
		quieten: func() {},
		after:   b.after,
	}
	return p.run()
}

func (b *bench) replace(core string, args, env []string, held *os.File) (int, error) {
	b.t.Helper()
	value := strings.TrimPrefix(env[len(env)-1], handover.Variable+"=")
	offer, ok := handover.Parse(value)
	if !ok || len(env) != 2 || env[0] != "A=1" {
		b.t.Errorf("the core's environment is %q", env)
	}
	b.core = &started{args: args, offer: offer}
	if held != nil {
		replay, err := io.ReadAll(held)
		if err != nil {
			b.t.Error(err)
		}
		b.core.replay = string(replay)
		held.Close()
	}
	if offer.Answer != handover.None {
		b.core.answer = b.readAnswer(offer.Answer)
	}
	return coreExit, nil
}

// wantAnswer checks for an answer without the core.
func (b *bench) wantAnswer(exit int, text string) {
	b.t.Helper()
	if b.core != nil || exit != 0 || !strings.Contains(b.out.String(), text) || b.err.Len() > 0 {
		b.t.Errorf("exit %d, core %+v, stdout %q, stderr %q; want the answer %q", exit, b.core, b.out.String(), b.err.String(), text)
	}
}

// wantCore checks for a hand-over, with or without the lock.
func (b *bench) wantCore(exit int, locked, resumed bool) {
	b.t.Helper()
	if b.core == nil || exit != coreExit || b.out.Len() > 0 || b.err.Len() > 0 {
		b.t.Fatalf("exit %d, core %+v, stdout %q, stderr %q; want the core", exit, b.core, b.out.String(), b.err.String())
	}
	if got := b.core.offer.Lock != handover.None; got != (locked && handsLock) || b.core.offer.Resumed != resumed {
		b.t.Errorf("handed over %+v, want lock %v, resumed %v", b.core.offer, locked, resumed)
	}
	if locked && handsLock && b.store.unlocks > 0 {
		b.t.Error("the lock was let go before the core had it")
	}
}

func TestWarm(t *testing.T) {
	s := &fakeStore{session: withTokens(fresh, life(time.Hour, 0))}
	b := newBench(t, s)
	b.wantAnswer(b.run("cognito-credhelper token --profile dev"), fresh+"\n")
	if want := []profiles.Selection{{Name: "dev", Named: true}}; !reflect.DeepEqual(b.asked, want) {
		t.Errorf("the index was asked for %+v", b.asked)
	}
	b = newBench(t, &fakeStore{session: withAWS("ASIAFRESH", life(time.Hour, 0))})
	b.wantAnswer(b.run("/bin/other-name credential-process"), `"AccessKeyId":"ASIAFRESH"`)
	if s.tries > 0 || s.waits > 0 {
		t.Error("a warm answer touched the lock")
	}
}

func TestHandedOverUnread(t *testing.T) {
	for _, line := range []string{
		"cognito-credhelper", "cognito-credhelper --help", "cognito-credhelper login --profile p", "cognito-credhelper no-such-verb get",
		"docker-credential-cognito-dev --no-such-flag", "cognito-credhelper --profile p token",
		"cognito-credhelper token --help", "cognito-credhelper token --nope", "cognito-credhelper token --claims",
		"cognito-credhelper token --username bob", "cognito-credhelper credential-process --profile-location f",
	} {
		b := newBench(t, &fakeStore{session: withTokens(fresh, life(time.Hour, 0))})
		b.wantCore(b.run(line), false, false)
		if b.core != nil && strings.Join(b.core.args, " ") != line {
			t.Errorf("%s: the core got %q", line, b.core.args)
		}
		if len(b.asked) > 0 || b.store.tries > 0 {
			t.Errorf("%s: the front looked for a session", line)
		}
	}
}

func TestNothingToRenew(t *testing.T) {
	dead := withTokens(fresh, life(time.Hour, 0))
	dead.Hot.Dead = &tokencache.Death{Reason: "revoked"}
	for name, c := range map[string]struct {
		session *tokencache.Session
		index   *profileindex.Answer
		line    string
	}{
		"no index":                {withTokens(fresh, life(time.Hour, 0)), nil, "x token"},
		"no session":              {nil, &profileindex.Answer{SessionID: sessionID}, "x token"},
		"ended":                   {dead, &profileindex.Answer{SessionID: sessionID}, "x token"},
		"no way to AWS":           {withTokens(fresh, life(time.Hour, 0)), &profileindex.Answer{SessionID: sessionID}, "x credential-process"},
		"more than a life wanted": {withTokens(fresh, life(time.Hour, 0)), &profileindex.Answer{SessionID: sessionID}, "x token --min-ttl 61m"},
	} {
		b := newBench(t, &fakeStore{session: c.session})
		b.index = c.index
		b.wantCore(b.run(c.line), false, false)
		if b.store.tries > 0 {
			t.Errorf("%s: the lock was tried", name)
		}
	}
	b := newBench(t, &fakeStore{session: withTokens(fresh, life(time.Hour, 0))})
	b.env = map[string]string{"COGNITO_CREDHELPER_HOME": b.env["COGNITO_CREDHELPER_HOME"], handover.Variable: "malformed"}
	b.wantAnswer(b.run("x token"), fresh)
}

// TestFreshness holds the rules of expiry: what is handed out, and what goes to the complete program with the lock.
func TestFreshness(t *testing.T) {
	rejectedToken := withTokens(old, life(time.Hour, 0))
	rejectedToken.Hot.Rejected = []tokencache.Rejected{{Hash: sha256.Sum256([]byte(old)), At: present.Wall}}
	otherRejected := withTokens(old, life(time.Hour, 0))
	otherRejected.Hot.Rejected = []tokencache.Rejected{{Hash: sha256.Sum256([]byte("another")), At: present.Wall}}
	bootExpired := withTokens(old, life(time.Hour, 0)) // the wall clock was put back: only the boot clock knows
	bootExpired.Hot.Tokens.Access.Lifetime.Boot = present.Boot - time.Hour
	rebooted := withTokens(old, life(time.Hour, 0))
	rebooted.Hot.Tokens.Access.Lifetime.Boot = present.Boot + time.Hour
	tried := func(ago time.Duration, works ...string) map[string]tokencache.Attempt {
		m := map[string]tokencache.Attempt{}
		for _, w := range works {
			m[w] = tokencache.Attempt{Work: w, Started: present.Wall.Add(-ago), Outcome: tokencache.Transient}
		}
		return m
	}
	refreshed := tried(time.Second, "refresh")
	refreshed["refresh"] = tokencache.Attempt{Work: "refresh", Started: present.Wall.Add(-time.Second), Outcome: tokencache.Done}
	for _, c := range []struct {
		name     string
		session  *tokencache.Session
		attempts map[string]tokencache.Attempt
		line     string
		answered bool
	}{
		{"5 min left of 60", withTokens(old, life(time.Hour, 55*time.Minute)), nil, "x token", true},
		{"less than 5 min left", withTokens(old, life(time.Hour, 55*time.Minute+1)), nil, "x token", false},
		{"a third of a short life left", withTokens(old, life(6*time.Minute, 4*time.Minute)), nil, "x token", true},
		{"less than a third of a short life", withTokens(old, life(6*time.Minute, 4*time.Minute+1)), nil, "x token", false},
		{"expired", withTokens(old, life(time.Hour, time.Hour)), nil, "x token", false},
		{"expired, though just tried", withTokens(old, life(time.Hour, time.Hour)), tried(time.Second, "refresh"), "x token", false},
		{"expired by the boot clock", bootExpired, nil, "x token", false},
		{"boot clock of another boot", rebooted, nil, "x token", true},
		{"rejected", rejectedToken, nil, "x token", false},
		{"another was rejected", otherRejected, nil, "x token", true},
		{"no such token", withTokens(old, life(time.Hour, 0)), nil, "x token --use id", false},
		{"due, tried within a tenth of the life", withTokens(old, life(time.Hour, 57*time.Minute)), tried(6*time.Minute-1, "refresh"), "x token", true},
		{"due, tried before that", withTokens(old, life(time.Hour, 57*time.Minute)), tried(6*time.Minute, "refresh"), "x token", false},
		{"due, tried within 10 s of a very short life", withTokens(old, life(time.Minute, 50*time.Second)), tried(9*time.Second, "refresh"), "x token", true},
		{"due, tried in the future", withTokens(old, life(time.Hour, 57*time.Minute)), tried(-time.Minute, "refresh"), "x token", false},
		{"due, other work tried", withTokens(old, life(time.Hour, 57*time.Minute)), tried(time.Second, "exchange "+record), "x token", false},
		{"enough for --min-ttl", withTokens(old, life(time.Hour, 10*time.Minute)), nil, "x token --min-ttl 50m", true},
		{"not enough for --min-ttl", withTokens(old, life(time.Hour, 10*time.Minute)), nil, "x token --min-ttl 51m", false},
		{"--min-ttl 0 takes the last second", withTokens(old, life(time.Hour, time.Hour-time.Second)), nil, "x token --min-ttl 0", true},
		{"AWS, 16 min left", withAWS("ASIA", life(time.Hour, 44*time.Minute)), nil, "x credential-process", true},
		{"AWS, less, renewed first", withAWS("ASIA", life(time.Hour, 45*time.Minute)), nil, "x credential-process", false},
		{"AWS, less, renewed first, just tried", withAWS("ASIA", life(time.Hour, 45*time.Minute)), tried(time.Second, "exchange "+record), "x credential-process", true},
		{"AWS, a third of a short life", withAWS("ASIA", life(30*time.Minute, 20*time.Minute)), nil, "x credential-process", true},
		{"AWS of a short life, due and just tried", withAWS("ASIA", life(30*time.Minute, 21*time.Minute)), tried(time.Second, "exchange "+record), "x credential-process", true},
		{"AWS of a short life, due, refresh just tried", withAWS("ASIA", life(30*time.Minute, 21*time.Minute)), tried(time.Second, "refresh"), "x credential-process", true},
		{"AWS of a short life, due, tokens just refreshed", withAWS("ASIA", life(30*time.Minute, 21*time.Minute)), refreshed, "x credential-process", false},
		{"due, just refreshed for nothing", withTokens(old, life(time.Hour, 57*time.Minute)), refreshed, "x token", true},
		{"AWS of a short life, due", withAWS("ASIA", life(30*time.Minute, 21*time.Minute)), nil, "x credential-process", false},
		{"AWS expired", withAWS("ASIA", life(time.Hour, 2*time.Hour)), nil, "x credential-process", false},
		{"AWS never made", withTokens(old, life(time.Hour, 0)), nil, "x credential-process", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, &fakeStore{session: c.session, attempts: c.attempts})
			exit := b.run(c.line)
			if !c.answered {
				b.wantCore(exit, true, false)
				return
			}
			b.wantAnswer(exit, "")
			if b.out.Len() == 0 {
				t.Error("nothing was printed")
			}
		})
	}
}

func TestMinTTLOfTheProfile(t *testing.T) {
	for line, answered := range map[string]bool{"x token": false, "x token --min-ttl 10m": true} {
		b := newBench(t, &fakeStore{session: withTokens(old, life(time.Hour, 40*time.Minute))})
		b.index.MinTTL = 30 * time.Minute
		if exit := b.run(line); answered {
			b.wantAnswer(exit, old)
		} else {
			b.wantCore(exit, true, false)
		}
	}
}

// What could not be saved in its place is handed out, and now and then the complete program is asked to save it there.
func TestSpill(t *testing.T) {
	spill := func(l token.Lifetime) *tokencache.Session {
		s := withTokens(fresh, l)
		s.Spilled = true
		return s
	}
	settled := func(ago time.Duration, o tokencache.Outcome) map[string]tokencache.Attempt {
		return map[string]tokencache.Attempt{tokencache.WorkSettle: {Work: tokencache.WorkSettle, Started: present.Wall.Add(-ago), Outcome: o}}
	}
	good := life(time.Hour, 0)
	for _, c := range []struct {
		name     string
		store    fakeStore
		answered bool
	}{
		{"nobody saves it", fakeStore{spill: spill(good)}, false},
		{"another process saves it", fakeStore{spill: spill(good), busy: true}, true},
		{"that failed just now", fakeStore{spill: spill(good), attempts: settled(9*time.Second, tokencache.Transient)}, true},
		{"that failed a while ago", fakeStore{spill: spill(good), attempts: settled(10*time.Second, tokencache.Transient)}, false},
		{"that failed in the future", fakeStore{spill: spill(good), attempts: settled(-time.Hour, tokencache.Transient)}, false},
		{"an earlier one was saved", fakeStore{spill: spill(good), attempts: settled(time.Second, tokencache.Done)}, false},
		{"it has expired, too", fakeStore{spill: spill(life(time.Hour, time.Hour))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.store.session = expired()
			b := newBench(t, &c.store)
			exit := b.run("x token")
			if c.answered {
				b.wantAnswer(exit, fresh)
				return
			}
			b.wantCore(exit, true, false)
		})
	}
	b := newBench(t, &fakeStore{session: withTokens(old, good), spill: spill(good)})
	b.wantAnswer(b.run("x token"), old) // what is in its place serves: nobody looks further
}

func expired() *tokencache.Session { return withTokens(old, life(time.Hour, 2*time.Hour)) }

func TestRenewedBeforeTheLock(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), onLock: func(s *fakeStore) { s.session = withTokens(fresh, life(time.Hour, 0)) }})
	b.wantAnswer(b.run("x token"), fresh)
	if b.store.unlocks != 1 {
		t.Errorf("unlocked %d times", b.store.unlocks)
	}
}

func TestGoneUnderTheLock(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), onLock: func(s *fakeStore) { s.session = nil }})
	b.wantCore(b.run("x token"), false, false)
	if b.store.unlocks != 1 {
		t.Errorf("unlocked %d times", b.store.unlocks)
	}
}

func TestLockError(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), lockErr: errors.New("read-only")})
	b.wantCore(b.run("x token"), false, false)
}

func TestWaiterIsAnswered(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
		s.session, s.busy = withTokens(fresh, life(time.Hour, 0)), false
		return nil
	}})
	b.wantAnswer(b.run("x token"), fresh)
	if b.store.tries != 1 || b.store.waits != 1 {
		t.Errorf("%d tries, %d waits", b.store.tries, b.store.waits)
	}
}

// A server may give a life shorter than what the caller wants; who waited for it takes it rather than go round in circles.
func TestWaiterTakesWhatWasJustIssued(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
		l := life(time.Hour, 0)
		l.Boot = present.Boot - 30*time.Minute // half of it gone already by the other clock
		s.session, s.busy = withTokens(fresh, l), false
		return nil
	}})
	b.wantAnswer(b.run("x token --min-ttl 59m"), fresh)
}

func TestWaiterAdoptsFailure(t *testing.T) {
	for _, outcome := range []tokencache.Outcome{tokencache.Transient, tokencache.Blocked, tokencache.Misconfigured, tokencache.Dead} {
		b := newBench(t, &fakeStore{session: expired(), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
			s.busy = false
			s.attempts = map[string]tokencache.Attempt{"refresh": {Outcome: outcome, Started: present.Wall.Add(-time.Second), Ended: present.Wall}}
			return nil
		}})
		b.wantCore(b.run("x token"), false, true)
		if b.store.tries != 1 {
			t.Errorf("outcome %d: the lock was tried again", outcome)
		}
	}
}

func TestWaiterBeginsAgain(t *testing.T) {
	for name, attempt := range map[string]tokencache.Attempt{
		"the holder was killed":     {Outcome: tokencache.Running, Started: present.Wall},
		"an older failure is there": {Outcome: tokencache.Transient, Ended: present.Wall.Add(-2 * time.Second)},
		"a success for others":      {Outcome: tokencache.Done, Ended: present.Wall},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &fakeStore{session: expired(), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
				s.busy = false
				s.attempts = map[string]tokencache.Attempt{"refresh": attempt}
				return nil
			}})
			b.wantCore(b.run("x token"), true, false)
			if b.store.tries != 2 {
				t.Errorf("%d tries", b.store.tries)
			}
		})
	}
}

func TestWaiterAdoptsFailedExchange(t *testing.T) {
	b := newBench(t, &fakeStore{session: withTokens(old, life(time.Hour, 0)), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
		s.busy = false
		s.attempts = map[string]tokencache.Attempt{
			"refresh":            {Outcome: tokencache.Done, Ended: present.Wall},
			"exchange " + record: {Outcome: tokencache.Transient, Ended: present.Wall},
		}
		return nil
	}})
	b.wantCore(b.run("x credential-process"), false, true)
}

func TestWaiterGivesUp(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), busy: true, onWait: func(_ *fakeStore, ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	var limit time.Duration
	b.after = func(d time.Duration, f func()) {
		limit = d
		after(time.Millisecond, f)
	}
	b.wantCore(b.run("x token"), false, true)
	if limit != patience {
		t.Errorf("gave up after %v", limit)
	}
}

func TestSessionGoneWhileWaiting(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
		s.session, s.busy = nil, false
		return nil
	}})
	b.wantCore(b.run("x token"), false, true)
}

func TestDueIsNotWaitedFor(t *testing.T) {
	b := newBench(t, &fakeStore{session: withTokens(old, life(time.Hour, 57*time.Minute)), busy: true})
	b.wantAnswer(b.run("x token"), old)
	if b.store.waits > 0 {
		t.Error("it was waited for")
	}
}

func TestDueIsWaitedForWhereItIsRenewedFirst(t *testing.T) {
	b := newBench(t, &fakeStore{session: withAWS("ASIAOLD", life(time.Hour, 50*time.Minute)), busy: true, onWait: func(s *fakeStore, _ context.Context) error {
		s.session, s.busy = withAWS("ASIAFRESH", life(time.Hour, 0)), false
		return nil
	}})
	b.wantAnswer(b.run("x credential-process"), "ASIAFRESH")
}

// readsInput is an adapter of a protocol with a request.
func readsInput() protocol.Adapter {
	return protocol.Adapter{Verb: "reads", Serve: func(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
		line := make([]byte, 6)
		if _, err := io.ReadFull(c.In, line); err != nil {
			return protocol.Result{Exit: 1, Err: err}
		}
		t, err := s.Token(ctx, protocol.Request{Profile: profiles.Selection{Name: "p"}, Use: token.UseAccess})
		if err != nil {
			return protocol.Result{Exit: 1, Err: err}
		}
		_, err = io.WriteString(c.Out, string(line)+t.Value.Reveal())
		return protocol.Result{Err: err}
	}}
}

func TestConsumedInputGoesAlong(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired()})
	b.adapters = []protocol.Adapter{readsInput()}
	b.in = strings.NewReader("line 1line 2")
	b.wantCore(b.run("x reads"), true, false) // served twice: before and under the lock
	if b.core.replay != "line 1" || b.core.offer.Replay == handover.None {
		t.Errorf("replayed %q of %+v", b.core.replay, b.core.offer)
	}
	if rest, _ := io.ReadAll(b.in); string(rest) != "line 2" {
		t.Errorf("standard input goes on with %q", rest)
	}
}

func TestConsumedInputIsReadAgain(t *testing.T) {
	b := newBench(t, &fakeStore{session: expired(), onLock: func(s *fakeStore) { s.session = withTokens(fresh, life(time.Hour, 0)) }})
	b.adapters = []protocol.Adapter{readsInput()}
	b.in = strings.NewReader("line 1line 2")
	b.wantAnswer(b.run("x reads"), "line 1"+fresh)
}

// brokenPipe takes a few bytes and fails.
type brokenPipe struct{ bytes.Buffer }

func (p *brokenPipe) Write(b []byte) (int, error) {
	n, _ := p.Buffer.Write(b[:3])
	return n, io.ErrClosedPipe
}

func TestHalfAnAnswerIsNotFollowedByAnother(t *testing.T) {
	b := newBench(t, &fakeStore{session: withTokens(fresh, life(time.Hour, 0))})
	var pipe brokenPipe
	var stderr bytes.Buffer
	p := process{args: []string{"x", "token"}, getenv: func(n string) string { return b.env[n] }, in: noInput{t}, out: &pipe, err: &stderr,
		adapters: b.adapters, open: func(string) store { return b.store }, now: func() token.Instant { return present }, replace: b.replace,
		stored: func(string) store { return nil },
		lookup: func(string, profiles.Selection) (profileindex.Answer, bool) { return *b.index, true }}
	if exit := p.run(); exit != 1 || pipe.String() != "fre" || b.core != nil || !strings.HasPrefix(stderr.String(), "cognito-credhelper: ") {
		t.Errorf("exit %d, stdout %q, stderr %q, core %+v", exit, pipe.String(), stderr.String(), b.core)
	}
}

func TestCoreMissing(t *testing.T) {
	folder := t.TempDir()
	var stderr bytes.Buffer
	p := process{args: []string{"x", "login"}, getenv: func(string) string { return "" }, err: &stderr,
		executable: func() (string, error) { return filepath.Join(folder, "bin", "cognito-credhelper"), nil }}
	if exit := p.run(); exit != 1 {
		t.Errorf("exit %d", exit)
	}
	got := stderr.String()
	for _, place := range []string{filepath.Join(folder, "bin", coreName), filepath.Join(folder, "libexec", "cognito-credhelper", coreName)} {
		if !strings.Contains(got, place) {
			t.Errorf("%q does not name %s", got, place)
		}
	}
	if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "cognito-credhelper: the complete program is missing") {
		t.Errorf("%q", got)
	}
}

func TestCoreThatIsAFront(t *testing.T) {
	b := newBench(t, &fakeStore{})
	b.env[handover.Variable] = handover.Offer{FrontVersion: "1.0", Lock: handover.None, Replay: handover.None, Answer: handover.None}.Encode()
	if exit := b.run("x login"); exit != 1 || b.core != nil || !strings.Contains(b.err.String(), "another front") {
		t.Errorf("exit %d, core %+v, stderr %q", exit, b.core, b.err.String())
	}
}

func TestCoreIsFoundThroughALinkAndInLibexec(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	name := coreName
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for _, d := range []string{"usr/bin", "usr/libexec/cognito-credhelper", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(folder, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	exe, core := filepath.Join(folder, "usr", "bin", "cognito-credhelper"), filepath.Join(folder, "usr", "libexec", "cognito-credhelper", name)
	for _, f := range []string{exe, core} {
		if err := os.WriteFile(f, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(folder, "elsewhere", "git-credential-cognito")
	if err := os.Symlink(exe, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	p := process{executable: func() (string, error) { return link, nil }}
	if got, err := p.findCore(); err != nil || got != core {
		t.Errorf("%s, %v; want %s", got, err, core)
	}
	beside := filepath.Join(folder, "usr", "bin", name)
	if err := os.WriteFile(beside, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := p.findCore(); err != nil || got != beside {
		t.Errorf("%s, %v; want %s", got, err, beside)
	}
}
