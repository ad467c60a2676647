// Package srpstate keeps, in a file between two processes, what the second one needs to prove a password to the challenge
// that the first one asked for.
//
// It guarantees that the file is sealed under a data key, which it names, of mode 0600, whole or not there, and refused once
// the challenge cannot live any more. It never keeps a password and asks nobody.
package srpstate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const (
	// Lifetime is the longest that a challenge can live (AuthSessionValidity, API reference); Cognito may end it earlier.
	Lifetime = 15 * time.Minute

	magic = "ccsrp\x1a\n\x02" // the last byte is the format; then the key's slot and id, in clear
	limit = 64 << 10

	headSize = len(magic) + 1 + len(keyslot.KeyID{})
)

// State is a challenge PASSWORD_VERIFIER and what belongs to it.
type State struct {
	Began      token.Instant
	Service    time.Time // what the service's clock said then; zero where that is not known
	Region     string
	UserPoolID string
	ClientID   string
	Endpoint   string // override; "" for AWS's own
	Username   string // as it was sent
	Session    token.Secret
	Parameters map[string]string // ChallengeParameters
	Handshake  *srp.Handshake
}

// Begin draws the private value from random, which must be cryptographically strong.
func Begin(random io.Reader) (State, error) {
	h, err := srp.Start(random)
	if err != nil {
		return State{}, &token.Error{Kind: token.Failure, Message: "the sign-in cannot be prepared", Err: err}
	}
	return State{Handshake: h}, nil
}

// A is the value of SRP_A.
func (s State) A() token.Secret { return token.NewSecret(s.Handshake.A()) }

// wire is the sealed text.
type wire struct {
	Began      time.Time         `json:"began"`
	Boot       time.Duration     `json:"boot,omitempty"`
	Service    time.Time         `json:"service,omitzero"`
	Region     string            `json:"region"`
	UserPoolID string            `json:"user_pool_id"`
	ClientID   string            `json:"client_id"`
	Endpoint   string            `json:"endpoint,omitempty"`
	Username   string            `json:"username"`
	Session    string            `json:"session,omitempty"`
	Parameters map[string]string `json:"parameters"`
	Private    string            `json:"private"`
}

// File is a place for one State, with its room on the disk taken. Not safe for concurrent use.
type File struct {
	path    string
	pending *atomicfile.Pending
}

// Prepare takes the room, so that what cannot be written shows before Cognito is asked. A file that is there is not
// replaced. Errors are of kind token.Usage.
func Prepare(path string) (*File, error) {
	if _, err := atomicfile.Read(path, limit); !errors.Is(err, fs.ErrNotExist) {
		return nil, usage(path, "is there already", "rm -- "+profiles.ShellWord(path), nil)
	}
	pending, err := atomicfile.Prepare(path, limit/8)
	if err != nil {
		return nil, usage(path, "cannot be written", "", err)
	}
	return &File{path, pending}, nil
}

// Abort lets the room go; it is idempotent, and nothing after Save.
func (f *File) Abort() { f.pending.Abort() }

// Save seals s under key, which is that of slot.
func (f *File) Save(slot keyslot.Kind, key keyslot.Key, s State) error {
	boxes, err := key.AEAD()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(wire{
		s.Began.Wall, s.Began.Boot, s.Service, s.Region, s.UserPoolID, s.ClientID, s.Endpoint, s.Username, s.Session.Reveal(), s.Parameters,
		hex.EncodeToString(s.Handshake.Private()),
	})
	if err != nil {
		return err
	}
	defer clear(plain)
	id := key.ID()
	head := append(append([]byte(magic), byte(slot)), id[:]...)
	if err := f.pending.Commit(boxes.Seal(bytes.Clone(head), nil, plain, head)); err != nil {
		return &token.Error{Kind: token.Failure, Message: "the state cannot be saved in " + safetext.Line(f.path, 200), Err: err}
	}
	return nil
}

// Find gives the key of a slot; it may have another id, where the key was replaced.
type Find func(slot keyslot.Kind, id keyslot.KeyID) (keyslot.Key, error)

