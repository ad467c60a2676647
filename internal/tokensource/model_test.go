package tokensource

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

// modelRuns is how many runs the model has unless -rapid.checks says otherwise; make test-torture says 10,000. With -short
// it is a tenth of them.
const modelRuns = 1000

// H12: logout, renewal, and login interleave in any way, and processes die in the middle of them. With refresh tokens that
// rotate and no grace, Cognito never sees one that is not the newest; no session is lost or buried; and what is not kept any
// more is revoked.
func TestInterleavings(t *testing.T) {
	runs := modelRuns
	if testing.Short() {
		runs /= 10
	}
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		defer checks.Value.Set(checks.DefValue)
		if err := checks.Value.Set(fmt.Sprint(runs)); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		m := newModel(r)
		defer m.end()
		r.Repeat(map[string]func(*rapid.T){
			"token":  func(r *rapid.T) { m.start(r, "token", m.token) },
			"login":  func(r *rapid.T) { m.start(r, "login", m.login) },
			"logout": func(r *rapid.T) { m.start(r, "logout", m.logout) },
			"step":   func(r *rapid.T) { m.step(r, false) },
			"die":    func(r *rapid.T) { m.step(r, true) },
			"expire": func(*rapid.T) { m.pass(2 * time.Hour) },
			"":       func(r *rapid.T) { m.server.check(r) },
		})
		m.drain(r)
		m.judge(r)
	})
}

// model is one store, one server, and the processes that work on both.
type model struct {
	folder string
	server *modelServer
	mu     sync.Mutex
	now    time.Time
	ops    []*operation
	ticks  int
}

func newModel(r *rapid.T) *model {
	base := "" // syncing costs nothing in memory, and the model is not about the disk
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		base = "/dev/shm"
	}
	folder, err := os.MkdirTemp(base, "credhelper-model-*")
	if err != nil {
		r.Fatal(err)
	}
	return &model{folder: folder, server: &modelServer{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// end lets whatever still runs end, after a failure, too.
func (m *model) end() {
	for _, o := range m.ops {
		for o.advance(true, time.Second) {
		}
	}
	os.RemoveAll(m.folder)
}

func (m *model) clock() token.Instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return token.Instant{Wall: m.now}
}

func (m *model) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

func (m *model) tick() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ticks++
	return m.ticks
}

// operation is one process at work. It stops at gates: before it asks the server something, and before it gets the answer.
type operation struct {
	name         string
	gates        chan string // where it has come to
	orders       chan bool   // true lets it die there
	done         chan struct{}
	at           string // the gate that it waits at; "" while it runs, mostly for a lock
	ended, died  bool
	err          error
	begin, final int
}

// advance waits for the next gate or the end, after an order where the operation waits for one. It is false when there is
// nothing more to come.
func (o *operation) advance(die bool, patience time.Duration) bool {
	if o.ended {
		return false
	}
	if o.at != "" {
		o.at = ""
		o.orders <- die
	}
	select {
	case o.at = <-o.gates:
	case <-o.done:
		o.ended = true
	case <-time.After(patience):
	}
	return !o.ended
}

// reach is called by the operation itself.
func (o *operation) reach(gate string) {
	o.gates <- gate
	if <-o.orders {
		o.died = true
		runtime.Goexit() // as after SIGKILL, the lock is let go and nothing else is done
	}
}

// blocked is how long an operation is given before it counts as one that waits for a lock. It decides how often the
// interleaving is a new one, and nothing else.
const blocked = 150 * time.Microsecond

func (m *model) start(r *rapid.T, name string, run func(context.Context, *Source) error) {
	if m.running() >= 4 {
		r.Skip()
	}
	o := &operation{name: name, gates: make(chan string), orders: make(chan bool), done: make(chan struct{}), begin: m.tick()}
	m.ops = append(m.ops, o)
	slots := keyslot.Open(m.folder)
	s := New(Options{
		Cache: tokencache.Open(m.folder, slots), Slots: slots, Now: m.clock, LockWait: time.Minute,
		Client: func(Target) (Client, error) { return &modelClient{m, o}, nil },
	})
	go func() {
		defer close(o.done)
		defer func() { o.final = m.tick() }()
		o.err = run(context.Background(), s)
	}()
	o.advance(false, blocked)
}

