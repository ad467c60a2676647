package cognito

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	testPool     = "eu-central-1_AbCdEfGhI"
	testClient   = "4h57qlsdkfjweoi23490"
	testUserID   = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	testPassword = "Correct-Horse-9"
)

// request is one call as it came over the wire.
type request struct {
	op     string
	header http.Header
	in     struct {
		AuthFlow, ClientId, ClientSecret, ChallengeName, RefreshToken, DeviceKey, Token string
		AuthParameters, ChallengeResponses, ClientMetadata                              map[string]string
		Session                                                                         *string
	}
}

// answer is what the server sends back: a JSON body, or raw text.
type answer struct {
	status int
	body   any
	raw    string
	drop   bool
	header map[string]string
}

func ok(body any) answer { return answer{status: 200, body: body} }

func fault(code, message string) answer {
	return answer{status: 400, body: map[string]string{"__type": code, "message": message},
		header: map[string]string{"X-Amzn-Requestid": "req-1"}}
}

// fakePool answers with what serve says and keeps every request.
type fakePool struct {
	*httptest.Server
	serve func(r request, n int) answer // n counts from 0

	mu       sync.Mutex
	requests []request
}

func newFakePool(t testing.TB, serve func(r request, n int) answer) *fakePool {
	f := &fakePool{serve: serve}
	f.Server = httptest.NewServer(http.HandlerFunc(f.handle))
	t.Cleanup(f.Close)
	return f
}

func (f *fakePool) handle(w http.ResponseWriter, r *http.Request) {
	got := request{op: strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService."), header: r.Header}
	raw, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(raw, &got.in)
	f.mu.Lock()
	n := len(f.requests)
	f.requests = append(f.requests, got)
	f.mu.Unlock()
	a := f.serve(got, n)
	if a.drop {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Date", testNow.Format(http.TimeFormat))
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	if a.raw != "" || a.body == nil {
		_, _ = io.WriteString(w, a.raw)
		return
	}
	_ = json.NewEncoder(w).Encode(a.body)
}

func (f *fakePool) ops() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for _, r := range f.requests {
		name := r.op
		if r.in.ChallengeName != "" {
			name = r.in.ChallengeName
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func (f *fakePool) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

func (f *fakePool) request(n int) request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[n]
}

var testNow = time.Date(2026, 9, 5, 7, 3, 9, 0, time.UTC)

func testOptions(endpoint string) Options {
	return Options{
		Region: "eu-central-1", UserPoolID: testPool, ClientID: testClient, Endpoint: endpoint, Profile: "dev",
		Now: func() token.Instant { return token.Instant{Wall: testNow, Boot: 77 * time.Second} },
	}
}

func newTestClient(t testing.TB, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	t.Cleanup(c.wire.by.CloseIdleConnections)
	return c
}

// answers is an Answerer with prepared answers, in turn by name, and a memory of what was asked.
type answers struct {
	given map[string][]string
	asked []challenge.Question
}

func (a *answers) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	if err := ctx.Err(); err != nil {
		return token.Secret{}, err
	}
	a.asked = append(a.asked, q)
	left := a.given[q.Name]
	if len(left) == 0 {
		return token.Secret{}, fmt.Errorf("no terminal: %w", challenge.ErrNoAnswer)
	}
	a.given[q.Name] = left[1:]
	return token.NewSecret(left[0]), nil
}

func (a *answers) names() string {
	var out []string
	for _, q := range a.asked {
		out = append(out, fmt.Sprintf("%s/%d", q.Name, q.Attempt))
	}
	return strings.Join(out, " ")
}

// jwt makes a token whose signature is none: nothing in this package looks at it.
func jwt(claims map[string]any) string {
	raw, _ := json.Marshal(claims)
	return "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(raw) + ".c2lnbmF0dXJl"
}

func idClaims(issuer string) map[string]any {
	return map[string]any{
		"token_use": "id", "aud": testClient, "iss": issuer, "sub": testUserID, "cognito:username": "alice",
		"iat": 1_000_000, "exp": 1_000_000 + 3600,
	}
}

func accessClaims(issuer string) map[string]any {
	return map[string]any{
		"token_use": "access", "client_id": testClient, "iss": issuer, "sub": testUserID, "username": "alice",
		"iat": 1_000_000, "exp": 1_000_000 + 900,
	}
}

const testIssuer = "https://cognito-idp.eu-central-1.amazonaws.com/" + testPool

func tokens(refresh string) map[string]any {
	result := map[string]any{
		"IdToken": jwt(idClaims(testIssuer)), "AccessToken": jwt(accessClaims(testIssuer)),
		"ExpiresIn": 900, "TokenType": "Bearer",
	}
	if refresh != "" {
		result["RefreshToken"] = refresh
	}
	return map[string]any{"AuthenticationResult": result}
}

func asks(name string, parameters map[string]string, session string) answer {
	body := map[string]any{"ChallengeName": name, "ChallengeParameters": parameters}
	if session != "" {
		body["Session"] = session
	}
	return ok(body)
}

// srpSide is the user pool's side of SRP, written from the formulas with its own encoding and key derivation.
type srpSide struct {
	user, password string
	n, v, b, B, A  *big.Int
}

func enc(n *big.Int) []byte { return n.FillBytes(make([]byte, n.BitLen()/8+1)) }

func digest(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

func newSRPSide(user, password string) *srpSide {
	const n = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
		"302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
		"49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
		"670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
		"3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D" +
		"B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
		"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
	s := &srpSide{user: user, password: password}
	s.n, _ = new(big.Int).SetString(n, 16)
	g := big.NewInt(2)
	inner := sha256.Sum256([]byte("AbCdEfGhI" + user + ":" + password))
	s.v = new(big.Int).Exp(g, digest(enc(big.NewInt(0xfab367)), inner[:]), s.n)
	s.b = digest([]byte("b"), []byte(user))
	s.B = new(big.Int).Exp(g, s.b, s.n)
	s.B.Add(s.B, new(big.Int).Mul(digest(enc(s.n), []byte{2}), s.v)).Mod(s.B, s.n)
	return s
}

func (s *srpSide) challenge(a string) map[string]string {
	s.A, _ = new(big.Int).SetString(a, 16)
	return map[string]string{
		"SALT": "fab367", "SRP_B": s.B.Text(16), "SECRET_BLOCK": base64.StdEncoding.EncodeToString([]byte("secret block")),
		"USER_ID_FOR_SRP": s.user, "USERNAME": s.user,
	}
}

func (s *srpSide) accepts(responses map[string]string) bool {
	u := digest(enc(s.A), enc(s.B))
	shared := new(big.Int).Exp(s.v, u, s.n)
	shared.Mul(shared, s.A).Exp(shared, s.b, s.n)
	key := sign(sign(enc(u), enc(shared)), []byte("Caldera Derived Key"), []byte{1})[:16]
	block, err := base64.StdEncoding.DecodeString(responses["PASSWORD_CLAIM_SECRET_BLOCK"])
	want := sign(key, []byte("AbCdEfGhI"+s.user), block, []byte(responses["TIMESTAMP"]))
	return err == nil && responses["PASSWORD_CLAIM_SIGNATURE"] == base64.StdEncoding.EncodeToString(want)
}

func sign(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

func hashFor(user, secret string) string {
	return base64.StdEncoding.EncodeToString(sign([]byte(secret), []byte(user+testClient)))
}

var errIncorrect = fault("NotAuthorizedException", "Incorrect username or password.")

func deref(p *string) string { return aws.ToString(p) }
