package awscreds

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// regions is one or two of each partition.
var regions = []string{
	"us-east-1", "eu-central-1", "ap-southeast-5", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "eusc-de-east-1",
	"us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1",
}

// resolved is the host that the SDK's own rules give to an identity pool.
func resolved(t *testing.T, region string, fips bool) string {
	t.Helper()
	e, err := cognitoidentity.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), cognitoidentity.EndpointParameters{
		Region: aws.String(region), UseFIPS: aws.Bool(fips),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e.URI.Host
}

// Property: a user pool's Logins key has the host of its partition, which is the identity pool's with another name, and never
// a FIPS host.
func TestLoginsKeyOfEachPartition(t *testing.T) {
	for _, region := range regions {
		p := profiles.Profile{SignInRegion: region, UserPoolID: region + "_AbCdEfGhI"}
		want := strings.Replace(resolved(t, region, false), "cognito-identity.", "cognito-idp.", 1) + "/" + p.UserPoolID
		if got := loginsKey(p); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
		if p.LoginsKey = "issuer-cognito-idp.example/pool"; loginsKey(p) != p.LoginsKey {
			t.Errorf("%s: the profile's key does not win", region)
		}
	}
}

// The name of a partition in ARNs, by its regions: as the SDK's own resolver for STS groups them.
func TestSTSRegion(t *testing.T) {
	provider := New(Options{Region: "ap-south-1"})
	for _, c := range []struct {
		name, region, role, want string
		provider                 *Provider
	}{
		{"the profile's", "us-west-2", "arn:aws:iam::1:role/x", "us-west-2", provider},
		{"the caller's", "", "arn:aws:iam::1:role/x", "ap-south-1", provider},
		{"the sign-in's", "", "arn:aws:iam::1:role/x", "eu-central-1", New(Options{})},
		{"the profile's in another partition than the role", "cn-north-1", "arn:aws:iam::1:role/x", "eu-central-1", provider},
		{"a role in another partition than the sign-in", "cn-north-1", "arn:aws-cn:iam::1:role/x", "cn-north-1", provider},
	} {
		p := profiles.Profile{Region: c.region, SignInRegion: "eu-central-1", RoleARN: c.role}
		if got := c.provider.stsRegion(p); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSTSEndpointOfEachPartition(t *testing.T) {
	for _, region := range regions {
		h := &host{}
		provider := New(Options{HTTP: func(profiles.Profile) HTTPClient { return h }, Now: func() token.Instant { return token.Instant{} }})
		ask := func(p profiles.Profile) string {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String("r"), RoleSessionName: aws.String("s"), WebIdentityToken: aws.String("t")}
			_, _ = provider.stsClient(p).AssumeRoleWithWebIdentity(ctx, in, func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
			return h.seen
		}
		p := profiles.Profile{SignInRegion: region, RoleARN: "arn:" + partitionOf(region) + ":iam::1:role/x"}
		if got, want := ask(p), "sts."+region+"."+suffix(region); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
		p.STSEndpointURL = "https://vpce.example:8443"
		if got := ask(p); got != "vpce.example:8443" {
			t.Errorf("%s: %s, want the profile's endpoint", region, got)
		}
	}
}

// Property: what comes out is a role session's name, whatever the user's is.
func TestSessionName(t *testing.T) {
	for user, want := range map[string]string{
		"alice":                        "alice",
		"bob@example.com":              "bob@example.com",
		"Jörg Müller":                  "J-rg-M-ller",
		"x":                            "cognito-credhelper",
		"":                             "cognito-credhelper",
		strings.Repeat("é", 100):       strings.Repeat("-", 64),
		"AzureAD_jane.doe#EXT#@x.test": "AzureAD_jane.doe-EXT-@x.test",
	} {
		if got := sessionName(user); got != want {
			t.Errorf("%q: %q, want %q", user, got, want)
		}
	}
}

// host notes where a request would go and lets none out.
type host struct{ seen string }

func (h *host) Do(r *http.Request) (*http.Response, error) {
	h.seen = r.URL.Host
	return nil, errors.New("not sent")
}

// The SDK does not switch to FIPS for AWS GovCloud (US) by itself, and we do; every profile may say otherwise.
func TestIdentityEndpointOfEachPartition(t *testing.T) {
	yes, no := true, false
	ask := func(p profiles.Profile) string {
		h := &host{}
		provider := New(Options{HTTP: func(profiles.Profile) HTTPClient { return h }, Now: func() token.Instant { return token.Instant{} }})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, _ = provider.identityClient(p).GetId(ctx, &cognitoidentity.GetIdInput{IdentityPoolId: aws.String(p.IdentityPoolID)},
			func(o *cognitoidentity.Options) { o.Retryer = aws.NopRetryer{} })
		return h.seen
	}
	for _, region := range regions {
		p := profiles.Profile{IdentityPoolID: region + ":12345678-90ab-cdef-1234-567890abcdef"}
		if got, want := ask(p), resolved(t, region, strings.HasPrefix(region, "us-gov-")); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
		for _, fips := range []*bool{&yes, &no} {
			p.UseFIPS = fips
			if got, want := ask(p), resolved(t, region, *fips); got != want {
				t.Errorf("%s, FIPS %t: %s, want %s", region, *fips, got, want)
			}
		}
		p.UseFIPS, p.IdentityEndpointURL = nil, "https://vpce.example:8443"
		if got := ask(p); got != "vpce.example:8443" {
			t.Errorf("%s: %s, want the profile's endpoint", region, got)
		}
	}
}
