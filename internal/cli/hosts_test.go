package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// secretToken is what no host but a bound one may see.
const secretToken = "the.secret.token"

// hostBench is a program whose profiles bind hosts, and whose sessions are all live.
func hostBench(t *testing.T, list ...profiles.Profile) *bench {
	b := newBench(t)
	b.adapters = all.Adapters(nil)
	b.bound = list
	b.fake.token = token.Token{Value: token.NewSecret(secretToken), Lifetime: token.Lifetime{Issued: noon, Expires: noon.Add(time.Hour)}}
	b.loadProfile = func(s profiles.Selection, _ func(string) string) (profiles.Profile, error) {
		for _, p := range list {
			if p.Name == s.Name {
				return p, nil
			}
		}
		return profiles.Profile{}, &profiles.NotFoundError{Name: s.Name, Named: s.Named, Files: []string{"config"}}
	}
	b.kept = func() (*hostTokens, error) {
		return nil, &token.Error{Kind: token.Failure, Message: "this test keeps no tokens"}
	}
	return b
}

func binding(name string, bindings ...profiles.Binding) profiles.Profile {
	p := devProfile()
	p.Name, p.Hosts = name, bindings
	return p
}

// dev binds one host, one with a port, one below a wildcard, one path, and a loopback address.
func dev() profiles.Profile {
	return binding("dev",
		profiles.Binding{Host: "good.com", Kind: "access"},
		profiles.Binding{Host: "good.com", Port: "8443", Kind: "access"},
		profiles.Binding{Host: "*.wild.com", Kind: "access"},
		profiles.Binding{Host: "path.com", Path: "/team/a", Kind: "access"},
		profiles.Binding{Host: "xn--bcher-kva.com", Kind: "access"},
		profiles.Binding{Host: "xn--strae-oqa.com", Kind: "access"},
		profiles.Binding{Host: "127.0.0.1", Port: "8080", Kind: "access", Loopback: true},
	)
}

// asking says how each tool names a place, given as a URL or a part of one.
var asking = map[string]func(b *bench, where string) []string{
	"docker": func(b *bench, where string) []string {
		b.stdin.Reset(where)
		return []string{"docker", "get"}
	},
	"terraform": func(_ *bench, where string) []string {
		where, _ = strings.CutPrefix(where, "https://")
		return []string{"terraform", "get", where}
	},
	"git": func(b *bench, where string) []string {
		scheme, rest, ok := strings.Cut(where, "://")
		if !ok {
			scheme, rest = "https", where
		}
		host, path, _ := strings.Cut(rest, "/")
		b.stdin.Reset("protocol=" + scheme + "\nhost=" + host + "\npath=" + path + "\n\n")
		return []string{"git", "get"}
	},
	"token": func(_ *bench, where string) []string { return []string{"token", "--host", where} },
	"bazel": func(b *bench, where string) []string {
		b.stdin.Reset(`{"uri":` + jsonText(where) + `}`)
		return []string{"bazel", "get"}
	},
	"cargo": func(b *bench, where string) []string {
		b.stdin.Reset(`{"v":1,"registry":{"index-url":` + jsonText("sparse+"+where) + `},"kind":"get","operation":"read","args":[]}` + "\n")
		return []string{"cargo", "--cargo-plugin"}
	},
	"goauth": func(b *bench, where string) []string {
		if !strings.Contains(where, "://") {
			where = "https://" + where
		}
		b.stdin.Reset("HTTP/2.0 401 Unauthorized\n\n")
		return []string{"goauth", where}
	},
	"keyring": func(_ *bench, where string) []string { return []string{"keyring", "get", where, "me"} },
	"keyring-creds": func(_ *bench, where string) []string { // as newer pips ask
		return []string{"keyring", "--mode=creds", "--output=json", "get", where, "me"}
	},
	"pnpm": func(_ *bench, where string) []string { return []string{"pnpm", "--host", where} },
}

func jsonText(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string fails
	}
	return string(b)
}

// telling are the tools that say in their protocol that they give nothing.
var telling = map[string]bool{"terraform": true, "bazel": true, "cargo": true}

