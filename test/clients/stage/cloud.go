package stage

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
)

// Cloud stands for AWS on loopback: a proxy that leads the host names of AWS to servers of the test and knows no other. What
// services answer goes through it, so that it knows what they issued. Safe for concurrent use.
type Cloud struct {
	s       *Stage
	servers map[string]http.Handler
	proxy   *httptest.Server
	inner   *httptest.Server

	mu       sync.Mutex
	answered map[string][][]byte // by host
	strays   []string
}

// Cloud starts it, with the servers of these host names, and those of AWS's own that the sandbox stands for.
func (s *Stage) Cloud(servers map[string]http.Handler) *Cloud {
	s.t.Helper()
	c := &Cloud{s: s, servers: servers, answered: map[string][][]byte{}}
	for _, host := range []string{"sts.eu-central-1.amazonaws.com", "api.ecr.eu-central-1.amazonaws.com", "codeartifact.eu-central-1.amazonaws.com"} {
		servers[host] = c.service(host)
	}
	c.inner = httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	c.inner.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate := s.ca.issue(s.t, hello.ServerName)
		return &certificate, nil
	}}
	c.inner.StartTLS()
	s.t.Cleanup(c.inner.Close)
	c.proxy = httptest.NewServer(http.HandlerFunc(c.connect))
	s.t.Cleanup(func() {
		c.proxy.CloseClientConnections()
		c.proxy.Close()
		if len(c.strays) > 0 {
			s.t.Errorf("somebody asked for hosts that are none of this test: %v", c.strays)
		}
	})
	return c
}

// Env are the variables by which clients find the proxy.
func (c *Cloud) Env() []string {
	return []string{"HTTPS_PROXY=" + c.proxy.URL, "https_proxy=" + c.proxy.URL}
}

// connect answers the proxy's method CONNECT.
func (c *Cloud) connect(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil || r.Method != http.MethodConnect || port != "443" || c.servers[host] == nil {
		c.mu.Lock()
		c.strays = append(c.strays, r.Method+" "+r.Host)
		c.mu.Unlock()
		http.Error(w, "this proxy leads to AWS's names only", http.StatusForbidden)
		return
	}
	there, err := net.Dial("tcp", c.inner.Listener.Addr().String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		there.Close()
		return
	}
	fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go pipe(here, there)
	pipe(there, here)
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
}

func (c *Cloud) serve(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if h := c.servers[host]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	http.Error(w, "no such host", http.StatusMisdirectedRequest)
}

// service is one of AWS's services, which is the sandbox under that name: the name is signed.
func (c *Cloud) service(host string) http.Handler {
	sandbox, err := url.Parse(c.s.Endpoint)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(sandbox)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			res.Body = io.NopCloser(bytes.NewReader(body))
			if res.StatusCode == http.StatusOK {
				c.mu.Lock()
				c.answered[host] = append(c.answered[host], body)
				c.mu.Unlock()
			}
			return nil
		},
	}
}

// Answered are the good answers that a service of AWS gave.
func (c *Cloud) Answered(host string) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([][]byte(nil), c.answered[host]...)
}

// Ask sends a request to the sandbox as if it came to the URL's host, and gives the answer's status.
func (c *Cloud) Ask(address string, header http.Header) int {
	at, err := url.Parse(address)
	if err != nil {
		return 0
	}
	r, err := http.NewRequest(http.MethodGet, c.s.Endpoint+at.RequestURI(), nil)
	if err != nil {
		return 0
	}
	r.Header, r.Host = header, at.Host
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// Door lets requests through that carry a credential which Good accepts, and counts. Safe for concurrent use.
type Door struct {
	Next      http.Handler
	Challenge string // of a 401
	Good      func(r *http.Request) bool

	mu            sync.Mutex
	good, refused int
}

func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, basic := r.BasicAuth()
	if r.Header.Get("Authorization") != "" && !(basic && password == "") { // pip first shows the user's name alone
		good := d.Good(r)
		d.mu.Lock()
		if good {
			d.good++
		} else {
			d.refused++
		}
		d.mu.Unlock()
		if good {
			d.Next.ServeHTTP(w, r)
			return
		}
	}
	w.Header().Set("WWW-Authenticate", d.Challenge)
	http.Error(w, "a credential is needed", http.StatusUnauthorized)
}

// Seen is how many requests came with a good credential, and with a bad one.
func (d *Door) Seen() (good, bad int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good, d.refused
}
