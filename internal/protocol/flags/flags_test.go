package flags

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

type values struct {
	credential Credential
	format     string
	claims     bool
}

func parse(args []string) (values, error) {
	v := values{credential: NewCredential()}
	p := Parser{Args: args}
	for p.Next() {
		switch {
		case v.credential.Take(&p):
		case p.Name == "format":
			p.Choice(&v.format, "raw", "header")
		case p.Name == "claims":
			p.Bool(&v.claims)
		default:
			p.Unknown()
		}
	}
	return v, p.Err
}

func TestParsingAllocatesNothing(t *testing.T) {
	args := []string{"--profile", "p", "--min-ttl=5m", "--format", "raw", "--claims"}
	if n := testing.AllocsPerRun(100, func() { parse(args) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParse(t *testing.T) {
	env := map[string]string{}
	getenv := func(k string) string { return env[k] }
	for _, c := range []struct {
		args string
		aws  string
		want protocol.Request
	}{
		{"", "", protocol.Request{Profile: profiles.Selection{Name: "default"}}},
		{"", "dev", protocol.Request{Profile: profiles.Selection{Name: "dev", Named: true}}},
		{"--profile p", "dev", protocol.Request{Profile: profiles.Selection{Name: "p", Named: true}}},
		{"--profile-name=p --claims", "", protocol.Request{Profile: profiles.Selection{Name: "p", Named: true}}},
		{"--profile=a=b", "", protocol.Request{Profile: profiles.Selection{Name: "a=b", Named: true}}},
		{"--profile --odd", "", protocol.Request{Profile: profiles.Selection{Name: "--odd", Named: true}}},
		{"--profile-location f --username u", "", protocol.Request{Profile: profiles.Selection{Name: "default", Location: "f"}, Username: "u"}},
		{"--min-ttl 15m", "", protocol.Request{Profile: profiles.Selection{Name: "default"}, MinTTL: 15 * time.Minute}},
		{"--min-ttl=90", "", protocol.Request{Profile: profiles.Selection{Name: "default"}, MinTTL: 90 * time.Second}},
		{"--min-ttl=0", "", protocol.Request{Profile: profiles.Selection{Name: "default"}, MinTTL: 1}},
	} {
		env["AWS_PROFILE"] = c.aws
		v, err := parse(strings.Fields(c.args))
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := v.credential.Request(getenv); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.args, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--nope", "there is no flag --nope here"},
		{"--nope=secret", "there is no flag --nope here"},
		{"-p", `"-p" is not expected here`},
		{"word", `"word" is not expected here`},
		{"--", `"--" names no flag`},
		{"--=x", `"--=x" names no flag`},
		{"--profile", "--profile needs a value"},
		{"--profile=", "--profile needs a value"},
		{"--profile a --profile-name b", "--profile-name is given twice"},
		{"--claims=yes", "--claims takes no value"},
		{"--claims --claims", "--claims is given twice"},
		{"--format xml", "--format must be one of raw, header"},
		{"--min-ttl soon", "--min-ttl must be a duration such as 90s, 15m, 1h, or a number of seconds"},
		{"--min-ttl -5m", "--min-ttl must be a duration such as 90s, 15m, 1h, or a number of seconds"},
		{"--min-ttl 9999999999999", "--min-ttl must be a duration such as 90s, 15m, 1h, or a number of seconds"},
		{"--\x1b[31m", "there is no flag --?[31m here"},
	} {
		_, err := parse(strings.Fields(c.args))
		if err == nil {
			t.Errorf("%s: accepted", c.args)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%s: %q, want %q", c.args, err, c.want)
		}
		if token.KindOf(err) != token.Usage {
			t.Errorf("%s: kind %v, want Usage", c.args, token.KindOf(err))
		}
	}
	if _, err := parse([]string{"--profile", ""}); err == nil {
		t.Error("an empty profile was accepted")
	}
}

// FuzzParse: Parse never panics; what it refuses is a printable usage error; what it accepts means the same when every
// "--name value" is written "--name=value".
func FuzzParse(f *testing.F) {
	for _, s := range []string{"--profile\np", "--min-ttl=5\n--claims", "--\n\x1b", "--format\nraw\n--username=\xff", "--profile=\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\n")
		v, err := parse(args)
		if err != nil {
			var e *token.Error
			if !errors.As(err, &e) || e.Kind != token.Usage {
				t.Fatalf("%q: %v is no usage error", args, err)
			}
			for _, r := range err.Error() {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q: message %q is not printable", args, err)
				}
			}
			return
		}
		var glued []string
		for i := 0; i < len(args); i++ {
			if strings.Contains(args[i], "=") || args[i] == "--claims" {
				glued = append(glued, args[i])
				continue
			}
			glued = append(glued, args[i]+"="+args[i+1])
			i++
		}
		again, err := parse(glued)
		if err != nil || again != v {
			t.Fatalf("%q: %+v, as %q: %+v, %v", args, v, glued, again, err)
		}
	})
}
