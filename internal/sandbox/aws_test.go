package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/sts"
)

const loginsKey = "cognito-idp.eu-central-1.amazonaws.com/" + defaultPoolID

func (c *testClient) identity(operation string, in any) answerOf {
	c.t.Helper()
	a, err := c.post("AWSCognitoIdentityService."+operation, in)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *testClient) getID(idToken string) string {
	c.t.Helper()
	a := c.identity("GetId", m{"IdentityPoolId": defaultIdentityPoolID, "Logins": params{loginsKey: idToken}})
	id, _ := a.Raw["IdentityId"].(string)
	if id == "" {
		c.t.Fatal(a)
	}
	return id
}

// keys goes from ID token to AWS keys.
func (c *testClient) keys(idToken string) aws.Credentials {
	c.t.Helper()
	a := c.identity("GetCredentialsForIdentity", m{"IdentityId": c.getID(idToken), "Logins": params{loginsKey: idToken}})
	k, _ := a.Raw["Credentials"].(map[string]any)
	if k == nil {
		c.t.Fatal(a)
	}
	return aws.Credentials{AccessKeyID: k["AccessKeyId"].(string), SecretAccessKey: k["SecretKey"].(string),
		SessionToken: k["SessionToken"].(string), Expires: time.Unix(int64(k["Expiration"].(float64)), 0)}
}