// handedOut reports whether the place gets the token of the tool's verb.
func handedOut(t *testing.T, tool, where string, list ...profiles.Profile) bool {
	t.Helper()
	b := hostBench(t, list...)
	args := asking[tool](b, where)
	exit := b.call(t, args...)
	got := strings.Contains(b.stdout.String(), secretToken)
	if got != (exit == 0 && b.stdout.Len() > len(secretToken)) && !telling[tool] {
		t.Errorf("%s %q: exit %d with %q", tool, where, exit, b.stdout.String())
	}
	for _, printed := range []string{b.stderr.String(), strings.ReplaceAll(b.stdout.String(), secretToken, "")} {
		if strings.ContainsFunc(printed, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' }) {
			t.Errorf("%s %q printed %q", tool, where, printed)
		}
		if strings.Contains(printed, secretToken) {
			t.Errorf("%s %q printed the token: %q", tool, where, printed)
		}
	}
	return got
}

// TestHostsThatAreBound keeps the tables below honest: refusing everything is no protection.
func TestHostsThatAreBound(t *testing.T) {
	for where, tools := range map[string]string{
		"good.com":                   "git docker terraform token goauth pnpm bazel",
		"GOOD.com":                   "git docker terraform token goauth pnpm bazel",
		"https://good.com":           "git docker terraform token goauth pnpm bazel cargo keyring keyring-creds",
		"https://good.com:443":       "git docker terraform token goauth pnpm bazel cargo keyring keyring-creds",
		"good.com:8443":              "git docker terraform token goauth pnpm bazel",
		"https://good.com/v2/":       "git docker token goauth pnpm bazel cargo keyring keyring-creds",
		"a.wild.com":                 "git docker terraform token goauth pnpm bazel",
		"a.b.wild.com":               "git docker terraform token goauth pnpm bazel",
		"path.com/team/a":            "git docker token goauth pnpm bazel",
		"path.com/team/a/repo.git":   "git docker token goauth pnpm bazel",
		"https://path.com/team/a/i/": "git docker token goauth pnpm bazel cargo keyring keyring-creds",
		"bücher.com":                 "git docker terraform token goauth pnpm bazel",
		"xn--bcher-kva.com":          "git docker terraform token goauth pnpm bazel",
		"XN--BCHER-KVA.com":          "git docker terraform token goauth pnpm bazel",
		"xn--strae-oqa.com":          "git docker terraform token goauth pnpm bazel",
		"http://127.0.0.1:8080":      "git docker token goauth pnpm bazel cargo keyring keyring-creds",
		"127.0.0.1:8080":             "git docker terraform token goauth pnpm bazel keyring keyring-creds",
		"https://127.0.0.1:8080/v2":  "git docker token goauth pnpm bazel cargo keyring keyring-creds",
	} {
		for tool := range strings.FieldsSeq(tools) {
			if !handedOut(t, tool, where, dev()) {
				t.Errorf("%s %s is bound and got nothing", tool, where)
			}
		}
	}
}

