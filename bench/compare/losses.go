package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// strictPool has an app client whose refresh tokens rotate with no grace: what was sent once is worth nothing.
const strictPool = `{"user_pool": {"clients": [{"id": "1example23456789strict0000", "rotation": true}]}}`

// lossRounds is how often each program meets the storm.
const lossRounds = 5

// runLosses prints how many callers, and how many sessions, the same storm costs a helper that renews without a lock, and us.
func runLosses(folder string, b binaries) error {
	pool := filepath.Join(folder, "strict.json")
	if err := os.WriteFile(pool, []byte(strictPool), 0o600); err != nil {
		return err
	}
	ours, err := newStorm(filepath.Join(folder, "home-strict"), pool, b)
	if err != nil {
		return fmt.Errorf("preparing the storm without grace: %w", err)
	}
	defer ours.sandbox.stop()
	var failed []float64
	lost := 0
	for i := range lossRounds {
		n, dead, err := naiveRound(filepath.Join(folder, fmt.Sprintf("naive-%d.json", i)), ours.sandbox, b.naive)
		if err != nil {
			return fmt.Errorf("naive: %w", err)
		}
		failed = append(failed, float64(n))
		if dead {
			lost++
		}
		// One refresh, a hundred equal answers, else an error; and the next round needs what this one has kept.
		if _, err := ours.round(callers); err != nil {
			return fmt.Errorf("storm without grace: %w", err)
		}
	}
	slices.Sort(failed)
	fmt.Printf("\nlosses: %d callers, one expired token, refresh tokens rotate with no grace, %d rounds:\n"+
		"  read, refresh, write without a lock: %.0f of %d callers got no token (%.0f to %.0f), %d of %d sessions lost\n"+
		"  cognito-credhelper: 0 of %d callers, 0 of %d sessions\n",
		callers, lossRounds, middle(failed), callers, failed[0], failed[len(failed)-1], lost, lossRounds, callers, lossRounds)
	return nil
}

// naiveSession is the file of bench/naive.
type naiveSession struct {
	Endpoint     string    `json:"endpoint"`
	ClientID     string    `json:"client_id"`
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	Expires      time.Time `json:"expires"`
}

// naiveRound signs in, starts all callers at once on an expired token, and counts those without one. dead is true where
// nobody gets a token afterwards: what the file holds is not what Cognito would take.
func naiveRound(file string, s *sandbox, program string) (failed int, dead bool, err error) {
	session, err := s.naiveSignIn()
	if err == nil {
		err = session.write(file)
	}
	if err != nil {
		return 0, false, err
	}
	var all []*exec.Cmd
	for range callers {
		all = append(all, exec.Command(program, file))
	}
	for _, c := range all {
		if err := c.Start(); err != nil {
			return 0, false, err
		}
	}
	for _, c := range all {
		if c.Wait() != nil {
			failed++
		}
	}
	// The next expiry, with nobody else about.
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &session) != nil {
		return failed, true, err // half a file, or two
	}
	session.Expires = time.Time{}
	if err := session.write(file); err != nil {
		return 0, false, err
	}
	return failed, exec.Command(program, file).Run() != nil, nil
}

func (s naiveSession) write(file string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// naiveSignIn gets tokens by USER_PASSWORD_AUTH, which needs no client of ours.
func (s *sandbox) naiveSignIn() (naiveSession, error) {
	user, password, err := s.user()
	if err != nil {
		return naiveSession{}, err
	}
	body, err := json.Marshal(map[string]any{"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": s.ClientID, "AuthParameters": map[string]string{"USERNAME": user, "PASSWORD": password}})
	if err != nil {
		return naiveSession{}, err
	}
	r, err := http.NewRequest(http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return naiveSession{}, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return naiveSession{}, err
	}
	defer res.Body.Close()
	var got struct {
		AuthenticationResult struct{ AccessToken, RefreshToken string }
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		return naiveSession{}, err
	}
	if got.AuthenticationResult.RefreshToken == "" {
		return naiveSession{}, errors.New("the sandbox gave no refresh token: " + res.Status)
	}
	return naiveSession{Endpoint: s.Endpoint, ClientID: s.ClientID, AccessToken: got.AuthenticationResult.AccessToken, RefreshToken: got.AuthenticationResult.RefreshToken}, nil
}
