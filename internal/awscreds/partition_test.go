package awscreds

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"

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
		_, _ = provider.client(p).GetId(ctx, &cognitoidentity.GetIdInput{IdentityPoolId: aws.String(p.IdentityPoolID)},
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