func TestIdentityPool(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Users[1].Roles = []string{"arn:aws:iam::123456789012:role/Extra"}
	config.UserPool.Clients[0].IDTokenSeconds = 60
	config.IdentityPool.Clients = []string{config.UserPool.Clients[0].ID}
	config.IdentityPool.CredentialsSeconds = 900
	config.IdentityPool.ServerSideTokenCheck = true
	s := newServer(t, config)
	c := newClient(t, s, 0)
	tokens := c.tokens().AuthenticationResult
	id := c.getID(tokens.IdToken)
	if !strings.HasPrefix(id, "eu-central-1:") || id != c.getID(tokens.IdToken) {
		t.Fatalf("identity %q", id)
	}
	if k := c.keys(tokens.IdToken); !strings.HasPrefix(k.AccessKeyID, "ASIA") || len(k.AccessKeyID) != 20 || len(k.SecretAccessKey) != 40 || (time.Until(k.Expires)-900*time.Second).Abs() > time.Minute {
		t.Errorf("%+v", k)
	}
	getID := func(pool string, logins params) answerOf {
		return c.identity("GetId", m{"IdentityPoolId": pool, "Logins": logins})
	}
	credentials := func(id, token, role string) answerOf {
		return c.identity("GetCredentialsForIdentity", m{"IdentityId": id, "Logins": params{loginsKey: token}, "CustomRoleArn": role})
	}
	parts := strings.Split(tokens.IdToken, ".")
	forged := parts[0] + "." + strings.Split(tokens.AccessToken, ".")[1] + "." + parts[2]
	other := newClient(t, s, 1).tokens().AuthenticationResult.IdToken
	elsewhere := newClient(t, newServer(t, DefaultConfig()), 0).tokens().AuthenticationResult.IdToken
	for _, x := range []struct {
		name          string
		answer        answerOf
		code, message string
	}{
		{"pool", getID("eu-central-1:x", nil), "ResourceNotFoundException", "IdentityPool 'eu-central-1:x' not found."},
		{"guest", getID(defaultIdentityPoolID, nil), "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool."},
		{"provider", getID(defaultIdentityPoolID, params{"accounts.example.com": tokens.IdToken}), "NotAuthorizedException", "Token is not from a supported provider of this identity pool."},
		{"two", getID(defaultIdentityPoolID, params{"a": "b", loginsKey: tokens.IdToken}), "InvalidParameterException", "Please provide a single login for the user pool; the sandbox links no providers."},
		{"signature", getID(defaultIdentityPoolID, params{loginsKey: forged}), "NotAuthorizedException", "Invalid login token. Couldn't verify signed token."},
		{"no token", getID(defaultIdentityPoolID, params{loginsKey: "x"}), "NotAuthorizedException", "Invalid login token. Not a valid OpenId Connect identity token."},
		{"access token", getID(defaultIdentityPoolID, params{loginsKey: tokens.AccessToken}), "NotAuthorizedException", "Invalid login token. Missing a required claim: aud"},
		{"audience", getID(defaultIdentityPoolID, params{loginsKey: other}), "NotAuthorizedException", "Token is not from a supported provider of this identity pool."},
		{"issuer", getID(defaultIdentityPoolID, params{loginsKey: elsewhere}), "NotAuthorizedException", "Invalid login token. Issuer doesn't match providerName"},
		{"identity", credentials("eu-central-1:none", tokens.IdToken, ""), "ResourceNotFoundException", "Identity 'eu-central-1:none' not found."},
		{"role", credentials(id, tokens.IdToken, "arn:aws:iam::123456789012:role/No"), "NotAuthorizedException", "Custom role not allowed by the token."},
	} {
		t.Run(x.name, func(t *testing.T) { x.answer.refused(t, x.code, x.message) })
	}
	if a := credentials(id, tokens.IdToken, "arn:aws:iam::123456789012:role/Extra"); a.Status != 200 {
		t.Errorf("a role of the token: %s", a)
	}
	alice := c.signIn("alice", alicesPassword)
	alice = c.respond("SOFTWARE_TOKEN_MFA", alice.Session, params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": s.TOTP("alice")})
	credentials(id, alice.AuthenticationResult.IdToken, "").refused(t, "NotAuthorizedException",
		"Logins don't match. Please include at least one valid login for this identity or identity pool.")
	s.RevokeAll("bob")
	credentials(id, tokens.IdToken, "").refused(t, "NotAuthorizedException", "Invalid login token. Token is revoked.")
	s.Advance(time.Minute)
	if a := credentials(id, tokens.IdToken, ""); a.Type != "NotAuthorizedException" || !strings.HasPrefix(a.Message, "Invalid login token. Token expired: ") {
		t.Errorf("expired: %s", a)
	}
}

func TestIssuerAsLoginsKey(t *testing.T) {
	for _, accepted := range []bool{false, true} {
		config := DefaultConfig()
		config.IdentityPool.IssuerAsLoginsKey = accepted
		s := newServer(t, config)
		c := newClient(t, s, 0)
		key := strings.TrimPrefix(s.URL(), "http://") + "/" + c.pool
		a := c.identity("GetId", m{"IdentityPoolId": defaultIdentityPoolID, "Logins": params{key: c.tokens().AuthenticationResult.IdToken}})
		if (a.Status == 200) != accepted {
			t.Errorf("accepted %v: %s", accepted, a)
		}
	}
}

func TestClassicFlowOff(t *testing.T) {
	config := DefaultConfig()
	config.IdentityPool.ClassicFlow = false
	c := newClient(t, newServer(t, config), 0)
	token := c.tokens().AuthenticationResult.IdToken
	c.identity("GetOpenIdToken", m{"IdentityId": c.getID(token), "Logins": params{loginsKey: token}}).
		refused(t, "InvalidParameterException", "Basic (classic) flow is not enabled, please use enhanced flow.")
}

// stsAnswer is any answer of STS.
type stsAnswer struct {
	Status int `xml:"-"`
	Result struct {
		Arn, UserId, Account string
	} `xml:"GetCallerIdentityResult"`
	Assumed struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		Audience    string
		Provider    string
	} `xml:"AssumeRoleWithWebIdentityResult"`
	Chained struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	} `xml:"AssumeRoleResult"`
	Error struct{ Type, Code, Message string }
}

func (c *testClient) sendSTS(r *http.Request) stsAnswer {
	c.t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	out := stsAnswer{Status: res.StatusCode}
	if err := xml.Unmarshal(data, &out); err != nil {
		c.t.Fatalf("%v: %s", err, data)
	}
	return out
}

