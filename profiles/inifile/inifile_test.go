package inifile

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// home is a home folder with the two files of the AWS tools.
type home struct {
	folder              string
	credentials, config string
}

func newHome(t testing.TB, credentials, config string) home {
	t.Helper()
	h := home{folder: t.TempDir()}
	aws := filepath.Join(h.folder, ".aws")
	if err := os.Mkdir(aws, 0o700); err != nil {
		t.Fatal(err)
	}
	h.credentials, h.config = filepath.Join(aws, "credentials"), filepath.Join(aws, "config")
	write(t, h.credentials, credentials)
	write(t, h.config, config)
	return h
}

// write writes a file unless text is "".
func write(t testing.TB, path, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (h home) options() Options {
	return Options{Getenv: func(string) string { return "" }, Home: h.folder}
}

func (h home) load(name string) (profiles.Profile, error) {
	return Load(profiles.Selection{Name: name, Named: true}, h.options())
}

func mustLoad(t *testing.T, h home, name string) profiles.Profile {
	t.Helper()
	p, err := h.load(name)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return p
}

const complete = `# the team's profile
[default]
region = eu-west-1

[profile dev]
region = eu-central-1
services = local
ca_bundle = /etc/ca.pem
use_fips_endpoint = TRUE
use_dualstack_endpoint = false
endpoint_url = http://localhost:4566/
credential_process = /usr/bin/cognito-credhelper credential-process --profile dev
cognito_user_pool_id = us-east-1_AbCdEfGhI
cognito_client_id = 1h57kf5cpq17m0eml12EXAMPLE
cognito_client_secret = s3cr3t
cognito_client_secret_next = s3cr3tnext
cognito_username = alice
cognito_auth_flow = USER_AUTH
cognito_preferred_challenge = EMAIL_OTP
cognito_mfa_type = SOFTWARE_TOKEN_MFA
cognito_client_metadata =
    Team = blue
    # a comment
    note = a = b
cognito_identity_pool_id = us-west-2:12345678-90ab-cdef-1234-567890abcdef
cognito_identity_flow = basic
cognito_role_arn = arn:aws:iam::123456789012:role/team/Dev
cognito_role_session_name = dev@laptop
cognito_session_duration = 3600
cognito_logins_key = cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI
cognito_account_id = 123456789012
cognito_hosts =
    Git.Example.com/Team/ = access user=oauth2
    *.registry.example.com:8443 = id
    [::1]:8080 = id
    bücher.example = access # its A-label
cognito_min_ttl = 10m
cognito_store = none
cognito_domain = Example.auth.us-east-1.amazoncognito.com
cognito_scopes = openid  email
cognito_callback_port = 8765
cognito_endpoint_url = HTTPS://IdP.Example.com:443/
cognito_identity_endpoint_url = http://127.0.0.1:9000/x/
cognito_sts_endpoint_url = http://[::1]:9001

[services local]
s3 =
    endpoint_url = http://localhost:1234
    other = x
`

func TestEveryKey(t *testing.T) {
	h := newHome(t, "[dev]\naws_access_key_id = AKIA\naws_secret_access_key = sk\naws_session_token = st\n", complete)
	got := mustLoad(t, h, "dev")
	yes, no := true, false
	want := profiles.Profile{
		Name: "dev", Files: []string{h.credentials, h.config}, Sections: []string{"dev", "profile dev"},
		Region: "eu-central-1", UserPoolID: "us-east-1_AbCdEfGhI", ClientID: "1h57kf5cpq17m0eml12EXAMPLE", SignInRegion: "us-east-1",
		ClientSecret: profiles.NewSecret("s3cr3t"), ClientSecretNext: profiles.NewSecret("s3cr3tnext"),
		Username: "alice", AuthFlow: "USER_AUTH", PreferredChallenge: "EMAIL_OTP", MFAType: "SOFTWARE_TOKEN_MFA",
		ClientMetadata: map[string]string{"Team": "blue", "note": "a = b"},
		IdentityPoolID: "us-west-2:12345678-90ab-cdef-1234-567890abcdef", IdentityFlow: "basic",
		RoleARN: "arn:aws:iam::123456789012:role/team/Dev", RoleSessionName: "dev@laptop", SessionDuration: time.Hour,
		LoginsKey: "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", AccountID: "123456789012",
		Hosts: []profiles.Binding{
			{Host: "git.example.com", Path: "/Team", Kind: "access", User: "oauth2"},
			{Host: "*.registry.example.com", Port: "8443", Kind: "id"},
			{Host: "::1", Port: "8080", Kind: "id", Loopback: true},
			{Host: "xn--bcher-kva.example", Kind: "access"},
		},
		MinTTL: 10 * time.Minute, Store: "none", Domain: "example.auth.us-east-1.amazoncognito.com",
		Scopes: []string{"openid", "email"}, CallbackPort: 8765,
		EndpointURL: "https://idp.example.com", IdentityEndpointURL: "http://127.0.0.1:9000/x", STSEndpointURL: "http://[::1]:9001",
		CABundle: "/etc/ca.pem", UseFIPS: &yes, UseDualStack: &no,
		AccessKeyID: "AKIA", SecretAccessKey: profiles.NewSecret("sk"), SessionToken: profiles.NewSecret("st"),
		AWSEndpointURL: "http://localhost:4566", Services: map[string]string{"s3": "http://localhost:1234"},
		CredentialProcess: "/usr/bin/cognito-credhelper credential-process --profile dev",
		Consulted:         got.Consulted,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%#v\nwant\n%#v", got, want)
	}
	if err := got.CheckSignIn(); err != nil {
		t.Error(err)
	}
	if len(got.Consulted) != 2 || got.Consulted[0].Path != h.credentials || got.Consulted[1].Path != h.config {
		t.Errorf("consulted %+v", got.Consulted)
	}
	for _, stamp := range got.Consulted {
		if now, err := profiles.Stamp(stamp.Path); err != nil || now != stamp {
			t.Errorf("stamp of the opened file %+v, of its path %+v, %v", stamp, now, err)
		}
	}
}

func TestWhereAProfileIsFound(t *testing.T) {
	const ini = "cognito_client_id = "
	for _, test := range []struct{ name, profile, credentials, config, clientID, region string }{
		{"config", "a", "", "[profile a]\n" + ini + "inconfig\n", "inconfig", ""},
		{"credentials", "a", "[a]\n" + ini + "incred\n", "", "incred", ""},
		{"credentials win, keys merge", "a", "[a]\n" + ini + "incred\n", "[profile a]\n" + ini + "inconfig\nregion = us-east-1\n", "incred", "us-east-1"},
		{"default", "default", "", "[default]\n" + ini + "d\n", "d", ""},
		{"profile default before default", "default", "", "[profile default]\n" + ini + "long\n[default]\n" + ini + "short\nregion = us-east-1\n", "long", "us-east-1"},
		{"quoted", "a b", "", "[profile \"a b\"]\n" + ini + "q\n", "q", ""},
		{"not quoted", "a b", "", "[profile a b]\n" + ini + "q\n", "q", ""},
		{"keys in any case", "a", "", "[profile a]\nCognito_Client_ID=up\n", "up", ""},
		{"indented section", "a", "", "[profile a]\n  s3 =\n    max = 1\n  " + ini + "in\n", "in", ""},
		{"dotted names inherit nothing", "prod.eu", "", "[profile prod]\nregion = us-east-1\n[profile prod.eu]\n" + ini + "eu\n", "eu", ""},
		{"DEFAULT gives nothing", "a", "[DEFAULT]\nregion = us-east-1\n", "[DEFAULT]\nregion = us-east-1\n[profile a]\n" + ini + "x\n", "x", ""},
		{"keys before any section give nothing", "a", "", "region = us-east-1\n[profile a]\n" + ini + "x\n", "x", ""},
		{"CRLF and BOM", "a", "", "\ufeff[profile a]\r\n" + ini + "x\r\nregion = us-east-1\r\n", "x", "us-east-1"},
		{"no last line ending", "a", "", "[profile a]\n" + ini + "x", "x", ""},
		{"inline comments", "a", "", "[profile a] # mine\n" + ini + "x # y\nregion = us-east-1 ; z\n", "x", "us-east-1"},
		{"a broken header ends the section before", "a", "", "[profile a]\n" + ini + "x\n[profile b\nregion = us-east-1\n", "x", ""},
		{"broken lines elsewhere do no harm", "a", "", "[profile b]\nnonsense\n= x\n[profile a]\n" + ini + "x\n", "x", ""},
		{"a value that spans lines elsewhere", "a", "", "[profile b]\nx = \"\"\"\n[profile a]\n" + ini + "x\n", "x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustLoad(t, newHome(t, test.credentials, test.config), test.profile)
			if p.ClientID != test.clientID || p.Region != test.region {
				t.Errorf("client %q region %q, want %q %q", p.ClientID, p.Region, test.clientID, test.region)
			}
		})
	}
}

