package gitcredential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/protocoltest"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const jwt = "header.payload.signature"

func bound() *protocoltest.Source {
	t := token.Token{Value: token.NewSecret(jwt), Lifetime: token.Lifetime{Issued: time.Unix(1_999_996_399, 0), Expires: time.Unix(1_999_999_999, 999)}}
	return &protocoltest.Source{Bound: map[string]protocol.HostCredential{
		"h.example":      {Token: t, Profile: "dev"},
		"h.example:8443": {Token: t, Profile: "dev", Username: "alice"},
	}}
}

// lines makes a request of lines with spaces between them.
func lines(text string) string { return strings.ReplaceAll(text, " ", "\n") + "\n\n" }

func run(s protocol.Source, args, in string) (string, protocol.Result) {
	var out bytes.Buffer
	c := protocol.Call{Args: strings.Fields(args), Getenv: func(string) string { return "" }, In: strings.NewReader(in), Out: &out}
	r := Serve(context.Background(), c, s)
	return out.String(), r
}

func TestAnswers(t *testing.T) {
	state := "state[]=" + writeState(token.NewSecret(jwt)) + "\n"
	const (
		basic  = "username=cognito\npassword=" + jwt + "\npassword_expiry_utc=1999999999\n"
		alice  = "username=alice\npassword=" + jwt + "\npassword_expiry_utc=1999999999\n"
		bearer = "authtype=Bearer\ncredential=" + jwt + "\nephemeral=1\npassword_expiry_utc=1999999999\n"
	)
	for _, c := range []struct{ name, in, want string }{
		{"1.7.9", lines("protocol=https host=h.example"), basic},
		{"by EOF", "protocol=https\nhost=h.example", basic},
		{"what comes behind the request is not read", lines("protocol=https host=h.example") + "host=evil.example\n", basic},
		{"user of the binding", lines("protocol=https host=h.example:8443"), alice},
		{"the same user asked for", lines("protocol=https host=h.example:8443 username=alice"), alice},
		{"any user, where nobody is named", lines("protocol=https host=h.example username=alice"), alice},
		{"mixed case", lines("protocol=HTTPS host=H.Example"), basic},
		{"unknown keys", lines("protocol=https host=h.example quit=0 future[]=x future[]=y"), basic},
		{"wwwauth without the capability", lines("protocol=https host=h.example wwwauth[]=Bearer"), basic},
		{"authtype", lines("capability[]=authtype protocol=https host=h.example"), "capability[]=authtype\n" + bearer},
		{"both capabilities", lines("capability[]=authtype capability[]=state capability[]=other protocol=https host=h.example"),
			"capability[]=authtype\ncapability[]=state\n" + bearer + state + "continue=1\n"},
		{"state only", lines("capability[]=state protocol=https host=h.example"), "capability[]=state\n" + basic + state + "continue=1\n"},
		{"the host takes a bearer token", "capability[]=authtype\nprotocol=https\nhost=h.example\nwwwauth[]=Basic\nwwwauth[]=bearer realm=\"x\"\n\n", "capability[]=authtype\n" + bearer},
		{"the host takes none", "capability[]=authtype\nprotocol=https\nhost=h.example\nwwwauth[]=Basic realm=\"Bearer\"\n\n", basic},
		{"a challenge that was taken back", "capability[]=authtype\nprotocol=https\nhost=h.example\nwwwauth[]=Basic\nwwwauth[]=\nwwwauth[]=Bearer\n\n", "capability[]=authtype\n" + bearer},
		{"another helper's state", lines("capability[]=state protocol=https host=h.example state[]=other:1 state[]=cognito-credhelper:2:x"),
			"capability[]=state\n" + basic + state + "continue=1\n"},
		{"not bound", lines("protocol=https host=other.example"), ""},
		{"no web server", lines("protocol=smtp host=h.example"), ""},
		{"a client certificate", lines("protocol=cert path=/key.pem"), ""},
	} {
		if out, r := run(bound(), "get", c.in); r.Err != nil || r.Exit != 0 || out != c.want {
			t.Errorf("%s: %+v\n%swant\n%s", c.name, r, out, c.want)
		}
	}
}

