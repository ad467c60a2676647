package userpool

import (
	"fmt"
	"slices"
	"strings"
)

// Config is one user pool. Lengths of time are whole seconds, and small ones are allowed where AWS has a minimum, so that
// tests can watch things expire.
type Config struct {
	// ID is "<region>_<name>"; Region defaults to the part before "_".
	ID     string `json:"id,omitempty"`
	Region string `json:"region,omitempty"`
	// Issuer is the form of the tokens' iss: by default the sandbox's own URL and the pool's id; ORIGINAL and UPDATED are AWS's
	// two, which name hosts that the sandbox is not.
	Issuer string `json:"issuer,omitempty"`
	// UsernameAttributes ("email", "phone_number"): people sign in with these, and the real user name is a UUID.
	UsernameAttributes []string `json:"username_attributes,omitempty"`
	// AliasAttributes ("email", "phone_number", "preferred_username") are accepted besides the user name.
	AliasAttributes []string `json:"alias_attributes,omitempty"`
	// CaseSensitive makes user names differ by case; pools made since 2020 don't.
	CaseSensitive bool `json:"case_sensitive,omitempty"`
	// MFA is OFF, OPTIONAL (default: users who have a factor are asked for it), or ON.
	MFA string `json:"mfa,omitempty"`
	// CodeAttempts is how many wrong answers close a challenge session; 0: none does.
	CodeAttempts int `json:"code_attempts,omitempty"`
	// AllowTOTPReuse switches the used-once rule off, for loops that sign in more than once per 30 seconds.
	AllowTOTPReuse bool `json:"allow_totp_reuse,omitempty"`
	// LockoutAfter wrong passwords in a row lock a user for 1 s, doubling to 15 min; 0: never.
	LockoutAfter int `json:"lockout_after,omitempty"`
	// FirstFactors are what USER_AUTH offers (PASSWORD, EMAIL_OTP, SMS_OTP, WEB_AUTHN) to users who have them. Default: all, or
	// with mfa ON, which AWS doesn't allow together with the others, PASSWORD only.
	FirstFactors []string `json:"first_factors,omitempty"`
	// RelyingParty is the rpId of passkeys; default "localhost".
	RelyingParty string `json:"relying_party,omitempty"`
	// MFASetup is what MFA_SETUP offers to a user without a factor when mfa is ON; default SOFTWARE_TOKEN_MFA.
	MFASetup []string `json:"mfa_setup,omitempty"`
	// Devices is OFF (default), ALWAYS (ConfirmDevice is enough), or OPT_IN (UpdateDeviceStatus must follow).
	Devices string `json:"devices,omitempty"`
	// CustomAuth plays the three triggers of CUSTOM_AUTH; without rounds the pool has none.
	CustomAuth CustomAuth `json:"custom_auth,omitzero"`
	// Triggers names Lambda triggers that fail, and their texts.
	Triggers map[string]string `json:"triggers,omitempty"`
	// RequiredAttributes are asked for with NEW_PASSWORD_REQUIRED when a user lacks them.
	RequiredAttributes []string `json:"required_attributes,omitempty"`
	PasswordPolicy     Policy   `json:"password_policy,omitzero"`
	Clients            []Client `json:"clients,omitempty"`
	Users              []User   `json:"users,omitempty"`
}

// The forms of AWS's issuers (IssuerConfiguration in the API).
const (
	issuerOriginal = "ORIGINAL"
	issuerUpdated  = "UPDATED"
)

// Policy is what a new password must have. MinimumLength defaults to 8.
type Policy struct {
	MinimumLength    int  `json:"minimum_length,omitempty"`
	RequireUppercase bool `json:"require_uppercase,omitempty"`
	RequireLowercase bool `json:"require_lowercase,omitempty"`
	RequireNumbers   bool `json:"require_numbers,omitempty"`
	RequireSymbols   bool `json:"require_symbols,omitempty"`
}

