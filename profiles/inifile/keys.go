package inifile

import (
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// rule says how one key is checked and where its value goes.
type rule struct {
	key    string
	secret bool // no error may show the value
	nested bool // an indented block
	// allowed ends the sentence "KEY is VALUE; it must be ...".
	allowed string
	set     func(p *profiles.Profile, v value) bool
}

// value is what a file says for one key: text of its line, or the lines of its block.
type value struct {
	text  string
	block []string
}

var (
	flows      = []string{"USER_SRP_AUTH", "USER_AUTH", "CUSTOM_AUTH", "USER_PASSWORD_AUTH", "browser"}
	challenges = []string{"PASSWORD_SRP", "PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SRP_A"} // SRP_A: first in CUSTOM_AUTH
	mfaTypes   = []string{"SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP"}
	identities = []string{enhanced, basic, webIdentity}
	stores     = []string{"auto", "os", "os-strict", "file", "none"}
	kinds      = []string{"id", "access", "ecr", "codeartifact", "codecommit", "eks"}
)

const (
	enhanced    = "enhanced"
	basic       = "basic"
	webIdentity = "web-identity"

	endpointForm = "an https URL, or http with a literal loopback address, without user, query, and fragment"
	regionForm   = "a region such as us-east-1"
)

// rules are all keys that we read. Nobody writes this table.
var rules = []rule{
	text("region", region, regionForm, func(p *profiles.Profile) *string { return &p.Region }),
	text("aws_access_key_id", opaque, "visible ASCII", func(p *profiles.Profile) *string { return &p.AccessKeyID }).hidden(),
	secret("aws_secret_access_key", func(p *profiles.Profile) *profiles.Secret { return &p.SecretAccessKey }),
	secret("aws_session_token", func(p *profiles.Profile) *profiles.Secret { return &p.SessionToken }),
	{key: "endpoint_url", allowed: "an http or https URL", set: func(p *profiles.Profile, v value) (ok bool) {
		p.AWSEndpointURL, _, ok = canonicalURL(v.text)
		return ok
	}},
	text("ca_bundle", func(string) bool { return true }, "", func(p *profiles.Profile) *string { return &p.CABundle }),
	boolean("use_fips_endpoint", func(p *profiles.Profile) **bool { return &p.UseFIPS }),
	boolean("use_dualstack_endpoint", func(p *profiles.Profile) **bool { return &p.UseDualStack }),
	// Shown by doctor only. Hidden, because some people write secrets into the command.
	text("credential_process", func(string) bool { return true }, "", func(p *profiles.Profile) *string { return &p.CredentialProcess }).hidden(),
	{key: "services", set: func(*profiles.Profile, value) bool { return true }},

	text("cognito_user_pool_id", userPoolID, "a user pool id such as us-east-1_AbCdEfGhI", func(p *profiles.Profile) *string { return &p.UserPoolID }),
	text("cognito_client_id", clientID, "an app client id: at most 128 letters and digits", func(p *profiles.Profile) *string { return &p.ClientID }),
	text("cognito_region", region, regionForm, func(p *profiles.Profile) *string { return &p.SignInRegion }),
	secret("cognito_client_secret", func(p *profiles.Profile) *profiles.Secret { return &p.ClientSecret }),
	secret("cognito_client_secret_next", func(p *profiles.Profile) *profiles.Secret { return &p.ClientSecretNext }),
	text("cognito_username", username, "at most 128 characters", func(p *profiles.Profile) *string { return &p.Username }),
	choice("cognito_auth_flow", flows, func(p *profiles.Profile) *string { return &p.AuthFlow }),
	choice("cognito_preferred_challenge", challenges, func(p *profiles.Profile) *string { return &p.PreferredChallenge }),
	choice("cognito_mfa_type", mfaTypes, func(p *profiles.Profile) *string { return &p.MFAType }),
	// Hidden: what a Lambda trigger is told may well be secret.
	{key: "cognito_client_metadata", nested: true, secret: true, allowed: "an indented block of lines: key = value", set: setMetadata},

	text("cognito_identity_pool_id", identityPoolID, "an identity pool id such as us-east-1:12345678-90ab-cdef-1234-567890abcdef", func(p *profiles.Profile) *string { return &p.IdentityPoolID }),
	choice("cognito_identity_flow", identities, func(p *profiles.Profile) *string { return &p.IdentityFlow }),
	text("cognito_role_arn", roleARN, "a role ARN such as arn:aws:iam::123456789012:role/NAME", func(p *profiles.Profile) *string { return &p.RoleARN }),
	text("cognito_role_session_name", roleSessionName, "2 to 64 letters, digits, and _+=,.@-", func(p *profiles.Profile) *string { return &p.RoleSessionName }),
	period("cognito_session_duration", 15*time.Minute, 12*time.Hour, "15m to 12h, or 900 to 43200 seconds", func(p *profiles.Profile) *time.Duration { return &p.SessionDuration }),
	text("cognito_logins_key", loginsKey, "a key such as cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", func(p *profiles.Profile) *string { return &p.LoginsKey }),
	text("cognito_account_id", accountID, "12 digits", func(p *profiles.Profile) *string { return &p.AccountID }),

	{key: "cognito_hosts", nested: true, allowed: "an indented block of lines: " + bindingForm, set: setHosts},
	period("cognito_min_ttl", time.Second, 24*time.Hour, "1s to 24h, or 1 to 86400 seconds", func(p *profiles.Profile) *time.Duration { return &p.MinTTL }),
	choice("cognito_store", stores, func(p *profiles.Profile) *string { return &p.Store }),

	{key: "cognito_domain", allowed: "a host name such as example.auth.us-east-1.amazoncognito.com", set: func(p *profiles.Profile, v value) bool {
		p.Domain = strings.ToLower(v.text)
		return hostOrAddress(p.Domain) != "" && !isAddress(p.Domain)
	}},
	{key: "cognito_scopes", allowed: "scopes with spaces between them, such as openid email", set: func(p *profiles.Profile, v value) bool {
		p.Scopes = strings.Fields(v.text)
		return len(p.Scopes) <= 50 && all(strings.Join(p.Scopes, ""), func(c byte) bool { return scope(string(c)) })
	}},
	{key: "cognito_callback_port", allowed: "a port from 1 to 65535", set: func(p *profiles.Profile, v value) (ok bool) {
		s, ok := port(v.text)
		p.CallbackPort, _ = strconv.Atoi(s)
		return ok
	}},
	override("cognito_endpoint_url", func(p *profiles.Profile) *string { return &p.EndpointURL }),
	override("cognito_identity_endpoint_url", func(p *profiles.Profile) *string { return &p.IdentityEndpointURL }),
	override("cognito_sts_endpoint_url", func(p *profiles.Profile) *string { return &p.STSEndpointURL }),
}

const prefix = "cognito_"

func ruleOf(key string) (rule, bool) {
	for _, r := range rules {
		if r.key == key {
			return r, true
		}
	}
	return rule{}, false
}

// CheckValue reports, as a *profiles.KeyError without a file, whether text may be the value of key. A block is given
// with a line break after each line. For commands that write profiles.
func CheckValue(key, text string) error {
	r, ok := ruleOf(key)
	if !ok {
		return &profiles.KeyError{Key: key, Value: key, Allowed: "a known key" + meant(key)}
	}
	v := value{text: text}
	if r.nested {
		v = value{block: strings.Split(strings.TrimRight(text, "\n"), "\n")}
	}
	lines := append(v.block, v.text)
	for _, line := range lines {
		if !plain(line) || line != strings.TrimSpace(line) || spansLines(line) || string(cutComment([]byte(line))) != line {
			return r.wrong("", 0, "", text)
		}
	}
	if text == "" || !r.set(&profiles.Profile{}, v) {
		return r.wrong("", 0, "", text)
	}
	return nil
}

// wrong is the error for a value that is not allowed; it shows no secret.
func (r rule) wrong(file string, line int, section, text string) error {
	e := &profiles.KeyError{File: file, Line: line, Section: section, Key: r.key, Allowed: r.allowed}
	if !r.secret {
		e.Value = text
	}
	return e
}

func (r rule) hidden() rule {
	r.secret = true
	return r
}

func text(key string, check func(string) bool, allowed string, field func(*profiles.Profile) *string) rule {
	return rule{key: key, allowed: allowed, set: func(p *profiles.Profile, v value) bool {
		*field(p) = v.text
		return check(v.text)
	}}
}

func choice(key string, words []string, field func(*profiles.Profile) *string) rule {
	return text(key, oneOf(words), "one of "+strings.Join(words, ", "), field)
}

func secret(key string, field func(*profiles.Profile) *profiles.Secret) rule {
	return rule{key: key, secret: true, allowed: "visible ASCII without spaces", set: func(p *profiles.Profile, v value) bool {
		*field(p) = profiles.NewSecret(v.text)
		return opaque(v.text)
	}}
}

func boolean(key string, field func(*profiles.Profile) **bool) rule {
	return rule{key: key, allowed: "true or false", set: func(p *profiles.Profile, v value) bool {
		b := strings.EqualFold(v.text, "true")
		*field(p) = &b
		return b || strings.EqualFold(v.text, "false")
	}}
}

func period(key string, least, most time.Duration, allowed string, field func(*profiles.Profile) *time.Duration) rule {
	return rule{key: key, allowed: allowed, set: func(p *profiles.Profile, v value) bool {
		d, ok := duration(v.text, least, most)
		*field(p) = d
		return ok
	}}
}

func override(key string, field func(*profiles.Profile) *string) rule {
	return rule{key: key, allowed: endpointForm, set: func(p *profiles.Profile, v value) bool {
		s, ok := endpoint(v.text)
		*field(p) = s
		return ok
	}}
}

func setMetadata(p *profiles.Profile, v value) bool {
	p.ClientMetadata = make(map[string]string, len(v.block))
	for _, line := range v.block {
		key, text, ok := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return false
		}
		p.ClientMetadata[key] = strings.TrimSpace(text)
	}
	return true
}

// setHosts keeps the last of two lines for one place, as for keys.
func setHosts(p *profiles.Profile, v value) bool {
	p.Hosts = nil
	at := make(map[profiles.Binding]int, len(v.block))
	for _, line := range v.block {
		b, ok := ParseBinding(line)
		if !ok {
			return false
		}
		place := profiles.Binding{Host: b.Host, Port: b.Port, Path: b.Path}
		if i, again := at[place]; again {
			p.Hosts[i] = b
			p.Warnings = append(p.Warnings, "cognito_hosts binds "+b.Host+b.Path+" twice; the last line counts")
			continue
		}
		at[place] = len(p.Hosts)
		p.Hosts = append(p.Hosts, b)
	}
	return true
}

// meant says which known cognito_ key is nearest to an unknown one, or nothing.
func meant(key string) string {
	known := make([]string, 0, len(rules))
	for _, r := range rules {
		if strings.HasPrefix(r.key, prefix) {
			known = append(known, r.key)
		}
	}
	if n := nearest(key, known, 4); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}
