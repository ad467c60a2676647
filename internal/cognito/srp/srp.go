// Package srp is the arithmetic of SRP-6a as Amazon Cognito does it: the client's value A, and the signature that proves
// a password without sending it.
//
// It guarantees that integers are encoded the one way that Cognito hashes them (shortest two's complement, big endian)
// and that unsafe values of the server (B mod N = 0, u = 0) end the handshake. It does no I/O beyond the random source
// that it is given, keeps nothing, and never normalises a password: its UTF-8 bytes count as they are.
//
// Sources: RFC 2945 and RFC 5054 for the protocol, RFC 3526 §5 for the group, RFC 5869 for the key derivation.
package srp

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// ErrUnsafe says that the server's values would let anybody who listens or pretends learn or skip the password.
var ErrUnsafe = errors.New("the server's SRP value is not safe to use")

const (
	exponentBytes = 32   // of randomness in a: the group's own strength is not above 128 bits
	maxDigits     = 4096 // of a hexadecimal integer that the server sends
	maxBlock      = 64 << 10
	keyInfo       = "Caldera Derived Key"
	keyBytes      = 16
)

// Identity is who proves a password. For a user: the pool's name (PoolName) and USER_ID_FOR_SRP. For a remembered
// device: its group key and its key.
type Identity struct {
	Group string
	Name  string
}

// Handshake is one client's side of one sign-in: the private value and A. Use it for one challenge. Safe for concurrent
// use; it does not change.
type Handshake struct {
	private *big.Int
	public  *big.Int
}

// Start draws the private value from random, which must be cryptographically strong, and computes A. It takes about a
// millisecond, so it may run while a person types the password.
func Start(random io.Reader) (*Handshake, error) {
	seed := make([]byte, exponentBytes)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	// The bit above the random ones keeps the exponent long whatever was drawn, so that A wraps around N and is never 0 or 1.
	a := new(big.Int).SetBit(new(big.Int).SetBytes(seed), exponentBytes*8, 1)
	return from(a), nil
}

func from(a *big.Int) *Handshake {
	n, g := group()
	return &Handshake{private: a, public: new(big.Int).Exp(g, a, n)}
}

// A is the value of SRP_A.
func (h *Handshake) A() string { return h.public.Text(16) }

// Challenge is what Cognito answers to A, as its parameters SALT, SRP_B, and SECRET_BLOCK have it. SALT and SRP_B are
// hexadecimal integers: odd length, missing leading zeros, and either case are fine.
type Challenge struct {
	Salt        string
	B           string
	SecretBlock string
}

// Claim is the proof, in the terms of the challenge's responses PASSWORD_CLAIM_SIGNATURE, PASSWORD_CLAIM_SECRET_BLOCK,
// and TIMESTAMP.
type Claim struct {
	Signature   string
	SecretBlock string
	Timestamp   string
}

// Prove signs the challenge with what follows from the password. It returns ErrUnsafe (wrapped) when the server's values
// must not be used, and another error when they cannot be read; no error has a secret in it.
func (h *Handshake) Prove(id Identity, password string, c Challenge, at time.Time) (Claim, error) {
	salt, err := integer("SALT", c.Salt)
	if err != nil {
		return Claim{}, err
	}
	b, err := integer("SRP_B", c.B)
	if err != nil {
		return Claim{}, err
	}
	block, err := decodeBlock(c.SecretBlock)
	if err != nil {
		return Claim{}, err
	}
	u := scrambler(h.public, b)
	shared, err := h.shared(secretExponent(salt, id, password), b, u)
	if err != nil {
		return Claim{}, err
	}
	key, err := derive(encode(shared), encode(u), keyInfo, keyBytes)
	if err != nil {
		return Claim{}, err
	}
	stamp := Timestamp(at)
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{id.Group, id.Name, string(block), stamp} {
		mac.Write([]byte(part))
	}
	return Claim{
		Signature:   base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		SecretBlock: c.SecretBlock, // echoed as it came, whatever alphabet it is in
		Timestamp:   stamp,
	}, nil
}