// Client is an app client.
type Client struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Secret makes the client confidential; SecretNext is a second live secret during a change.
	Secret     string `json:"secret,omitempty"`
	SecretNext string `json:"secret_next,omitempty"`
	// Flows are ExplicitAuthFlows (ALLOW_…). Default: all that InitiateAuth has, but ALLOW_REFRESH_TOKEN_AUTH only unless the
	// client rotates.
	Flows []string `json:"flows,omitempty"`
	// Lifetimes, in seconds: access and ID token default to 3600, the refresh token to 30 days, a challenge session to 180.
	AccessTokenSeconds  int `json:"access_token_seconds,omitempty"`
	IDTokenSeconds      int `json:"id_token_seconds,omitempty"`
	RefreshTokenSeconds int `json:"refresh_token_seconds,omitempty"`
	AuthSessionSeconds  int `json:"auth_session_validity,omitempty"`
	// Rotation gives a new refresh token with each refresh; the old one answers for GraceSeconds (0 to 60) more.
	Rotation     bool `json:"rotation,omitempty"`
	GraceSeconds int  `json:"grace_seconds,omitempty"`
	// RevocationOff makes RevokeToken answer UnsupportedOperationException.
	RevocationOff bool `json:"revocation_off,omitempty"`
	// ShowUnknownUsers is PreventUserExistenceErrors=LEGACY: UserNotFoundException instead of a simulated challenge.
	ShowUnknownUsers bool `json:"show_unknown_users,omitempty"`
}

// CustomAuth is a CUSTOM_AUTH of fixed questions, one after the other.
type CustomAuth struct {
	Rounds []Round `json:"rounds,omitempty"`
	// WrongAnswers is which wrong answer of one sign-in ends it; default 3. After those before, the same question comes again.
	WrongAnswers int `json:"wrong_answers,omitempty"`
}

// Round is one CUSTOM_CHALLENGE.
type Round struct {
	// Parameters are shown to the client, as publicChallengeParameters are.
	Parameters map[string]string `json:"parameters,omitempty"`
	Answer     string            `json:"answer"`
}

// User states (UserStatus in the API).
const (
	Confirmed           = "CONFIRMED"
	Unconfirmed         = "UNCONFIRMED"
	ForceChangePassword = "FORCE_CHANGE_PASSWORD"
	ResetRequired       = "RESET_REQUIRED"
)

