package userpool

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"strings"
)

// The group of RFC 3526 §5 (3072 bit), generator 2, as Cognito uses it for SRP-6a.
const srpPrime = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
	"302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
	"49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
	"670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
	"3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D" +
	"B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

// group is the arithmetic of one SRP group. It is made once and only read.
type group struct{ n, g, k *big.Int }

var srpGroup = newGroup()

func newGroup() group {
	n, _ := new(big.Int).SetString(srpPrime, 16)
	g := big.NewInt(2)
	return group{n: n, g: g, k: hashInt(encode(n), encode(g))}
}

// encode is the shortest two's-complement form of a non-negative integer: a zero byte in front only if the top bit is set.
func encode(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		return append([]byte{0}, b...)
	}
	return b
}

func hashInt(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

// newSalt is a 16-byte integer, so that its hexadecimal form sometimes has odd length.
func newSalt() *big.Int { return randomInt(16) }

func randomInt(size int) *big.Int {
	b := make([]byte, size)
	rand.Read(b)
	return new(big.Int).SetBytes(b)
}

// verifier is g^x mod N, all that a server keeps of a password.
func verifier(poolName, username, password string, salt *big.Int) *big.Int {
	inner := sha256.Sum256([]byte(poolName + username + ":" + password))
	x := hashInt(encode(salt), inner[:])
	return new(big.Int).Exp(srpGroup.g, x, srpGroup.n)
}

// serverPublic is B = k·v + g^b mod N.
func serverPublic(v, b *big.Int) *big.Int {
	out := new(big.Int).Mul(srpGroup.k, v)
	out.Add(out, new(big.Int).Exp(srpGroup.g, b, srpGroup.n))
	return out.Mod(out, srpGroup.n)
}

// parsePublic reads SRP_A: a hexadecimal integer of any length, not a multiple of N.
func parsePublic(hexadecimal string) (*big.Int, bool) {
	if hexadecimal == "" || len(hexadecimal) > 2048 || strings.ContainsAny(hexadecimal, "+-_") {
		return nil, false
	}
	a, ok := new(big.Int).SetString(hexadecimal, 16)
	if !ok || new(big.Int).Mod(a, srpGroup.n).Sign() == 0 {
		return nil, false
	}
	return a, true
}

// sessionKey is the server's view of the shared key: S = (A·v^u)^b mod N, then HKDF (RFC 5869).
func sessionKey(a, bigB, v, b *big.Int) ([]byte, bool) {
	u := hashInt(encode(a), encode(bigB))
	if u.Sign() == 0 {
		return nil, false
	}
	s := new(big.Int).Exp(v, u, srpGroup.n)
	s.Mul(s, a)
	s.Exp(s.Mod(s, srpGroup.n), b, srpGroup.n)
	key, err := hkdf.Key(sha256.New, encode(s), encode(u), "Caldera Derived Key", 16)
	return key, err == nil
}

// claimSignature is what PASSWORD_CLAIM_SIGNATURE must be.
func claimSignature(key []byte, poolName, username string, block []byte, timestamp string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(poolName + username))
	mac.Write(block)
	mac.Write([]byte(timestamp))
	return mac.Sum(nil)
}