// shared is S = (B - k*g^x)^(a + u*x) mod N.
func (h *Handshake) shared(x, b, u *big.Int) (*big.Int, error) {
	n, g := group()
	if new(big.Int).Mod(b, n).Sign() == 0 || u.Sign() == 0 {
		return nil, ErrUnsafe
	}
	base := new(big.Int).Exp(g, x, n)
	base.Mul(base, multiplier())
	base.Sub(b, base)
	base.Mod(base, n) // Mod is Euclidean: never negative
	exponent := new(big.Int).Mul(u, x)
	exponent.Add(exponent, h.private)
	return base.Exp(base, exponent, n), nil
}

// Verifier is what a server keeps instead of the password: g^x mod N in the encoding that ConfirmDevice takes (before
// base64). salt is the integer that the same call registers, big endian.
func Verifier(id Identity, password string, salt []byte) []byte {
	n, g := group()
	x := secretExponent(new(big.Int).SetBytes(salt), id, password)
	return encode(x.Exp(g, x, n))
}

// PoolName is the part of a user pool's id that SRP hashes: what stands behind the first underscore.
func PoolName(poolID string) string {
	_, name, _ := strings.Cut(poolID, "_")
	return name
}

// Timestamp writes t as TIMESTAMP wants it: UTC, English names, the day without a leading zero or space, 24 hours.
// Cognito takes any other form for a wrong password.
func Timestamp(t time.Time) string { return t.UTC().Format("Mon Jan 2 15:04:05 UTC 2006") }

// SecretHash is SECRET_HASH of an app client that has a secret. username must be what the same request has as USERNAME.
func SecretHash(username, clientID, clientSecret string) string {
	mac := hmac.New(sha256.New, []byte(clientSecret))
	mac.Write([]byte(username))
	mac.Write([]byte(clientID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func scrambler(a, b *big.Int) *big.Int { return hash(encode(a), encode(b)) }

func multiplier() *big.Int {
	n, g := group()
	return hash(encode(n), encode(g))
}

// secretExponent is x, the number that the password stands for.
func secretExponent(salt *big.Int, id Identity, password string) *big.Int {
	inner := identityHash(id, password)
	return hash(encode(salt), inner[:])
}

func identityHash(id Identity, password string) [sha256.Size]byte {
	text := make([]byte, 0, len(id.Group)+len(id.Name)+1+len(password)) // in one piece, so that there is one copy to wipe
	defer func() { clear(text[:cap(text)]) }()
	text = append(append(append(append(text, id.Group...), id.Name...), ':'), password...)
	return sha256.Sum256(text)
}

func hash(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

// derive is HKDF with SHA-256 (RFC 5869).
func derive(secret, salt []byte, info string, length int) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, salt, info, length)
}

// encode is the shortest two's complement of a number that is not negative, as Java's BigInteger.toByteArray gives it: a
// zero byte goes in front if, and only if, the top bit is set. A fixed width would hash to something else about once in
// 256 sign-ins.
func encode(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		return append([]byte{0}, b...)
	}
	return b
}

// integer reads a hexadecimal integer. big.Int alone would also take a sign.
func integer(name, digits string) (*big.Int, error) {
	if len(digits) <= maxDigits && !strings.ContainsAny(digits, "+-") {
		if n, ok := new(big.Int).SetString(digits, 16); ok {
			return n, nil
		}
	}
	return nil, fmt.Errorf("the challenge's %s is not a hexadecimal number", name)
}

// decodeBlock reads SECRET_BLOCK. Cognito sends standard base64; emulators send URL-safe or unpadded text.
func decodeBlock(text string) ([]byte, error) {
	if len(text) <= maxBlock {
		for _, e := range []*base64.Encoding{
			base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding,
		} {
			if b, err := e.DecodeString(text); err == nil && len(b) > 0 {
				return b, nil
			}
		}
	}
	return nil, errors.New("the challenge's SECRET_BLOCK is not base64")
}
