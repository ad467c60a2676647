package httpauth_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/host/httpauth"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

// echo is an API that answers with the Authorization that it got, and refuses what is on its list.
type echo struct {
	refuse map[string]bool
	sent   []string
	bodies []string
}

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	got := r.Header.Get("Authorization")
	e.sent = append(e.sent, got)
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		e.bodies = append(e.bodies, string(b))
	}
	status := http.StatusOK
	if e.refuse[got] {
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(got)), Request: r}, nil
}

func Example() {
	client := plugintest.SignedIn() // in a program: host.Open(ctx, host.Options{})
	api := &http.Client{Transport: &httpauth.Transport{From: client, Base: &echo{}}}
	for _, url := range []string{"https://api.example.com/v1", "https://other.example.com/"} {
		answer, err := api.Get(url)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Printf("%d %q\n", answer.StatusCode, body)
	}
	// Output:
	// 200 "Bearer access-0"
	// 200 ""
}

// A 401 is answered by one newer credential, once, and the body goes along again.
func TestRefreshesOnceOn401(t *testing.T) {
	for name, c := range map[string]struct {
		refuse map[string]bool
		want   []string
		status int
	}{
		"newer is taken":   {map[string]bool{"Bearer access-0": true}, []string{"Bearer access-0", "Bearer access-1"}, 200},
		"newer is refused": {map[string]bool{"Bearer access-0": true, "Bearer access-1": true}, []string{"Bearer access-0", "Bearer access-1"}, 401},
		"first is taken":   {nil, []string{"Bearer access-0"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			api := &echo{refuse: c.refuse}
			answer, err := (&http.Client{Transport: &httpauth.Transport{From: plugintest.SignedIn(), Base: api}}).Post("https://api.example.com/v1", "text/plain", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != c.status || strings.Join(api.sent, ",") != strings.Join(c.want, ",") {
				t.Errorf("status %d, sent %v", answer.StatusCode, api.sent)
			}
			for _, b := range api.bodies {
				if b != "body" {
					t.Errorf("a request went out with the body %q", b)
				}
			}
		})
	}
}

func TestLeavesAlone(t *testing.T) {
	api := &echo{refuse: map[string]bool{"Bearer own": true}}
	transport := &httpauth.Transport{From: plugintest.SignedIn(), Base: api}
	r, _ := http.NewRequest("GET", "https://api.example.com/v1", nil)
	r.Header.Set("Authorization", "Bearer own")
	if answer, err := transport.RoundTrip(r); err != nil || answer.StatusCode != 401 || len(api.sent) != 1 {
		t.Errorf("a request with its own credential: %v, %v", api.sent, err)
	}
	// A body that cannot be sent twice is not.
	api.refuse["Bearer access-0"] = true
	r, _ = http.NewRequest("POST", "https://api.example.com/v1", io.NopCloser(strings.NewReader("once")))
	if answer, err := transport.RoundTrip(r); err != nil || answer.StatusCode != 401 || len(api.sent) != 2 {
		t.Errorf("a body that is gone: %v, %v", api.sent, err)
	}
	if r.Header.Get("Authorization") != "" {
		t.Error("the caller's request was changed")
	}
}

func TestSignedOutIsAnError(t *testing.T) {
	api := &echo{}
	_, err := (&http.Client{Transport: &httpauth.Transport{From: &plugintest.Fake{}, Base: api}}).Get("https://api.example.com/v1")
	if !errors.Is(err, plugin.ErrLoginRequired) || len(api.sent) != 0 {
		t.Errorf("got %v, sent %v", err, api.sent)
	}
}
