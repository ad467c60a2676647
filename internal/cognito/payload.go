package cognito

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	maxToken    = 64 << 10
	maxLifetime = 24 * time.Hour // the longest that an app client can be set to
)

// payload is what this package reads of a token that came straight from Cognito. The signature is not checked: the
// connection proved where it came from.
type payload struct {
	use      string
	audience []string // aud of an ID token, client_id of an access token
	issuer   string
	subject  string
	username string
	lifetime time.Duration // exp less iat; 0 when the token does not tell
}

var errNotToken = errors.New("not a JSON web token")

// readPayload reads the middle part of a JSON web token (RFC 7519).
func readPayload(jwt string) (payload, error) {
	if len(jwt) > maxToken {
		return payload{}, errors.New("longer than 64 KiB")
	}
	parts := strings.SplitN(jwt, ".", 4)
	if len(parts) != 3 {
		return payload{}, errNotToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return payload{}, errNotToken
	}
	// A struct would match claims whatever their case, and triggers may add any claim.
	var claims map[string]json.RawMessage
	if json.Unmarshal(raw, &claims) != nil || claims == nil {
		return payload{}, errNotToken
	}
	return payloadOf(claims), nil
}

func payloadOf(claims map[string]json.RawMessage) payload {
	p := payload{
		use:      text(claims["token_use"]),
		issuer:   text(claims["iss"]),
		subject:  text(claims["sub"]),
		username: text(claims["cognito:username"]),
		audience: texts(claims["aud"]),
		lifetime: lifetime(claims["iat"], claims["exp"]),
	}
	if client := text(claims["client_id"]); client != "" && p.use == string(token.UseAccess) {
		// With resource binding an access token has an aud that is not the app client.
		p.audience = []string{client}
	}
	if p.username == "" {
		p.username = text(claims["username"])
	}
	return p
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// texts reads what may be one string or several, as aud may.
func texts(raw json.RawMessage) []string {
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	if one := text(raw); one != "" {
		return []string{one}
	}
	return nil
}

// lifetime is exp less iat, at most maxLifetime, and 0 where that makes no sense.
func lifetime(iat, exp json.RawMessage) time.Duration {
	var from, to float64
	if json.Unmarshal(iat, &from) != nil || json.Unmarshal(exp, &to) != nil || from <= 0 || to <= from {
		return 0
	}
	return time.Duration(min(to-from, maxLifetime.Seconds()) * float64(time.Second))
}
