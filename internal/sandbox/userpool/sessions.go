package userpool

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

type digest [sha256.Size]byte

// challengeSession is what a Session string stands for. Guarded by Pool.mu.
type challengeSession struct {
	signIn
	challenge string
	expires   time.Time
	used      bool
	failures  int
	code      string // the code that was sent with this challenge
}

// challenge opens a challenge session and makes the answer that carries it. Call with the lock held.
func (p *Pool) challenge(in *signIn, name string, parameters map[string]string) (outcome, *challengeSession) {
	session, s := p.newSession(in, name)
	return outcome{challenge: &challengeOutput{ChallengeName: name, ChallengeParameters: parameters, Session: session}}, s
}

func (p *Pool) newSession(in *signIn, name string) (string, *challengeSession) {
	now := p.clock.Now()
	for key, s := range p.sessions {
		if now.Sub(s.expires) > time.Hour {
			delete(p.sessions, key)
		}
	}
	session := opaque(750)
	s := &challengeSession{signIn: *in, challenge: name, expires: now.Add(seconds(in.client.AuthSessionSeconds))}
	p.sessions[sha256.Sum256([]byte(session))] = s
	return session, s
}

// openSession finds the challenge session of a reply, for the user whom the reply names. Call with the lock held.
func (p *Pool) openSession(r reply) (*challengeSession, error) {
	s, err := p.findSession(r.in.Session, r.in.ChallengeName)
	if err != nil {
		return nil, err
	}
	if s.client.ID != r.client.ID {
		return nil, errInvalidSession()
	}
	name := r.in.ChallengeResponses["USERNAME"]
	hashed := s.username
	if s.choice { // no challenge of USER_AUTH tells the real name, so the hash is over what was typed
		hashed = name
	}
	if err := r.client.checkSecretHash(r.in.ChallengeResponses["SECRET_HASH"], hashed, r.client.hashMismatch()); err != nil {
		return nil, err
	}
	if u := p.resolve(name); u != s.user || u == nil && p.realName(name, nil) != s.username {
		return nil, errInvalidSession()
	}
	s.metadata, s.device = r.in.ClientMetadata, r.in.ChallengeResponses["DEVICE_KEY"]
	if err := s.open(p.clock.Now()); err != nil {
		return nil, err
	}
	return s, s.checkDevice() // before the answer is judged, so that it can be sent again without the device
}

// findSession finds a challenge session that waits for an answer to a challenge.
func (p *Pool) findSession(session, challenge string) (*challengeSession, error) {
	if session == "" {
		return nil, errInvalidParameter("Missing required parameter Session")
	}
	s, ok := p.sessions[sha256.Sum256([]byte(session))]
	if !ok || s.challenge != challenge {
		return nil, errInvalidSession()
	}
	return s, nil
}

// open says whether the session still takes an answer.
func (s *challengeSession) open(now time.Time) error {
	switch {
	case s.used:
		return errNotAuthorized("Invalid session for the user, session can only be used once.")
	case !now.Before(s.expires):
		return errNotAuthorized("Invalid session for the user, session is expired.")
	case s.user == nil:
		return nil
	}
	return s.user.mayGoOn()
}

func errInvalidSession() error { return errNotAuthorized("Invalid session for the user.") }

// opaque is a random string of size bytes, in base64url.
func opaque(size int) string {
	b := make([]byte, size)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
