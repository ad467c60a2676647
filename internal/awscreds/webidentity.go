package awscreds

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// webIdentity takes the profile's role with a token of the user pool, or of the identity pool's basic flow.
func (p *Provider) webIdentity(ctx context.Context, profile profiles.Profile, id token.Secret, r *tokensource.Renewal) (token.AWSCredentials, error) {
	in := &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          aws.String(profile.RoleARN),
		RoleSessionName:  aws.String(cmp.Or(profile.RoleSessionName, sessionName(r.User()))),
		WebIdentityToken: aws.String(id.Reveal()),
	}
	if profile.SessionDuration > 0 {
		in.DurationSeconds = aws.Int32(int32(profile.SessionDuration / time.Second))
	}
	out, err := p.stsClient(profile).AssumeRoleWithWebIdentity(ctx, in)
	if err != nil {
		return token.AWSCredentials{}, err
	}
	c := out.Credentials
	if c == nil || c.AccessKeyId == nil || c.SecretAccessKey == nil || c.Expiration == nil {
		return token.AWSCredentials{}, incomplete("STS")
	}
	return token.AWSCredentials{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: token.NewSecret(*c.SecretAccessKey),
		SessionToken:    token.NewSecret(aws.ToString(c.SessionToken)),
		AccountID:       account(profile),
		Lifetime:        p.lifetime(*c.Expiration, out.ResultMetadata),
	}, nil
}

func (p *Provider) stsClient(profile profiles.Profile) *sts.Client {
	o := sts.Options{
		Region:      p.stsRegion(profile),
		Credentials: aws.AnonymousCredentials{},
		HTTPClient:  p.o.HTTP(profile),
		Retryer:     retryer(),
	}
	if profile.STSEndpointURL != "" {
		o.BaseEndpoint = aws.String(profile.STSEndpointURL)
		return sts.New(o)
	}
	o.EndpointOptions.UseFIPSEndpoint = fips(profile, false)
	o.EndpointOptions.UseDualStackEndpoint = dualStack(profile)
	return sts.New(o)
}

// stsRegion is where STS is asked: where the profile or the caller works, unless that is another partition than the role's,
// which STS would know nothing of.
func (p *Provider) stsRegion(profile profiles.Profile) string {
	own := profile.SignInRegion
	region := cmp.Or(profile.Region, p.o.Region, own)
	if partition := arnPart(profile.RoleARN, 1); partition != partitionOf(region) && partition == partitionOf(own) {
		return own
	}
	return region
}

// The bounds of a role session's name, and the one for a user whose name has too little of it.
const (
	longestSessionName  = 64
	shortestSessionName = 2
	plainSessionName    = "cognito-credhelper"
)

// sessionName is a user's name as the name of a role's session, so that CloudTrail says who it was.
func sessionName(user string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		default:
			return '-'
		}
	}, user)
	name = name[:min(len(name), longestSessionName)]
	if len(name) < shortestSessionName {
		return plainSessionName
	}
	return name
}

// account is the account that the profile's role is in, else the one that the profile names; "" where neither is known.
func account(profile profiles.Profile) string {
	return cmp.Or(arnPart(profile.RoleARN, 4), profile.AccountID)
}

// arnPart is one of the parts that the colons of an ARN make, counted from 0; "" where it is none.
func arnPart(arn string, n int) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[n]
	}
	return ""
}
