package stage

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority signs the certificates of this test's servers.
type authority struct {
	file string // PEM, with the machine's own certificates left out
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, file string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "loopback test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authority{file, cert, key}
}

// issue gives a certificate for this machine, or for the names given.
func (a authority) issue(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "127.0.0.1"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: append(names, "localhost"),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
}

// CA is the file with the certificate of the authority behind TLS servers.
func (s *Stage) CA() string { return s.ca.file }

// Transport knows the authority, for clients within the test itself: SSL_CERT_FILE is read once for a process, and may have
// been read already.
func (s *Stage) Transport() http.RoundTripper {
	pool := x509.NewCertPool()
	pool.AddCert(s.ca.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// Listen opens a port of loopback for a server that Serve starts later, so that it can be bound before.
func Listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Serve serves https on the listener until the test ends; with plain, http.
func (s *Stage) Serve(l net.Listener, plain bool, h http.Handler) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = l
	if plain {
		server.Start()
	} else {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{s.ca.issue(s.t)}}
		server.StartTLS()
	}
	s.t.Cleanup(server.Close)
}

// Guard lets requests through that carry a token of the sandbox's user pool, and keeps a log. Safe for concurrent use.
type Guard struct {
	next      http.Handler
	challenge string // of a 401, such as `Bearer` or `Basic realm="git"`
	use       string // the token_use that is accepted
	keys      map[string]*rsa.PublicKey

	mu      sync.Mutex
	log     []Seen
	revoked []string
}

// Seen is one request that carried a credential.
type Seen struct {
	Path   string
	Scheme string // "Bearer" or "Basic"
	Token  string
	Good   bool
}

// Guard puts a guard before a server's handler. use is the token_use that it wants, challenge what it asks with.
func (s *Stage) Guard(use, challenge string, next http.Handler) *Guard {
	s.t.Helper()
	pool := s.Value("cognito_user_pool_id")
	var set struct {
		Keys []struct{ Kid, N, E string }
	}
	if err := json.Unmarshal(s.get("/"+pool+"/.well-known/jwks.json"), &set); err != nil {
		s.t.Fatal(err)
	}
	g := &Guard{next: next, challenge: challenge, use: use, keys: map[string]*rsa.PublicKey{}}
	for _, k := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil {
			s.t.Fatal(err)
		}
		e, err := base64.RawURLEncoding.DecodeString(k.E)
		if err != nil {
			s.t.Fatal(err)
		}
		g.keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return g
}

// Value is what the profile that the sandbox wrote says for a key.
func (s *Stage) Value(key string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.Config())
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	s.t.Fatalf("no %s in the profile", key)
	return ""
}

// Revoke makes the guard refuse a token from now on.
func (g *Guard) Revoke(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.revoked = append(g.revoked, token)
}

// Log is what came so far.
func (g *Guard) Log() []Seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.log)
}

func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, token := credential(r)
	if token != "" {
		err := g.check(token)
		g.mu.Lock()
		g.log = append(g.log, Seen{r.URL.Path, scheme, token, err == nil})
		g.mu.Unlock()
		if err == nil {
			g.next.ServeHTTP(w, r)
			return
		}
	}
	w.Header().Set("WWW-Authenticate", g.challenge)
	http.Error(w, "a token of the user pool is needed", http.StatusUnauthorized)
}

// credential takes the token out of a request: a bearer token, or the password of a user.
func credential(r *http.Request) (scheme, token string) {
	if _, password, ok := r.BasicAuth(); ok {
		return "Basic", password
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return "Bearer", token
	}
	return "", ""
}

// check verifies the signature, the kind, and the time, and that the token was not revoked here.
func (g *Guard) check(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("no JWT")
	}
	var header struct{ Kid, Alg string }
	var claims struct {
		TokenUse string `json:"token_use"`
		Exp      int64  `json:"exp"`
	}
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return err
		}
	}
	key := g.keys[header.Kid]
	if key == nil || header.Alg != "RS256" {
		return errors.New("signed by somebody else")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	if claims.TokenUse != g.use {
		return fmt.Errorf("token_use is %s", claims.TokenUse)
	}
	if time.Now().Unix() >= claims.Exp {
		return errors.New("expired")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(g.revoked, token) {
		return errors.New("revoked here")
	}
	return nil
}

// Next is the handler behind the guard, for what a server gives to everybody.
func (g *Guard) Next() http.Handler { return g.next }
