package tokensource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// world is one state folder, one fake Cognito, one clock.
type world struct {
	t      *testing.T
	folder string
	pool   *fakePool
	mu     sync.Mutex
	now    time.Time
	warned []string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, folder: t.TempDir(), pool: &fakePool{life: time.Hour, user: cognito.User{Name: "alice", Subject: "sub-alice"}}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.pool.clock = w.clock
	return w
}

func (w *world) clock() token.Instant {
	w.mu.Lock()
	defer w.mu.Unlock()
	return token.Instant{Wall: w.now}
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// source is a new one each time, as each process has its own.
func (w *world) source() *Source {
	slots := keyslot.Open(w.folder)
	return New(Options{
		Cache: tokencache.Open(w.folder, slots), Slots: slots, Now: w.clock, PID: os.Getpid(),
		Client: func(Target) (Client, error) { return w.pool, nil },
		Warn: func(s string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.warned = append(w.warned, s)
		},
	})
}

func (w *world) target() Target {
	return Target{
		Profile:   profiles.Profile{Name: "dev", UserPoolID: "eu-central-1_abc", ClientID: "client", SignInRegion: "eu-central-1"},
		Selection: profiles.Selection{Name: "dev", Named: true},
	}
}

func (w *world) login() {
	w.t.Helper()
	if _, err := w.source().Login(w.t.Context(), w.target(), LoginOptions{Force: true}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) token() (token.Token, error) {
	return w.source().Token(w.t.Context(), w.target(), Want{Use: token.UseAccess})
}

func (w *world) mustToken() string {
	w.t.Helper()
	got, err := w.token()
	if err != nil {
		w.t.Fatal(err)
	}
	return got.Value.Reveal()
}

func (w *world) wantKind(err error, kind token.Kind, words string) {
	w.t.Helper()
	if err == nil || token.KindOf(err) != kind || !strings.Contains(err.Error(), words) {
		w.t.Fatalf("got %v (kind %d), want kind %d with %q", err, token.KindOf(err), kind, words)
	}
}

// fakePool answers like an app client with rotation on or off.
type fakePool struct {
	mu       sync.Mutex
	clock    func() token.Instant
	life     time.Duration
	user     cognito.User
	rotate   bool
	serial   int
	current  string
	refused  []error // answers to the next refreshes; nil entries succeed
	sent     []string
	revoked  []string
	noRevoke error
	// signedOut are the access tokens that all sessions were ended with.
	signedOut []string
	spoil     bool            // refreshes rotate, but their tokens are of no use
	device    *cognito.Device // that the next sign-in gives
	forget    bool
	failed    error // DeviceErr of the next sign-in
	second    bool  // the second secret is the right one

	signedIn  []cognito.SignIn
	devices   []string // DeviceKey of each refresh
	preferred int
	before    func() // runs inside Refresh, before it answers
}

func (p *fakePool) result(refresh string) cognito.Result {
	p.serial++
	now := p.clock()
	life := token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(p.life)}
	make := func(use string) token.Token {
		return token.Token{Value: token.NewSecret(fmt.Sprintf("%s-%d", use, p.serial)), Lifetime: life}
	}
	return cognito.Result{Tokens: token.Set{Access: make("access"), ID: make("id")}, Refresh: token.NewSecret(refresh), User: p.user, SecretNext: p.second}
}

func (p *fakePool) SignIn(_ context.Context, s cognito.SignIn, _ challenge.Answerer) (cognito.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signedIn = append(p.signedIn, s)
	p.current = fmt.Sprintf("refresh-%d", p.serial)
	got := p.result(p.current)
	got.Device, got.ForgetDevice, got.DeviceErr = p.device, p.forget, p.failed
	p.device, p.forget, p.failed = nil, false, nil
	return got, nil
}

func (p *fakePool) Refresh(_ context.Context, refresh token.Secret, device string) (cognito.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, refresh.Reveal())
	p.devices = append(p.devices, device)
	if p.before != nil {
		p.before()
	}
	if len(p.refused) > 0 {
		err := p.refused[0]
		p.refused = p.refused[1:]
		if err != nil {
			return cognito.Result{}, err
		}
	}
	if refresh.Reveal() != p.current {
		return cognito.Result{}, fault("RefreshTokenReuseException", 400)
	}
	if !p.rotate {
		return p.result(""), nil
	}
	p.current = fmt.Sprintf("refresh-%d", p.serial)
	if p.spoil {
		return cognito.Result{Refresh: token.NewSecret(p.current)}, &token.Error{Kind: token.Unavailable, Message: "the tokens are not what they should be", Err: &cognito.Error{Status: 200}}
	}
	return p.result(p.current), nil
}

func (p *fakePool) Revoke(_ context.Context, refresh token.Secret) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, refresh.Reveal())
	return p.noRevoke
}