func (c *testClient) query(form url.Values) *http.Request {
	form.Set("Version", "2011-06-15")
	r, _ := http.NewRequest("POST", c.s.URL()+"/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// callerIdentity signs with the SDK's signer; change is applied after signing.
func (c *testClient) callerIdentity(k aws.Credentials, at time.Time, service string, change func(*http.Request)) stsAnswer {
	c.t.Helper()
	r := c.query(url.Values{"Action": {"GetCallerIdentity"}})
	r.Header.Set("X-Custom", "  two   spaces ")
	body, _ := r.GetBody()
	data, _ := io.ReadAll(body)
	sum := sha256.Sum256(data)
	if err := v4.NewSigner().SignHTTP(context.Background(), k, r, hex.EncodeToString(sum[:]), service, "eu-central-1", at); err != nil {
		c.t.Fatal(err)
	}
	change(r)
	return c.sendSTS(r)
}

func TestSigV4(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	k := c.keys(c.tokens().AuthenticationResult.IdToken)
	nothing := func(*http.Request) {}
	a := c.callerIdentity(k, time.Now(), "sts", nothing)
	if a.Result.Arn != "arn:aws:sts::123456789012:assumed-role/SandboxAuthenticated/CognitoIdentityCredentials" || a.Result.Account != "123456789012" || !strings.HasSuffix(a.Result.UserId, ":CognitoIdentityCredentials") {
		t.Fatalf("%+v", a)
	}
	with := func(change func(*aws.Credentials)) aws.Credentials { x := k; change(&x); return x }
	body := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(text))
			r.ContentLength = int64(len(text))
		}
	}
	for _, x := range []struct {
		name    string
		keys    aws.Credentials
		at      time.Duration
		service string
		change  func(*http.Request)
		status  int
		code    string
	}{
		{"14 minutes old", k, -14 * time.Minute, "sts", nothing, 200, ""},
		{"16 minutes old", k, -16 * time.Minute, "sts", nothing, 403, "SignatureDoesNotMatch"},
		{"4 minutes early", k, 4 * time.Minute, "sts", nothing, 200, ""},
		{"6 minutes early", k, 6 * time.Minute, "sts", nothing, 403, "SignatureDoesNotMatch"},
		{"secret", with(func(x *aws.Credentials) { x.SecretAccessKey = "x" }), 0, "sts", nothing, 403, "SignatureDoesNotMatch"},
		{"key id", with(func(x *aws.Credentials) { x.AccessKeyID = "ASIAAAAAAAAAAAAAAAAA" }), 0, "sts", nothing, 403, "InvalidClientTokenId"},
		{"session token", with(func(x *aws.Credentials) { x.SessionToken = "x" }), 0, "sts", nothing, 403, "InvalidClientTokenId"},
		{"no session token", with(func(x *aws.Credentials) { x.SessionToken = "" }), 0, "sts", nothing, 403, "InvalidClientTokenId"},
		{"service", k, 0, "s3", nothing, 403, "SignatureDoesNotMatch"},
		{"body", k, 0, "sts", body("Action=GetCallerIdentity&Version=2011-06-16"), 403, "SignatureDoesNotMatch"},
		{"signed header", k, 0, "sts", func(r *http.Request) { r.Header.Set("X-Custom", "other") }, 403, "SignatureDoesNotMatch"},
		{"query", k, 0, "sts", func(r *http.Request) { r.URL.RawQuery = "x=1" }, 403, "SignatureDoesNotMatch"},
		{"unsigned x-amz header", k, 0, "sts", func(r *http.Request) { r.Header.Set("X-Amz-Extra", "1") }, 403, "SignatureDoesNotMatch"},
		{"host", k, 0, "sts", func(r *http.Request) { r.Host = "sts.amazonaws.com" }, 403, "SignatureDoesNotMatch"},
		{"no signature", k, 0, "sts", func(r *http.Request) { r.Header.Del("Authorization") }, 403, "MissingAuthenticationToken"},
		{"no date", k, 0, "sts", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, 400, "IncompleteSignature"},
		{"other scheme", k, 0, "sts", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 400, "IncompleteSignature"},
		{"other date", k, 0, "sts", func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z"))
		}, 403, "SignatureDoesNotMatch"},
	} {
		t.Run(x.name, func(t *testing.T) {
			a := c.callerIdentity(x.keys, time.Now().Add(x.at), x.service, x.change)
			if a.Status != x.status || a.Error.Code != x.code {
				t.Errorf("%+v", a)
			}
		})
	}
	s.Advance(time.Hour)
	if a := c.callerIdentity(k, time.Now(), "sts", nothing); a.Status != 403 || a.Error.Code != "ExpiredToken" {
		t.Errorf("expired keys: %+v", a)
	}
}

