package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The client side of SRP below is written from the protocol's description, apart from the server's.
const testPrime = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

type m = map[string]any
type params = map[string]string

// answerOf is a decoded response of a JSON operation.
type answerOf struct {
	Status               int
	Header               http.Header
	Type                 string `json:"__type"`
	Message              string `json:"message"`
	ChallengeName        string
	ChallengeParameters  params
	Session              string
	AuthenticationResult struct {
		AccessToken, IdToken, RefreshToken, TokenType string
		ExpiresIn                                     int
		NewDeviceMetadata                             *struct{ DeviceKey, DeviceGroupKey string }
	}
	AvailableChallenges []string
	Raw                 m `json:"-"`
}

// user is a test's view of the sandbox.
type testClient struct {
	t      *testing.T
	s      *Server
	client string
	secret string
	pool   string
}

func newServer(t *testing.T, c Config) *Server {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newClient(t *testing.T, s *Server, index int) *testClient {
	c := s.config.UserPool.Clients[index]
	return &testClient{t: t, s: s, client: c.ID, secret: c.Secret, pool: s.config.UserPool.ID}
}

// post sends one request and returns the transport's error, if any.
func (c *testClient) post(target string, in any) (answerOf, error) {
	body, _ := json.Marshal(in)
	r, _ := http.NewRequest("POST", c.s.URL()+"/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return answerOf{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	out := answerOf{}
	json.Unmarshal(data, &out)
	json.Unmarshal(data, &out.Raw)
	out.Status, out.Header = res.StatusCode, res.Header
	return out, err
}

func (c *testClient) do(operation string, in any) answerOf {
	c.t.Helper()
	a, err := c.post("AWSCognitoIdentityProviderService."+operation, in)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *testClient) hash(username string) string {
	mac := hmac.New(sha256.New, []byte(c.secret))
	io.WriteString(mac, username+c.client)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (c *testClient) withHash(p params, username string) params {
	if c.secret != "" {
		p["SECRET_HASH"] = c.hash(username)
	}
	return p
}

// srp is one SRP exchange on the client's side.
type srp struct{ n, a, bigA *big.Int }

func newSRP() srp {
	n, _ := new(big.Int).SetString(testPrime, 16)
	b := make([]byte, 32)
	rand.Read(b)
	a := new(big.Int).SetBytes(b)
	return srp{n, a, new(big.Int).Exp(big.NewInt(2), a, n)}
}

// javaBytes is java.math.BigInteger.toByteArray for n >= 0.
func javaBytes(n *big.Int) []byte { return n.FillBytes(make([]byte, n.BitLen()/8+1)) }

func sum(parts ...[]byte) []byte {
	s := sha256.Sum256(bytes.Join(parts, nil))
	return s[:]
}

func macOf(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(bytes.Join(parts, nil))
	return h.Sum(nil)
}

func (x srp) sign(pool, password, stamp string, p params) string {
	_, name, _ := strings.Cut(pool, "_")
	return x.signAs(name, p["USER_ID_FOR_SRP"], password, stamp, p)
}

// signAs is sign for a pool and its user, or for a device group and a device.
func (x srp) signAs(name, user, password, stamp string, p params) string {
	salt, _ := new(big.Int).SetString(p["SALT"], 16)
	bigB, _ := new(big.Int).SetString(p["SRP_B"], 16)
	u := sum(javaBytes(x.bigA), javaBytes(bigB))
	bigX := new(big.Int).SetBytes(sum(javaBytes(salt), sum([]byte(name+user+":"+password))))
	k := new(big.Int).SetBytes(sum(javaBytes(x.n), []byte{2}))
	base := new(big.Int).Exp(big.NewInt(2), bigX, x.n)
	base.Sub(bigB, base.Mul(base, k)).Mod(base, x.n)
	e := new(big.Int).SetBytes(u)
	e.Add(x.a, e.Mul(e, bigX))
	s := base.Exp(base, e, x.n)
	prk := macOf(javaBytes(new(big.Int).SetBytes(u)), javaBytes(s))
	key := macOf(prk, []byte("Caldera Derived Key\x01"))[:16]
	block, _ := base64.StdEncoding.DecodeString(p["SECRET_BLOCK"])
	return base64.StdEncoding.EncodeToString(macOf(key, []byte(name+user), block, []byte(stamp)))
}

func now() string { return time.Now().UTC().Format("Mon Jan 2 15:04:05 UTC 2006") }

// startSRP sends the first step.
func (c *testClient) startSRP(username string) (srp, answerOf) {
	c.t.Helper()
	x := newSRP()
	a := c.do("InitiateAuth", m{"AuthFlow": "USER_SRP_AUTH", "ClientId": c.client,
		"AuthParameters": c.withHash(params{"USERNAME": username, "SRP_A": x.bigA.Text(16)}, username)})
	return x, a
}

func (c *testClient) claim(x srp, password, stamp string, p params) params {
	user := p["USER_ID_FOR_SRP"]
	return c.withHash(params{"USERNAME": user, "TIMESTAMP": stamp, "PASSWORD_CLAIM_SECRET_BLOCK": p["SECRET_BLOCK"],
		"PASSWORD_CLAIM_SIGNATURE": x.sign(c.pool, password, stamp, p)}, user)
}

// initiate begins a flow.
func (c *testClient) initiate(flow string, p params) answerOf {
	c.t.Helper()
	return c.do("InitiateAuth", m{"AuthFlow": flow, "ClientId": c.client, "AuthParameters": c.withHash(p, p["USERNAME"])})
}

func (c *testClient) respond(challenge, session string, responses params) answerOf {
	c.t.Helper()
	return c.do("RespondToAuthChallenge", m{"ChallengeName": challenge, "ClientId": c.client, "Session": session, "ChallengeResponses": responses})
}

// signIn goes through SRP as far as the password step.
func (c *testClient) signIn(username, password string) answerOf {
	c.t.Helper()
	x, a := c.startSRP(username)
	if a.ChallengeName != "PASSWORD_VERIFIER" {
		return a
	}
	return c.respond("PASSWORD_VERIFIER", "", c.claim(x, password, now(), a.ChallengeParameters))
}

// tokens signs bob in, or ends the test.
func (c *testClient) tokens() answerOf {
	c.t.Helper()
	a := c.signIn("bob", "Tr0ub4dor&3")
	if a.AuthenticationResult.IdToken == "" {
		c.t.Fatalf("no tokens: %s", a)
	}
	return a
}

func (c *testClient) refresh(token string) answerOf {
	c.t.Helper()
	return c.do("GetTokensFromRefreshToken", c.refreshInput(token))
}

func (c *testClient) refreshInput(token string) m {
	in := m{"ClientId": c.client, "RefreshToken": token}
	if c.secret != "" {
		in["ClientSecret"] = c.secret
	}
	return in
}

func (a answerOf) String() string {
	return fmt.Sprintf("%d %s %q challenge %s", a.Status, a.Type, a.Message, a.ChallengeName)
}

// asks ends the test unless the answer is this challenge.
func (a answerOf) asks(t *testing.T, challenge string) answerOf {
	t.Helper()
	if a.ChallengeName != challenge || a.AuthenticationResult.AccessToken != "" {
		t.Fatalf("got %s, want challenge %s", a, challenge)
	}
	return a
}

// grants ends the test unless the answer is a set of tokens.
func (a answerOf) grants(t *testing.T) answerOf {
	t.Helper()
	if a.AuthenticationResult.AccessToken == "" || a.AuthenticationResult.RefreshToken == "" || a.ChallengeName != "" {
		t.Fatalf("got %s, want tokens", a)
	}
	return a
}

// refused ends the test unless the answer is this error.
func (a answerOf) refused(t *testing.T, code, message string) {
	t.Helper()
	if a.Status != 400 || a.Type != code || a.Message != message {
		t.Fatalf("got %s\nwant 400 %s %q", a, code, message)
	}
	if a.Header.Get("x-amzn-ErrorType") != code+":" || a.Header.Get("x-amzn-ErrorMessage") != message || a.Header.Get("x-amzn-RequestId") == "" || a.Header.Get("Date") == "" {
		t.Fatalf("headers of the error: %v", a.Header)
	}
}

// claims decodes a token's payload.
func claims(t *testing.T, token string) m {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var out m
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