// TestHostsOfOthersVulnerabilities has the inputs by which other credential helpers gave a credential to a stranger
// (docs/security.md names our rules).
func TestHostsOfOthersVulnerabilities(t *testing.T) {
	long := strings.Repeat("a", 70_000)
	for id, places := range map[string][]string{
		"CVE-2020-5260":  {"good.com\nhost=evil.com", "evil.com\nhost=good.com", "evil.com%0ahost=good.com", "good.com%0a", "good.com\n.evil.com"},
		"CVE-2020-11008": {"", "https://", "https:///good.com", "://good.com", "://", ":443", "https://:443/"},
		"CVE-2024-52006, CVE-2024-50338, CVE-2025-23040": {"good.com\rhost=evil.com", "good.com\r", "good.com%0d", "\rgood.com", "good.com\x00.evil.com"},
		"CVE-2024-50349": {"good.com\x1b[2J", "\x1b]0;x\x07good.com", "good.com%1b[2J", "good.com\u202e", "good.com\u0085"},
		"CVE-2024-53263": {"good.com/\x01", "good.com/a\nb", "good.com/\x7f", "good.com\t", " good.com", "good.com "},
		"CVE-2025-48386": {long, long + ".good.com", "good.com:" + long, "good.com." + long, long + "@good.com", strings.Repeat("a.", 200) + "wild.com"},
		"GO-2026-6225, CVE-2025-27403, CVE-2024-35192": {
			"good.com.evil.com", "x.good.com.evil.com", "evilgood.com", "xgood.com", "good.com-evil.com", "a.wild.com.evil.com", "evilwild.com", "wild.com",
			".wild.com", "x..wild.com", "*.wild.com", "evil.com/.wild.com", "evil.com#.wild.com", "evil.com?.wild.com", `evil.com\.wild.com`, "x.good.com",
		},
		"H23: user info": {"user@good.com", "user:pass@good.com", "good.com:443@evil.com", "evil.com@good.com", "@good.com", "https://good.com@evil.com/"},
		"H23: ports":     {"good.com:80", "good.com:444", "good.com:0443", "good.com:+443", "good.com:", "good.com:443:443", "good.com:99999", "good.com:4\u0664\u0663", "127.0.0.1", "http://127.0.0.1:8081"},
		"H23: schemes":   {"http://good.com", "HTTP://good.com", "http://good.com:443", "ssh://good.com", "ftp://good.com", "javascript://good.com", "http://127.0.0.1", "http://localhost:8080"},
		"H23: paths":     {"path.com", "path.com/team", "path.com/team/ab", "path.com/team/a/../b", "path.com/team/b/../a", "path.com/team/a%2f..%2f..%2fb", "path.com//team/a", "path.com/x/team/a", "path.com/Team/a", `path.com/team/a\..\b`, "path.com/team/a/..;/b", "path.com/team/a;/b", "path.com/team/a%3f", "path.com/team/a%23/b"},
		"H23: IDN":       {"stra\u00dfe.com", "STRA\u1e9eE.com", "strasse.com", "stra\u200dsse.com", "xn--bucher-kva.com", "bu\u0308cher.com.evil.com", "b\u00fccher.com.", "g\u043e\u043ed.com", "good\u3002com\u3002evil.com", "good.c\u043em", "good\u2024com", "xn--good-.com"},
		"H24: dots":      {"good.com.", "good.com..", "good.com.:443", "https://good.com./v2/", ".good.com", "good.com\u3002"},
		"H24: addresses": {"127.1:8080", "0x7f000001:8080", "2130706433:8080", "127.0.0.1.:8080", "127.0.0.2:8080", "[::ffff:127.0.0.1]:8080", "[::1]:8080", "[127.0.0.1]:8080"},
	} {
		for _, where := range places {
			for tool := range asking {
				if handedOut(t, tool, where, dev()) {
					t.Errorf("%s: %s gave the token to %q", id, tool, where)
				}
			}
		}
	}
}

// What only one tool can be asked: git sends a path decoded, and pip names a host without its scheme, which may be http.
func TestHostsOfOneTool(t *testing.T) {
	for tool, places := range map[string][]string{
		"git":           {"path.com/team/a?", "path.com/team/a?/b", "path.com/team/a#b", "path.com/team/a?/../../b"},
		"keyring":       {"good.com", "good.com:443", "good.com:8443", "a.wild.com", "path.com/team/a"},
		"keyring-creds": {"good.com", "good.com:443", "good.com:8443", "a.wild.com", "path.com/team/a"},
	} {
		for _, where := range places {
			if handedOut(t, tool, where, dev()) {
				t.Errorf("%s gave the token to %q", tool, where)
			}
		}
	}
}

// pnpm does not say which registry it asks for. With one session ended, the other one's token must not be given in its place,
// nor where only a wildcard or a path is bound to another.
func TestSharedCredential(t *testing.T) {
	other := func(b profiles.Binding) profiles.Profile {
		p := binding("other", b)
		p.ClientID = "another"
		return p
	}
	good := binding("dev", profiles.Binding{Host: "good.com", Kind: "access"}, profiles.Binding{Host: "*.good.com", Kind: "access"})
	for _, c := range []struct {
		name string
		list []profiles.Profile
		args string
		exit int
		said string
	}{
		{"one profile", []profiles.Profile{good}, "", 0, ""},
		{"another kind below a path", []profiles.Profile{good, binding("more", profiles.Binding{Host: "x.com", Path: "/p", Kind: "id"})}, "", 6, "good.com and x.com/p get different tokens"},
		{"another session of a wildcard", []profiles.Profile{good, other(profiles.Binding{Host: "*.x.com", Kind: "access"})}, "", 6, "*.good.com and *.x.com get different tokens"},
		{"restricted", []profiles.Profile{good, other(profiles.Binding{Host: "*.x.com", Kind: "access"})}, " --profile dev", 0, ""},
		{"nothing", nil, "", 6, "no profile binds a registry"},
	} {
		b := hostBench(t, c.list...)
		b.fake.live = func(session string) bool { return session == tokensource.Target{Profile: good}.Identity().SessionID() }
		exit := b.call(t, strings.Fields("pnpm"+c.args)...)
		if gave := strings.Contains(b.stdout.String(), secretToken); exit != c.exit || gave != (exit == 0) || !strings.Contains(b.stderr.String(), c.said) {
			t.Errorf("%s: exit %d, %q, %s", c.name, exit, b.stdout.String(), b.stderr.String())
		}
	}
}