func TestPresignedCallerIdentity(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	k := c.keys(c.tokens().AuthenticationResult.IdToken)
	presign := func(at time.Time) *http.Request {
		r, _ := http.NewRequest("GET", s.URL()+"/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
		r.Header.Set("x-k8s-aws-id", "cluster one")
		empty := sha256.Sum256(nil)
		link, signed, err := v4.NewSigner().PresignHTTP(context.Background(), k, r, hex.EncodeToString(empty[:]), "sts", "us-east-1", at)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := http.NewRequest("GET", link, nil)
		for name, values := range signed {
			if name != "Host" {
				out.Header[name] = values
			}
		}
		return out
	}
	if a := c.sendSTS(presign(time.Now())); a.Result.Account != "123456789012" {
		t.Errorf("%+v", a)
	}
	if a := c.sendSTS(presign(time.Now().Add(-2 * time.Minute))); a.Error.Code != "SignatureDoesNotMatch" || !strings.HasPrefix(a.Error.Message, "Signature expired: ") {
		t.Errorf("out of time: %+v", a)
	}
	r := presign(time.Now())
	r.Header.Set("x-k8s-aws-id", "cluster two")
	if a := c.sendSTS(r); a.Error.Code != "SignatureDoesNotMatch" {
		t.Errorf("another cluster: %+v", a)
	}
}

func TestWebIdentity(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[0].IDTokenSeconds = 60
	config.Roles[0].Audiences = []string{config.UserPool.Clients[0].ID, defaultIdentityPoolID}
	s := newServer(t, config)
	c := newClient(t, s, 0)
	tokens := c.tokens().AuthenticationResult
	other := newClient(t, s, 1).tokens().AuthenticationResult.IdToken
	assume := func(change ...string) stsAnswer {
		form := url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "RoleArn": {defaultRole}, "RoleSessionName": {"bob@example.com"},
			"WebIdentityToken": {tokens.IdToken}, "DurationSeconds": {"900"}}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		return c.sendSTS(c.query(form))
	}
	use := func(a stsAnswer) stsAnswer {
		t.Helper()
		k := a.Assumed.Credentials
		expires, err := time.Parse(time.RFC3339, k.Expiration)
		if err != nil || (time.Until(expires)-900*time.Second).Abs() > time.Minute {
			t.Fatalf("%+v %v", a, err)
		}
		return c.callerIdentity(aws.Credentials{AccessKeyID: k.AccessKeyId, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, time.Now(), "sts", func(*http.Request) {})
	}
	if a := use(assume()); a.Result.Arn != "arn:aws:sts::123456789012:assumed-role/SandboxAuthenticated/bob@example.com" {
		t.Errorf("%+v", a)
	}
	id := c.getID(tokens.IdToken)
	open := c.identity("GetOpenIdToken", m{"IdentityId": id, "Logins": params{loginsKey: tokens.IdToken}})
	openToken, _ := open.Raw["Token"].(string)
	if a := assume("WebIdentityToken", openToken); a.Assumed.Audience != defaultIdentityPoolID || use(a).Status != 200 {
		t.Errorf("basic flow: %+v", a)
	}
	parts := strings.Split(tokens.IdToken, ".")
	for _, x := range []struct {
		name   string
		change []string
		status int
		code   string
	}{
		{"role", []string{"RoleArn", "arn:aws:iam::123456789012:role/Other"}, 403, "AccessDenied"},
		{"audience", []string{"WebIdentityToken", other}, 403, "AccessDenied"},
		{"session name", []string{"RoleSessionName", "has spaces"}, 400, "ValidationError"},
		{"short", []string{"DurationSeconds", "899"}, 400, "ValidationError"},
		{"above the role's maximum", []string{"DurationSeconds", "3601"}, 400, "ValidationError"},
		{"no token", []string{"WebIdentityToken", "x"}, 400, "InvalidIdentityToken"},
		{"forged", []string{"WebIdentityToken", parts[0] + "." + parts[1] + ".AAAA"}, 400, "InvalidIdentityToken"},
		{"access token", []string{"WebIdentityToken", tokens.AccessToken}, 400, "InvalidIdentityToken"},
		{"action", []string{"Action", "AssumeRoleWithSAML"}, 400, "InvalidAction"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if a := assume(x.change...); a.Status != x.status || a.Error.Code != x.code || a.Error.Type != "Sender" {
				t.Errorf("%+v", a)
			}
		})
	}
	s.SetFault(Fault{Operation: "AssumeRoleWithWebIdentity", Kind: "internal"})
	if a := assume(); a.Status != 500 || a.Error.Type != "Receiver" {
		t.Errorf("a fault in XML: %+v", a)
	}
	s.Advance(time.Minute)
	if a := assume(); a.Status != 400 || a.Error.Code != "ExpiredTokenException" {
		t.Errorf("expired: %+v", a)
	}
}

