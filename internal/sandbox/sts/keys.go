package sts

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/clock"
)

// Credentials are temporary AWS keys.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// identity is whom keys stand for: a session of a role, or an administrator.
type identity struct {
	Credentials
	roleARN     string
	sessionName string
	admin       bool
}

// Admin are keys of an administrator, which never expire. SessionToken is empty for keys of a user.
type Admin struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SessionToken    string `json:"session_token,omitempty"`
}

// AdminARN is who administrators are.
const AdminARN = "arn:aws:iam::123456789012:user/sandbox"

// Add lets an administrator's keys in.
func (k *Keys) Add(a Admin) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := Credentials{AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey, SessionToken: a.SessionToken}
	k.byID[a.AccessKeyID] = identity{Credentials: c, roleARN: AdminARN, admin: true}
}

// Keys are all keys that this sandbox issued. Safe for concurrent use.
type Keys struct {
	clock *clock.Clock
	mu    sync.Mutex
	byID  map[string]identity
}

// NewKeys makes an empty store.
func NewKeys(c *clock.Clock) *Keys { return &Keys{clock: c, byID: map[string]identity{}} }

// Issue makes keys for a session of a role that expire after lifetime.
func (k *Keys) Issue(roleARN, sessionName string, lifetime time.Duration) Credentials {
	c := Credentials{
		AccessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(random(10)),
		SecretAccessKey: base64.StdEncoding.EncodeToString(random(30)),
		SessionToken:    base64.StdEncoding.EncodeToString(random(600)),
		Expiration:      k.clock.Now().Add(lifetime).Truncate(time.Second),
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID[c.AccessKeyID] = identity{Credentials: c, roleARN: roleARN, sessionName: sessionName}
	return c
}

func (k *Keys) find(id string) (identity, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i, ok := k.byID[id]
	return i, ok
}

func random(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	return b
}