func TestWhereAProfileIsNotFound(t *testing.T) {
	for _, test := range []struct{ name, profile, credentials, config string }{
		{"plain name in config", "a", "", "[a]\nregion = us-east-1\n"},
		{"long name in credentials", "a", "[profile a]\nregion = us-east-1\n", ""},
		{"services are no profile", "services x", "", "[services x]\n"},
		{"no files", "a", "", ""},
		{"prefix without space", "x", "", "[profilex]\n"},
		{"empty name", "", "", "[profile ]\n[]\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHome(t, test.credentials, test.config)
			_, err := h.load(test.profile)
			var e *profiles.NotFoundError
			if !errors.As(err, &e) || !e.Named || e.Name != test.profile || len(e.Files) != 2 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNotFoundNamesTheNearest(t *testing.T) {
	h := newHome(t, "", "[profile staging]\n[profile production]\n")
	_, err := h.load("stagging")
	var e *profiles.NotFoundError
	if !errors.As(err, &e) || e.Nearest != "staging" || !strings.Contains(e.Hint(), "--profile staging") {
		t.Errorf("got %#v", err)
	}
	_, err = Load(profiles.Selection{Name: "default"}, h.options())
	if !errors.As(err, &e) || e.Named || e.Nearest != "" || !strings.HasPrefix(e.Hint(), "cognito-credhelper configure --profile default ") {
		t.Errorf("a default that nobody named: %#v", err)
	}
	_, err = Load(profiles.Selection{Name: "a"}, Options{Getenv: func(string) string { return "" }})
	if !errors.As(err, &e) || len(e.Files) != 0 || !strings.Contains(e.Error(), "home") {
		t.Errorf("no home: %v", err)
	}
}

func TestLocation(t *testing.T) {
	h := newHome(t, "[a]\nregion = eu-west-1\n", "[profile a]\nregion = eu-west-2\n")
	file := filepath.Join(h.folder, "other")
	load := func(text, location string) (profiles.Profile, error) {
		write(t, file, text)
		return Load(profiles.Selection{Name: "a", Named: true, Location: location}, h.options())
	}
	for _, text := range []string{"[a]\nregion = us-east-1\n", "[profile a]\nregion = us-east-1\n"} {
		p, err := load(text, file)
		if err != nil || p.Region != "us-east-1" || len(p.Consulted) != 1 || len(p.Warnings) != 0 || !reflect.DeepEqual(p.Files, []string{file}) {
			t.Errorf("%q: %+v %v", text, p, err)
		}
	}
	_, err := load("[a]\n[b]\n[profile a]\n", file)
	if err == nil || !strings.Contains(err.Error(), "[a]") || !strings.Contains(err.Error(), "[profile a]") || !strings.Contains(err.Error(), ":3:") {
		t.Errorf("both forms: %v", err)
	}
	_, err = load("[b]\n", file)
	var missing *profiles.NotFoundError
	if !errors.As(err, &missing) || !reflect.DeepEqual(missing.Files, []string{file}) {
		t.Errorf("only that file is searched: %v", err)
	}
	var bad *profiles.FileError
	if _, err = load("[a]\n", file+"-absent"); !errors.As(err, &bad) {
		t.Errorf("absent: %v", err)
	}
	t.Chdir(h.folder)
	p, err := load("[a]\n", "other")
	if err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "relative") {
		t.Errorf("relative: %q %v", p.Warnings, err)
	}
}

func TestEnvironmentNamesTheFiles(t *testing.T) {
	folder := t.TempDir()
	env := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(folder, "x"), "AWS_CONFIG_FILE": "~/y"}
	write(t, filepath.Join(folder, "x"), "[a]\nregion = us-east-1\n")
	write(t, filepath.Join(folder, "y"), "[profile a]\ncognito_client_id = y\n")
	p, err := Load(profiles.Selection{Name: "a"}, Options{Getenv: func(k string) string { return env[k] }, Home: folder})
	if err != nil || p.Region != "us-east-1" || p.ClientID != "y" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ name, config, part string }{
		{"duplicate section", "[profile a]\nregion = us-east-1\n[profile a]\nregion = us-east-2\n", "line 1 and again on line 3"},
		{"duplicate key", "[profile a]\nregion = us-east-1\nregion = us-east-2\n", "region on line 2 and again on line 3"},
		{"both defaults", "[default]\n[profile a]\nregion = us-east-2\ncognito_clint_id = x\n", "config:4: cognito_clint_id is not a key of this version; did you mean cognito_client_id?"},
		{"no such services", "[profile a]\nservices = x\nregion = us-east-2\n", "[services x]"},
		{"same binding", "[profile a]\nregion = us-east-2\ncognito_hosts =\n  h.example = id\n  H.example:443 = access\n", "twice"},
		{"duration without effect", "[profile a]\nregion = us-east-2\ncognito_session_duration = 1h\ncognito_identity_pool_id = us-west-2:12345678-90ab-cdef-1234-567890abcdef\n", "no effect"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustLoad(t, newHome(t, "", test.config), "a")
			if p.Region != "us-east-2" {
				t.Errorf("region %q: the last counts", p.Region)
			}
			for _, w := range p.Warnings {
				if strings.Contains(w, test.part) {
					return
				}
			}
			t.Errorf("warnings %q lack %q", p.Warnings, test.part)
		})
	}
}

