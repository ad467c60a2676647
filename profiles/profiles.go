// Package profiles describes a profile of the ini files that the AWS tools share, with the keys of cognito-credhelper.
//
// The package itself has no third-party dependency and reads no file; subpackage inifile loads profiles. It never uses
// the network, never runs a program, and never prints a secret.
package profiles

import (
	"time"
)

// Profile is one profile, every key checked. Zero values mean that the key is not there.
type Profile struct {
	Name string
	// Files are the files that gave this profile a section, in the order they were read; Sections are these sections'
	// names, one for each file, without brackets.
	Files    []string
	Sections []string

	Region       string // region: the workload's; moves a sign-in only when no pool is known
	UserPoolID   string // cognito_user_pool_id
	ClientID     string // cognito_client_id
	SignInRegion string // cognito_region, else the part of the pool id before '_', else Region

	ClientSecret     Secret // cognito_client_secret
	ClientSecretNext Secret // cognito_client_secret_next

	Username           string // cognito_username
	AuthFlow           string // cognito_auth_flow; "" means USER_SRP_AUTH
	PreferredChallenge string // cognito_preferred_challenge
	MFAType            string // cognito_mfa_type
	ClientMetadata     map[string]string

	IdentityPoolID  string        // cognito_identity_pool_id
	IdentityFlow    string        // cognito_identity_flow as given or decided: enhanced, basic, web-identity; "" when no way to AWS is set
	RoleARN         string        // cognito_role_arn
	RoleSessionName string        // cognito_role_session_name
	SessionDuration time.Duration // cognito_session_duration
	LoginsKey       string        // cognito_logins_key
	AccountID       string        // cognito_account_id

	Hosts  []Binding     // cognito_hosts
	MinTTL time.Duration // cognito_min_ttl
	Store  string        // cognito_store; "" means auto

	Domain       string   // cognito_domain
	Scopes       []string // cognito_scopes
	CallbackPort int      // cognito_callback_port

	EndpointURL         string // cognito_endpoint_url, canonical: lower-case scheme and host, no trailing slash
	IdentityEndpointURL string // cognito_identity_endpoint_url, canonical
	STSEndpointURL      string // cognito_sts_endpoint_url, canonical

	CABundle     string // ca_bundle
	UseFIPS      *bool  // use_fips_endpoint
	UseDualStack *bool  // use_dualstack_endpoint

	// For signed operations only.
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	AWSEndpointURL  string            // endpoint_url
	Services        map[string]string // service id of [services x] → its endpoint_url

	// SAMLEndpoint names the endpoint of a SAML role profile; only the .NET SDK's encrypted store has such profiles.
	SAMLEndpoint string

	CredentialProcess string // credential_process, shown by doctor; never run
	// Warnings are one sentence each: duplicates, unknown cognito_ keys with the nearest known one, a relative location.
	Warnings []string
	// UnknownKeys are the cognito_ keys that this version does not know; each has its warning too.
	UnknownKeys []string
	// Consulted is every file whose content or absence decided this answer, as it was when it was opened.
	Consulted []FileStamp
}

// Binding says that a host gets a credential of the profile: one line of cognito_hosts.
type Binding struct {
	Host string // lower-case A-labels; may begin with "*."
	Port string // "" means the scheme's own
	Path string // "" or "/a/b" without a trailing slash; matched by whole segments
	Kind string // id, access, ecr, codeartifact, codecommit, eks
	User string // user=NAME, the user name to answer with; "" when not given
	// Loopback is set for a binding of a literal loopback address, which may be reached by http.
	Loopback bool
}

// At is the place that the binding names, asked for by a scheme. Its name may begin with "*.".
func (b Binding) At(scheme string) Host {
	return Host{Scheme: scheme, Name: b.Host, Port: b.Port, Path: b.Path}
}

// Selection says which profile is meant and where to look for it.
type Selection struct {
	Name  string // never empty
	Named bool   // a flag or AWS_PROFILE named it; a default that nobody named may be missing
	// Location, from --profile-location, is the only file to search; "" means the default files.
	Location string
}

// FileStamp identifies one state of one file, to notice any change of it without reading it.
type FileStamp struct {
	Path   string
	Absent bool
	Device uint64
	Inode  uint64
	Size   int64
	MTime  int64 // nanoseconds
	CTime  int64 // nanoseconds; 0 where the platform has none
}
