package srp

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// server is the other side of the handshake, written from the formulas with its own encoding and key derivation, so that
// one mistake cannot hide on both sides.
type server struct {
	n, g, v, b, B *big.Int
	salt          *big.Int
}

// javaBytes is BigInteger.toByteArray by bit length rather than by looking at the first byte.
func javaBytes(n *big.Int) []byte { return n.FillBytes(make([]byte, n.BitLen()/8+1)) }

func sum(parts ...[]byte) []byte {
	s := sha256.Sum256(bytes.Join(parts, nil))
	return s[:]
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(bytes.Join(parts, nil))
	return m.Sum(nil)
}

func newServer(id Identity, password string, salt, b *big.Int) *server {
	n, _ := new(big.Int).SetString(prime, 16)
	s := &server{n: n, g: big.NewInt(2), salt: salt, b: b}
	x := new(big.Int).SetBytes(sum(javaBytes(salt), sum([]byte(id.Group), []byte(id.Name), []byte(":"), []byte(password))))
	s.v = new(big.Int).Exp(s.g, x, n)
	k := new(big.Int).SetBytes(sum(javaBytes(n), []byte{2}))
	s.B = new(big.Int).Exp(s.g, b, n)
	s.B.Add(s.B, k.Mul(k, s.v)).Mod(s.B, n)
	return s
}

// session gives what the two sides share: u and S = (A * v^u)^b mod N.
func (s *server) session(t testing.TB, a string) (u, shared *big.Int) {
	A, ok := new(big.Int).SetString(a, 16)
	if !ok || new(big.Int).Mod(A, s.n).Sign() == 0 {
		t.Fatalf("A = %q", a)
	}
	u = new(big.Int).SetBytes(sum(javaBytes(A), javaBytes(s.B)))
	shared = new(big.Int).Exp(s.v, u, s.n)
	shared.Mul(shared, A).Exp(shared, s.b, s.n)
	return u, shared
}

func (s *server) signature(t testing.TB, a string, id Identity, block []byte, stamp string) string {
	u, shared := s.session(t, a)
	prk := mac(javaBytes(u), javaBytes(shared))
	key := mac(prk, []byte("Caldera Derived Key"), []byte{1})[:16]
	return base64.StdEncoding.EncodeToString(mac(key, []byte(id.Group), []byte(id.Name), block, []byte(stamp)))
}

// Property: whatever the values, the server of the same password accepts the claim, and that of another does not.
func TestHandshakeProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		id := Identity{rapid.StringN(1, 12, -1).Draw(rt, "group"), rapid.StringN(1, 40, -1).Draw(rt, "name")}
		password := rapid.StringN(0, 64, -1).Draw(rt, "password")
		seed := rapid.SliceOfN(rapid.Byte(), exponentBytes, exponentBytes).Draw(rt, "a")
		salt := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 16).Draw(rt, "salt"))
		b := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(rt, "b"))
		block := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(rt, "block")
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(rt, "at"), 0)

		h, err := Start(bytes.NewReader(seed))
		if err != nil {
			rt.Fatal(err)
		}
		s := newServer(id, password, salt, b)
		challenge := Challenge{Salt: salt.Text(16), B: s.B.Text(16), SecretBlock: base64.StdEncoding.EncodeToString(block)}
		claim, err := h.Prove(id, password, challenge, at)
		if err != nil {
			rt.Fatal(err)
		}
		if claim.Signature != s.signature(t, h.A(), id, block, claim.Timestamp) {
			rt.Fatal("the server refuses the right password")
		}
		other, err := h.Prove(id, password+"x", challenge, at)
		if err != nil {
			rt.Fatal(err)
		}
		if other.Signature == claim.Signature {
			rt.Fatal("another password gives the same signature")
		}
	})
}

