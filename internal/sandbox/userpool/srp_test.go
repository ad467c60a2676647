package userpool

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"math/big"
	"testing"
	"testing/quick"
	"time"
)

// clientKey is the client's view of the shared key, from its public description: S = (B - k*g^x)^(a + u*x) mod N.
func clientKey(a, bigA, bigB, x *big.Int) []byte {
	n := srpGroup.n
	java := func(i *big.Int) []byte { return i.FillBytes(make([]byte, i.BitLen()/8+1)) }
	sum := sha256.Sum256(append(java(bigA), java(bigB)...))
	u := new(big.Int).SetBytes(sum[:])
	base := new(big.Int).Exp(big.NewInt(2), x, n)
	base.Mul(base, srpGroup.k).Sub(bigB, base).Mod(base, n)
	s := base.Exp(base, new(big.Int).Add(a, new(big.Int).Mul(u, x)), n)
	mac := func(key []byte, data []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(data)
		return h.Sum(nil)
	}
	return mac(mac(java(u), java(s)), []byte("Caldera Derived Key\x01"))[:16]
}

func TestK(t *testing.T) {
	if got := srpGroup.k.Text(16); got != "538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6" {
		t.Errorf("k = %s", got)
	}
}

// Salts of every shape: top bit set, odd number of digits, leading zero bytes, short, zero.
func TestBothSidesAgree(t *testing.T) {
	for i, salt := range []string{"80000000000000000000000000000000", "f", "0", "0abc", "7fffffffffffffffffffffffffffffff", "ff00ff"} {
		s, _ := new(big.Int).SetString(salt, 16)
		password := []string{"simple", "Pässwörd \u00e9 \U0001f511", " ", "a:b", "x", "y"}[i]
		v := verifier("pool", "user", password, s)
		inner := sha256.Sum256([]byte("pool" + "user:" + password))
		x := hashInt(encode(s), inner[:])
		for range 4 {
			a, b := randomInt(16), randomInt(16)
			bigA, bigB := new(big.Int).Exp(big.NewInt(2), a, srpGroup.n), serverPublic(v, b)
			server, ok := sessionKey(bigA, bigB, v, b)
			if !ok || !bytes.Equal(server, clientKey(a, bigA, bigB, x)) {
				t.Fatalf("salt %s: the keys differ", salt)
			}
		}
	}
}

// Property: encode is java.math.BigInteger.toByteArray for non-negative numbers: it reads back as the same number, its top
// bit is clear, and no byte of it can be left out.
func TestEncode(t *testing.T) {
	property := func(b []byte) bool {
		n := new(big.Int).SetBytes(b)
		e := encode(n)
		return new(big.Int).SetBytes(e).Cmp(n) == 0 && e[0] < 0x80 && (len(e) == 1 || e[0] != 0 || e[1] >= 0x80)
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

// Property: whatever SRP_A says, parsePublic accepts only numbers that are not 0 mod N, and never panics.
func FuzzParsePublic(f *testing.F) {
	for _, s := range []string{"", "0", "00", "-1", "+1", "_1", "1_0", "0x1", srpPrime, srpPrime + "0", "abc", "ABC", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := parsePublic(s)
		if ok && (a.Sign() <= 0 || new(big.Int).Mod(a, srpGroup.n).Sign() == 0) {
			t.Errorf("accepted %q", s)
		}
	})
}

// The values of RFC 6238, appendix B, for SHA-1, cut to six digits.
func TestTOTPVectors(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := TOTP([]byte("12345678901234567890"), time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestDecodeTOTPSecret(t *testing.T) {
	for _, s := range []string{"JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", "JBSWY3DPEHPK3PXP===="} {
		if b, err := DecodeTOTPSecret(s); err != nil || string(b) != "Hello!\xde\xad\xbe\xef" {
			t.Errorf("%q: %q %v", s, b, err)
		}
	}
	for _, s := range []string{"", " ", "1", "!!!!"} {
		if _, err := DecodeTOTPSecret(s); err == nil {
			t.Errorf("accepted %q", s)
		}
	}
}

func TestMaskPhone(t *testing.T) {
	for in, want := range map[string]string{"+15550100123": "+*******0123", "123": "+***"} {
		if got := maskPhone(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
