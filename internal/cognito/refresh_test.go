package cognito

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func TestRefresh(t *testing.T) {
	pool := newFakePool(t, func(r request, n int) answer {
		if n == 0 {
			return ok(tokens("")) // rotation off
		}
		return ok(tokens("refresh-1"))
	})
	o := testOptions(pool.URL)
	o.ClientSecret = token.NewSecret("client-secret")
	c := newTestClient(t, o)
	got, err := c.Refresh(t.Context(), token.NewSecret("refresh-0"), "eu-central-1_device")
	if err != nil || !got.Refresh.Empty() {
		t.Fatalf("%v, refresh token %v: none in the answer means that the old one stays", err, got.Refresh)
	}
	r := pool.request(0)
	if r.op != opRefresh || r.in.RefreshToken != "refresh-0" || r.in.ClientSecret != "client-secret" ||
		r.in.DeviceKey != "eu-central-1_device" || r.in.ClientId != testClient || r.header.Get("Authorization") != "" {
		t.Errorf("sent %+v", r)
	}
	got, err = newTestClient(t, testOptions(pool.URL)).Refresh(t.Context(), token.NewSecret("refresh-0"), "")
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, got)
	if r := pool.request(1); r.in.ClientSecret != "" || r.in.DeviceKey != "" {
		t.Errorf("sent %+v", r)
	}
	if pool.count() != 2 {
		t.Errorf("%d requests for two refreshes", pool.count())
	}
}