// TestEdgeEncodings searches for values whose encodings break naive code and shows that each was met and accepted.
func TestEdgeEncodings(t *testing.T) {
	met := map[string]bool{}
	note := func(name string, n *big.Int) {
		digits := n.Text(16)
		full := 768
		if name == "u" {
			full = 64
		}
		met[name+" top bit set"] = met[name+" top bit set"] || n.BitLen()%8 == 0
		met[name+" leading zero byte"] = met[name+" leading zero byte"] || len(digits) <= full-2
		met[name+" odd length"] = met[name+" odd length"] || len(digits)%2 == 1
	}
	id := Identity{"aBcDeFgHi", "b5f0b0f0-2b0b-4b0b-8b0b-0b0b0b0b0b0b"}
	wanted := []string{}
	for _, n := range []string{"A", "B", "S", "u"} {
		wanted = append(wanted, n+" top bit set", n+" leading zero byte", n+" odd length")
	}
	complete := func() bool {
		for _, w := range wanted {
			if !met[w] {
				return false
			}
		}
		return true
	}
	// A leading zero byte comes once in 256 values: the search is over small exponents of the server, whose cost is low,
	// and proves only the rounds that show something new.
	const password = "пароль-密码-🔑é"
	salts := []string{"0a", "80", "ff00", "7", "fab36728a78beb7e0787c0de2f960063", "00d1"}
	for i := int64(0); i < 6000 && !complete(); i++ {
		h := from(new(big.Int).Add(big.NewInt(1<<40+i*7919), new(big.Int).Lsh(big.NewInt(1), 80)))
		salt, _ := new(big.Int).SetString(salts[i%int64(len(salts))], 16)
		s := newServer(id, password, salt, big.NewInt(1<<33+i))
		u, shared := s.session(t, h.A())
		before := len(trues(met))
		note("A", h.public)
		note("B", s.B)
		note("S", shared)
		note("u", u)
		if len(trues(met)) == before {
			continue
		}
		// Text(16) leaves leading zeros out, so salt and B come with odd lengths as well, here in upper case.
		claim, err := h.Prove(id, password, Challenge{strings.ToUpper(salt.Text(16)), strings.ToUpper(s.B.Text(16)), "AAEC/w=="}, time.Unix(1788591789, 0))
		if err != nil {
			t.Fatal(err)
		}
		if claim.Signature != s.signature(t, h.A(), id, []byte{0, 1, 2, 255}, claim.Timestamp) {
			t.Fatalf("round %d: the server refuses", i)
		}
	}
	if !complete() {
		t.Errorf("not all edge cases were met: %v of %v", trues(met), wanted)
	}
}

func trues(m map[string]bool) []string {
	var out []string
	for k, v := range m {
		if v {
			out = append(out, k)
		}
	}
	return out
}

func TestLeadingZerosOfTheChallengeDoNotMatter(t *testing.T) {
	id, h := Identity{"pool", "user"}, from(big.NewInt(99991))
	plain, err1 := h.Prove(id, "pw", Challenge{"1f", "abc", "AAAA"}, time.Unix(0, 0))
	padded, err2 := h.Prove(id, "pw", Challenge{"00001F", "000ABC", "AAAA"}, time.Unix(0, 0))
	if err1 != nil || err2 != nil || plain.Signature != padded.Signature {
		t.Errorf("%v %v %v %v", plain, padded, err1, err2)
	}
}

func TestUnsafeValues(t *testing.T) {
	n, _ := group()
	h := from(big.NewInt(99991))
	for name, b := range map[string]*big.Int{"0": new(big.Int), "N": n, "3N": new(big.Int).Mul(n, big.NewInt(3))} {
		_, err := h.Prove(Identity{"p", "u"}, "pw", Challenge{"1f", b.Text(16), "AAAA"}, time.Unix(0, 0))
		if !errors.Is(err, ErrUnsafe) {
			t.Errorf("B = %s: got %v, want ErrUnsafe", name, err)
		}
	}
	// No B is known whose u is 0 (that would be a preimage), so the step behind the hash is given one.
	if _, err := h.shared(big.NewInt(5), big.NewInt(7), new(big.Int)); !errors.Is(err, ErrUnsafe) {
		t.Errorf("u = 0: got %v, want ErrUnsafe", err)
	}
	if _, err := h.shared(big.NewInt(5), big.NewInt(7), big.NewInt(1)); err != nil {
		t.Errorf("u = 1: %v", err)
	}
}

