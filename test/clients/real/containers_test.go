package real

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// registryUser is a user whose container tools ask us for this registry, which holds team/app:1.
func registryUser(t *testing.T) (*stage.Stage, *stage.Guard, string) {
	t.Helper()
	l := stage.Listen(t)
	host := l.Addr().String()
	s := stage.New(t, installed, host+" = access")
	g := s.Guard("access", `Basic realm="registry"`, images(t))
	s.Serve(l, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// docker 20.10 takes a registry that does not say so for one of an older kind.
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		g.ServeHTTP(w, r)
	}))
	containersAskUs(s, host)
	return s, g, host
}

// containersAskUs is the one line that docker, crane, oras, helm, and skopeo share.
func containersAskUs(s *stage.Stage, host string) {
	s.Write(".docker/config.json", `{"credHelpers": {"`+host+`": "cognito"}}`)
}

// images is a registry with team/app:1, and before-oci.
func images(t *testing.T) http.Handler {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	seed(t, inner)
	return inner
}

// seed puts an image into the registry by a door without a guard.
func seed(t *testing.T, inner http.Handler) {
	t.Helper()
	server := httptest.NewServer(inner)
	defer server.Close()
	push(t, server.URL, "1", types.OCIManifestSchema1, types.OCIConfigJSON)
	push(t, server.URL, "before-oci", types.DockerManifestSchema2, types.DockerConfigJSON)
}

func push(t *testing.T, base, tag string, manifest, config types.MediaType) {
	t.Helper()
	image, err := mutate.Append(mutate.MediaType(empty.Image, manifest), mutate.Addendum{
		Layer:     static.NewLayer([]byte("a layer"), types.OCIUncompressedLayer),
		MediaType: types.OCIUncompressedLayer,
	})
	if err != nil {
		t.Fatal(err)
	}
	image = mutate.ConfigMediaType(image, config)
	to, err := name.NewTag(strings.TrimPrefix(base, "http://")+"/team/app:"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, image); err != nil {
		t.Fatal(err)
	}
}

func inspects(t *testing.T, docker, tag string) {
	t.Helper()
	s, g, host := registryUser(t)
	out := run(t, s.Command("", docker, "manifest", "inspect", "--insecure", host+"/team/app:"+tag))
	if !strings.Contains(out, `"schemaVersion"`) {
		t.Error(out)
	}
	wantToken(t, g, "Basic", s.Token("access"))
}

func TestDockerManifestInspect(t *testing.T) {
	inspects(t, need(t, "docker", "docker", "--version"), "1")
}

func TestDockerPull(t *testing.T) {
	docker := need(t, "docker-pull", "docker", "--version")
	s, g, host := registryUser(t)
	e := &engine{}
	cmd := s.Command("", docker, "pull", host+"/team/app:1")
	cmd.Env = append(cmd.Env, "DOCKER_HOST=unix://"+e.serve(t, s))
	run(t, cmd)
	wantToken(t, g, "Basic", s.Token("access"))
	if !e.pulled {
		t.Error("the engine was not asked to pull")
	}
}

// engine is as much of a container engine as a pull needs: it takes the credential that the client hands it to the
// registry, as the real one does.
type engine struct {
	mu     sync.Mutex
	pulled bool
	pull   func(reference, user, password string) error
}

func (e *engine) serve(t *testing.T, s *stage.Stage) (socket string) {
	t.Helper()
	e.pull = func(reference, user, password string) error {
		tag, err := name.ParseReference(reference)
		if err != nil {
			return err
		}
		_, err = remote.Get(tag, remote.WithAuth(&authn.Basic{Username: user, Password: password}), remote.WithTransport(s.Transport()))
		return err
	}
	socket = filepath.Join(t.TempDir(), "engine")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: e}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return socket
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.49")
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/images/create") {
		fmt.Fprint(w, "{}")
		return
	}
	var auth struct{ Username, Password string }
	text, err := base64.URLEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
	if err == nil {
		err = json.Unmarshal(text, &auth)
	}
	if err == nil {
		err = e.pull(r.URL.Query().Get("fromImage")+":"+r.URL.Query().Get("tag"), auth.Username, auth.Password)
	}
	if err != nil {
		http.Error(w, fmt.Sprintf(`{"message": %q}`, err), http.StatusInternalServerError)
		return
	}
	e.mu.Lock()
	e.pulled = true
	e.mu.Unlock()
	fmt.Fprintln(w, `{"status": "done"}`)
}

func TestCraneManifest(t *testing.T) {
	crane := need(t, "crane", "crane", "version")
	s, g, host := registryUser(t)
	run(t, s.Command("", crane, "manifest", host+"/team/app:1"))
	wantToken(t, g, "Basic", s.Token("access"))
}

func TestOrasPull(t *testing.T) {
	oras := need(t, "oras", "oras", "version")
	s, g, host := registryUser(t)
	run(t, s.Command("", oras, "pull", host+"/team/app:1"))
	wantToken(t, g, "Basic", s.Token("access"))
}

func TestSkopeoInspect(t *testing.T) {
	skopeo := need(t, "skopeo", "skopeo", "--version")
	s, g, host := registryUser(t)
	policy := s.Write("policy.json", `{"default": [{"type": "insecureAcceptAnything"}]}`)
	run(t, s.Command("", skopeo, "--policy", policy, "inspect", "--raw", "--cert-dir", certificates(t, s), "--authfile", filepath.Join(s.Home, ".docker", "config.json"), "docker://"+host+"/team/app:1"))
	wantToken(t, g, "Basic", s.Token("access"))
}

// certificates is a folder as skopeo wants it.
func certificates(t *testing.T, s *stage.Stage) string {
	t.Helper()
	return filepath.Dir(s.Write("certs/ca.crt", read(t, s.CA())))
}

func TestHelmPull(t *testing.T) {
	helm := need(t, "helm", "helm", "version", "--short")
	s, g, host := registryUser(t)
	run(t, s.Command("", helm, "create", "chart"))
	run(t, s.Command("", helm, "package", "chart"))
	run(t, s.Command("", helm, "push", "chart-0.1.0.tgz", "oci://"+host+"/charts"))
	run(t, s.Command("", helm, "pull", "oci://"+host+"/charts/chart", "--version", "0.1.0", "--destination", filepath.Dir(s.Write("pulled/before", ""))))
	wantToken(t, g, "Basic", s.Token("access"))
}
