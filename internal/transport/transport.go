// Package transport carries HTTP requests to AWS: no redirects, since what is sent must reach nobody else; bounded
// answers; TLS 1.2 or newer; proxies by the environment only.
//
// It guarantees that it never repeats a request by itself and loads certificates only when the first request by TLS needs
// them. It knows nothing of what it carries.
package transport

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	connectTimeout = 5 * time.Second
	maxBody        = 1 << 20
	maxHeader      = 64 << 10
	// idleTimeout is longer than the pause between the requests of one sign-in, but for what a person types. Clients come and go in
	// a plugin that lives for days, and each would leave its connections behind for that long.
	idleTimeout = 2 * time.Second
)

// ErrTooLarge says that an answer went on beyond what any answer of AWS's has.
var ErrTooLarge = errors.New("the answer is larger than 1 MiB")

// BundleError says that the CA bundle cannot be used.
type BundleError struct{ Err error }

// Error gives the cause.
func (e *BundleError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *BundleError) Unwrap() error { return e.Err }

// Transport sends requests. Safe for concurrent use.
type Transport struct {
	bundle string

	plainOnce, secureOnce sync.Once
	plain, secure         *http.Transport
	secureErr             error
}

var _ http.RoundTripper = (*Transport)(nil)

// New names the PEM file of certificates to trust; "" means the system's.
func New(bundle string) *Transport { return &Transport{bundle: bundle} }

// Do is RoundTrip under the name that the AWS SDK asks for.
func (t *Transport) Do(r *http.Request) (*http.Response, error) { return t.RoundTrip(r) }

// RoundTrip sends one request and reads the whole answer, of at most 1 MiB. A redirect is an answer like any other. The
// error is a *BundleError where no request could be made for want of certificates.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	by, err := t.by(r.URL.Scheme)
	if err != nil {
		return nil, err
	}
	resp, err := by.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := readBounded(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// CloseIdleConnections lets go of what is kept for the next request.
func (t *Transport) CloseIdleConnections() {
	for _, by := range []*http.Transport{t.plain, t.secure} {
		if by != nil {
			by.CloseIdleConnections()
		}
	}
}

// readBounded gives what it read also with an error.
func readBounded(body io.ReadCloser) ([]byte, error) {
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return b, fmt.Errorf("reading the answer: %w", err)
	}
	if len(b) > maxBody {
		return b[:maxBody], ErrTooLarge
	}
	return b, nil
}

func (t *Transport) by(scheme string) (*http.Transport, error) {
	if scheme != "https" {
		t.plainOnce.Do(func() { t.plain = build(nil) })
		return t.plain, nil
	}
	t.secureOnce.Do(func() {
		pool, err := roots(t.bundle)
		if err != nil {
			t.secureErr = &BundleError{err}
			return
		}
		t.secure = build(pool)
	})
	return t.secure, t.secureErr
}

func build(pool *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool},
		TLSHandshakeTimeout:    2 * connectTimeout,
		DisableCompression:     true, // a bound on the body is then a bound on what was sent
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleTimeout,
	}
}

// roots are the certificates to trust: those of the bundle that was named, else of the first bundle file of the system.
// Go's own default on Linux also reads a folder of hundreds of files, which holds the same and costs more than the rest of
// a refresh. nil means that default, where there is no such file.
func roots(bundle string) (*x509.CertPool, error) {
	if bundle != "" {
		pem, err := os.ReadFile(bundle)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("no certificate in " + bundle)
		}
		return pool, nil
	}
	for _, file := range systemBundles() {
		pem, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pool := x509.NewCertPool()
		if pool.AppendCertsFromPEM(pem) {
			return pool, nil
		}
	}
	return nil, nil
}
