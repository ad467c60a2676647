package cli

import (
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// outrank is something that AWS tools take before what this program gives, so that it is not asked. hint says how to mend that.
type outrank struct{ message, hint string }

// placedKey is a key of a profile and where it stands.
type placedKey struct {
	name          string
	file, section string
	line          string // "FILE:LINE"
}

// Variables by which AWS tools get credentials before they look at a profile that they were not told by name, and before an
// endpoint.
var (
	keyVariables         = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID"}
	webIdentityVariables = []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"}
	profileVariables     = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}
	containerVariables   = []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", endpointVariable, tokenVariable, tokenFileVariable}
)

// takesCredentials reports whether a variable says where AWS tools get credentials.
func takesCredentials(name string) bool {
	return slices.ContainsFunc(slices.Concat(keyVariables, webIdentityVariables, profileVariables, containerVariables), func(v string) bool {
		return sameVariable(name, v)
	})
}

// stanzaKeys are the keys of a profile by which AWS tools get credentials without asking its credential_process.
var stanzaKeys = []string{
	"aws_access_key_id", "role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "credential_source", "login_session",
}

// outrankingProfile says what AWS tools take before the credential_process of a profile: for status, configure, and setup.
func (p *program) outrankingProfile(s profiles.Selection) []outrank {
	found := p.outrankingKeys()
	if p.Getenv(endpointVariable) != "" {
		found = append(found, p.outrankingEndpoint(s)...)
	}
	for _, k := range p.keysOfProfile(s) {
		switch {
		case !slices.Contains(stanzaKeys, k.name):
		case k.name == "role_arn":
			found = append(found, outrank{
				k.line + ": [" + k.section + "] has role_arn, so that the AWS CLI and boto never ask this program for it",
				"move role_arn into a profile of its own, with source_profile = " + s.Name,
			})
		default:
			found = append(found, outrank{
				k.line + ": [" + k.section + "] has " + k.name + ", which AWS tools take before credential_process",
				"remove it, and what belongs to it, from [" + k.section + "] in " + profiles.ShellWord(k.file),
			})
		}
	}
	return found
}

// outrankingKeys are variables with credentials, or with a way to them.
func (p *program) outrankingKeys() []outrank {
	var found []outrank
	if p.Getenv("AWS_ACCESS_KEY_ID") != "" && p.Getenv(nestVariable) == "" {
		found = append(found, outrank{"AWS_ACCESS_KEY_ID is set, which AWS tools take before any profile that is not on their command line", "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"})
	}
	if p.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && p.Getenv("AWS_ROLE_ARN") != "" {
		found = append(found, outrank{"AWS_WEB_IDENTITY_TOKEN_FILE is set, which AWS tools take before any profile that is not on their command line", "unset AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN"})
	}
	return found
}

// outrankingEndpoint says what AWS tools take before a container credentials endpoint that serves s: a profile that is named, and
// the default one where it has credentials.
func (p *program) outrankingEndpoint(s profiles.Selection) []outrank {
	for _, name := range profileVariables {
		if p.Getenv(name) != "" {
			return []outrank{{name + " is set, and AWS tools take that profile before the endpoint", "unset " + name}}
		}
	}
	return p.outrankingDefault(s)
}

func (p *program) outrankingDefault(s profiles.Selection) []outrank {
	if s.Name == "default" {
		return nil
	}
	for _, k := range p.keysOfProfile(profiles.Selection{Name: "default"}) {
		if k.name == "credential_process" || slices.Contains(stanzaKeys, k.name) {
			return []outrank{{
				k.line + ": [" + k.section + "] has " + k.name + ", which AWS tools take before the endpoint",
				"give that profile another name than default, or use exec --static",
			}}
		}
	}
	return nil
}

// keysOfProfile is nothing where the files cannot be read: whoever needs them says so.
func (p *program) keysOfProfile(s profiles.Selection) []placedKey {
	if p.profileKeys == nil {
		return nil
	}
	keys, err := p.profileKeys(s)
	if err != nil {
		return nil
	}
	return keys
}

// warnOutranking tells a person.
func (p *program) warnOutranking(found []outrank) {
	for _, o := range found {
		p.warn(o.message)
		p.hint(o.hint)
	}
}

// leftOut names the variables with credentials that a command under exec does not get.
func (p *program) leftOut() []string {
	var names []string
	for _, entry := range p.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" && slices.ContainsFunc(slices.Concat(keyVariables[:1], webIdentityVariables[:1]), func(v string) bool { return sameVariable(name, v) }) {
			names = append(names, name)
		}
	}
	return names
}