func (p *fakePool) SignOutEverywhere(_ context.Context, access token.Secret) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signedOut = append(p.signedOut, access.Reveal())
	if p.noRevoke == nil {
		p.current = "ended everywhere"
	}
	return p.noRevoke
}

func (p *fakePool) PreferSecretNext() { p.preferred++ }

// fault is what the client returns for an answer of Cognito's.
func fault(code string, status int) error {
	kind := token.Refused
	if status >= 500 || status == 0 {
		kind = token.Unavailable
	}
	return &token.Error{Kind: kind, Message: "cognito said " + code, Err: &cognito.Error{Operation: "GetTokensFromRefreshToken", Code: code, Status: status, Sent: true}}
}

func TestNobodySignedIn(t *testing.T) {
	w := newWorld(t)
	_, err := w.token()
	w.wantKind(err, token.LoginNeeded, "nobody is signed in")
	var e *token.Error
	if !errors.As(err, &e) || e.Hint() != "cognito-credhelper login --profile dev" {
		t.Errorf("hint %q", e.Hint())
	}
	if entries, _ := os.ReadDir(w.folder); len(entries) != 0 {
		t.Errorf("asking wrote %v", entries)
	}
}

func TestWarmAsksNobody(t *testing.T) {
	w := newWorld(t)
	w.login()
	if got := w.mustToken(); got != "access-1" {
		t.Errorf("token %q", got)
	}
	if len(w.pool.sent) != 0 {
		t.Error("a warm call refreshed")
	}
}

// A refresh never erases what it did not replace: without rotation no new refresh token comes, and the old one stays.
func TestRefreshKeepsTheOldToken(t *testing.T) {
	w := newWorld(t)
	w.login()
	for i := range 3 {
		w.pass(2 * time.Hour)
		if got, want := w.mustToken(), fmt.Sprintf("access-%d", i+2); got != want {
			t.Errorf("token %q, want %q", got, want)
		}
	}
	if got := strings.Join(w.pool.sent, " "); got != "refresh-0 refresh-0 refresh-0" {
		t.Errorf("sent %s", got)
	}
}

func TestRefreshFollowsRotation(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	for range 3 {
		w.pass(2 * time.Hour)
		w.mustToken()
	}
	if got := strings.Join(w.pool.sent, " "); got != "refresh-0 refresh-1 refresh-2" {
		t.Errorf("sent %s", got)
	}
}

func TestOneRefreshForManyCallers(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	var wg sync.WaitGroup
	got := make([]string, 50)
	for i := range got {
		wg.Go(func() {
			tok, err := w.token()
			if err != nil {
				t.Error(err)
			}
			got[i] = tok.Value.Reveal()
		})
	}
	wg.Wait()
	if len(w.pool.sent) != 1 {
		t.Errorf("%d refreshes", len(w.pool.sent))
	}
	for _, g := range got {
		if g != got[0] {
			t.Errorf("answers differ: %q and %q", g, got[0])
		}
	}
}

func TestDeadSession(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pool.current = "revoked at the server"
	w.pass(2 * time.Hour)
	for range 3 {
		_, err := w.token()
		w.wantKind(err, token.LoginNeeded, "")
	}
	if len(w.pool.sent) != 1 {
		t.Errorf("a dead session was refreshed %d times", len(w.pool.sent))
	}
	st, err := w.source().Status(w.target())
	if err != nil || st.State != Ended || st.DeadReason == "" {
		t.Errorf("status %+v, %v", st, err)
	}
	w.login()
	w.mustToken()
}

// What Cognito refuses for a reason that a person can mend keeps the session, and is not asked for again within a minute.
func TestBlockedKeepsTheSession(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	w.pool.refused = []error{&token.Error{Kind: token.Refused, Message: "the user is disabled", Err: &cognito.Error{Code: "NotAuthorizedException", Message: "User is disabled.", Status: 400, Sent: true}}}
	for range 3 {
		_, err := w.token()
		w.wantKind(err, token.Refused, "the user is disabled")
	}
	if len(w.pool.sent) != 1 {
		t.Errorf("%d requests within the waiting time", len(w.pool.sent))
	}
	w.pass(61 * time.Second)
	w.mustToken()
}

func TestTransientFailureBacksOff(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	throttled := fault("TooManyRequestsException", 400)
	var e *token.Error
	if errors.As(throttled, &e) {
		e.Kind = token.Unavailable
	}
	for failures, wait := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		w.pool.refused = []error{throttled}
		asked := len(w.pool.sent)
		_, err := w.token()
		w.wantKind(err, token.Unavailable, "")
		if len(w.pool.sent) != asked+1 {
			t.Fatalf("failure %d: %d requests", failures, len(w.pool.sent)-asked)
		}
		w.pass(wait*time.Second - time.Millisecond)
		_, err = w.token()
		w.wantKind(err, token.Unavailable, "")
		if len(w.pool.sent) != asked+1 {
			t.Fatalf("asked again before %d s were over", wait)
		}
		w.pass(time.Millisecond)
	}
	w.pool.refused = nil
	w.mustToken()
}

