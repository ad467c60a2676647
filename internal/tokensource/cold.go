package tokensource

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// cold is what only a renewal, a logout, and status need: the cold record's content, JSON format 1. Members that a newer
// version put there are kept.
type cold struct {
	Refresh    token.Secret
	DeviceKey  string // of the remembered device, which the refresh token is bound to
	GroupKey   string
	DevicePass token.Secret // empty where the device was never confirmed
	DeviceNo   bool         // the user did not have it remembered
	SecretNext bool         // Cognito took the app client's second secret
	User       string       // cognito:username
	Subject    string       // sub
	Typed      string       // the name as it was typed
	Flow       string
	LoggedIn   time.Time
	Identities map[string]string // identity pool id → identity id

	unknown map[string]json.RawMessage
}

// coldJSON is cold on disk, where the refresh token and the device's password are in clear: this is the one place that marshals it, and what it makes
// goes to the cipher only.
type coldJSON struct {
	Format     int               `json:"format"`
	Refresh    string            `json:"refresh_token"`
	DeviceKey  string            `json:"device_key,omitempty"`
	GroupKey   string            `json:"device_group_key,omitempty"`
	DevicePass string            `json:"device_password,omitempty"`
	DeviceNo   bool              `json:"device_refused,omitempty"`
	SecretNext bool              `json:"secret_next,omitempty"`
	User       string            `json:"user"`
	Subject    string            `json:"sub"`
	Typed      string            `json:"typed_name,omitempty"`
	Flow       string            `json:"flow,omitempty"`
	LoggedIn   time.Time         `json:"logged_in"`
	Identities map[string]string `json:"identity_ids,omitempty"`
}

const coldFormat = 1

// decode reads the plaintext of a cold record, and wipes it.
func (c *cold) decode(plain []byte) error {
	defer clear(plain)
	var known coldJSON
	var all map[string]json.RawMessage
	if err := json.Unmarshal(plain, &known); err != nil {
		return errColdDamaged
	}
	if err := json.Unmarshal(plain, &all); err != nil {
		return errColdDamaged
	}
	*c = cold{
		Refresh: token.NewSecret(known.Refresh), DeviceKey: known.DeviceKey, GroupKey: known.GroupKey,
		DevicePass: token.NewSecret(known.DevicePass), DeviceNo: known.DeviceNo, SecretNext: known.SecretNext, User: known.User, Subject: known.Subject,
		Typed: known.Typed, Flow: known.Flow, LoggedIn: known.LoggedIn, Identities: known.Identities, unknown: all,
	}
	return nil
}

var errColdDamaged = &token.Error{Kind: token.LoginNeeded, Message: "the session file is damaged: its record of the sign-in cannot be read"}

func (c *cold) encode() ([]byte, error) {
	plain, err := json.Marshal(coldJSON{
		Format: coldFormat, Refresh: c.Refresh.Reveal(), DeviceKey: c.DeviceKey, GroupKey: c.GroupKey,
		DevicePass: c.DevicePass.Reveal(), DeviceNo: c.DeviceNo, SecretNext: c.SecretNext, User: c.User, Subject: c.Subject,
		Typed: c.Typed, Flow: c.Flow, LoggedIn: c.LoggedIn, Identities: c.Identities,
	})
	if err != nil || len(c.unknown) == 0 {
		return plain, err
	}
	merged := map[string]json.RawMessage{}
	for name, value := range c.unknown {
		merged[name] = value
	}
	for _, name := range coldMembers() {
		delete(merged, name)
	}
	var known map[string]json.RawMessage
	if err := json.Unmarshal(plain, &known); err != nil {
		return nil, err
	}
	for name, value := range known {
		merged[name] = value
	}
	if newer, ok := c.unknown["format"]; ok {
		merged["format"] = newer // a newer version's own number stands: what it added is still there
	}
	return json.Marshal(merged)
}

// coldMembers are the names that this version writes; one that it left out is really gone.
func coldMembers() []string {
	return []string{"format", "refresh_token", "device_key", "device_group_key", "device_password", "device_refused", "secret_next", "user", "sub", "typed_name", "flow", "logged_in", "identity_ids"}
}

// fingerprint is the start of the refresh token's hash, enough to tell whether two are the same.
func (c *cold) fingerprint() (short [8]byte) {
	sum := sha256.Sum256([]byte(c.Refresh.Reveal()))
	copy(short[:], sum[:])
	return short
}

// isNamed reports whether name is one that this user goes by.
func (c *cold) isNamed(name string) bool {
	return name == c.User || name == c.Typed || name == c.Subject
}

// names are those that isNamed accepts.
func (c *cold) names() []string {
	var out []string
	for _, name := range []string{c.User, c.Typed, c.Subject} {
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

// device is this computer as Cognito remembers it for the session's user; nil when it does not.
func (c *cold) device() *cognito.Device {
	if c.DeviceKey == "" {
		return nil
	}
	return &cognito.Device{Key: c.DeviceKey, GroupKey: c.GroupKey, Password: c.DevicePass, Refused: c.DeviceNo}
}

// setDevice keeps a device; nil forgets it.
func (c *cold) setDevice(d *cognito.Device) {
	if d == nil {
		d = &cognito.Device{}
	}
	c.DeviceKey, c.GroupKey, c.DevicePass, c.DeviceNo = d.Key, d.GroupKey, d.Password, d.Refused
}
