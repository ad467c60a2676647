package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// totp prints the current code: asked from a running sandbox, whose clock may have been moved, or computed.
func totp(ctx context.Context, args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("totp", flag.ContinueOnError)
	user := f.String("user", "", "user name")
	endpoint := f.String("endpoint", "", "a running sandbox")
	file := f.String("config", "", "configuration, JSON")
	secret := f.String("secret", "", "TOTP secret, base32")
	if done, err := parse(f, args, stdout); done || err != nil {
		return err
	}
	if *user == "" && *secret == "" {
		return badUsage("totp needs --user NAME")
	}
	code, err := currentCode(ctx, *user, *endpoint, *file, *secret)
	if err == nil {
		_, err = fmt.Fprintln(stdout, code)
	}
	return err
}

func currentCode(ctx context.Context, user, endpoint, file, secret string) (string, error) {
	if endpoint != "" {
		return askCode(ctx, endpoint, "/totp?user="+url.QueryEscape(user))
	}
	if secret == "" {
		config, err := loadConfig(file)
		if err != nil {
			return "", err
		}
		if secret, err = secretOf(config, user); err != nil {
			return "", err
		}
	}
	key, err := userpool.DecodeTOTPSecret(secret)
	if err != nil {
		return "", err
	}
	return userpool.TOTP(key, time.Now()), nil
}

func secretOf(c sandbox.Config, user string) (string, error) {
	for _, u := range c.UserPool.Users {
		if u.Username == user && u.TOTPSecret != "" {
			return u.TOTPSecret, nil
		}
	}
	return "", fmt.Errorf("the configuration has no user %q with a TOTP secret", user)
}

// code prints a code that a running sandbox "sent".
func code(ctx context.Context, args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("code", flag.ContinueOnError)
	user := f.String("user", "", "user name")
	kind := f.String("kind", "", "kind of code")
	endpoint := f.String("endpoint", "", "a running sandbox")
	if done, err := parse(f, args, stdout); done || err != nil {
		return err
	}
	if *user == "" || *kind == "" || *endpoint == "" {
		return badUsage("code needs --user NAME, --kind KIND, and --endpoint URL")
	}
	text, err := askCode(ctx, *endpoint, "/codes?"+url.Values{"user": {*user}, "kind": {*kind}}.Encode())
	if err == nil {
		_, err = fmt.Fprintln(stdout, text)
	}
	return err
}

// askCode asks the control path of a running sandbox.
func askCode(ctx context.Context, endpoint, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(endpoint, "/")+"/_sandbox"+path, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var out struct{ Code, Error string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&out); err != nil || out.Code == "" {
		return "", fmt.Errorf("%s gave no code: %s", endpoint, out.Error)
	}
	return out.Code, nil
}
