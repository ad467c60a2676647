package cognito

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// regions is one or two of each partition.
var regions = []string{
	"us-east-1", "eu-central-1", "ap-southeast-5", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "eusc-de-east-1",
	"us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1",
}

// resolved is the host that the SDK's own rules give to a user pool.
func resolved(t *testing.T, region string, fips bool) string {
	t.Helper()
	e, err := cip.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), cip.EndpointParameters{Region: aws.String(region), UseFIPS: aws.Bool(fips)})
	if err != nil {
		t.Fatal(err)
	}
	return e.URI.Host
}

func destination(t *testing.T, o Options) string {
	t.Helper()
	options, r := newTestClient(t, o).sdkOptions(), &recorder{}
	options.HTTPClient = r
	if _, err := cip.New(options).RevokeToken(t.Context(), &cip.RevokeTokenInput{ClientId: aws.String("c"), Token: aws.String("t")}); err == nil {
		t.Fatal("the recorder let a request out")
	}
	return strings.TrimSuffix(strings.TrimPrefix(r.url, "https://"), "/")
}

// The SDK does not switch to FIPS for AWS GovCloud (US) by itself, and we do; every profile may say otherwise.
func TestEndpointOfEachPartition(t *testing.T) {
	yes, no := true, false
	for _, region := range regions {
		o := testOptions("")
		o.Region, o.UserPoolID = region, region+"_AbCdEfGhI"
		if got, want := destination(t, o), resolved(t, region, strings.HasPrefix(region, "us-gov-")); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
		for _, fips := range []*bool{&yes, &no} {
			o.UseFIPS = fips
			if got, want := destination(t, o), resolved(t, region, *fips); got != want {
				t.Errorf("%s, FIPS %t: %s, want %s", region, *fips, got, want)
			}
		}
		o.UseFIPS, o.Endpoint = nil, "https://vpce.example:8443"
		if got := destination(t, o); got != "vpce.example:8443" {
			t.Errorf("%s: %s, want the profile's endpoint", region, got)
		}
	}
}

// Both issuer forms of each partition are the user pool's, the FIPS host is none, and an override adds its own.
func TestIssuersOfEachPartition(t *testing.T) {
	for _, region := range regions {
		o := testOptions("https://vpce.example:8443")
		o.Region, o.UserPoolID = region, region+"_AbCdEfGhI"
		c := newTestClient(t, o)
		plain, fips := resolved(t, region, false), resolved(t, region, true)
		for issuer, want := range map[string]bool{
			"https://" + plain + "/" + o.UserPoolID:         true,
			"https://issuer-" + plain + "/" + o.UserPoolID:  true,
			o.Endpoint + "/" + o.UserPoolID:                 true,
			"https://" + fips + "/" + o.UserPoolID:          false,
			"https://" + plain + "/" + o.UserPoolID + "x":   false,
			"https://" + plain + ".example/" + o.UserPoolID: false,
		} {
			if c.issues(issuer) != want {
				t.Errorf("%s: %t, want %t", issuer, !want, want)
			}
		}
	}
}
