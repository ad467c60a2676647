package userpool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// srpState is what the sandbox seals into SECRET_BLOCK: all that it needs to judge the answer, since the PASSWORD_VERIFIER of
// USER_SRP_AUTH has no challenge session.
type srpState struct {
	ID       string
	Client   string
	Username string // real name; "" for a simulated challenge
	Prover   prover
	Device   bool   // DEVICE_PASSWORD_VERIFIER
	A, B, Bb []byte // A, b, and B
	At       time.Time
	Session  string // must come back with the answer; "" for none
	Custom   bool
	Padding  string // brings the block to the size that AWS's has, so that clients with small buffers fail here too
}

// prover is the pair of names that goes into a proof: pool and user, or device group and device.
type prover struct{ Group, Name string }

const (
	srpPadding   = 700
	maxTimestamp = 5 * time.Minute
	timeLayout   = "Mon Jan 2 15:04:05 UTC 2006"
)

func newSeal() (cipher.AEAD, error) {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// startSRP is USER_SRP_AUTH. For a name that nobody has, the challenge is simulated: it looks the same and never opens.
func (p *Pool) startSRP(s start) (any, error) {
	if !s.client.allows("USER_SRP_AUTH") {
		return nil, errInvalidParameter("USER_SRP_AUTH is not enabled for the client.")
	}
	bigA, err := s.parameter("SRP_A")
	if err != nil {
		return nil, err
	}
	return p.started(s, func(in *signIn) (outcome, error) { return p.verifier(in, bigA) })
}

// verifier begins a proof of the user's password. Call with the lock held.
func (p *Pool) verifier(in *signIn, hexA string) (outcome, error) {
	st := srpState{Prover: prover{p.poolName(), in.username}, Custom: in.custom}
	salt, v := p.simulated(in.username)
	if in.user != nil {
		st.Username, salt, v = in.user.username, in.user.salt, in.user.v
	}
	if in.choice {
		st.Session = opaque(750) // assumed: USER_AUTH has a challenge session from the beginning, so this has one too
	}
	return p.prove(in, st, hexA, salt, v)
}

// simulated is the salt and verifier of nobody. The salt must not change from one try to the next, or it would tell.
func (p *Pool) simulated(username string) (salt, v *big.Int) {
	mac := hmac.New(sha256.New, []byte(p.config.ID+p.id.ID()))
	mac.Write([]byte(username))
	return new(big.Int).SetBytes(mac.Sum(nil)[:16]), randomInt(256)
}

// prove makes the challenge of a proof.
func (p *Pool) prove(in *signIn, st srpState, hexA string, salt, v *big.Int) (outcome, error) {
	a, ok := parsePublic(hexA)
	if !ok {
		// Assumed: nobody published what AWS answers to A mod N = 0.
		return outcome{}, errInvalidParameter("SRP_A is not valid.")
	}
	b := randomInt(32)
	bigB := serverPublic(v, b)
	st.ID, st.Client, st.At, st.Padding = opaque(16), in.client.ID, p.clock.Now(), opaque(srpPadding)
	st.A, st.B, st.Bb = a.Bytes(), b.Bytes(), bigB.Bytes()
	plain, err := json.Marshal(st)
	if err != nil {
		return outcome{}, err
	}
	parameters := map[string]string{
		"SALT":         salt.Text(16),
		"SRP_B":        bigB.Text(16),
		"SECRET_BLOCK": base64.StdEncoding.EncodeToString(p.seal.Seal(nil, nil, plain, []byte("SECRET_BLOCK"))),
		"USERNAME":     in.username,
	}
	name := "PASSWORD_VERIFIER"
	if st.Device {
		name = "DEVICE_PASSWORD_VERIFIER"
		parameters["DEVICE_KEY"] = st.Prover.Name
	} else {
		parameters["USER_ID_FOR_SRP"] = in.username
	}
	return outcome{challenge: &challengeOutput{ChallengeName: name, ChallengeParameters: parameters, Session: st.Session}}, nil
}

// claim is the answer to PASSWORD_VERIFIER.
type claim struct {
	username, timestamp string
	block, signature    []byte
}

func (r reply) claim() (claim, error) {
	var c claim
	var block, signature string
	for _, f := range []struct {
		name string
		into *string
	}{
		{"USERNAME", &c.username}, {"TIMESTAMP", &c.timestamp},
		{"PASSWORD_CLAIM_SECRET_BLOCK", &block}, {"PASSWORD_CLAIM_SIGNATURE", &signature},
	} {
		v, err := r.response(f.name)
		if err != nil {
			return c, err
		}
		*f.into = v
	}
	var errBlock, errSignature error
	c.block, errBlock = base64.StdEncoding.DecodeString(block)
	c.signature, errSignature = base64.StdEncoding.DecodeString(signature)
	if errBlock != nil || errSignature != nil {
		return c, errWrongPassword()
	}
	return c, nil
}

// answerVerifier checks the proof of PASSWORD_VERIFIER and DEVICE_PASSWORD_VERIFIER. A wrong signature, a bad time, and a
// stale or used block all get the same sentence.
func (p *Pool) answerVerifier(r reply) (any, error) {
	c, err := r.claim()
	if err != nil {
		return nil, err
	}
	st, err := p.unseal(c.block, r)
	if err != nil {
		return nil, err
	}
	if err := r.client.checkSecretHash(r.in.ChallengeResponses["SECRET_HASH"], hashedName(st, c), r.client.hashMismatch()); err != nil {
		return nil, err
	}
	in, v := p.prover(r, st, c)
	good := v != nil && p.timely(c.timestamp) && p.proves(st, c, v) // slow, so without the lock
	p.mu.Lock()
	next, err := p.proved(in, st, good)
	p.mu.Unlock()
	return p.finish(r.call, next, err)
}

// prover is the sign-in behind a proof and the verifier to hold it against; nil when there is none.
func (p *Pool) prover(r reply, st srpState, c claim) (*signIn, *big.Int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := &signIn{client: r.client, username: st.Username, metadata: r.in.ClientMetadata, custom: st.Custom,
		device: r.in.ChallengeResponses["DEVICE_KEY"]}
	u := p.resolve(c.username)
	if u == nil || u.username != st.Username {
		return in, nil
	}
	in.user = u
	if !st.Device {
		return in, u.v
	}
	if d := u.device(st.Prover.Name); d != nil && in.device == d.key {
		return in, d.v
	}
	return in, nil
}

// proved goes on after a proof. A device that is gone is said before the block is used up: the JavaScript clients send the
// same proof again without it. Call with the lock held.
func (p *Pool) proved(in *signIn, st srpState, good bool) (outcome, error) {
	if good && !st.Device {
		if err := in.checkDevice(); err != nil {
			return outcome{}, err
		}
	}
	good = p.useBlock(st) && good
	switch {
	case !st.Device:
		return p.provePassword(in, func() bool { return good })
	case !good:
		return outcome{}, errWrongPassword()
	}
	if err := in.user.mayGoOn(); err != nil {
		return outcome{}, err
	}
	return p.complete(in)
}

func hashedName(st srpState, c claim) string {
	if st.Username != "" {
		return st.Username
	}
	return c.username
}

// unseal opens a block that was made for this client, this challenge, and this challenge session, and is in time.
func (p *Pool) unseal(block []byte, r reply) (srpState, error) {
	var st srpState
	plain, err := p.seal.Open(nil, nil, block, []byte("SECRET_BLOCK"))
	if err != nil || json.Unmarshal(plain, &st) != nil || st.Client != r.client.ID || st.Device != (r.in.ChallengeName == "DEVICE_PASSWORD_VERIFIER") {
		return st, errWrongPassword()
	}
	if st.Session != r.in.Session && st.Session != "" {
		return st, errInvalidSession()
	}
	if p.clock.Now().Sub(st.At) > seconds(r.client.AuthSessionSeconds) {
		return st, errWrongPassword()
	}
	return st, nil
}

// useBlock says whether the block is used for the first time, and remembers it. Call with the lock held.
func (p *Pool) useBlock(st srpState) bool {
	now := p.clock.Now()
	for id, at := range p.usedBlocks {
		if now.Sub(at) > time.Hour {
			delete(p.usedBlocks, id)
		}
	}
	_, used := p.usedBlocks[st.ID]
	p.usedBlocks[st.ID] = st.At
	return !used
}

// timely accepts exactly the form that AWS accepts: no zero-padded day, the right weekday, at most 5 minutes off.
func (p *Pool) timely(stamp string) bool {
	t, err := time.Parse(timeLayout, stamp)
	if err != nil || t.Format(timeLayout) != stamp || !strings.Contains(stamp, " UTC ") {
		return false
	}
	return p.clock.Wall().Sub(t).Abs() <= maxTimestamp
}

func (p *Pool) proves(st srpState, c claim, v *big.Int) bool {
	a, b, bigB := new(big.Int).SetBytes(st.A), new(big.Int).SetBytes(st.B), new(big.Int).SetBytes(st.Bb)
	key, ok := sessionKey(a, bigB, v, b)
	if !ok {
		return false
	}
	want := claimSignature(key, st.Prover.Group, st.Prover.Name, c.block, c.timestamp)
	return subtle.ConstantTimeCompare(want, c.signature) == 1
}
