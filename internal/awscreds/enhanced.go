package awscreds

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// exchangeWait bounds one exchange, both requests together.
const exchangeWait = 20 * time.Second

// longestBackoff is the longest pause between the three attempts at an operation; both may be repeated. A host waits.
const longestBackoff = 300 * time.Millisecond

// exchange is the identity pool's enhanced flow: GetId, kept for the next time, then GetCredentialsForIdentity.
func (p *Provider) exchange(ctx context.Context, profile profiles.Profile, id token.Secret, r *tokensource.Renewal) (token.AWSCredentials, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	client := p.client(profile)
	logins := map[string]string{loginsKey(profile): id.Reveal()}
	identity := r.IdentityID(profile.IdentityPoolID)
	fresh := identity == ""
	if fresh {
		var err error
		if identity, err = getID(ctx, client, profile, logins); err != nil {
			return token.AWSCredentials{}, failure("GetId", err)
		}
	}
	creds, err := p.getCredentials(ctx, client, profile, identity, logins)
	var gone *types.ResourceNotFoundException
	if !fresh && errors.As(err, &gone) {
		// The identity that was kept has been deleted from the pool; ask for a new one, once.
		if identity, err = getID(ctx, client, profile, logins); err != nil {
			return token.AWSCredentials{}, failure("GetId", err)
		}
		creds, err = p.getCredentials(ctx, client, profile, identity, logins)
	}
	if err != nil {
		return token.AWSCredentials{}, failure("GetCredentialsForIdentity", err)
	}
	r.SetIdentityID(profile.IdentityPoolID, identity)
	return creds, nil
}

func (p *Provider) client(profile profiles.Profile) *cognitoidentity.Client {
	region, _, _ := strings.Cut(profile.IdentityPoolID, ":")
	o := cognitoidentity.Options{
		Region:      region,
		Credentials: aws.AnonymousCredentials{},
		HTTPClient:  p.o.HTTP(profile),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = longestBackoff }),
	}
	if profile.IdentityEndpointURL != "" {
		o.BaseEndpoint = aws.String(profile.IdentityEndpointURL)
		return cognitoidentity.New(o) // the resolver refuses FIPS or dual stack together with an endpoint
	}
	if on(profile.UseFIPS, strings.HasPrefix(region, "us-gov-")) {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if on(profile.UseDualStack, false) {
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return cognitoidentity.New(o)
}

func on(setting *bool, otherwise bool) bool {
	if setting == nil {
		return otherwise
	}
	return *setting
}

func getID(ctx context.Context, client *cognitoidentity.Client, profile profiles.Profile, logins map[string]string) (string, error) {
	in := &cognitoidentity.GetIdInput{IdentityPoolId: aws.String(profile.IdentityPoolID), Logins: logins}
	if profile.AccountID != "" {
		in.AccountId = aws.String(profile.AccountID)
	}
	out, err := client.GetId(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.IdentityId), nil
}

func (p *Provider) getCredentials(ctx context.Context, client *cognitoidentity.Client, profile profiles.Profile, identity string, logins map[string]string) (token.AWSCredentials, error) {
	in := &cognitoidentity.GetCredentialsForIdentityInput{IdentityId: aws.String(identity), Logins: logins}
	if profile.RoleARN != "" {
		in.CustomRoleArn = aws.String(profile.RoleARN)
	}
	out, err := client.GetCredentialsForIdentity(ctx, in)
	if err != nil {
		return token.AWSCredentials{}, err
	}
	c := out.Credentials
	if c == nil || c.AccessKeyId == nil || c.SecretKey == nil || c.Expiration == nil {
		return token.AWSCredentials{}, errIncomplete
	}
	now := p.o.Now()
	life := c.Expiration.Sub(now.Wall)
	if server, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		life = c.Expiration.Sub(server) // a wrong local clock must not shorten or lengthen it
	}
	return token.AWSCredentials{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: token.NewSecret(*c.SecretKey), // SecretKey here, SecretAccessKey everywhere else
		SessionToken:    token.NewSecret(aws.ToString(c.SessionToken)),
		AccountID:       profile.AccountID,
		Lifetime:        token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(life), Boot: now.Boot},
	}, nil
}

var errIncomplete = &token.Error{Kind: token.Unavailable, Message: "the identity pool answered without credentials"}

// loginsKey names the user pool to the identity pool. It is not the token's iss claim, which has two forms.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-integrating-user-pools-with-identity-pools.html
func loginsKey(p profiles.Profile) string {
	if p.LoginsKey != "" {
		return p.LoginsKey
	}
	return "cognito-idp." + p.SignInRegion + "." + suffix(p.SignInRegion) + "/" + p.UserPoolID
}

// partitions are the domains of AWS's partitions other than the first one, by the start of their regions' names. AWS GovCloud
// (US) is under the first one's, and its key has no "-fips".
var partitions = []struct{ prefix, suffix string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"us-isof-", "csp.hci.ic.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
}

func suffix(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.suffix
		}
	}
	return "amazonaws.com"
}
