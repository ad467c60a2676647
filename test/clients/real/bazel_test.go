package real

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

const bazelFile = "a file\n"

// bazelUser is a user whose profile is bound to a server of one file, by http: Java has certificates of its own, and a loopback
// address that is bound may be asked so.
func bazelUser(t *testing.T) (*stage.Stage, *stage.Guard, string) {
	t.Helper()
	l := stage.Listen(t)
	s := stage.New(t, installed, l.Addr().String()+" = access")
	g := s.Guard("access", "Bearer", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, bazelFile) }))
	s.Serve(l, true, g)
	return s, g, l.Addr().String()
}

// bazelFetches fetches the server's file by a repository rule.
func bazelFetches(t *testing.T, s *stage.Stage, bazel, host string, flags ...string) {
	t.Helper()
	sum := sha256.Sum256([]byte(bazelFile))
	s.Write("workspace/MODULE.bazel", "")
	s.Write("workspace/WORKSPACE", `load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_file")
http_file(name = "file", urls = ["http://`+host+`/f.txt"], sha256 = "`+hex.EncodeToString(sum[:])+`")
`)
	output := filepath.Join(s.Home, "output")
	t.Cleanup(func() { // or its read-only folders stay
		_ = filepath.WalkDir(output, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		})
	})
	args := append([]string{"--output_user_root=" + output, "fetch", "--noenable_bzlmod", "--enable_workspace"}, flags...)
	run(t, s.Command("workspace", bazel, append(args, "@file//file")...))
}

func TestBazelFetch(t *testing.T) {
	bazel := need(t, "bazel", "bazel", "--version")
	s, g, host := bazelUser(t)
	bazelFetches(t, s, bazel, host, "--credential_helper=127.0.0.1="+s.Program("bazel-credential-cognito"))
	wantToken(t, g, "Bearer", s.Token("access"))
}
