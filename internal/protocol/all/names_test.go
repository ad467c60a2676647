package all

import (
	"reflect"
	"strings"
	"testing"
)

func TestInvoked(t *testing.T) {
	for _, c := range []struct {
		line string
		want Invocation
	}{
		{"", Invocation{}},
		{"cognito-credhelper", Invocation{Args: []string{}}},
		{"cognito-credhelper --help", Invocation{Args: []string{"--help"}}},
		{"/usr/bin/cognito-credhelper token --use id", Invocation{Verb: "token", Args: []string{"--use", "id"}}},
		{`C:\bin\Cognito-Credhelper.EXE token`, Invocation{Verb: "token", Args: []string{}}},
		{"renamed-2.0 credential-process", Invocation{Verb: "credential-process", Args: []string{}}},
		{"git-credential-cognito get", Invocation{Verb: "git", Args: []string{"get"}}},
		{"git-credential-cognito-x get", Invocation{Verb: "get", Args: []string{}}},
		{"docker-credential-cognito get", Invocation{Verb: "docker", Args: []string{"get"}}},
		{"/a/docker-credential-cognito-dev.prod get", Invocation{Verb: "docker", Profile: "dev.prod", Args: []string{"get"}}},
		{"docker-credential-cognito-dev.exe list", Invocation{Verb: "docker", Profile: "dev", Args: []string{"list"}}},
		{"docker-credential-cognito- get", Invocation{Verb: "get", Args: []string{}}},
		{"docker-credential-cognitox get", Invocation{Verb: "get", Args: []string{}}},
		{"terraform-credentials-cognito get h", Invocation{Verb: "terraform", Args: []string{"get", "h"}}},
		{"cargo-credential-cognito --cargo-plugin", Invocation{Verb: "cargo", Args: []string{"--cargo-plugin"}}},
		{"bazel-credential-cognito-p get", Invocation{Verb: "bazel", Profile: "p", Args: []string{"get"}}},
		{"/opt/x/cognito-credhelper --cargo-plugin", Invocation{Verb: "cargo", Args: []string{"--cargo-plugin"}}},
		{"cognito-credhelper --cargo-plugin x", Invocation{Args: []string{"--cargo-plugin", "x"}}},
		{"keyring get h u", Invocation{Verb: "keyring", Args: []string{"get", "h", "u"}}},
		{"pnpm-token-cognito", Invocation{Verb: "pnpm", Args: []string{}}},
		{"pnpm-token-cognito-p", Invocation{Verb: "pnpm", Profile: "p", Args: []string{}}},
	} {
		if got := Invoked(strings.Fields(c.line)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.line, got, c.want)
		}
	}
}
