package real

import (
	"net/http"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// One sign-in serves every tool, and nobody refreshes anything.
func TestOneLoginEveryTool(t *testing.T) {
	git := need(t, "git", "git", "--version")
	docker := need(t, "docker", "docker", "--version")
	crane := need(t, "crane", "crane", "version")
	oras := need(t, "oras", "oras", "version")
	terraform := need(t, "terraform", "terraform", "version")
	kubectl := need(t, "kubectl", "kubectl", "version", "--client")
	goprogram := need(t, "go", "go", "version")
	cargo := need(t, "cargo", "cargo", "--version")
	pip := need(t, "pip", "pip", "--version")
	pnpm := need(t, "pnpm", "pnpm", "--version")
	aws := need(t, "aws", "aws", "--version")

	_, repositories := repository(t, git)
	servers := []struct {
		name, use, challenge string
		serve                func(base string) http.Handler
		client               func(s *stage.Stage, host string)
	}{
		{"git", "access", `Basic realm="git"`, func(string) http.Handler { return repositories }, func(s *stage.Stage, host string) {
			asksUs(t, s, git, host)
			run(t, s.Command("", git, "clone", "-q", "https://"+host+"/app.git", "clone"))
		}},
		{"containers", "access", `Basic realm="registry"`, func(string) http.Handler { return images(t) }, func(s *stage.Stage, host string) {
			containersAskUs(s, host)
			run(t, s.Command("", docker, "manifest", "inspect", "--insecure", host+"/team/app:1"))
			run(t, s.Command("", crane, "manifest", host+"/team/app:1"))
			run(t, s.Command("", oras, "pull", host+"/team/app:1"))
		}},
		{"terraform", "access", "Bearer", func(string) http.Handler { return modules(t) }, func(s *stage.Stage, host string) { initialize(t, s, host, terraform) }},
		{"kubectl", "id", "Bearer", func(string) http.Handler { return apiserver }, func(s *stage.Stage, host string) { getVersion(t, s, host, kubectl, "v1") }},
		{"go", "access", "Bearer", func(string) http.Handler { return goproxy(t) }, func(s *stage.Stage, host string) { download(t, s, host, goprogram) }},
		{"cargo", "access", "Cargo", func(base string) http.Handler { return crates(t, base) }, func(s *stage.Stage, host string) {
			fetch(t, s, "https://"+host, cargo, `["`+s.Program("cargo-credential-cognito")+`"]`)
		}},
		{"pip", "access", `Basic realm="index"`, func(string) http.Handler { return simple(t) }, func(s *stage.Stage, host string) { pipDownload(t, s, host, pip, subprocess...) }},
		{"pnpm", "access", "Bearer", func(base string) http.Handler { return packages(t, base) }, func(s *stage.Stage, host string) { pnpmAdd(t, s, "npm", host, pnpm) }},
	}
	var bindings, hosts []string
	guards := make([]*stage.Guard, len(servers))
	listeners := make([]func(*stage.Stage), len(servers))
	for i, server := range servers {
		l := stage.Listen(t)
		host := l.Addr().String()
		hosts = append(hosts, host)
		bindings = append(bindings, host+" = "+server.use)
		listeners[i] = func(s *stage.Stage) {
			guards[i] = s.Guard(server.use, server.challenge, server.serve("https://"+host))
			if server.name == "terraform" {
				s.Serve(l, false, discovered(guards[i]))
				return
			}
			s.Serve(l, false, guards[i])
		}
	}
	// pnpm does not say which registry it asks for, so that it has a profile of its own.
	last := len(bindings) - 1
	s := stage.New(t, installed, bindings[:last]...)
	s.Share("npm", bindings[last])
	for i, server := range servers {
		listeners[i](s)
		server.client(s, hosts[i])
	}
	run(t, s.Command("", "cognito-credhelper", "configure", "--profile", "sandbox"))
	run(t, s.Command("", aws, "sts", "get-caller-identity", "--profile", "sandbox"))

	for i, server := range servers {
		t.Run(server.name, func(t *testing.T) { wantToken(t, guards[i], "", s.Token(server.use)) })
	}
	asked := s.Requests()
	if asked["InitiateAuth"] != 1 || asked["GetTokensFromRefreshToken"] != 0 {
		t.Errorf("one sign-in and no refresh were enough, but: %v", asked)
	}
}