// User is a person in the pool at start.
type User struct {
	// Username names the user everywhere in the sandbox. In a pool with username_attributes nobody signs in with it.
	Username string `json:"username"`
	// Password "" makes a user who has none, and signs in with the other first factors.
	Password string `json:"password"`
	// Sub is a UUID; by default it follows from the pool's id and the user's name, so that a restart keeps identities.
	Sub string `json:"sub,omitempty"`
	// TOTPSecret is base32 (RFC 4648); it turns SOFTWARE_TOKEN_MFA on for this user.
	TOTPSecret string `json:"totp_secret,omitempty"`
	// SMSMFA turns SMS_MFA on; needs Phone. EmailMFA turns EMAIL_OTP on as a second factor; needs Email.
	SMSMFA   bool `json:"sms_mfa,omitempty"`
	EmailMFA bool `json:"email_mfa,omitempty"`
	// Passkeys are credential ids, base64url, for WEB_AUTHN. The sandbox has no public keys of them: it checks the id and the
	// challenge, and no signature.
	Passkeys []string `json:"passkeys,omitempty"`
	// PreferredMFA is SOFTWARE_TOKEN_MFA, SMS_MFA, or EMAIL_OTP, for a user who has several; without it the answer is
	// SELECT_MFA_TYPE.
	PreferredMFA string            `json:"preferred_mfa,omitempty"`
	Email        string            `json:"email,omitempty"`
	Phone        string            `json:"phone,omitempty"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	// Aliases are further names that this user may type.
	Aliases []string `json:"aliases,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Roles   []string `json:"roles,omitempty"`
	// Status is CONFIRMED (default), UNCONFIRMED, FORCE_CHANGE_PASSWORD, or RESET_REQUIRED.
	Status   string `json:"status,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// PasswordExpired is a temporary password that nobody used in time.
	PasswordExpired bool `json:"password_expired,omitempty"`
}

const (
	defaultTokenSeconds   = 3600
	defaultRefreshSeconds = 30 * 24 * 3600
	defaultSessionSeconds = 180
)

// withDefaults returns a checked copy.
func (c Config) withDefaults() (Config, error) {
	region, name, ok := strings.Cut(c.ID, "_")
	if !ok || name == "" || region == "" || strings.ContainsAny(c.ID, "/{} ") {
		return c, fmt.Errorf("user pool id %q is not <region>_<name>", c.ID)
	}
	if c.Region == "" {
		c.Region = region
	}
	if !slices.Contains([]string{"", issuerOriginal, issuerUpdated}, c.Issuer) {
		return c, fmt.Errorf("issuer %q is not %s or %s", c.Issuer, issuerOriginal, issuerUpdated)
	}
	if c.MFA == "" {
		c.MFA = "OPTIONAL"
	}
	if !slices.Contains([]string{"OFF", "OPTIONAL", "ON"}, c.MFA) {
		return c, fmt.Errorf("mfa %q is not OFF, OPTIONAL, or ON", c.MFA)
	}
	if err := c.setFactors(); err != nil {
		return c, err
	}
	if err := checkTriggers(c.Triggers); err != nil {
		return c, err
	}
	if c.PasswordPolicy.MinimumLength == 0 {
		c.PasswordPolicy.MinimumLength = 8
	}
	if len(c.Clients) == 0 {
		return c, fmt.Errorf("user pool %s has no clients", c.ID)
	}
	c.Clients = slices.Clone(c.Clients)
	seen := map[string]bool{}
	for i := range c.Clients {
		if err := c.Clients[i].setDefaults(); err != nil {
			return c, err
		}
		if seen[c.Clients[i].ID] {
			return c, fmt.Errorf("app client %s is there twice", c.Clients[i].ID)
		}
		seen[c.Clients[i].ID] = true
	}
	return c, nil
}

// setFactors fills in and checks everything about how people prove who they are.
func (c *Config) setFactors() error {
	if c.FirstFactors == nil {
		c.FirstFactors = firstFactors
		if c.MFA == "ON" {
			c.FirstFactors = firstFactors[:1]
		}
	}
	for _, f := range c.FirstFactors {
		if !slices.Contains(firstFactors, f) {
			return fmt.Errorf("%q is no first factor; there are %s", f, strings.Join(firstFactors, ", "))
		}
		if c.MFA == "ON" && f != passwordFactor {
			return fmt.Errorf("AWS doesn't allow %s as a first factor together with mfa ON", f)
		}
	}
	if c.RelyingParty == "" {
		c.RelyingParty = "localhost"
	}
	if c.MFASetup == nil {
		c.MFASetup = []string{totpMFA}
	}
	if c.Devices == "" {
		c.Devices = "OFF"
	}
	if !slices.Contains([]string{"OFF", "ALWAYS", "OPT_IN"}, c.Devices) {
		return fmt.Errorf("devices %q is not OFF, ALWAYS, or OPT_IN", c.Devices)
	}
	if c.CustomAuth.WrongAnswers == 0 {
		c.CustomAuth.WrongAnswers = 3
	}
	return nil
}

func (c *Client) setDefaults() error {
	if c.ID == "" {
		return fmt.Errorf("an app client has no id")
	}
	if c.GraceSeconds < 0 || c.GraceSeconds > 60 {
		return fmt.Errorf("app client %s: grace_seconds is %d, allowed is 0 to 60", c.ID, c.GraceSeconds)
	}
	for _, d := range []struct {
		name  string
		value *int
		unset int
	}{
		{"access_token_seconds", &c.AccessTokenSeconds, defaultTokenSeconds},
		{"id_token_seconds", &c.IDTokenSeconds, defaultTokenSeconds},
		{"refresh_token_seconds", &c.RefreshTokenSeconds, defaultRefreshSeconds},
		{"auth_session_validity", &c.AuthSessionSeconds, defaultSessionSeconds},
	} {
		if *d.value < 0 {
			return fmt.Errorf("app client %s: %s is negative", c.ID, d.name)
		}
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	if c.Flows == nil {
		c.Flows = []string{"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"}
		if !c.Rotation {
			c.Flows = append(c.Flows, "ALLOW_REFRESH_TOKEN_AUTH")
		}
	}
	if c.Rotation && slices.Contains(c.Flows, "ALLOW_REFRESH_TOKEN_AUTH") {
		return fmt.Errorf("app client %s: AWS doesn't allow ALLOW_REFRESH_TOKEN_AUTH together with rotation", c.ID)
	}
	return nil
}

func (c *Client) allows(flow string) bool { return slices.Contains(c.Flows, "ALLOW_"+flow) }
