package host

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// clientCertificate makes the host's certificate for one run, as go-plugin's AutoMTLS does and for the same wire: the plugin
// accepts the one that stands in PLUGIN_CLIENT_CERT and no other, and answers with its own. Ours is on P-256: the key of
// P-521 that go-plugin makes costs half of what a start does, and proves no more.
func clientCertificate() (cert tls.Certificate, text string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return cert, "", err
	}
	const name = "localhost" // what go-plugin's two ends call each other
	about := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, SerialNumber: serial,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return cert, "", err
	}
	cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// certificate is a certificate that is being made while something else is done.
type certificate struct {
	done chan struct{}
	cert tls.Certificate
	text string
	err  error
}

func beginCertificate() *certificate {
	c := &certificate{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.cert, c.text, c.err = clientCertificate()
	}()
	return c
}

// config is for the client's side. go-plugin puts the plugin's certificate into RootCAs once it has come, and nothing is
// trusted before that.
func (c *certificate) config() (*tls.Config, string, error) {
	<-c.done
	return &tls.Config{
		Certificates: []tls.Certificate{c.cert}, RootCAs: x509.NewCertPool(), ServerName: "localhost", MinVersion: tls.VersionTLS13,
	}, c.text, c.err
}