func TestRevoke(t *testing.T) {
	for name, a := range map[string]answer{"object": {status: 200, raw: "{}"}, "nothing": {status: 200}} {
		pool := newFakePool(t, func(request, int) answer { return a })
		o := testOptions(pool.URL)
		o.ClientSecret = token.NewSecret("client-secret")
		if err := newTestClient(t, o).Revoke(t.Context(), token.NewSecret("refresh-0")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r := pool.request(0); r.op != opRevoke || r.in.Token != "refresh-0" || r.in.ClientSecret != "client-secret" {
			t.Errorf("sent %+v", r)
		}
	}
	pool := newFakePool(t, func(request, int) answer { return fault("UnsupportedOperationException", "not enabled") })
	err := newTestClient(t, testOptions(pool.URL)).Revoke(t.Context(), token.NewSecret("refresh-token-of-the-test"))
	wantError(t, err, token.BadProfile, "does not allow this")
	if pool.count() != 1 {
		t.Errorf("%d requests", pool.count())
	}
}

func TestLifetimes(t *testing.T) {
	for name, tt := range map[string]struct {
		iat, exp  any
		expiresIn int
		want      time.Duration // 0: refused
	}{
		"exp - iat":             {1000, 1900, 77, 900 * time.Second},
		"no ExpiresIn":          {1000, 1900, 0, 900 * time.Second},
		"no iat":                {nil, 1900, 300, 300 * time.Second},
		"exp before iat":        {1900, 1000, 300, 300 * time.Second},
		"text":                  {"1000", "1900", 300, 300 * time.Second},
		"a thousand years":      {1000, 3e10, 300, 24 * time.Hour},
		"nothing":               {nil, nil, 0, 0},
		"negative":              {nil, nil, -5, 0},
		"ExpiresIn of 68 years": {nil, nil, 1<<31 - 1, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			id, access := idClaims(testIssuer), accessClaims(testIssuer)
			for _, m := range []map[string]any{id, access} {
				m["iat"], m["exp"] = tt.iat, tt.exp
			}
			pool := newFakePool(t, func(request, int) answer {
				return ok(map[string]any{"AuthenticationResult": map[string]any{"IdToken": jwt(id), "AccessToken": jwt(access), "ExpiresIn": tt.expiresIn}})
			})
			got, err := newTestClient(t, testOptions(pool.URL)).Refresh(t.Context(), token.NewSecret("r"), "")
			if tt.want == 0 {
				wantError(t, err, token.Unavailable, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Tokens.ID.Lifetime.Total() != tt.want || got.Tokens.Access.Lifetime.Total() != tt.want {
				t.Errorf("%v, want %v", got.Tokens.ID.Lifetime.Total(), tt.want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("Date", testNow.Format(http.TimeFormat))
		_ = json.NewEncoder(w).Encode(tokens("refresh-1"))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshakes
	server.StartTLS()
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	raw := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, raw, 0o600); err != nil {
		t.Fatal(err)
	}

	o := testOptions(server.URL)
	o.CABundle = bundle
	c := newTestClient(t, o)
	got, err := c.Refresh(t.Context(), token.NewSecret("r"), "")
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, got)

	o.CABundle = ""
	_, err = newTestClient(t, o).SignIn(t.Context(), SignIn{Username: "alice"}, &answers{given: codes("x")})
	wantError(t, err, token.Unavailable, "cannot reach 127.0.0.1")
	if a := answered(err); a.Sent || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v, sent %t", err, a.Sent)
	}

	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "missing.pem")} {
		o.CABundle = file
		_, err = newTestClient(t, o).Refresh(t.Context(), token.NewSecret("r"), "")
		e := wantError(t, err, token.BadProfile, "the CA bundle cannot be used")
		if ClassOf(err) != Configuration || !strings.Contains(err.Error(), filepath.Base(file)) || e.Next != "check ca_bundle in profile dev" {
			t.Errorf("class %d, %v, hint %q", ClassOf(err), err, e.Next)
		}
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests came through", n)
	}
}

// recorder notes where a request would go and lets none out.
type recorder struct{ url string }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.url = req.URL.String()
	return nil, errors.New("not sent")
}

func TestEndpoints(t *testing.T) {
	// What a profile does not say, the environment must not either.
	t.Setenv("AWS_ENDPOINT_URL", "https://wrong.example")
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "https://wrong.example")
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	t.Setenv("AWS_REGION", "ap-south-1")
	yes, no := true, false
	for _, tt := range []struct {
		region     string
		fips, dual *bool
		endpoint   string
		want       string
	}{
		{"eu-central-1", nil, nil, "", "https://cognito-idp.eu-central-1.amazonaws.com/"},
		{"us-east-1", &yes, nil, "", "https://cognito-idp-fips.us-east-1.amazonaws.com/"},
		{"us-gov-west-1", nil, nil, "", "https://cognito-idp-fips.us-gov-west-1.amazonaws.com/"},
		{"us-gov-west-1", &no, nil, "", "https://cognito-idp.us-gov-west-1.amazonaws.com/"},
		{"us-gov-east-1", nil, &yes, "", "https://cognito-idp-fips.us-gov-east-1.api.aws/"},
		{"cn-north-1", nil, nil, "", "https://cognito-idp.cn-north-1.amazonaws.com.cn/"},
		{"eusc-de-east-1", nil, nil, "", "https://cognito-idp.eusc-de-east-1.amazonaws.eu/"},
		{"us-gov-west-1", &yes, &yes, "https://vpce.example:8443", "https://vpce.example:8443/"},
	} {
		o := testOptions(tt.endpoint)
		o.Region, o.UseFIPS, o.UseDualStack = tt.region, tt.fips, tt.dual
		c := newTestClient(t, o)
		options, r := c.sdkOptions(), &recorder{}
		options.HTTPClient = r
		_, err := cip.New(options).RevokeToken(t.Context(), &cip.RevokeTokenInput{ClientId: aws.String("c"), Token: aws.String("t")})
		if err == nil || r.url != tt.want {
			t.Errorf("%+v: %s, want %s (%v)", tt, r.url, tt.want, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Options)
		next   string
	}{
		"no region":       {func(o *Options) { o.Region = "" }, "cognito_region"},
		"host as region":  {func(o *Options) { o.Region = "evil.example/" }, "cognito_region"},
		"no pool":         {func(o *Options) { o.UserPoolID = "" }, "cognito_user_pool_id"},
		"pool, no name":   {func(o *Options) { o.UserPoolID = "eu-central-1_" }, "cognito_user_pool_id"},
		"pool, no region": {func(o *Options) { o.UserPoolID = "AbCdEf" }, "cognito_user_pool_id"},
		"no client":       {func(o *Options) { o.ClientID = "" }, "cognito_client_id"},
		"client with ESC": {func(o *Options) { o.ClientID = "a\x1b[1m" }, "cognito_client_id"},
		"plain http":      {func(o *Options) { o.Endpoint = "http://cognito.example" }, "cognito_endpoint_url"},
		"localhost":       {func(o *Options) { o.Endpoint = "http://localhost:9229" }, "cognito_endpoint_url"},
		"password in URL": {func(o *Options) { o.Endpoint = "https://a:b@cognito.example" }, "cognito_endpoint_url"},
		"file":            {func(o *Options) { o.Endpoint = "file:///etc/passwd" }, "cognito_endpoint_url"},
	} {
		o := testOptions("")
		tt.change(&o)
		_, err := New(o)
		e := wantError(t, err, token.BadProfile, "")
		if e.Next != "check "+tt.next+" in profile dev" || !printable(e.Message) {
			t.Errorf("%s: %q, hint %q", name, e.Message, e.Next)
		}
	}
	for _, endpoint := range []string{"https://cognito.example", "http://127.0.0.1:9229", "http://[::1]:9229"} {
		if _, err := New(testOptions(endpoint)); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

// The first secret is refused, and the answer to the second is lost: Cognito may have rotated, so that the caller must know
// that the request went out.
func TestLostAnswerToTheSecondSecret(t *testing.T) {
	pool := newFakePool(t, func(r request, _ int) answer {
		if r.in.ClientSecret == "first-secret" {
			return fault("NotAuthorizedException", "Unable to verify secret hash for client "+testClient)
		}
		return answer{drop: true}
	})
	o := testOptions(pool.URL)
	o.ClientSecret, o.ClientSecretNext = token.NewSecret("first-secret"), token.NewSecret("next-secret")
	c := newTestClient(t, o)
	_, err := c.Refresh(t.Context(), token.NewSecret("refresh-0"), "")
	wantError(t, err, token.Unavailable, "broke before the answer came")
	if e := answered(err); !e.Sent || e.Status != 0 || ClassOf(err) != Transient {
		t.Errorf("inside: %+v, class %d", e, ClassOf(err))
	}
	if c.usesNext() {
		t.Error("nobody said that the second secret is the right one")
	}
}