func TestUnreadableChallenges(t *testing.T) {
	const password = "hunter2-secret"
	good := Challenge{"1f", "abc", "AAAA"}
	for name, change := range map[string]func(*Challenge){
		"empty salt":      func(c *Challenge) { c.Salt = "" },
		"negative salt":   func(c *Challenge) { c.Salt = "-1f" },
		"signed B":        func(c *Challenge) { c.B = "+abc" },
		"prefixed B":      func(c *Challenge) { c.B = "0xabc" },
		"underscored B":   func(c *Challenge) { c.B = "a_bc" },
		"B with a letter": func(c *Challenge) { c.B = "xyz" },
		"huge B":          func(c *Challenge) { c.B = strings.Repeat("a", 1<<20) },
		"empty block":     func(c *Challenge) { c.SecretBlock = "" },
		"block with text": func(c *Challenge) { c.SecretBlock = "!!!!" },
		"huge block":      func(c *Challenge) { c.SecretBlock = strings.Repeat("A", 1<<20) },
	} {
		c := good
		change(&c)
		_, err := from(big.NewInt(99991)).Prove(Identity{"p", "u"}, password, c, time.Unix(0, 0))
		if err == nil || errors.Is(err, ErrUnsafe) || strings.Contains(err.Error(), password) || len(err.Error()) > 100 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSecretBlockAlphabets(t *testing.T) {
	want := []byte{0xfb, 0xff, 0xfe, 0x01}
	for _, text := range []string{"+//+AQ==", "-__-AQ==", "+//+AQ", "-__-AQ"} {
		if got, err := decodeBlock(text); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v", text, got, err)
		}
	}
	// Emulators send a UUID, which happens to be URL-safe base64.
	if _, err := decodeBlock("6f9619ff-8b86-d011-b42d-00c04fc964ff"); err != nil {
		t.Error(err)
	}
}

func TestStart(t *testing.T) {
	one, err := Start(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Start(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if one.A() == two.A() || one.private.BitLen() < 256 || two.private.BitLen() < 256 {
		t.Error("the private values are not random and long")
	}
	zeros, err := Start(bytes.NewReader(make([]byte, 64)))
	if err != nil || zeros.private.BitLen() < 256 || zeros.public.BitLen() < 2000 {
		t.Error("a weak draw gives a short exponent")
	}
	if _, err := Start(bytes.NewReader(make([]byte, 3))); err == nil {
		t.Error("a random source that ends is no error")
	}
}

func TestPoolName(t *testing.T) {
	for id, want := range map[string]string{
		"us-east-1_AbCdEf": "AbCdEf", "eu-central-1_a_b": "a_b", "none": "", "": "",
	} {
		if got := PoolName(id); got != want {
			t.Errorf("PoolName(%q) = %q, want %q", id, got, want)
		}
	}
}

// FuzzProve has the property that no challenge makes Prove panic or puts the password into an error.
func FuzzProve(f *testing.F) {
	f.Add("1f", "abc", "AAAA")
	f.Add("0", "0", "")
	f.Add("-1", hex.EncodeToString([]byte{1}), "a-_b")
	h := from(big.NewInt(65537))
	f.Fuzz(func(t *testing.T, salt, b, block string) {
		const password = "correct horse battery"
		claim, err := h.Prove(Identity{"p", "u"}, password, Challenge{salt, b, block}, time.Unix(0, 0))
		if err != nil && strings.Contains(err.Error(), password) {
			t.Error("the password is in the error")
		}
		if err == nil && len(claim.Signature) != 44 {
			t.Errorf("signature of %d characters", len(claim.Signature))
		}
	})
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := Start(rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}