func (m *model) running() (n int) {
	for _, o := range m.ops {
		if o.advanceQuietly(); !o.ended {
			n++
		}
	}
	return n
}

// advanceQuietly notices what an operation did by itself since it got its lock.
func (o *operation) advanceQuietly() {
	if o.at == "" {
		o.advance(false, 0)
	}
}

// mortal are the gates where a death loses nothing that cannot be had again: nothing has rotated, or nothing is kept yet.
var mortal = []string{"asks for a renewal", "types", "has signed in", "revokes"}

func (m *model) step(r *rapid.T, die bool) {
	var waiting []*operation
	for _, o := range m.ops {
		if o.advanceQuietly(); o.at != "" && (!die || slices.Contains(mortal, o.at)) {
			waiting = append(waiting, o)
		}
	}
	if len(waiting) == 0 {
		r.Skip()
	}
	o := waiting[rapid.IntRange(0, len(waiting)-1).Draw(r, "operation")]
	o.advance(die, blocked)
}

// drain lets all come to their end.
func (m *model) drain(r *rapid.T) {
	deadline := time.Now().Add(30 * time.Second)
	for m.running() > 0 {
		for _, o := range m.ops {
			o.advance(false, blocked)
		}
		if time.Now().After(deadline) {
			r.Fatal("the operations wait for each other")
		}
	}
}

func (m *model) target() Target { return (&world{}).target() }

func (m *model) token(ctx context.Context, s *Source) error {
	got, err := s.Token(ctx, m.target(), Want{Use: token.UseAccess})
	if err == nil && !m.server.issued(got.Value.Reveal()) {
		return errors.New("a token that the server never gave: " + got.Value.Reveal())
	}
	if kind := token.KindOf(err); err != nil && kind != token.LoginNeeded {
		return err
	}
	return nil
}

func (m *model) login(ctx context.Context, s *Source) error {
	_, err := s.Login(ctx, m.target(), LoginOptions{Force: true})
	return err
}

func (m *model) logout(ctx context.Context, s *Source) error {
	_, err := s.Logout(ctx, m.target(), LogoutOptions{})
	return err
}

// judge looks at what is left when all is quiet.
func (m *model) judge(r *rapid.T) {
	m.server.check(r)
	var logins, logouts []*operation
	for _, o := range m.ops {
		inFlight := o.name == "login" && token.KindOf(o.err) == token.Unavailable // another one was, and it said so
		if o.err != nil && !inFlight {
			r.Fatalf("%s: %v", o.name, o.err)
		}
		switch {
		case o.name == "login" && o.err == nil && !o.died:
			logins = append(logins, o)
		case o.name == "logout" && !o.died:
			logouts = append(logouts, o)
		}
	}
	slots := keyslot.Open(m.folder)
	s := New(Options{Cache: tokencache.Open(m.folder, slots), Slots: slots, Now: m.clock, Client: func(Target) (Client, error) { return m.server, nil }})
	st, err := s.Status(m.target())
	if err != nil {
		r.Fatal(err)
	}
	died := slices.ContainsFunc(m.ops, func(o *operation) bool { return o.died })
	switch st.State {
	case SignedIn:
		if !died && !canBeLast(logins, logouts) {
			r.Fatal("signed in after the last logout")
		}
		m.pass(2 * time.Hour)
		if _, err := s.Token(context.Background(), m.target(), Want{Use: token.UseAccess}); err != nil {
			r.Fatalf("the session is lost: %v", err)
		}
		m.server.check(r)
	case SignedOut:
		if len(logins) > 0 && !died && !canBeLast(logouts, logins) {
			r.Fatal("signed out after the last login")
		}
	default:
		r.Fatalf("the session is %s: %s", st.State, st.DeadReason)
	}
	if !died {
		m.server.checkRevoked(r, st.State == SignedIn)
	}
}

