package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// checkPlace checks the form of the flags that say where the requests go.
func (r *raw) checkPlace() error {
	for _, f := range []struct{ flag, key, value string }{
		{"--region", "cognito_region", r.region},
		{"--endpoint-url", "cognito_endpoint_url", r.endpoint},
		{"--user-pool-id", "cognito_user_pool_id", r.poolID},
	} {
		var wrong *profiles.KeyError
		if f.value != "" && errors.As(inifile.CheckValue(f.key, f.value), &wrong) {
			return usageOf(f.flag + " must be " + wrong.Allowed)
		}
	}
	return nil
}

// resolve decides region and endpoint.
func (r *raw) resolve() error {
	p := r.target.Profile
	r.where.pool = cmp.Or(r.poolID, p.UserPoolID)
	r.where.region = r.signInRegion()
	if r.where.region == "" {
		return usageError(r.c, "the region of the app client is not known: give --region, or a profile with a user pool")
	}
	var err error
	r.where.endpoint, err = r.endpointURL()
	return err
}

// signInRegion is --region, else cognito_region, else the part of the pool's id before "_". A profile's region and
// AWS_REGION are the workload's: they count for a bare client id only.
func (r *raw) signInRegion() string {
	p := r.target.Profile
	switch {
	case r.region != "":
		return r.region
	case r.poolID != "" && r.poolID != p.UserPoolID:
		region, _, _ := strings.Cut(r.poolID, "_") // another pool than the profile's
		return region
	default:
		return cmp.Or(p.SignInRegion, r.Getenv("AWS_REGION"))
	}
}

// The variables that the AWS tools take endpoints from, the service's own first.
var endpointVariables = []string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"}

// endpointURL is --endpoint-url, else cognito_endpoint_url, else what the AWS tools would take for this service; but not
// that for a session, which never takes an endpoint from elsewhere.
func (r *raw) endpointURL() (string, error) {
	p := r.target.Profile
	if own := cmp.Or(r.endpoint, p.EndpointURL); own != "" || r.save || strings.EqualFold(r.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return canonicalEndpoint(own), nil
	}
	for _, name := range endpointVariables {
		if value := r.Getenv(name); value != "" {
			return r.checkedEndpoint(name, value)
		}
	}
	if value := p.Services["cognito_identity_provider"]; value != "" {
		return r.checkedEndpoint("endpoint_url of cognito_identity_provider", value)
	}
	if p.AWSEndpointURL != "" {
		return r.checkedEndpoint("endpoint_url", p.AWSEndpointURL)
	}
	return "", nil
}

// checkedEndpoint refuses what would send a password in the clear.
func (r *raw) checkedEndpoint(name, value string) (string, error) {
	var wrong *profiles.KeyError
	if errors.As(inifile.CheckValue("cognito_endpoint_url", value), &wrong) {
		return "", &token.Error{Kind: token.BadProfile, Message: name + " must be " + wrong.Allowed, Next: r.line() + " --endpoint-url URL"}
	}
	return canonicalEndpoint(value), nil
}

func canonicalEndpoint(value string) string { return strings.TrimSuffix(value, "/") }

// checkNetworkCredential checks the form of --network-credential: USER or USER:@FILE. Its file is read, as the cmdlet
// would, and then not used.
func checkNetworkCredential(ctx context.Context, v *prompt.Values, given string) error {
	if given == "" {
		return nil
	}
	user, file, hasFile := strings.Cut(given, ":")
	if user == "" || hasFile && (len(file) < 2 || prompt.Literal(file)) {
		return usageOf("--network-credential takes USER or USER:@FILE")
	}
	if hasFile {
		_, err := v.Read(ctx, "--network-credential", file)
		return err
	}
	return nil
}

// noSAML is what --network-credential always ends in.
func noSAML(s profiles.Selection, p profiles.Profile) error {
	if p.SAMLEndpoint != "" {
		return &token.Error{Kind: token.BadProfile, Message: "profile " + s.Name + " is a SAML role profile; SAML sign-in is not built", Next: "choose a profile of an app client, without --network-credential"}
	}
	return &token.Error{Kind: token.BadProfile, Message: "profile " + s.Name + " is no SAML role profile", Next: "leave --network-credential out"}
}
