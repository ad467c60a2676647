package front

import (
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

func boundTo(profile, session, host, kind string) profileindex.Bound {
	return profileindex.Bound{Binding: profiles.Binding{Host: host, Kind: kind}, Profile: profile, SessionID: session, Username: "bob"}
}

var bindings = []profileindex.Bound{
	boundTo("dev", sessionID, "h.example", "access"),
	boundTo("dev", sessionID, "reg.example", "ecr"),
	boundTo("dev", sessionID, "two.example", "access"),
	boundTo("other", "session-2", "two.example", "access"),
	boundTo("other", "session-2", "gone.example", "access"),
}

func hostBench(t *testing.T, s *tokencache.Session, request string) *bench {
	b := newBench(t, &fakeStore{session: s})
	b.table, b.in = bindings, strings.NewReader(request)
	return b
}

func asking(host string) string { return "protocol=https\nhost=" + host + "\n\n" }

func TestHostWarm(t *testing.T) {
	warm := func() *tokencache.Session { return withTokens(fresh, life(time.Hour, 0)) }
	b := hostBench(t, warm(), asking("h.example"))
	b.wantAnswer(b.run("x git get"), "username=bob\npassword="+fresh+"\n")
	if len(b.asked) > 0 || b.store.tries > 0 {
		t.Errorf("asked for %+v, tried the lock %d times", b.asked, b.store.tries)
	}
	b = hostBench(t, warm(), asking("h.example"))
	b.wantAnswer(b.run("git-credential-cognito --profile dev get"), "password="+fresh)
	// Nobody binds it: the front says so by itself.
	b = hostBench(t, nil, asking("github.com"))
	b.wantAnswer(b.run("x git get"), "")
	if b.out.Len() > 0 {
		t.Errorf("a host that nobody binds got %q", b.out.String())
	}
	// Another profile binds it, this one does not.
	b = hostBench(t, nil, asking("gone.example"))
	b.wantAnswer(b.run("x git --profile dev get"), "")
	if b.out.Len() > 0 {
		t.Errorf("got %q", b.out.String())
	}
}

// What all bindings share, the front gives; where they may differ it asks the core.
func TestSharedWarm(t *testing.T) {
	b := hostBench(t, withTokens(fresh, life(time.Hour, 0)), "")
	b.table = []profileindex.Bound{boundTo("dev", sessionID, "*.h.example", "access"), boundTo("other", sessionID, "i.example", "access")}
	b.wantAnswer(b.run("x pnpm"), "Bearer "+fresh)
	b = hostBench(t, withTokens(fresh, life(time.Hour, 0)), "")
	b.wantCore(b.run("x pnpm"), false, false) // "other" has another session, which is not there
	b = hostBench(t, withTokens(fresh, life(time.Hour, 0)), "")
	b.table = bindings[:1]
	b.wantAnswer(b.run("pnpm-token-cognito-dev"), "Bearer "+fresh)
}

// What was derived from AWS credentials is answered by the front while it is warm, and only for the credentials that the
// profile leads to now.
func TestDerivedWarm(t *testing.T) {
	session := func(from string) *tokencache.Session {
		s := withAWS("ASIA", life(time.Hour, 0))
		s.Hot.Credentials = append(s.Hot.Credentials, tokencache.Credentials{
			Record: tokencache.DerivedRecord("ecr", from, "reg.example"),
			AWS:    token.AWSCredentials{AccessKeyID: "AWS", SecretAccessKey: token.NewSecret("pass"), Lifetime: life(12*time.Hour, 0)},
		})
		return s
	}
	b := hostBench(t, session(record), asking("reg.example"))
	b.wantAnswer(b.run("x git get"), "username=AWS\npassword=pass\n")
	if b.store.tries > 0 {
		t.Errorf("tried the lock %d times", b.store.tries)
	}
	b = hostBench(t, session("another"), asking("reg.example"))
	b.wantCore(b.run("x git get"), true, false)
	b = hostBench(t, session(record), asking("reg.example"))
	b.index.AWSRecord = ""
	b.wantCore(b.run("x git get"), false, false)
}

// What the front hands over, it hands over with the whole request.
func TestHostHandedOver(t *testing.T) {
	dead := withTokens(fresh, life(time.Hour, 0))
	dead.Hot.Dead = &tokencache.Death{Reason: "revoked"}
	warm := withTokens(fresh, life(time.Hour, 0))
	for name, c := range map[string]struct {
		session *tokencache.Session
		line    string
		in      string
		locked  bool
	}{
		"bound twice, to two sessions": {warm, "x git get", asking("two.example"), false},
		"a derived credential":         {warm, "x git get", asking("reg.example"), true},
		"no such session":              {warm, "x git get", asking("gone.example"), false},
		"an ended session":             {dead, "x git get", asking("h.example"), false},
		"another user":                 {warm, "x git --username eve get", asking("h.example"), false},
		"a location":                   {warm, "x git --profile dev --profile-location f get", asking("h.example"), false},
		"a profile that binds nothing": {warm, "x git --profile third get", asking("h.example"), false},
		"letters beyond ASCII":         {warm, "x git get", asking("bücher.example"), false},
		"malformed":                    {warm, "x git get", asking("u@h.example"), false},
		"expired":                      {expired(), "x git get", asking("h.example"), true},
		"the present token is refused": {warm, "x git erase", "protocol=https\nhost=h.example\npassword=" + fresh + "\n\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := hostBench(t, c.session, c.in)
			b.wantCore(b.run(c.line), c.locked, false)
			if b.core != nil && b.core.replay != c.in {
				t.Errorf("the core is given %q", b.core.replay)
			}
		})
	}
	b := hostBench(t, warm, asking("h.example"))
	b.table = nil
	b.wantCore(b.run("x git get"), false, false)
}

