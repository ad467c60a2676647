// Package jwt signs and checks the sandbox's RS256 tokens (RFC 7515, RFC 7519).
//
// It guarantees that Check accepts only a token signed by one of the keys given, with that key's kid and alg RS256. It
// never reads a key from disk: keys live as long as the process.
package jwt

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Reasons why Check refuses a token. ErrExpired comes wrapped in an *ExpiredError.
var (
	ErrMalformed = errors.New("not a JSON web token")
	ErrSignature = errors.New("signature not from a known key")
	ErrIssuer    = errors.New("another issuer")
	ErrExpired   = errors.New("token expired")
)

// ExpiredError says when a token expired and what time it is.
type ExpiredError struct{ Now, Expiry int64 }

func (e *ExpiredError) Error() string { return fmt.Sprintf("token expired: %d >= %d", e.Now, e.Expiry) }
func (e *ExpiredError) Unwrap() error { return ErrExpired }

// Claims is a token's payload.
type Claims map[string]any

// String returns a claim that is a string, else "".
func (c Claims) String(name string) string {
	s, _ := c[name].(string)
	return s
}

// Int returns a claim that is a whole number, else 0.
func (c Claims) Int(name string) int64 {
	n, _ := c[name].(json.Number)
	i, _ := n.Int64()
	return i
}

// Strings returns a claim that is a list of strings, else nil.
func (c Claims) Strings(name string) []string {
	list, _ := c[name].([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Key is an RSA signing key. Safe for concurrent use.
type Key struct {
	id      string
	private *rsa.PrivateKey
}

// NewKey makes a 2048-bit key whose id follows from its public half.
func NewKey() (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(private.N.Bytes())
	return &Key{id: base64.StdEncoding.EncodeToString(sum[:]), private: private}, nil
}

// ID is the kid.
func (k *Key) ID() string { return k.id }

// JWK is the public half (RFC 7517).
func (k *Key) JWK() map[string]string {
	enc := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": k.id,
		"n": enc(k.private.N.Bytes()), "e": enc(big.NewInt(int64(k.private.E)).Bytes()),
	}
}

// Sign makes a compact token of claims.
func (k *Key) Sign(claims map[string]any) (string, error) {
	header, err := segment(map[string]string{"kid": k.id, "alg": "RS256"})
	if err != nil {
		return "", err
	}
	payload, err := segment(claims)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(header + "." + payload))
	sig, err := rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

func segment(v any) (string, error) {
	b, err := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// Check returns the claims of a token that one of keys signed, that issuer issued, and that has not expired at now.
func Check(token, issuer string, now time.Time, keys ...*Key) (Claims, error) {
	claims, err := verify(token, keys)
	if err != nil {
		return nil, err
	}
	if claims.String("iss") != issuer {
		return nil, ErrIssuer
	}
	if exp := claims.Int("exp"); now.Unix() >= exp {
		return nil, &ExpiredError{Now: now.Unix(), Expiry: exp}
	}
	return claims, nil
}

// Issuer is the iss of a token whose signature nobody has checked yet; "" when there is none.
func Issuer(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	var claims Claims
	if decode(parts[1], &claims) != nil {
		return ""
	}
	return claims.String("iss")
}

func verify(token string, keys []*Key) (Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, ErrMalformed
	}
	var header struct{ Alg, Kid string }
	var claims Claims
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil {
		return nil, ErrMalformed
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, k := range keys {
		if header.Alg == "RS256" && k.id == header.Kid && rsa.VerifyPKCS1v15(&k.private.PublicKey, crypto.SHA256, sum[:], sig) == nil {
			return claims, nil
		}
	}
	return nil, ErrSignature
}

func decode(segment string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(into)
}
