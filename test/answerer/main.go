// Command answerer is a small program for --mfa-process, as a person might write one: it reads the question, and answers by
// what its first argument names. Tests run it.
//
//	answerer totp [SECRET]            the code of this moment, from the question's otpauth URI or from a base32 secret
//	answerer sandbox ENDPOINT USER    the code that a sandbox sent to USER
//	answerer passkey ID               the assertion of a passkey without a signature, as the sandbox takes it
//	answerer say TEXT...              the arguments, one for each attempt
//	answerer know PARAMETER=ANSWER... what belongs to a public parameter of that value
//	answerer question FILE            nothing, but puts the question into FILE
//	answerer late ENDPOINT SECONDS FILE ANSWER...
//	                                  as ANSWER says, but the first time a sandbox's clock is moved before; FILE remembers it
package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type question struct {
	Challenge, Name, URI string
	Parameters           map[string]string
	Attempt              int
}

func main() {
	var q question
	err := json.NewDecoder(os.Stdin).Decode(&q)
	answer := ""
	if err == nil {
		answer, err = q.answer(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if answer != "" {
		fmt.Println(answer)
	}
}

func (q question) answer(args []string) (string, error) {
	switch {
	case len(args) >= 1 && args[0] == "totp":
		return q.totp(args[1:])
	case len(args) == 3 && args[0] == "sandbox":
		return q.sent(args[1], args[2])
	case len(args) == 2 && args[0] == "passkey":
		return q.passkey(args[1])
	case len(args) >= 2 && args[0] == "say":
		return args[min(q.Attempt, len(args)-1)], nil
	case len(args) >= 2 && args[0] == "know":
		return q.known(args[1:]), nil
	case len(args) >= 5 && args[0] == "late":
		if err := late(args[1], args[2], args[3]); err != nil {
			return "", err
		}
		return q.answer(args[4:])
	case len(args) == 2 && args[0] == "question":
		text, err := json.MarshalIndent(q, "", "  ")
		if err != nil {
			return "", err
		}
		return "", os.WriteFile(args[1], text, 0o600)
	default:
		return "", errors.New("usage: answerer totp|sandbox|passkey|say|know|question|late ARG")
	}
}

func (q question) known(pairs []string) string {
	for _, p := range pairs {
		value, answer, _ := strings.Cut(p, "=")
		for _, v := range q.Parameters {
			if v == value {
				return answer
			}
		}
	}
	return ""
}

// late takes as long as a person who was called away, once.
func late(endpoint, seconds, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	res, err := http.Post(endpoint+"/_sandbox/advance", "application/json", strings.NewReader(`{"seconds": `+seconds+`}`))
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// totp is RFC 6238 with SHA-1, six digits, and 30 seconds.
func (q question) totp(args []string) (string, error) {
	secret := strings.Join(args, "")
	if q.URI != "" {
		u, err := url.Parse(q.URI)
		if err != nil {
			return "", err
		}
		secret = u.Query().Get("secret")
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	if err != nil || len(key) == 0 {
		return "", errors.New("there is no usable secret")
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000), nil
}

func (q question) sent(endpoint, user string) (string, error) {
	res, err := http.Get(endpoint + "/_sandbox/codes?user=" + url.QueryEscape(user))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	codes := map[string]string{}
	if err := json.NewDecoder(res.Body).Decode(&codes); err != nil {
		return "", err
	}
	for _, kind := range []string{strings.TrimSuffix(q.Name, "_CODE"), "MFA_SETUP", "FORGOT_PASSWORD", "SIGN_UP"} {
		if codes[kind] != "" {
			return codes[kind], nil
		}
	}
	return "", fmt.Errorf("the sandbox sent %s no %s", user, q.Name)
}

func (q question) passkey(id string) (string, error) {
	var options struct{ Challenge string }
	if err := json.Unmarshal([]byte(q.Parameters["CREDENTIAL_REQUEST_OPTIONS"]), &options); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]string{"type": "webauthn.get", "challenge": options.Challenge, "origin": "https://localhost"})
	if err != nil {
		return "", err
	}
	credential, err := json.MarshalIndent(map[string]any{
		"id": id, "rawId": id, "type": "public-key",
		"response": map[string]string{"clientDataJSON": base64.RawURLEncoding.EncodeToString(data), "authenticatorData": "", "signature": ""},
	}, "", "  ")
	return string(credential), err
}