// A failure that a clock recorded which has been set back since holds nobody back.
func TestFailureFromTheFuture(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(3 * time.Hour)
	w.pool.refused = []error{fault("UserNotConfirmedException", 400)}
	_, err := w.token()
	w.wantKind(err, token.Refused, "")
	w.pass(-time.Hour)
	w.mustToken()
}

// An answer that was lost after the server may have rotated is asked for again at once, with the same token.
func TestLostAnswerIsAskedForAgainAtOnce(t *testing.T) {
	for _, status := range []int{0, 500, 502} {
		w := newWorld(t)
		w.login()
		w.pass(2 * time.Hour)
		w.pool.refused = []error{fault("", status), nil}
		w.mustToken()
		if got := strings.Join(w.pool.sent, " "); got != "refresh-0 refresh-0" {
			t.Errorf("status %d: sent %s", status, got)
		}
	}
}

// An answer may rotate the refresh token and still have tokens that are of no use: the new one is kept.
func TestRotatedTokenIsKeptFromAFailedAnswer(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	w.pool.spoil = true
	if _, err := w.token(); err == nil {
		t.Fatal("a spoilt answer was taken")
	}
	w.pool.spoil = false
	w.pass(time.Minute)
	w.mustToken()
	if got := strings.Join(w.pool.sent, " "); got != "refresh-0 refresh-1" {
		t.Errorf("sent %s", got)
	}
}

func TestStillValidBeatsFresh(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(57 * time.Minute)
	w.pool.refused = []error{fault("", 503), fault("", 503)}
	if got := w.mustToken(); got != "access-1" {
		t.Errorf("token %q while Cognito is down", got)
	}
	asked := len(w.pool.sent)
	if got := w.mustToken(); got != "access-1" || len(w.pool.sent) != asked {
		t.Errorf("token %q, %d more requests inside the waiting time", got, len(w.pool.sent)-asked)
	}
	w.pass(4 * time.Minute)
	if got := w.mustToken(); got != "access-2" {
		t.Errorf("token %q once Cognito is back", got)
	}
}

func TestMinTTLAboveTheLife(t *testing.T) {
	w := newWorld(t)
	w.login()
	_, err := w.source().Token(t.Context(), w.target(), Want{Use: token.UseID, MinTTL: 2 * time.Hour})
	w.wantKind(err, token.BadProfile, "longer than the whole life")
	if len(w.pool.sent) != 0 {
		t.Error("asked Cognito for what it cannot give")
	}
}

// What was gained is handed out also when it cannot be kept, with a warning.
func TestUnsavedIsHandedOut(t *testing.T) {
	w := newWorld(t)
	w.pool.rotate = true
	w.login()
	w.pass(2 * time.Hour)
	file := filepath.Join(w.folder, "sessions", w.target().Identity().SessionID()+".ses")
	w.pool.before = func() { // a folder in the file's place defeats every rename
		if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
			t.Error(err)
		}
	}
	if got := w.mustToken(); got != "access-2" {
		t.Errorf("token %q", got)
	}
	if len(w.warned) != 1 || !strings.Contains(w.warned[0], "could not be saved") {
		t.Errorf("warned %q", w.warned)
	}
}

func TestLoginOverALiveSession(t *testing.T) {
	w := newWorld(t)
	w.login()
	_, err := w.source().Login(t.Context(), w.target(), LoginOptions{})
	w.wantKind(err, token.Usage, "no terminal to confirm")
	asked := ""
	confirm := func(answer bool) func(context.Context, string) (bool, error) {
		return func(_ context.Context, q string) (bool, error) { asked = q; return answer, nil }
	}
	_, err = w.source().Login(t.Context(), w.target(), LoginOptions{Confirm: confirm(false)})
	w.wantKind(err, token.Failure, "nothing was changed")
	if !strings.HasPrefix(asked, "alice is signed in") || len(w.pool.revoked) != 0 {
		t.Errorf("asked %q, revoked %v", asked, w.pool.revoked)
	}
	res, err := w.source().Login(t.Context(), w.target(), LoginOptions{Confirm: confirm(true)})
	if err != nil || !res.Revoked || strings.Join(w.pool.revoked, " ") != "refresh-0" {
		t.Errorf("%+v, %v, revoked %v", res, err, w.pool.revoked)
	}
	kept, err := w.source().Login(t.Context(), w.target(), LoginOptions{IfNeeded: true})
	if err != nil || !kept.Kept || kept.User != "alice" {
		t.Errorf("%+v, %v", kept, err)
	}
}