// CVE-2024-53858, CVE-2024-53859: no variable of the environment makes a host eligible, or another profile count.
func TestCVE202453858(t *testing.T) {
	for tool, ask := range asking {
		b := hostBench(t, dev())
		for _, name := range []string{"CODESPACES", "CI", "GITHUB_ACTIONS", "GH_HOST", "GIT_ASKPASS", "AWS_PROFILE", "COGNITO_HOSTS"} {
			b.env[name] = "dev"
		}
		b.call(t, ask(b, "evil.com")...)
		if strings.Contains(b.stdout.String(), secretToken) {
			t.Errorf("%s answered", tool)
		}
	}
}

// CVE-2021-41092, and H26: a docker client takes one sentence for "go on without a credential"; it is said only where that
// is true.
func TestCVE202141092(t *testing.T) {
	const notFound = "credentials not found in native keychain\n"
	for where, failure := range map[string]error{
		"good.com":   &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in"},
		"a.wild.com": errors.New("anything"),
		"good.com.":  nil,
		"u@good.com": nil,
	} {
		b := hostBench(t, dev())
		b.fake.err = failure
		if exit := b.call(t, asking["docker"](b, where)...); exit != 1 || b.stdout.String() == notFound || b.stdout.Len() == 0 || b.stderr.Len() == 0 {
			t.Errorf("%s: exit %d, %q, %q", where, exit, b.stdout.String(), b.stderr.String())
		}
	}
	b := hostBench(t, dev())
	if exit := b.call(t, asking["docker"](b, "index.docker.io")...); exit != 1 || b.stdout.String() != notFound || b.stderr.Len() > 0 {
		t.Errorf("exit %d, %q, %q", exit, b.stdout.String(), b.stderr.String())
	}
}

// CVE-2024-5798, CVE-2026-40946: the kind of token is the binding's, never what happens to be there.
func TestCVE20245798(t *testing.T) {
	for kind, use := range map[string]token.Use{"id": token.UseID, "access": token.UseAccess} {
		b := hostBench(t, binding("dev", profiles.Binding{Host: "good.com", Kind: kind}))
		if b.call(t, "token", "--host", "good.com"); b.fake.want.Use != use {
			t.Errorf("%s: asked for %q", kind, b.fake.want.Use)
		}
	}
	for _, kind := range []string{"ecr", "codeartifact", "codecommit", "eks"} {
		b := hostBench(t, binding("dev", profiles.Binding{Host: "good.com", Kind: kind}))
		if exit := b.call(t, "token", "--host", "good.com"); exit != 0 || b.stdout.String() != "derived\n" {
			t.Errorf("%s: exit %d, %q", kind, exit, b.stdout.String())
		}
	}
}