func TestRejected(t *testing.T) {
	refused := withTokens(old, life(time.Hour, 10*time.Second))
	refused.Hot.Rejected = []tokencache.Rejected{{Hash: protocol.FingerprintOf(token.NewSecret(old)), At: present.Wall}}
	attempt := func(age time.Duration, o tokencache.Outcome) map[string]tokencache.Attempt {
		return map[string]tokencache.Attempt{"refresh": {Started: present.Wall.Add(-age), Outcome: o, Token: [8]byte{1}}}
	}
	// Nothing was tried in the last 30 s: it is to be renewed.
	b := hostBench(t, refused, asking("h.example"))
	b.wantCore(b.run("x git get"), true, false)
	// It is what a refresh gave 10 s ago: it serves on.
	b = hostBench(t, refused, asking("h.example"))
	b.store.attempts = attempt(12*time.Second, tokencache.Done)
	b.wantAnswer(b.run("x git get"), "password="+old)
	// An erase of a token that is not the present one, or that was noted before, changes nothing.
	for _, value := range []string{"another", old} {
		b = hostBench(t, refused, "protocol=https\nhost=h.example\npassword="+value+"\n\n")
		b.wantAnswer(b.run("x git erase"), "")
	}
	// git comes back with our state: of the present token, which only the complete program can note; of an older one, for
	// which the present one is the answer.
	again := func(value string) string {
		first := hostBench(t, withTokens(value, life(time.Hour, 0)), "capability[]=state\n"+asking("h.example"))
		first.run("x git get")
		_, state, _ := strings.Cut(first.out.String(), "state[]=")
		state, _, _ = strings.Cut(state, "\n")
		return "capability[]=state\nstate[]=" + state + "\n" + asking("h.example")
	}
	b = hostBench(t, withTokens(fresh, life(time.Hour, 0)), again(fresh))
	b.wantCore(b.run("x git get"), false, false)
	b = hostBench(t, withTokens(fresh, life(time.Hour, 0)), again(old))
	b.wantAnswer(b.run("x git get"), "password="+fresh)
	if strings.Contains(b.out.String(), "continue") {
		t.Errorf("a third chance: %q", b.out.String())
	}
	// The token was refused and has expired: the core must not be given a lock that noting the refusal would wait for.
	gone := withTokens(old, life(time.Hour, 2*time.Hour))
	b = hostBench(t, gone, again(old))
	b.wantCore(b.run("x git get"), false, false)
}
