package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/control"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/identitypool"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/sts"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// Config is everything that a sandbox is made of; as JSON it is the file of cognito-sandbox --config. A sample with most
// members is in cmd/cognito-sandbox/testdata.
type Config struct {
	UserPool userpool.Config `json:"user_pool"`
	// IdentityPool with an empty ID means that there is none.
	IdentityPool identitypool.Config `json:"identity_pool"`
	// Roles may be assumed by AssumeRoleWithWebIdentity, with tokens of either pool, and by AssumeRole, with keys of a principal
	// that they name.
	Roles []sts.Role `json:"roles,omitempty"`
	// AWSKeys are an administrator's, for AdminInitiateAuth and GetCallerIdentity.
	AWSKeys []sts.Admin `json:"aws_keys,omitempty"`
	// Faults are set at start.
	Faults []control.Fault `json:"faults,omitempty"`
}

// Fault is what happens to the next requests of an operation; its kinds are named in package control.
type Fault = control.Fault

// ParseConfig reads the JSON form. Members that it doesn't know are an error, since a misspelt one would be a pool that
// isn't the one meant. What is left out is as in DefaultConfig: pool ids, app clients, users, roles, keys, each as a whole.
func ParseConfig(data []byte) (Config, error) {
	c := Config{}
	standard := DefaultConfig()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("the configuration: %w", err)
	}
	if c.UserPool.ID == "" {
		c.UserPool.ID = standard.UserPool.ID
	}
	if c.UserPool.Clients == nil {
		c.UserPool.Clients = standard.UserPool.Clients
	}
	if c.UserPool.Users == nil {
		c.UserPool.Users = standard.UserPool.Users
	}
	if c.IdentityPool.ID == "" {
		c.IdentityPool.ID = standard.IdentityPool.ID
	}
	if c.IdentityPool.AuthenticatedRole == "" {
		c.IdentityPool.AuthenticatedRole = standard.IdentityPool.AuthenticatedRole
	}
	if c.Roles == nil {
		c.Roles = standard.Roles
	}
	if c.AWSKeys == nil {
		c.AWSKeys = standard.AWSKeys
	}
	return c, nil
}

const (
	defaultPoolID         = "eu-central-1_Sandbox01"
	defaultIdentityPoolID = "eu-central-1:5a9d6c0e-0000-4000-8000-000000000001"
	defaultRole           = "arn:aws:iam::123456789012:role/SandboxAuthenticated"
)

// DefaultConfig is one pool with alice (password and TOTP) and bob (password only), and four app clients: the first is
// public and rotates with 60 s of grace; then one that doesn't rotate, one with a secret, one that rotates with no grace.
// An identity pool and STS give keys of one role; an administrator has keys of their own.
func DefaultConfig() Config {
	return Config{
		UserPool: userpool.Config{
			ID: defaultPoolID,
			Clients: []userpool.Client{
				{ID: "1example23456789public0000", Name: "public", Rotation: true, GraceSeconds: 60},
				{ID: "1example23456789plain00000", Name: "no rotation"},
				{ID: "1example23456789secret0000", Name: "confidential", Secret: "sandbox-client-secret-that-protects-nothing-at-all0", Rotation: true, GraceSeconds: 60},
				{ID: "1example23456789strict0000", Name: "rotation without grace", Rotation: true},
			},
			Users: []userpool.User{
				{Username: "alice", Password: "correct horse battery staple", TOTPSecret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", Email: "alice@example.com"},
				{Username: "bob", Password: "Tr0ub4dor&3", Email: "bob@example.com", Phone: "+15550100123"},
			},
		},
		IdentityPool: identitypool.Config{ID: defaultIdentityPoolID, AuthenticatedRole: defaultRole, ClassicFlow: true},
		Roles:        []sts.Role{{ARN: defaultRole}},
		AWSKeys:      []sts.Admin{{AccessKeyID: "AKIASANDBOXADMIN0000", SecretAccessKey: "sandbox/secret/access/key/that/protects0"}},
	}
}