func TestWhichProfile(t *testing.T) {
	at := func(host, kind string) profiles.Binding { return profiles.Binding{Host: host, Kind: kind} }
	other := func(p profiles.Profile) profiles.Profile {
		p.ClientID = "another"
		return p
	}
	one, two := binding("one", at("h.com", "access"), at("*.w.com", "access")), binding("two", at("h.com", "access"), at("a.w.com", "id"))
	for _, c := range []struct {
		name  string
		list  []profiles.Profile
		args  string
		exit  int
		from  string // whose session was asked
		words string
	}{
		{"two profiles, one session", []profiles.Profile{one, two}, "--host h.com", 0, "one", ""},
		{"two profiles, two sessions", []profiles.Profile{one, other(two)}, "--host h.com", 6, "", "profiles one and two both bind h.com, and mean different credentials"},
		{"restricted to the second", []profiles.Profile{one, other(two)}, "--host h.com --profile two", 0, "two", ""},
		{"the exact host before the wildcard", []profiles.Profile{one, other(two)}, "--host a.w.com", 0, "two", ""},
		{"restricted to the wildcard", []profiles.Profile{one, other(two)}, "--host a.w.com --profile one", 0, "one", ""},
		{"another kind", []profiles.Profile{one, binding("two", at("h.com", "id"))}, "--host h.com", 6, "", "both bind h.com"},
		{"nobody", []profiles.Profile{one}, "--host x.com", 6, "", "no profile binds x.com"},
		{"a profile that is not there", []profiles.Profile{one}, "--host h.com --profile three", 6, "", "three"},
		{"a location without a profile", []profiles.Profile{one}, "--host h.com --profile-location f", 2, "", "--profile-location needs --profile"},
		{"a use beside the host", []profiles.Profile{one}, "--host h.com --use id", 2, "", "--use and --host exclude each other"},
	} {
		b := hostBench(t, c.list...)
		b.env["AWS_PROFILE"] = "three"
		exit := b.call(t, append([]string{"token"}, strings.Fields(c.args)...)...)
		if exit != c.exit || b.fake.target.Selection.Name != c.from || !strings.Contains(b.stderr.String(), c.words) {
			t.Errorf("%s: exit %d, profile %q, said %s", c.name, exit, b.fake.target.Selection.Name, b.stderr.String())
		}
	}
}

// A profile whose bindings cannot be read: a host that another one binds is answered, any other hears of it.
func TestUnknownBindings(t *testing.T) {
	b := hostBench(t, dev())
	table, _, _ := b.bindings()
	torn := &profiles.KeyError{File: "config", Line: 3, Section: "profile torn", Key: "cognito_hosts", Value: "x", Allowed: "y"}
	b.bindings = func() (profileindex.Hosts, error, error) { return table, torn, nil }
	if exit := b.call(t, "token", "--host", "good.com"); exit != 0 || b.stdout.String() != secretToken+"\n" {
		t.Errorf("exit %d, %q", exit, b.stdout.String())
	}
	b.stdout.Reset()
	if exit := b.call(t, "token", "--host", "github.com"); exit != 6 || b.stdout.Len() > 0 || !strings.Contains(b.stderr.String(), "config:3: [profile torn] cognito_hosts") {
		t.Errorf("exit %d, %q, %s", exit, b.stdout.String(), b.stderr.String())
	}
}

func TestEraseNotesTheToken(t *testing.T) {
	b := hostBench(t, dev())
	b.stdin.Reset("protocol=https\nhost=good.com\npassword=" + secretToken + "\n\n")
	if exit := b.call(t, "git", "erase"); exit != 0 || len(b.fake.rejected) != 1 || b.fake.rejected[0] != protocol.FingerprintOf(token.NewSecret(secretToken)) {
		t.Errorf("exit %d, rejected %x: %s", exit, b.fake.rejected, b.stderr.String())
	}
	b.stdin.Reset("protocol=https\nhost=evil.com\npassword=" + secretToken + "\n\n")
	if exit := b.call(t, "git", "erase"); exit != 0 || len(b.fake.rejected) != 1 {
		t.Errorf("an erase for a stranger: exit %d, rejected %x: %s", exit, b.fake.rejected, b.stderr.String())
	}
}

func TestListedHosts(t *testing.T) {
	gone := binding("gone", profiles.Binding{Host: "gone.com", Kind: "access"})
	gone.ClientID = "another"
	b := hostBench(t, dev(), gone)
	id := tokensource.Target{Profile: gone}.Identity().SessionID()
	b.fake.live = func(session string) bool { return session != id }
	if exit := b.call(t, "docker", "list"); exit != 0 || b.stdout.String() != `{"127.0.0.1:8080":"cognito","good.com:8443":"cognito","good.com":"cognito","xn--bcher-kva.com":"cognito","xn--strae-oqa.com":"cognito"}`+"\n" {
		t.Errorf("exit %d, %q, %s", exit, b.stdout.String(), b.stderr.String())
	}
}

// A plugin is asked for the credentials of many hosts at once; the race detector looks on.
func TestHostsAreFoundAtOnce(t *testing.T) {
	b := hostBench(t, dev())
	good, err := profiles.ParseHost("https://good.com/")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, _, err := b.program.bound(protocol.HostRequest{Host: good}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