func TestUnknownKeysAreListed(t *testing.T) {
	p := mustLoad(t, newHome(t, "", "[profile a]\ncognito_from_the_future = 1\nnot_ours = 2\n"), "a")
	if !reflect.DeepEqual(p.UnknownKeys, []string{"cognito_from_the_future"}) || len(p.Warnings) != 1 || strings.Contains(p.Warnings[0], "did you mean") {
		t.Errorf("%q %q", p.UnknownKeys, p.Warnings)
	}
}

func TestSignInRegion(t *testing.T) {
	for _, test := range []struct{ name, lines, want string }{
		{"cognito_region", "region = eu-west-1\ncognito_region = us-west-2\ncognito_user_pool_id = us-east-1_a\n", "us-west-2"},
		{"pool", "region = eu-west-1\ncognito_user_pool_id = us-east-1_a\n", "us-east-1"},
		{"gov pool", "cognito_user_pool_id = us-gov-west-1_a\n", "us-gov-west-1"},
		{"a bare client", "region = eu-west-1\ncognito_client_id = a\n", "eu-west-1"},
		{"pool without a region in it", "cognito_region = us-east-1\ncognito_user_pool_id = local_a\n", "us-east-1"},
	} {
		p := mustLoad(t, newHome(t, "", "[profile a]\n"+test.lines), "a")
		if p.SignInRegion != test.want {
			t.Errorf("%s: %q", test.name, p.SignInRegion)
		}
	}
}

