package awscreds

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const (
	// exchangeWait bounds one exchange, all its requests together.
	exchangeWait = 20 * time.Second
	// longestBackoff is the longest pause between the three attempts at an operation; each may be repeated. A host waits.
	longestBackoff = 300 * time.Millisecond
)

func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = longestBackoff })
}

// The ways from an ID token to AWS credentials, as cognito_identity_flow names them.
const (
	enhanced    = "enhanced"
	basic       = "basic"
	webIdentity = "web-identity"
)

// exchange goes the profile's way from an ID token to AWS credentials.
func (p *Provider) exchange(ctx context.Context, profile profiles.Profile, id token.Secret, r *tokensource.Renewal) (token.AWSCredentials, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	way := p.enhanced
	switch profile.IdentityFlow {
	case basic:
		way = p.basic
	case webIdentity:
		way = p.webIdentity
	}
	got, err := way(ctx, profile, id, r)
	if err != nil {
		return token.AWSCredentials{}, p.failure(profile, err)
	}
	return got, nil
}

// lifetime puts an end that a service named into terms of the local clock: a wrong one must not shorten or lengthen it.
func (p *Provider) lifetime(expires time.Time, answer middleware.Metadata) token.Lifetime {
	now := p.o.Now()
	left := expires.Sub(now.Wall)
	if server, ok := awsmiddleware.GetServerTime(answer); ok {
		left = expires.Sub(server)
	}
	return token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(left), Boot: now.Boot}
}

// incomplete is for an answer without what it is for.
func incomplete(who string) error {
	return &token.Error{Kind: token.Unavailable, Message: who + " answered without credentials", Next: "try again"}
}