// git 2.46: the first answer says that there may be another, and the second one is for the token that was refused.
func TestSecondChance(t *testing.T) {
	s := bound()
	s.Renewed = token.Token{Value: token.NewSecret("renewed.jwt.x"), Lifetime: token.Lifetime{Expires: time.Unix(2_000_000_000, 0)}}
	const ask = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=h.example\n"
	first, _ := run(s, "get", ask+"\n")
	given := ""
	for line := range strings.Lines(first) {
		if strings.HasPrefix(line, "state[]=") {
			given = line
		}
	}
	if given == "" || !strings.HasSuffix(first, "continue=1\n") {
		t.Fatalf("first answer:\n%s", first)
	}
	second, r := run(s, "get", ask+"authtype=Bearer\n"+given+"\n")
	if r.Err != nil || !strings.Contains(second, "credential=renewed.jwt.x\n") || strings.Contains(second, "continue") || strings.Contains(second, given) {
		t.Errorf("%+v\n%s", r, second)
	}
	if got := s.Wanted[1].Rejected; got != protocol.FingerprintOf(token.NewSecret(jwt)) {
		t.Errorf("asked with %x as rejected", got)
	}
	if strings.Contains(given, jwt) {
		t.Error("the state has the token in it")
	}
}

func TestEraseNamesTheTokenThatWasRefused(t *testing.T) {
	for _, key := range []string{"password", "credential"} {
		s := bound()
		out, r := run(s, "--profile dev erase", lines("protocol=https host=h.example username=u "+key+"="+jwt))
		if r.Err != nil || r.Exit != 0 || out != "" || len(s.Rejected) != 1 || len(s.Wanted) != 0 {
			t.Fatalf("%+v %q %+v", r, out, s)
		}
		if got := s.Rejected[0]; got.Rejected != protocol.FingerprintOf(token.NewSecret(jwt)) || got.Host.Name != "h.example" || got.Profile != "dev" {
			t.Errorf("%+v", got)
		}
	}
	s := bound()
	if _, r := run(s, "erase", lines("protocol=https host=h.example")); r.Err != nil || len(s.Rejected) != 0 {
		t.Errorf("an erase without a token: %+v %+v", r, s.Rejected)
	}
}

