package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

// sandbox is a running one.
type sandbox struct {
	ready
	profile string // the section of a profile that signs in to it
	process *exec.Cmd
}

// ready is the line that the sandbox prints when it serves.
type ready struct {
	Endpoint string `json:"endpoint"`
	ClientID string `json:"client_id"`
	Control  string `json:"control"`
	Users    []struct {
		Username   string `json:"username"`
		Password   string `json:"password"`
		TOTPSecret string `json:"totp_secret"`
	} `json:"users"`
}

// startSandbox starts one; section is a file for it to write its profile to. config is a file, or "" for the sandbox's own.
func startSandbox(path, section, config string, env []string) (*sandbox, error) {
	c := exec.Command(path, "serve", "--addr", "127.0.0.1:0", "--write-profile", section)
	if config != "" {
		c.Args = append(c.Args, "--config", config)
	}
	c.Env, c.Stderr = env, os.Stderr
	apart(c) // Cognito is not on the machine of its callers
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	s := &sandbox{process: c}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.ready)
	}
	if err == nil {
		var profile []byte
		profile, err = os.ReadFile(section)
		s.profile = string(profile)
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the sandbox did not start: %w", err)
	}
	return s, nil
}

func (s *sandbox) stop() {
	s.process.Process.Kill()
	s.process.Wait()
}

// user is one who signs in with a password alone.
func (s *sandbox) user() (name, password string, err error) {
	for _, u := range s.Users {
		if u.TOTPSecret == "" {
			return u.Username, u.Password, nil
		}
	}
	return "", "", errors.New("the sandbox has no user with only a password")
}

// post tells the sandbox something.
func (s *sandbox) post(path, body string) error {
	answer, err := http.Post(s.Control+path, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox's control path %s answered %s", path, answer.Status)
	}
	return nil
}

// requests is how often an operation was asked for since the last reset.
func (s *sandbox) requests(operation string) (int, error) {
	answer, err := http.Get(s.Control + "/requests")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var counts map[string]int
	err = json.NewDecoder(answer.Body).Decode(&counts)
	return counts[operation], err
}
