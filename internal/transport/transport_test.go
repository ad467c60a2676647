package transport

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRedirectIsAnAnswer(t *testing.T) {
	hits := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	tr := New("")
	defer tr.CloseIdleConnections()
	res, err := tr.Do(request(t, s.URL))
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect || hits != 1 {
		t.Errorf("%v, %v, %d requests", res, err, hits)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, maxBody+1))
	}))
	defer s.Close()
	tr := New("")
	defer tr.CloseIdleConnections()
	if _, err := tr.Do(request(t, s.URL)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = nil
	defer s.Close()
	dir := t.TempDir()
	good, empty := filepath.Join(dir, "good.pem"), filepath.Join(dir, "empty.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := errors.Join(os.WriteFile(good, text, 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	tr := New(good)
	defer tr.CloseIdleConnections()
	if tr.secure != nil {
		t.Error("certificates are loaded before they are needed")
	}
	if _, err := tr.Do(request(t, s.URL)); err != nil {
		t.Error(err)
	}
	if tr.secure.TLSClientConfig.MinVersion != tls.VersionTLS12 || tr.plain != nil {
		t.Errorf("TLS settings %+v", tr.secure.TLSClientConfig)
	}
	var bad *BundleError
	for _, file := range []string{empty, filepath.Join(dir, "absent.pem")} {
		if _, err := New(file).Do(request(t, s.URL)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