// A login that ends as another user asks before it replaces, and leaves nothing usable behind where the answer is no.
func TestLoginAsAnotherUser(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pool.user = cognito.User{Name: "bob", Subject: "sub-bob"}
	answers := []bool{true, false}
	_, err := w.source().Login(t.Context(), w.target(), LoginOptions{Confirm: func(context.Context, string) (bool, error) {
		a := answers[0]
		answers = answers[1:]
		return a, nil
	}})
	w.wantKind(err, token.Failure, "nothing was changed")
	if got := strings.Join(w.pool.revoked, " "); got != "refresh-1" {
		t.Errorf("revoked %q, want bob's new token", got)
	}
	if got := w.mustToken(); got != "access-1" {
		t.Errorf("token %q, want alice's", got)
	}
}

func TestUsername(t *testing.T) {
	w := newWorld(t)
	asAlice := w.target()
	asAlice.Username = "alice"
	if _, err := w.source().Login(t.Context(), asAlice, LoginOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.mustToken(); got != "access-1" {
		t.Errorf("token %q without --username", got)
	}
	asBob := w.target()
	asBob.Username = "bob"
	_, err := w.source().Token(t.Context(), asBob, Want{Use: token.UseAccess})
	w.wantKind(err, token.LoginNeeded, "the session is alice's")
	other := w.target()
	other.Profile.Username = "carol"
	other.Username = "alice"
	if other.Identity().SessionID() == w.target().Identity().SessionID() || !other.ownSession() {
		t.Error("a profile that names a user shares its session with one that names nobody")
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pool.noRevoke = fault("", 0)
	res, err := w.source().Logout(t.Context(), w.target(), LogoutOptions{})
	if err != nil || res.RevokeErr == nil || res.User != "alice" {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := w.token(); token.KindOf(err) != token.LoginNeeded {
		t.Errorf("after logout: %v", err)
	}
	res, err = w.source().Logout(t.Context(), w.target(), LogoutOptions{})
	if err != nil || !res.NothingThere {
		t.Errorf("second logout: %+v, %v", res, err)
	}
}

// Members that a newer version wrote into the cold record survive a rewrite by this one.
func TestLogoutEverywhere(t *testing.T) {
	w := newWorld(t)
	_, err := w.source().LogoutEverywhere(t.Context(), w.target())
	w.wantKind(err, token.LoginNeeded, "nobody is signed in")
	w.login()
	w.pass(2 * time.Hour) // the access token has expired: a new one must ask
	w.pool.noRevoke = &token.Error{Kind: token.Unavailable, Message: "no answer"}
	_, err = w.source().LogoutEverywhere(t.Context(), w.target())
	w.wantKind(err, token.Unavailable, "no answer")
	w.mustToken() // nothing was forgotten
	w.pool.noRevoke = nil
	res, err := w.source().LogoutEverywhere(t.Context(), w.target())
	if err != nil || res.User != "alice" || strings.Join(w.pool.signedOut, " ") != "access-2 access-2" || len(w.pool.revoked) > 0 {
		t.Errorf("%+v, %v; signed out with %q", res, err, w.pool.signedOut)
	}
	_, err = w.token()
	w.wantKind(err, token.LoginNeeded, "nobody is signed in")
}

func TestColdKeepsUnknownMembers(t *testing.T) {
	var c cold
	if err := c.decode([]byte(`{"format":7,"refresh_token":"r","user":"u","sub":"s","logged_in":"2026-01-02T03:04:05Z","device_key":"gone","later":{"a":[1]}}`)); err != nil {
		t.Fatal(err)
	}
	c.Refresh, c.DeviceKey = token.NewSecret("r2"), ""
	out, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"later":{"a":[1]}`, `"format":7`, `"refresh_token":"r2"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing in %s", want, out)
		}
	}
	if strings.Contains(string(out), "device_key") {
		t.Error("a member that was taken away is still there")
	}
}

// Property: what decodes encodes to something that decodes to the same.
func FuzzCold(f *testing.F) {
	f.Add([]byte(`{"format":1,"refresh_token":"r","user":"u","sub":"s","logged_in":"2026-01-02T03:04:05Z","x":1}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		var first, second cold
		if first.decode(plain) != nil {
			return
		}
		out, err := first.encode()
		if err != nil {
			return // a time that JSON cannot say
		}
		if err := second.decode(out); err != nil {
			t.Fatal(err)
		}
		if !first.Refresh.Equal(second.Refresh) || first.User != second.User || !first.LoggedIn.Equal(second.LoggedIn) || len(second.unknown) < len(first.unknown)-9 {
			t.Errorf("%s became %s", plain, out)
		}
	})
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Second: "10s", 10 * time.Minute: "10m", 610 * time.Second: "10m10s", time.Hour + 5*time.Second: "1h0m5s",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