func TestIdentityFlow(t *testing.T) {
	const pool = "cognito_identity_pool_id = us-west-2:12345678-90ab-cdef-1234-567890abcdef\n"
	const role = "cognito_role_arn = arn:aws-us-gov:iam::123456789012:role/R\n"
	for _, test := range []struct{ lines, want string }{
		{"region = us-east-1\n", ""}, {pool, "enhanced"}, {role, "web-identity"}, {pool + role, "enhanced"},
		{pool + role + "cognito_identity_flow = basic\n", "basic"},
		{pool + role + "cognito_identity_flow = web-identity\n", "web-identity"},
	} {
		if p := mustLoad(t, newHome(t, "", "[profile a]\n"+test.lines), "a"); p.IdentityFlow != test.want {
			t.Errorf("%q: %q", test.lines, p.IdentityFlow)
		}
	}
	for _, lines := range []string{"cognito_identity_flow = enhanced\n", pool + "cognito_identity_flow = basic\n", pool + "cognito_identity_flow = web-identity\n"} {
		_, err := newHome(t, "", "[profile a]\n"+lines).load("a")
		var e *profiles.KeyError
		if !errors.As(err, &e) || e.Key != "cognito_identity_flow" {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

// Every wrong value is refused with file, line, section, key, and what is allowed.
func TestWrongValues(t *testing.T) {
	for key, values := range map[string][]string{
		"region":                        {"us-east-1.evil.example/", "US-EAST-1", "us_east_1", "useast1", "us-east-123", "-us-east-1"},
		"cognito_region":                {"x", "us-east-1 "[:9] + "/"},
		"cognito_user_pool_id":          {"us-east-1", "us-east-1_", "_a", "us-east-1_a/b", "us-east-1.evil_a", "notaregion_a", strings.Repeat("a", 55) + "_b"},
		"cognito_client_id":             {"a-b", "a b", `"quoted"`, strings.Repeat("a", 129)},
		"cognito_client_secret":         {"a b", "ü"},
		"cognito_auth_flow":             {"user_srp_auth", "ADMIN_NO_SRP_AUTH"},
		"cognito_preferred_challenge":   {"x"},
		"cognito_mfa_type":              {"x"},
		"cognito_identity_pool_id":      {"us-east-1", "us-east-1:1234", "useast:12345678-90ab-cdef-1234-567890abcdef", "us-east-1:12345678-90AB-cdef-1234-567890abcdef"},
		"cognito_identity_flow":         {"x"},
		"cognito_role_arn":              {"arn:aws:iam::12345:role/x", "arn:aws:iam::123456789012:user/x", "arn:evil:iam::123456789012:role/x", "arn:aws:iam::123456789012:role/", "x"},
		"cognito_role_session_name":     {"a", "a b", strings.Repeat("a", 65)},
		"cognito_session_duration":      {"14m59s", "12h1s", "899", "43201", "x", "-1h"},
		"cognito_logins_key":            {"a b", "a?b"},
		"cognito_account_id":            {"12345", "12345678901a"},
		"cognito_min_ttl":               {"0", "-5m", "25h", "5 minutes"},
		"cognito_store":                 {"keychain"},
		"cognito_domain":                {"https://x", "a b", "127.0.0.1", "a..b"},
		"cognito_scopes":                {"a\\b", "a \"b\""},
		"cognito_callback_port":         {"0", "65536", "x"},
		"cognito_endpoint_url":          {"http://example.com", "http://localhost:80", "http://127.0.0.1.evil.example", "https://u@h.example", "https://u:p@h.example", "https://h.example?x", "https://h.example#x", "https://h.example/../x", "https://h.example:0", "https://h.example:99999", "https://", "ftp://h.example", "h.example", "https://h.example/%2e", "http://0x7f.1", "http://2130706433", "https://h.example:", "http://[::1%25eth0]", "https:h.example", "https://a_b", "http://[::ffff:10.0.0.1]"},
		"cognito_identity_endpoint_url": {"http://10.0.0.1"},
		"cognito_sts_endpoint_url":      {"http://10.0.0.1"},
		"endpoint_url":                  {"x", "ftp://x"},
		"use_fips_endpoint":             {"yes"},
		"use_dualstack_endpoint":        {"1"},
	} {
		for _, text := range values {
			h := newHome(t, "", "[profile a]\n"+key+" = "+text+"\n")
			_, err := h.load("a")
			var e *profiles.KeyError
			if !errors.As(err, &e) {
				t.Errorf("%s = %s: %v", key, text, err)
				continue
			}
			if e.File != h.config || e.Line != 2 || e.Section != "profile a" || e.Key != key || e.Allowed == "" || e.Hint() == "" {
				t.Errorf("%s = %s: %#v", key, text, e)
			}
			if err := CheckValue(key, text); err == nil && text != "notaregion_a" {
				t.Errorf("CheckValue(%s, %s) is nil", key, text)
			}
		}
	}
}

func TestWrongBlocks(t *testing.T) {
	for _, test := range []struct {
		lines string
		line  int
	}{
		{"cognito_hosts = h.example = id\n", 2},
		{"cognito_hosts =\n  h.example = id\n  h.example\n", 4},
		{"cognito_client_metadata =\n  a = 1\n  b\n", 4},
	} {
		_, err := newHome(t, "", "[profile a]\n"+test.lines).load("a")
		var e *profiles.KeyError
		if !errors.As(err, &e) || e.Line != test.line || e.Allowed == "" {
			t.Errorf("%q: %#v", test.lines, err)
		}
	}
	for _, lines := range []string{"region = us-east-1\n  cognito_client_id = x\n", "nonsense\n", "= x\n", "cognito_username = a\x07b\n", "cognito_username = \xff\n", "cognito_username = a\rb\n", "cognito_hosts =\n  \x01 = id\n"} {
		_, err := newHome(t, "", "[profile a]\n"+lines).load("a")
		var e *profiles.FileError
		if !errors.As(err, &e) || e.Line < 2 || e.Hint() == "" {
			t.Errorf("%q: %#v", lines, err)
		}
	}
}

func TestCheckValue(t *testing.T) {
	for _, good := range [][2]string{
		{"cognito_user_pool_id", "us-east-1_a"}, {"cognito_hosts", "h.example = id\n*.b.example = access\n"}, {"cognito_session_duration", "15m"}, {"region", "eusc-de-east-1"},
	} {
		if err := CheckValue(good[0], good[1]); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range [][2]string{
		{"cognito_user_pol_id", "x"}, {"cognito_username", ""}, {"cognito_username", "a\n[profile b]"}, {"cognito_username", "a #b"}, {"cognito_username", " a"}, {"cognito_username", "`a"},
	} {
		if err := CheckValue(bad[0], bad[1]); err == nil {
			t.Errorf("%q is allowed", bad)
		}
	}
}

func TestBindings(t *testing.T) {
	for line, want := range map[string]profiles.Binding{
		"Host.Example=id":                    {Host: "host.example", Kind: "id"},
		"h.example:443 = access":             {Host: "h.example", Kind: "access"},
		"h.example:0443/a/B/ = ecr":          {Host: "h.example", Path: "/a/B", Kind: "ecr"},
		"127.0.0.1:443 = id user=me":         {Host: "127.0.0.1", Port: "443", Kind: "id", User: "me", Loopback: true},
		"[0:0::1] = id":                      {Host: "::1", Kind: "id", Loopback: true},
		"*.Bücher.example:8443 = eks":        {Host: "*.xn--bcher-kva.example", Port: "8443", Kind: "eks"},
		"h.example/ = codecommit":            {Host: "h.example", Kind: "codecommit"},
		"single = codeartifact user=a=b@c.d": {Host: "single", Kind: "codeartifact", User: "a=b@c.d"},
	} {
		if got, ok := ParseBinding(line); !ok || got != want {
			t.Errorf("%q: %+v %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "h.example", "= id", "h.example = ", "h.example = refresh", "h.example = id x", "h.example = id user=", "h.example = id user=a b",
		"https://h.example = id", "*.com = id", "* = id", "*h.example = id", "a.*.example = id", "*.*.example = id", "*.1.2.3.4 = id", "h.example. = id", "u@h.example = id",
		"h.example: = id", "h.example:x = id", "h.example:70000 = id", "::1 = id", "[::1 = id", "[h.example] = id", "h_x.example = id", "h.example//a = id", "h.example/../a = id",
		"h.example/a%2fb = id", "h.example/a?b = id", "h..example = id", "-h.example = id", "127.1 = id", "0x7f000001 = id", "\u202ebad.example = id"} {
		if got, ok := ParseBinding(line); ok {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func TestNamesAndFind(t *testing.T) {
	h := newHome(t, "[b]\nCognito_client_id = x\n[plain]\nregion = x\n", "[profile a]\n[profile c]\n  cognito_user_pool_id = anything\n[default]\n[profile b]\ncognito_store = x\n")
	names, err := Names("", h.options())
	if err != nil || !reflect.DeepEqual(names, []string{"b", "c"}) {
		t.Errorf("%q %v", names, err)
	}
	places, err := Find(profiles.Selection{Name: "b"}, h.options())
	if want := []Place{{h.credentials, "b", 1}, {h.config, "profile b", 5}}; err != nil || !reflect.DeepEqual(places, want) {
		t.Errorf("%+v %v", places, err)
	}
	if places, err = Find(profiles.Selection{Name: "nobody"}, h.options()); err != nil || len(places) != 0 {
		t.Errorf("%+v %v", places, err)
	}
}

func TestCheckSignIn(t *testing.T) {
	h := newHome(t, "", "[profile a]\ncognito_user_pool_id = us-east-1_a\n")
	err := mustLoad(t, h, "a").CheckSignIn()
	var e *profiles.KeyError
	if !errors.As(err, &e) || e.Key != "cognito_client_id" || e.File != h.config || e.Section != "profile a" || !strings.Contains(e.Error(), "cognito_client_id = ") || !strings.HasPrefix(e.Hint(), "cognito-credhelper configure --profile a ") {
		t.Errorf("%v", err)
	}
}
