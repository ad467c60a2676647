package awscreds

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// identityPool is an identity pool, and the login that asks it.
type identityPool struct {
	client *cognitoidentity.Client
	id     string
	owner  string // account id; "" where it need not be said
	logins map[string]string
}

func (p *Provider) identityPool(profile profiles.Profile, id token.Secret) identityPool {
	return identityPool{p.identityClient(profile), profile.IdentityPoolID, profile.AccountID, map[string]string{loginsKey(profile): id.Reveal()}}
}

// enhanced is the identity pool's enhanced flow: GetId, kept for the next time, then GetCredentialsForIdentity.
func (p *Provider) enhanced(ctx context.Context, profile profiles.Profile, id token.Secret, r *tokensource.Renewal) (token.AWSCredentials, error) {
	pool := p.identityPool(profile, id)
	out, err := withIdentity(ctx, pool, r, func(identity string) (*cognitoidentity.GetCredentialsForIdentityOutput, error) {
		in := &cognitoidentity.GetCredentialsForIdentityInput{IdentityId: aws.String(identity), Logins: pool.logins}
		if profile.RoleARN != "" {
			in.CustomRoleArn = aws.String(profile.RoleARN)
		}
		return pool.client.GetCredentialsForIdentity(ctx, in)
	})
	if err != nil {
		return token.AWSCredentials{}, err
	}
	c := out.Credentials
	if c == nil || c.AccessKeyId == nil || c.SecretKey == nil || c.Expiration == nil {
		return token.AWSCredentials{}, incomplete("the identity pool")
	}
	return token.AWSCredentials{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: token.NewSecret(*c.SecretKey), // SecretKey here, SecretAccessKey everywhere else
		SessionToken:    token.NewSecret(aws.ToString(c.SessionToken)),
		AccountID:       account(profile),
		Lifetime:        p.lifetime(*c.Expiration, out.ResultMetadata),
	}, nil
}

// basic is the identity pool's basic flow: GetId, GetOpenIdToken, and with that token to STS.
func (p *Provider) basic(ctx context.Context, profile profiles.Profile, id token.Secret, r *tokensource.Renewal) (token.AWSCredentials, error) {
	pool := p.identityPool(profile, id)
	out, err := withIdentity(ctx, pool, r, func(identity string) (*cognitoidentity.GetOpenIdTokenOutput, error) {
		return pool.client.GetOpenIdToken(ctx, &cognitoidentity.GetOpenIdTokenInput{IdentityId: aws.String(identity), Logins: pool.logins})
	})
	if err != nil {
		return token.AWSCredentials{}, err
	}
	if aws.ToString(out.Token) == "" {
		return token.AWSCredentials{}, incomplete("the identity pool")
	}
	if merged := aws.ToString(out.IdentityId); merged != "" { // another one, where two identities have become one
		r.SetIdentityID(pool.id, merged)
	}
	return p.webIdentity(ctx, profile, token.NewSecret(*out.Token), r)
}

// withIdentity gives use the login's identity in the pool: the kept one, or a new one where there is none any more.
func withIdentity[T any](ctx context.Context, pool identityPool, r *tokensource.Renewal, use func(identity string) (T, error)) (T, error) {
	if kept := r.IdentityID(pool.id); kept != "" {
		out, err := use(kept)
		var gone *types.ResourceNotFoundException
		if !errors.As(err, &gone) {
			return out, err
		}
	}
	identity, err := pool.getID(ctx)
	if err != nil {
		var none T
		return none, err
	}
	out, err := use(identity)
	if err == nil {
		r.SetIdentityID(pool.id, identity)
	}
	return out, err
}

func (i identityPool) getID(ctx context.Context) (string, error) {
	in := &cognitoidentity.GetIdInput{IdentityPoolId: aws.String(i.id), Logins: i.logins}
	if i.owner != "" {
		in.AccountId = aws.String(i.owner)
	}
	out, err := i.client.GetId(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.IdentityId), nil
}

func (p *Provider) identityClient(profile profiles.Profile) *cognitoidentity.Client {
	region, _, _ := strings.Cut(profile.IdentityPoolID, ":")
	o := cognitoidentity.Options{
		Region:      region,
		Credentials: aws.AnonymousCredentials{},
		HTTPClient:  p.o.HTTP(profile),
		Retryer:     retryer(),
	}
	if profile.IdentityEndpointURL != "" {
		o.BaseEndpoint = aws.String(profile.IdentityEndpointURL)
		return cognitoidentity.New(o) // the resolver refuses FIPS or dual stack together with an endpoint
	}
	o.EndpointOptions.UseFIPSEndpoint = fips(profile, strings.HasPrefix(region, "us-gov-"))
	o.EndpointOptions.UseDualStackEndpoint = dualStack(profile)
	return cognitoidentity.New(o)
}

// loginsKey names the user pool to the identity pool. It is not the token's iss claim, which has two forms.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-integrating-user-pools-with-identity-pools.html
func loginsKey(p profiles.Profile) string {
	if p.LoginsKey != "" {
		return p.LoginsKey
	}
	return "cognito-idp." + p.SignInRegion + "." + suffix(p.SignInRegion) + "/" + p.UserPoolID
}
