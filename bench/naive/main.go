// Command naive is a credential helper that renews as many do: it reads a file, asks for new tokens where the access token has
// expired, writes the file anew in place, and prints the token. A refusal means to it that the session is over, and it forgets
// it. No lock, no second look, no temp file. It is the other side of the storm in bench/compare: what many processes at once do
// to a session whose refresh tokens rotate.
//
//	naive FILE
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// session is the file.
type session struct {
	Endpoint     string    `json:"endpoint"`
	ClientID     string    `json:"client_id"`
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	Expires      time.Time `json:"expires"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: naive FILE")
		os.Exit(2)
	}
	token, err := answer(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "naive:", err)
		os.Exit(1)
	}
	fmt.Println(token)
}

func answer(file string) (string, error) {
	var s session
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil || time.Now().Before(s.Expires) {
		return s.AccessToken, err
	}
	refused := s.refresh()
	if errors.Is(refused, errRefused) {
		s.AccessToken, s.RefreshToken = "", ""
	} else if refused != nil {
		return "", refused
	}
	text, err = json.Marshal(s)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	return s.AccessToken, errors.Join(refused, err)
}

var errRefused = errors.New("the session is over: sign in again")

// refresh is GetTokensFromRefreshToken of Amazon Cognito.
func (s *session) refresh() error {
	body, err := json.Marshal(map[string]string{"RefreshToken": s.RefreshToken, "ClientId": s.ClientID})
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var got struct {
		Type                 string `json:"__type"`
		AuthenticationResult struct {
			AccessToken  string
			RefreshToken string
			ExpiresIn    int
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w (%s)", errRefused, got.Type)
	}
	a := got.AuthenticationResult
	s.AccessToken, s.Expires = a.AccessToken, time.Now().Add(time.Duration(a.ExpiresIn)*time.Second)
	if a.RefreshToken != "" {
		s.RefreshToken = a.RefreshToken
	}
	return nil
}
