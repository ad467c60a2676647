package real

import (
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// repository is a bare repository with one commit below folder, and the handler of git's smart protocol for it.
func repository(t *testing.T, git string) (folder string, h http.Handler) {
	t.Helper()
	folder = t.TempDir()
	work := filepath.Join(folder, "work")
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", work},
		{"-C", work, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "first"},
		{"clone", "-q", "--bare", work, filepath.Join(folder, "app.git")},
	} {
		cmd := exec.Command(git, args...)
		cmd.Env = append(cmd.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+folder)
		run(t, cmd)
	}
	path := strings.TrimSpace(run(t, exec.Command(git, "--exec-path")))
	return folder, &cgi.Handler{
		Path: filepath.Join(path, "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"},
	}
}

// gitUser is a user whose git asks us for this host.
func gitUser(t *testing.T, git, challenge string) (*stage.Stage, *stage.Guard, string) {
	t.Helper()
	_, h := repository(t, git)
	s, g, host := guarded(t, "access", challenge, h)
	asksUs(t, s, git, host)
	return s, g, "https://" + host + "/app.git"
}

func TestGitClone(t *testing.T) {
	git := need(t, "git", "git", "--version")
	s, g, url := gitUser(t, git, `Basic realm="git"`)
	run(t, s.Command("", git, "clone", "-q", url, "clone"))
	wantToken(t, g, "Basic", s.Token("access"))
}

// asksUs is the one line of git's configuration.
func asksUs(t *testing.T, s *stage.Stage, git, host string) {
	t.Helper()
	run(t, s.Command("", git, "config", "--global", "credential.https://"+host+".helper", s.Program("git-credential-cognito")))
}

func TestGitNewerClone(t *testing.T) {
	git := need(t, "git-newer", "git-newer", "--version")
	s, g, url := gitUser(t, git, `Bearer realm="git"`)
	run(t, s.Command("", git, "clone", "-q", url, "clone"))
	wantToken(t, g, "Bearer", s.Token("access"))
}

// The server has revoked the token: git 2.46 and newer asks again within the same command.
func TestGitSecondChance(t *testing.T) {
	git := need(t, "git-newer", "git-newer", "--version")
	for _, challenge := range []string{`Bearer realm="git"`, `Basic realm="git"`} {
		t.Run(strings.Fields(challenge)[0], func(t *testing.T) {
			s, g, url := gitUser(t, git, challenge)
			old := s.Token("access")
			g.Revoke(old)
			run(t, s.Command("", git, "clone", "-q", url, "clone"))
			wantRenewed(t, g, old)
			if n := s.Requests()["GetTokensFromRefreshToken"]; n != 1 {
				t.Errorf("%d refreshes", n)
			}
		})
	}
}

func TestGitLFS(t *testing.T) {
	need(t, "git-lfs", "git-lfs", "version")
	git := need(t, "git", "git", "--version")
	object := strings.Repeat("a large file\n", 100)
	var lfs http.Handler
	_, backend := repository(t, git)
	s, g, host := guarded(t, "access", `Basic realm="git"`, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/info/lfs/") {
			lfs.ServeHTTP(w, r)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	lfs = batch("https://"+host, object)
	asksUs(t, s, git, host)
	run(t, s.Command("", git, "clone", "-q", "https://"+host+"/app.git", "clone"))
	s.Write("clone/big.bin", pointer(object))
	s.Write("clone/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
	for _, args := range [][]string{
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "big"},
		{"lfs", "install", "--local"},
		{"lfs", "pull"},
	} {
		cmd := s.Command("clone", git, args...)
		cmd.Env = obtainedFirst(cmd.Env)
		run(t, cmd)
	}
	if got := read(t, filepath.Join(s.Home, "clone", "big.bin")); got != object {
		t.Errorf("the file has %d bytes, want %d", len(got), len(object))
	}
	wantToken(t, g, "", s.Token("access"))
}
