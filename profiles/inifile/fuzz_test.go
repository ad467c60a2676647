package inifile

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const canary = "canary-3f7a"

// Property: whatever a file says, Load ends with a profile or one of its three errors, and no error, hint, or warning
// shows the value of a secret key, a control character, or a second line.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{complete, "[profile a]\nurl=%(y)s\ny=%(url)s\n", "\ufeff[a]\r\n", "[profile a]\ncognito_hosts =\n  h = id\n[DEFAULT]\nx=\"\"\"\n", "[profile a]\ncognito_client_secret =\n  x\n", "[profile a]\ncognito_client_secret", "[profile a]\nservices = x\n[services x]\ns3 =\n endpoint_url=\n", "[profile a\n[a]\n`=`\n"} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(129))
	}
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		secrets := []string{"cognito_client_secret", "aws_secret_access_key", "aws_session_token", "cognito_client_secret_next", "credential_process"}
		key := secrets[int(which)%len(secrets)]
		text = bytes.ReplaceAll(text, []byte(canary), nil)
		end := "" // a good secret at the end of whatever went before, or one that is refused itself
		if which >= 128 {
			end = "\x7f"
		}
		text = append(text, "\n[profile a]\n"+key+" = "+canary+end+"\n"...)
		s := &source{path: "config", form: configFile, data: text}
		err := s.checkText()
		b := builder{profile: profiles.Profile{Name: "a"}, entries: map[string]entry{}}
		if err == nil {
			err = b.add(s, s.sections("a"))
		}
		b.drives = false // the file does not exist
		var p profiles.Profile
		if err == nil {
			p, err = b.build()
		}
		told := append(p.Warnings, b.profile.Warnings...)
		switch e := err.(type) {
		case nil:
			if end != "" {
				t.Error("the control character in the secret was not noticed")
			}
		case *profiles.KeyError:
			told = append(told, e.Error(), e.Hint())
		case *profiles.FileError:
			told = append(told, e.Error(), e.Hint())
		default:
			t.Errorf("%T", err)
		}
		for _, line := range told {
			if strings.Contains(line, canary) || strings.ContainsAny(line, "\n\r\x00\x1b\x07\x7f") {
				t.Errorf("told: %q", line)
			}
		}
	})
}

// Property: the outline covers the file in order, names nothing outside it, and a wanted section's outline does not
// depend on which others are wanted.
func FuzzOutline(f *testing.F) {
	f.Add([]byte(complete), "profile dev")
	f.Add([]byte("x\n[a]\n b = c\n  d\n[a"), "a")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		at := 0
		var same []Section
		for _, s := range Outline(data) {
			if s.Start < at || s.HeaderEnd < s.Start || s.End < s.HeaderEnd || s.End > len(data) {
				t.Fatalf("section %+v", s)
			}
			at = s.HeaderEnd
			for _, k := range s.Keys {
				if k.Start < at || k.ValueStart < k.Start || k.ValueEnd < k.ValueStart || k.End < k.ValueEnd || k.End > s.End {
					t.Fatalf("key %+v", k)
				}
				for _, line := range k.Block {
					if line.Start < k.ValueEnd || line.End <= line.Start || line.End > k.End {
						t.Fatalf("line %+v", line)
					}
				}
				at = k.End
			}
			at = s.End
			if s.Name == name {
				same = append(same, s)
			}
		}
		if alone := scan(data, func(n string) bool { return n == name }); !reflect.DeepEqual(alone, same) {
			t.Fatalf("alone %+v\nwith others %+v", alone, same)
		}
	})
}

// Property: a binding that parses has a host of lower-case A-labels or an address, matches itself, never matches by
// plain http unless it is a loopback address, and reads the same when it is written out.
func FuzzParseBinding(f *testing.F) {
	for _, seed := range []string{"h.example = id", "*.b.example:8443/a/b = access user=x", "[::1]:80 = ecr", "bücher.example = eks", "127.0.0.1/x = id"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		b, ok := ParseBinding(line)
		if !ok {
			if b != (profiles.Binding{}) {
				t.Errorf("refused, but %+v", b)
			}
			return
		}
		host := b.Host
		if strings.HasPrefix(host, "*.") {
			host = "x" + host[1:]
		}
		at := func(scheme, host, path string) profiles.Host {
			return profiles.Host{Scheme: scheme, Name: host, Port: b.Port, Path: path}
		}
		if !b.Match(at("https", host, b.Path+"/x")) || b.Match(at("http", host, b.Path)) != b.Loopback || b.Match(at("https", "evil"+host, b.Path)) && !strings.HasPrefix(b.Host, "*.") {
			t.Errorf("%+v", b)
		}
		written := bracketed(b.Host)
		if b.Port != "" {
			written += ":" + b.Port
		}
		written += b.Path + " = " + b.Kind
		if b.User != "" {
			written += " user=" + b.User
		}
		if again, ok := ParseBinding(written); !ok || again != b {
			t.Errorf("%q: %+v, again %+v", written, b, again)
		}
	})
}

// Property: a canonical URL is its own canonical form.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"https://a.example:443/", "http://[0::1]:080/x/", "HTTP://127.0.0.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := endpoint(s); ok {
			if again, ok := endpoint(c); !ok || again != c {
				t.Errorf("%q: %q, again %q", s, c, again)
			}
		}
	})
}

func profilesFile(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[profile p%d]\nregion = eu-central-1\noutput = json\ncognito_user_pool_id = eu-central-1_AbCdEfGhI\ncognito_client_id = 1h57kf5cpq17m0eml12EXAMPLE\ncognito_identity_pool_id = us-west-2:12345678-90ab-cdef-1234-567890abcdef\n# a comment\n\n", i)
	}
	return b.String()
}

func benchmarkLoad(b *testing.B, n int) {
	h := newHome(b, "", profilesFile(n))
	s := profiles.Selection{Name: fmt.Sprintf("p%d", n/2), Named: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(s, h.options()); err != nil {
			b.Fatal(err)
		}
	}
}

// The difference of these two must stay well below a third of a process start (about 1 ms).
func BenchmarkLoadOneOfOne(b *testing.B) { benchmarkLoad(b, 1) }
func BenchmarkLoadOneOf500(b *testing.B) { benchmarkLoad(b, 500) }