// canBeLast reports whether one of a can have been carried out after all of b.
func canBeLast(a, b []*operation) bool {
	return slices.ContainsFunc(a, func(x *operation) bool {
		return !slices.ContainsFunc(b, func(y *operation) bool { return y.begin > x.final })
	})
}

// modelServer is a user pool whose refresh tokens rotate, without a grace period. It is also a client that waits for nobody.
type modelServer struct {
	mu       sync.Mutex
	serial   int
	families []*family
	refused  string // the first refresh token that was not good, and why
	tokens   map[string]bool
}

type family struct {
	current string
	revoked bool
}

func (s *modelServer) answer(f *family, now token.Instant) cognito.Result {
	s.serial++
	f.current = fmt.Sprintf("refresh-%d", s.serial)
	if s.tokens == nil {
		s.tokens = map[string]bool{}
	}
	access := fmt.Sprintf("access-%d", s.serial)
	s.tokens[access] = true
	life := token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(time.Hour)}
	t := token.Token{Value: token.NewSecret(access), Lifetime: life}
	return cognito.Result{Tokens: token.Set{Access: t, ID: t}, Refresh: token.NewSecret(f.current), User: cognito.User{Name: "alice", Subject: "sub"}}
}

func (s *modelServer) issued(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[access]
}

func (s *modelServer) signIn(now token.Instant) cognito.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &family{}
	s.families = append(s.families, f)
	return s.answer(f, now)
}

func (s *modelServer) renew(refresh string, now token.Instant) (cognito.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.families {
		if f.current == refresh && !f.revoked {
			return s.answer(f, now), nil
		}
	}
	if s.refused == "" {
		s.refused = refresh
	}
	return cognito.Result{}, fault("RefreshTokenReuseException", 400)
}

// check fails when the server was ever sent a refresh token that was not the newest of a living session.
func (s *modelServer) check(r *rapid.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != "" {
		r.Fatalf("the server was sent %s, which is used, revoked, or of nobody", s.refused)
	}
}

// checkRevoked fails unless every session but the kept one was revoked.
func (s *modelServer) checkRevoked(r *rapid.T, kept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	living := 0
	for _, f := range s.families {
		if !f.revoked {
			living++
		}
	}
	if want := map[bool]int{true: 1}[kept]; living != want {
		r.Fatalf("%d sessions live at the server, want %d", living, want)
	}
}

func (s *modelServer) SignIn(context.Context, cognito.SignIn, challenge.Answerer) (cognito.Result, error) {
	return cognito.Result{}, errors.New("nobody signs in here")
}

func (s *modelServer) Refresh(_ context.Context, refresh token.Secret, _ string) (cognito.Result, error) {
	return s.renew(refresh.Reveal(), token.Instant{Wall: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)})
}

func (s *modelServer) Revoke(_ context.Context, refresh token.Secret) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.families {
		f.revoked = f.revoked || f.current == refresh.Reveal()
	}
	return nil
}

func (s *modelServer) SignOutEverywhere(context.Context, token.Secret) error { return nil }

func (s *modelServer) PreferSecretNext() {}

// modelClient is an operation's way to the server, with the gates.
type modelClient struct {
	*model
	o *operation
}

func (c *modelClient) SignIn(context.Context, cognito.SignIn, challenge.Answerer) (cognito.Result, error) {
	c.o.reach("types")
	got := c.server.signIn(c.clock())
	c.o.reach("has signed in")
	return got, nil
}

func (c *modelClient) Refresh(_ context.Context, refresh token.Secret, _ string) (cognito.Result, error) {
	c.o.reach("asks for a renewal")
	got, err := c.server.renew(refresh.Reveal(), c.clock())
	c.o.reach("gets a renewal")
	return got, err
}

func (c *modelClient) Revoke(ctx context.Context, refresh token.Secret) error {
	c.o.reach("revokes")
	return c.server.Revoke(ctx, refresh)
}

func (c *modelClient) SignOutEverywhere(context.Context, token.Secret) error { return nil }

func (c *modelClient) PreferSecretNext() {}
