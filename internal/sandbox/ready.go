package sandbox

import "github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/control"

// Ready is the line that cognito-sandbox prints when it serves: all that a client needs to sign in.
type Ready struct {
	Endpoint       string `json:"endpoint"`
	Region         string `json:"region"`
	UserPoolID     string `json:"user_pool_id"`
	ClientID       string `json:"client_id"`
	ClientSecret   string `json:"client_secret,omitempty"`
	IdentityPoolID string `json:"identity_pool_id,omitempty"`
	RoleARN        string `json:"role_arn,omitempty"`
	// The administrator's keys, for AdminInitiateAuth.
	AWSAccessKeyID     string      `json:"aws_access_key_id,omitempty"`
	AWSSecretAccessKey string      `json:"aws_secret_access_key,omitempty"`
	Control            string      `json:"control"`
	Users              []ReadyUser `json:"users"`
}

// ReadyUser is how to sign in as one user.
type ReadyUser struct {
	Username   string `json:"username"`
	Password   string `json:"password"`
	TOTPSecret string `json:"totp_secret,omitempty"`
}

// Ready describes the sandbox as its configuration began; the client is the first one. Endpoint is "" before Start.
func (s *Server) Ready() Ready {
	c := s.config.UserPool
	r := Ready{
		Endpoint: s.URL(), Region: s.pool.Region(), UserPoolID: c.ID, ClientID: c.Clients[0].ID, ClientSecret: c.Clients[0].Secret,
		IdentityPoolID: s.config.IdentityPool.ID, RoleARN: s.config.IdentityPool.AuthenticatedRole,
		Control: s.URL() + control.Prefix, Users: []ReadyUser{},
	}
	if k := s.config.AWSKeys; len(k) > 0 {
		r.AWSAccessKeyID, r.AWSSecretAccessKey = k[0].AccessKeyID, k[0].SecretAccessKey
	}
	for _, u := range c.Users {
		r.Users = append(r.Users, ReadyUser{Username: u.Username, Password: u.Password, TOTPSecret: u.TOTPSecret})
	}
	return r
}