// Load opens the state in path, as of now. A state that has expired is deleted. Errors carry a token.Kind.
func Load(path string, find Find, now token.Instant) (State, error) {
	data, err := atomicfile.Read(path, limit)
	var unsafe *atomicfile.UnsafeError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return State{}, usage(path, "is not there: it is deleted when it is used", again(path), nil)
	case errors.As(err, &unsafe):
		return State{}, &token.Error{Kind: token.BadProfile, Message: unsafe.Error(), Next: unsafe.Fix}
	case err != nil:
		return State{}, usage(path, "cannot be read", "", err)
	}
	if len(data) < headSize || string(data[:len(magic)]) != magic {
		return State{}, damaged(path)
	}
	key, err := find(keyslot.Kind(data[len(magic)]), keyslot.KeyID(data[len(magic)+1:headSize]))
	defer key.Wipe()
	switch {
	case token.KindOf(err) == token.LoginNeeded, err == nil && key.ID() != keyslot.KeyID(data[len(magic)+1:headSize]):
		return State{}, usage(path, "was sealed with a data key that is not there any more: a migration of the store may have dropped it", anew(path), nil)
	case err != nil:
		return State{}, err
	}
	s, err := open(data, key)
	if err != nil {
		return State{}, damaged(path)
	}
	if age := s.elapsed(now); age > Lifetime || age < -Lifetime {
		_ = atomicfile.Remove(path)
		return State{}, &token.Error{Kind: token.Refused, Message: "the challenge has expired", Next: again(path)}
	}
	return s, nil
}

func open(data []byte, key keyslot.Key) (State, error) {
	boxes, err := key.AEAD()
	if err != nil {
		return State{}, err
	}
	plain, err := boxes.Open(nil, nil, data[headSize:], data[:headSize])
	if err != nil {
		return State{}, err
	}
	defer clear(plain)
	var w wire
	if err := json.Unmarshal(plain, &w); err != nil {
		return State{}, err
	}
	private, err := hex.DecodeString(w.Private)
	if err != nil {
		return State{}, err
	}
	h, err := srp.Resume(private)
	began := token.Instant{Wall: w.Began, Boot: w.Boot}
	return State{began, w.Service, w.Region, w.UserPoolID, w.ClientID, w.Endpoint, w.Username, token.NewSecret(w.Session), w.Parameters, h}, err
}

// Remove deletes a state: a challenge takes one answer.
func Remove(path string) error {
	if err := atomicfile.Remove(path); err != nil {
		return &token.Error{Kind: token.Failure, Message: "the state " + safetext.Line(path, 200) + " cannot be deleted", Err: err}
	}
	return nil
}

// elapsed is how long ago s began. Where the clocks disagree, the wall clock was set in between.
func (s State) elapsed(now token.Instant) time.Duration {
	wall, boot := now.Wall.Sub(s.Began.Wall), now.Boot-s.Began.Boot
	if s.Began.Boot > 0 && boot >= 0 && (wall-boot).Abs() > token.MaxSkew {
		return boot
	}
	return wall
}

// at is the time by the service's clock, which holds the proof against it.
func (s State) at(now token.Instant) time.Time {
	if s.Service.IsZero() {
		return now.Wall
	}
	return s.Service.Add(s.elapsed(now))
}

// Prove answers the challenge.
func (s State) Prove(password token.Secret, now token.Instant) (map[string]token.Secret, error) {
	id := srp.Identity{Group: srp.PoolName(s.UserPoolID), Name: s.user()}
	claim, err := s.Handshake.Prove(id, password.Reveal(), srp.Challenge{
		Salt: s.Parameters["SALT"], B: s.Parameters["SRP_B"], SecretBlock: s.Parameters["SECRET_BLOCK"],
	}, s.at(now))
	if err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "the challenge that the endpoint sent is not usable", Err: err}
	}
	return map[string]token.Secret{
		"USERNAME":                    token.NewSecret(s.user()),
		"PASSWORD_CLAIM_SIGNATURE":    token.NewSecret(claim.Signature),
		"PASSWORD_CLAIM_SECRET_BLOCK": token.NewSecret(claim.SecretBlock),
		"TIMESTAMP":                   token.NewSecret(claim.Timestamp),
	}, nil
}

// user is the name that Cognito goes on with: it replaces an alias.
func (s State) user() string {
	if id := s.Parameters["USER_ID_FOR_SRP"]; id != "" {
		return id
	}
	return s.Username
}

func usage(path, problem, next string, err error) error {
	return &token.Error{Kind: token.Usage, Message: "--state: the file " + safetext.Line(path, 200) + " " + problem, Next: next, Err: err}
}

func damaged(path string) error {
	return usage(path, "is no state of this store, or is damaged", anew(path), nil)
}

// anew is again where a file is in the way.
func anew(path string) string { return "rm -- " + profiles.ShellWord(path) + ", then: " + again(path) }

func again(path string) string {
	return "cognito-credhelper initiate-auth --auth-flow USER_SRP_AUTH --auth-parameter USERNAME=NAME --state " + profiles.ShellWord(path)
}
