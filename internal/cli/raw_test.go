package cli

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/internal/worker"
)

// Adopt takes what get gives.
func (f *fakeSessions) Adopt(ctx context.Context, _ tokensource.Target, _ tokensource.LoginOptions, _ token.Secret, get func(context.Context) (cognito.Result, error)) (tokensource.LoginResult, error) {
	_, err := get(ctx)
	return tokensource.LoginResult{}, err
}

func TestClientIDs(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string // "!" for an input that is none, "." for an end that is wrong
	}{
		{"lines", "abc\r\n\n  def  \n", "abc def"},
		{"no newline at the end", "abc", "abc"},
		{"byte order mark", "\xef\xbb\xbfabc\n", "abc"},
		{"objects, a line each", "{\"ClientId\":\"abc\"}\n{\"ClientId\":\"def\",\"More\":1}\n", "abc def"},
		{"objects and ids", "{\"ClientId\":\"abc\"}\ndef\n", "abc def"},
		{"array", "[{\"ClientId\":\"abc\"},\n \"def\"]\n", "abc def"},
		{"empty array", "[]", ""},
		{"nothing", "", ""},
		{"one is none, the rest goes on", "abc\nno id\n{\"ClientId\":1}\n{\ndef\n", "abc ! ! ! def"},
		{"array cut off", "[{\"ClientId\":\"abc\"},", "abc ."},
		{"a line too long", "abc\n" + strings.Repeat("x", maxInput+1) + "\n", "abc ."},
	} {
		var got []string
		for i := range clientIDs(t.Context(), strings.NewReader(tt.in)) {
			switch {
			case i.end != nil:
				got = append(got, ".")
			case i.err != nil:
				got = append(got, "!")
			default:
				got = append(got, i.id)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Property: whatever comes on standard input, every id that is given is one, and reading ends.
func FuzzClientIDs(f *testing.F) {
	for _, seed := range []string{"abc\n", "[{\"ClientId\":\"a\"}]", "{\"ClientId\":\"a\"}\n", "[", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for i := range clientIDs(t.Context(), strings.NewReader(in)) {
			if i.err == nil && i.end == nil && checkClientID("", i.id) != nil {
				t.Errorf("%q is no id", i.id)
			}
		}
	})
}

func TestSelect(t *testing.T) {
	r := cognito.Response{
		Tokens:              &cognito.Tokens{Access: token.NewSecret("aaa"), ExpiresIn: 60},
		ChallengeParameters: map[string]string{"a.b": "x", "c": "\u202e<&\x1b\u009b"},
		Meta:                cognito.Meta{Status: 200, RequestID: "r"},
	}
	for path, want := range map[string]string{
		"AuthenticationResult.AccessToken": "aaa\n",
		"AuthenticationResult.ExpiresIn":   "60\n",
		"ChallengeParameters.a.b":          "x\n",
		"ChallengeParameters.c":            `"\u202e<&\u001b\u009b"` + "\n",
		"HttpStatusCode":                   "200\n",
		"ResponseMetadata":                 `{"RequestId":"r"}` + "\n",
		"AuthenticationResult.IdToken":     "",
		"Session":                          "",
		"AvailableChallenges":              "",
		"ChallengeParameters.none":         "",
	} {
		if err := checkSelect(path, initiateMembers); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		got, err := selected(r, initiateMembers, path, false)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"Nothing", "AuthenticationResult.Nothing", "HttpStatusCode.x", ".", "AuthenticationResult.", "ChallengeParameters."} {
		if checkSelect(path, initiateMembers) == nil {
			t.Errorf("%s was taken", path)
		}
	}
	all, err := selected(r, initiateMembers, "*", false)
	const want = `{"AuthenticationResult":{"AccessToken":"aaa","ExpiresIn":60,"IdToken":null,"NewDeviceMetadata":null,"RefreshToken":null,"TokenType":null},` +
		`"ChallengeName":null,"ChallengeParameters":{"a.b":"x","c":"\u202e<&\u001b\u009b"},"Session":null,"AvailableChallenges":null,` +
		`"ResponseMetadata":{"RequestId":"r"},"ContentLength":0,"HttpStatusCode":200}` + "\n"
	if err != nil || all != want {
		t.Errorf("%s%v", all, err)
	}
}

// Each line of the sign-in region rule, one with a workload region on another continent.
func TestRawSignInRegion(t *testing.T) {
	const pool = "cognito_user_pool_id = ap-southeast-2_Pool\ncognito_client_id = abc\n"
	for _, tt := range []struct {
		name, profile, environment string
		args                       []string
		want                       string
	}{
		{"--region before all", pool + "cognito_region = us-west-2\nregion = eu-west-1\n", "sa-east-1", []string{"--region", "us-east-2"}, "us-east-2"},
		{"cognito_region before the pool's id", pool + "cognito_region = us-west-2\nregion = eu-west-1\n", "sa-east-1", nil, "us-west-2"},
		{"the pool's id, whatever the workload's region", pool + "region = eu-west-1\n", "sa-east-1", nil, "ap-southeast-2"},
		{"another pool by flag brings its own", pool + "region = eu-west-1\n", "sa-east-1", []string{"--user-pool-id", "us-east-1_Other"}, "us-east-1"},
		{"a bare client id: the profile's region", "cognito_client_id = abc\nregion = eu-west-1\n", "sa-east-1", nil, "eu-west-1"},
		{"a bare client id: AWS_REGION", "cognito_client_id = abc\n", "sa-east-1", nil, "sa-east-1"},
	} {
		b := newBench(t)
		h := newHome(t)
		h.write(t, "[profile dev]\n"+tt.profile)
		if tt.environment != "" {
			h.env["AWS_REGION"] = tt.environment
		}
		b.Getenv = func(key string) string { return h.env[key] }
		profiles := worker.New(b.Getenv, b.now)
		profiles.Home = h.folder
		b.loadProfile = profiles.Profile
		var got cognito.Options
		b.rawPool = func(o cognito.Options) (rawPool, error) {
			got = o
			return nil, &token.Error{Kind: token.Failure, Message: "enough"}
		}
		args := slices.Concat([]string{programName, "initiate-auth", "--profile", "dev", "--auth-flow", "CUSTOM_AUTH", "--auth-parameter", "USERNAME=a"}, tt.args)
		if code := b.run(t.Context(), args); code != 1 || got.Region != tt.want {
			t.Errorf("%s: exit %d, region %q, want %q", tt.name, code, got.Region, tt.want)
		}
	}
}
