package real

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// trusting is a transport that knows this test's certificate authority.
func trusting(t *testing.T, s *stage.Stage) http.RoundTripper {
	t.Helper()
	pem, err := os.ReadFile(s.CA())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in " + s.CA())
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