// A role chain: keys of the sign-in's role give keys of a role that names it, for one hour at most.
func TestRoleChain(t *testing.T) {
	const behind, shut = "arn:aws:iam::123456789012:role/Behind", "arn:aws:iam::123456789012:role/Shut"
	config := DefaultConfig()
	config.Roles = append(config.Roles,
		sts.Role{ARN: behind, MaxSeconds: 7200, Audiences: []string{}, Principals: []string{defaultRole, sts.AdminARN}},
		sts.Role{ARN: shut, Audiences: []string{}})
	s := newServer(t, config)
	c := newClient(t, s, 0)
	mine := c.keys(c.tokens().AuthenticationResult.IdToken)
	admin := aws.Credentials{AccessKeyID: config.AWSKeys[0].AccessKeyID, SecretAccessKey: config.AWSKeys[0].SecretAccessKey}
	assume := func(k aws.Credentials, change ...string) stsAnswer {
		form := url.Values{"Action": {"AssumeRole"}, "RoleArn": {behind}, "RoleSessionName": {"chain"}}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		r := c.query(form)
		sum := sha256.Sum256([]byte(form.Encode()))
		if err := v4.NewSigner().SignHTTP(t.Context(), k, r, hex.EncodeToString(sum[:]), "sts", "eu-central-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		return c.sendSTS(r)
	}
	k := assume(mine).Chained.Credentials
	who := c.callerIdentity(aws.Credentials{AccessKeyID: k.AccessKeyId, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, time.Now(), "sts", func(*http.Request) {})
	if who.Result.Arn != "arn:aws:sts::123456789012:assumed-role/Behind/chain" {
		t.Errorf("%+v", who)
	}
	if a := assume(admin, "DurationSeconds", "7200"); a.Status != 200 {
		t.Errorf("an administrator, two hours: %+v", a)
	}
	forged := mine
	forged.SecretAccessKey = "x"
	for _, x := range []struct {
		name   string
		keys   aws.Credentials
		change []string
		status int
		code   string
	}{
		{"no trust", mine, []string{"RoleArn", shut}, 403, "AccessDenied"},
		{"no such role", mine, []string{"RoleArn", shut + "er"}, 403, "AccessDenied"},
		{"longer than a chain", mine, []string{"DurationSeconds", "3601"}, 400, "ValidationError"},
		{"above the role's maximum", admin, []string{"DurationSeconds", "7201"}, 400, "ValidationError"},
		{"session name", mine, []string{"RoleSessionName", "x"}, 400, "ValidationError"},
		{"signature", forged, nil, 403, "SignatureDoesNotMatch"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if a := assume(x.keys, x.change...); a.Status != x.status || a.Error.Code != x.code {
				t.Errorf("%+v", a)
			}
		})
	}
}

// A role that does not trust the identity pool makes its configuration wrong, whoever asks.
func TestRoleThatDoesNotTrustThePool(t *testing.T) {
	config := DefaultConfig()
	config.Roles[0].Audiences = []string{}
	c := newClient(t, newServer(t, config), 0)
	token := c.tokens().AuthenticationResult.IdToken
	c.identity("GetCredentialsForIdentity", m{"IdentityId": c.getID(token), "Logins": params{loginsKey: token}}).
		refused(t, "InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
}

// Both issuer forms of AWS: tokens say where they would come from, and both pools and STS take them.
func TestIssuerForms(t *testing.T) {
	for form, want := range map[string]string{"ORIGINAL": "https://" + loginsKey, "UPDATED": "https://issuer-" + loginsKey} {
		config := DefaultConfig()
		config.UserPool.Issuer = form
		c := newClient(t, newServer(t, config), 0)
		token := c.tokens().AuthenticationResult.IdToken
		if got := jwt.Issuer(token); got != want {
			t.Errorf("%s: issuer %s, want %s", form, got, want)
		}
		c.keys(token)
		a := c.sendSTS(c.query(url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "RoleArn": {defaultRole}, "RoleSessionName": {"bob"}, "WebIdentityToken": {token}}))
		if a.Status != 200 || "https://"+a.Assumed.Provider != want {
			t.Errorf("%s: %+v", form, a)
		}
	}
	config := DefaultConfig()
	config.UserPool.Issuer = "updated"
	if _, err := New(config); err == nil {
		t.Error("a misspelt form is taken")
	}
}