func TestStoreAndWhatIsYetToComeKeepNothing(t *testing.T) {
	for _, operation := range []string{"store", "capability", "frobnicate"} {
		s := bound()
		in := strings.NewReader(lines("protocol=https host=h.example username=u password=p"))
		var out bytes.Buffer
		r := Serve(context.Background(), protocol.Call{Args: []string{operation}, In: in, Out: &out}, s)
		if r.Err != nil || r.Exit != 0 || out.Len() != 0 || in.Len() != 0 || len(s.Wanted)+len(s.Rejected)+len(s.Stored) != 0 {
			t.Errorf("%s: %+v, printed %q, left %d bytes, asked %+v", operation, r, out.String(), in.Len(), s)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name, args, in string
		exit           int
	}{
		{"no operation", "", "", 2},
		{"a flag for an operation", "--profile", lines("protocol=https host=h.example"), 2},
		{"an unknown flag", "--nope get", lines("protocol=https host=h.example"), 2},
		{"a location alone", "--profile-location f get", lines("protocol=https host=h.example"), 2},
		{"another user", "get", lines("protocol=https host=h.example:8443 username=eve"), 6},
		{"no key", "get", "protocol=https\nhost=h.example\nnonsense\n\n", 1},
		{"a host twice", "get", lines("protocol=https host=h.example host=h.example"), 1},
		{"a protocol twice", "get", lines("protocol=https protocol=http host=h.example"), 1},
		{"a URL beside", "get", lines("protocol=https host=h.example url=https://evil.example"), 1},
		{"a carriage return in a user name", "get", "protocol=https\nhost=h.example\nusername=a\rpassword=b\n\n", 1},
		{"a NUL in a key that nobody knows", "get", "protocol=https\nhost=h.example\nx\x00=y\n\n", 1},
		{"lines of another system", "get", "protocol=https\r\nhost=h.example\r\n\r\n", 1},
		{"nothing", "get", "\n", 1},
		{"empty", "get", "", 1},
		{"too large", "get", "protocol=https\nhost=h.example\nx=" + strings.Repeat("y", protocol.MaxRequest), 1},
		{"erase of a malformed request", "erase", lines("protocol=https host=u@h.example password=x"), 1},
	} {
		s := bound()
		if out, r := run(s, c.args, c.in); r.Err == nil || r.Exit != c.exit || out != "" || len(s.Rejected) != 0 {
			t.Errorf("%s: %+v %q, want exit %d", c.name, r, out, c.exit)
		}
	}
}

// Where a person must do something, git is told to stop instead of asking for a password.
func TestQuit(t *testing.T) {
	for kind, want := range map[token.Kind]string{
		token.LoginNeeded: "quit=1\n", token.Unavailable: "quit=1\n", token.Refused: "quit=1\n",
		token.BadProfile: "", token.Failure: "", token.Interrupted: "",
	} {
		failure := &token.Error{Kind: kind, Message: "no"}
		if out, r := run(&protocoltest.Source{Err: failure}, "get", lines("protocol=https host=h.example")); out != want || r.Err != error(failure) {
			t.Errorf("kind %d: %q %+v", kind, out, r)
		}
	}
	if out, r := run(&protocoltest.Source{Err: token.ErrMiss}, "get", lines("protocol=https host=h.example")); out != "" || !errors.Is(r.Err, token.ErrMiss) {
		t.Errorf("a miss: %q %+v", out, r)
	}
}

// Property: whatever git sends, an answer has the token only for the host that is bound, every line of it is key=value of a
// key that git knows, and nothing of the request appears in it but a user name.
func FuzzGet(f *testing.F) {
	for _, seed := range []string{
		lines("protocol=https host=h.example"), lines("capability[]=authtype capability[]=state protocol=https host=h.example:8443 username=x"),
		"protocol=https\nhost=h.example\r\n\n", "protocol=https\nhost=h.example\x00\n\n", "host=h.example\nhost=x\n\n", "state[]=" + statePrefix + "zz\n\n",
		"protocol=https\nhost=h.example%0ahost=x\n\n", "protocol=https\nhost=x@h.example\n\n",
	} {
		f.Add(seed)
	}
	known := map[string]bool{"capability[]": true, "authtype": true, "credential": true, "ephemeral": true, "username": true, "password": true, "password_expiry_utc": true, "state[]": true, "continue": true}
	f.Fuzz(func(t *testing.T, in string) {
		s := bound()
		out, r := run(s, "get", in)
		if out == "" {
			return
		}
		if r.Err != nil || len(s.Wanted) != 1 {
			t.Fatalf("%+v with an answer %q", r, out)
		}
		if h := s.Wanted[0].Host; h.Name != "h.example" {
			t.Fatalf("answered %+v", h)
		}
		// The bound host must be one line of the request, and the only one that names a host.
		hosts := 0
		request, _, _ := strings.Cut(in, "\n\n")
		for line := range strings.SplitSeq(request, "\n") {
			if value, ok := strings.CutPrefix(line, "host="); ok {
				hosts++
				if got := strings.ToLower(value); got != "h.example" && got != "h.example:8443" {
					t.Fatalf("%q was answered", value)
				}
			}
		}
		if hosts != 1 {
			t.Fatalf("%d hosts in %q", hosts, in)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(out, "\n"), "\n") {
			key, value, ok := strings.Cut(line, "=")
			if !ok || !known[key] || strings.ContainsAny(value, "\r\x00") {
				t.Fatalf("line %q", line)
			}
		}
	})
}

func TestStateIsReadAsItWasWritten(t *testing.T) {
	for _, text := range []string{"a", jwt, strings.Repeat("x", 5000)} {
		if f, ok := readState(writeState(token.NewSecret(text))); !ok || f != protocol.FingerprintOf(token.NewSecret(text)) {
			t.Errorf("%.10s: %x %v", text, f, ok)
		}
	}
	for _, odd := range []string{"", statePrefix, statePrefix + strings.Repeat("0", 63), statePrefix + strings.Repeat("g", 64), statePrefix + strings.Repeat("+1", 32), fmt.Sprintf("%s%065d", statePrefix, 0)} {
		if _, ok := readState(odd); ok {
			t.Errorf("%q was read", odd)
		}
	}
}
