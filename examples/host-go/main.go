// Command host-go is a host application in a few lines: it signs a person in by its own questions, where that is needed, and
// calls an API with what the profile binds to it.
//
//	host-go PROFILE URL
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/host"
	"github.com/cognito-credhelper/cognito-credhelper/host/httpauth"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: host-go PROFILE URL")
		os.Exit(2)
	}
	if err := run(context.Background(), plugin.Selection{Profile: os.Args[1]}, os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "host-go:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, who plugin.Selection, url string) error {
	client, err := host.Open(ctx, host.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	lines := bufio.NewReader(os.Stdin)
	ask := plugin.AskerFunc(func(_ context.Context, q plugin.Question) (plugin.Secret, error) {
		fmt.Fprintf(os.Stderr, "%s: ", strings.Join(append([]string{q.Label}, q.Choices...), " ")) // a real one hides q.Secret answers
		line, err := lines.ReadString('\n')
		return plugin.NewSecret(strings.TrimSpace(line)), err
	})
	done, err := client.Login(ctx, plugin.LoginRequest{Selection: who, IfNeeded: true}, ask)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "signed in as", done.User)
	answer, err := (&http.Client{Transport: &httpauth.Transport{From: client, Selection: who}}).Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}
