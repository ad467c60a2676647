package main_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// hostServer is what real clients of host protocols speak to: a git server, a container registry, a module registry, and an
// API server, on loopback. Each takes only tokens that the sandbox's user pool signed.
type hostServer struct {
	keys string // URL of the user pool's keys
	root string // of the git repositories
	seen string // the file that every answer is noted in: METHOD PATH STATUS SCHEME USE

	mu      sync.Mutex
	revoked map[string]bool
}

// hostserver start [tls]   starts it; sets $HOST to its host:port, and with tls $CA to a file with its certificate
// hostserver revoke FILE   refuses the token in FILE from now on
func hostserver(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case neg || len(args) == 0:
		ts.Fatalf("usage: hostserver start|revoke ...")
	case args[0] == "start":
		s := &hostServer{
			keys: ts.Getenv("ENDPOINT") + "/" + ts.Getenv("POOL") + "/.well-known/jwks.json",
			root: ts.MkAbs("git"), seen: ts.MkAbs("seen"), revoked: map[string]bool{},
		}
		server := httptest.NewUnstartedServer(s)
		if len(args) > 1 {
			server.StartTLS()
			ca := ts.MkAbs("ca.pem")
			ts.Check(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
			ts.Setenv("CA", ca)
		} else {
			server.Start()
		}
		ts.Defer(server.Close)
		ts.Setenv("HOST", server.Listener.Addr().String())
		servers.Store(ts.Getenv("WORK"), s)
		ts.Defer(func() { servers.Delete(ts.Getenv("WORK")) })
	case args[0] == "revoke" && len(args) == 2:
		known, ok := servers.Load(ts.Getenv("WORK"))
		if !ok {
			ts.Fatalf("no server was started")
		}
		s := known.(*hostServer)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.revoked[strings.TrimSpace(ts.ReadFile(args[1]))] = true
	default:
		ts.Fatalf("unknown: hostserver %s", strings.Join(args, " "))
	}
}

// servers are those of the scripts that are running, by their folder.
var servers sync.Map

// ServeHTTP notes what it answers.
func (s *hostServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, use, ok := s.authenticate(r)
	noted := &noting{ResponseWriter: w, status: http.StatusOK}
	s.serve(noted, r, ok)
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.OpenFile(s.seen, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintln(f, r.Method, r.URL.Path, noted.status, scheme, use)
		f.Close()
	}
}

type noting struct {
	http.ResponseWriter
	status int
}

func (n *noting) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

func (s *hostServer) serve(w http.ResponseWriter, r *http.Request, ok bool) {
	path := r.URL.Path
	public := path == "/.well-known/terraform.json" || path == "/dl/module.zip"
	if !ok && !public {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answer := func(contentType string, body []byte) {
		w.Header().Set("Content-Type", contentType)
		w.Write(body)
	}
	switch {
	case strings.HasPrefix(path, "/repo.git/"):
		s.git(w, r)
	case path == "/v2/":
		answer("application/json", []byte("{}"))
	case strings.HasPrefix(path, "/v2/img/manifests/"):
		const kind = "application/vnd.docker.distribution.manifest.v2+json"
		body := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%d,"digest":"sha256:%x"},"layers":[]}`,
			kind, len(imageConfig), sha256.Sum256([]byte(imageConfig)))
		w.Header().Set("Docker-Content-Digest", fmt.Sprintf("sha256:%x", sha256.Sum256(body)))
		answer(kind, body)
	case strings.HasPrefix(path, "/v2/img/blobs/"):
		answer("application/octet-stream", []byte(imageConfig))
	case path == "/.well-known/terraform.json":
		answer("application/json", []byte(`{"modules.v1":"/modules/"}`))
	case path == "/modules/acme/net/aws/versions":
		answer("application/json", []byte(`{"modules":[{"versions":[{"version":"1.0.0"}]}]}`))
	case path == "/modules/acme/net/aws/1.0.0/download":
		w.Header().Set("X-Terraform-Get", "https://"+r.Host+"/dl/module.zip")
		w.WriteHeader(http.StatusNoContent)
	case path == "/dl/module.zip":
		answer("application/zip", moduleZip())
	case path == "/version":
		answer("application/json", []byte(`{"major":"1","minor":"32","gitVersion":"v1.32.0"}`))
	default:
		http.NotFound(w, r)
	}
}

const imageConfig = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`

func (s *hostServer) git(w http.ResponseWriter, r *http.Request) {
	folder, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(folder)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=test"},
	}).ServeHTTP(w, r)
}

func moduleZip() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("main.tf")
	if err == nil {
		_, err = io.WriteString(f, "# nothing\n")
	}
	if err != nil || z.Close() != nil {
		return nil
	}
	return b.Bytes()
}

// authenticate says by which scheme a token came, which kind it is, and whether the user pool signed it and nobody revoked
// it.
func (s *hostServer) authenticate(r *http.Request) (scheme, use string, ok bool) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if _, password, basic := r.BasicAuth(); basic {
		value = password
	}
	if value == "" {
		return "-", "-", false
	}
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return scheme, "?", false
	}
	var head struct{ Kid string }
	var claims struct {
		Use string `json:"token_use"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decodeSegment(parts[0], &head) != nil || decodeSegment(parts[1], &claims) != nil {
		return scheme, "?", false
	}
	key, err := s.key(head.Kid)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return scheme, "forged", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoked[value] {
		return scheme, "revoked", false
	}
	return scheme, claims.Use, true
}

func decodeSegment(s string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func (s *hostServer) key(kid string) (*rsa.PublicKey, error) {
	res, err := http.Get(s.keys)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var set struct {
		Keys []struct{ Kid, N, E string }
	}
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil {
		return nil, err
	}
	for _, k := range set.Keys {
		n, errN := base64.RawURLEncoding.DecodeString(k.N)
		e, errE := base64.RawURLEncoding.DecodeString(k.E)
		if k.Kid == kid && errN == nil && errE == nil {
			return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
		}
	}
	return nil, fmt.Errorf("no key %q", kid)
}
