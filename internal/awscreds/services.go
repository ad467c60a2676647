package awscreds

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Registries are the services that give a token for AWS credentials: package registries, or nothing in a program that does
// not link it.
type Registries struct {
	ECR          func(context.Context, ServiceOptions) (Given, error)
	CodeArtifact func(_ context.Context, _ ServiceOptions, domain, owner string) (Given, error)
}

// ServiceOptions say how a service is asked.
type ServiceOptions struct {
	Region      string
	FIPS        bool
	Endpoint    *string // nil means AWS's own
	Credentials aws.CredentialsProvider
	HTTP        HTTPClient
	Retryer     aws.Retryer
}

// Given is what a service gave. Token and Expires are nil where its answer had none.
type Given struct {
	Token   *string
	Expires *time.Time
	Answer  middleware.Metadata
}

func (p *Provider) service(where wantedPlace, region, name string, c token.AWSCredentials) ServiceOptions {
	return ServiceOptions{
		Region: region, Endpoint: endpoint(where, name), Credentials: static(c), HTTP: p.o.HTTP(where.profile), Retryer: retryer(),
	}
}

// ecr asks a private registry (ACCOUNT.dkr.ecr.REGION.amazonaws.com) for the password that docker sends; it lives 12 hours.
func (p *Provider) ecr(ctx context.Context, where wantedPlace, c token.AWSCredentials) (Derived, error) {
	if p.o.Ask.ECR == nil {
		return Derived{}, notLinked("ECR")
	}
	s := p.service(where, where.region("dkr.ecr"), "ecr", c)
	if strings.Contains(where.host, ".dkr.ecr-fips.") {
		s.Region, s.FIPS = where.region("dkr.ecr-fips"), true
	}
	got, err := p.o.Ask.ECR(ctx, s)
	if err != nil {
		return Derived{}, err
	}
	pair, err := base64.StdEncoding.DecodeString(aws.ToString(got.Token))
	user, password, ok := strings.Cut(string(pair), ":")
	if err != nil || !ok || got.Expires == nil {
		return Derived{}, incomplete("ECR")
	}
	return Derived{user, token.NewSecret(password), p.lifetime(*got.Expires, got.Answer)}, nil
}

// codeArtifact asks a domain (DOMAIN-OWNER.d.codeartifact.REGION.amazonaws.com) for a token that lives as long as the AWS
// credentials.
func (p *Provider) codeArtifact(ctx context.Context, where wantedPlace, c token.AWSCredentials) (Derived, error) {
	if p.o.Ask.CodeArtifact == nil {
		return Derived{}, notLinked("CodeArtifact")
	}
	name, _, _ := strings.Cut(where.host, ".")
	at := strings.LastIndexByte(name, '-')
	if at <= 0 || len(name)-at-1 != 12 {
		return Derived{}, badProfile(where.host+" does not begin with a domain and its owner's account", "", "bind a host such as domain-123456789012.d.codeartifact.us-east-1.amazonaws.com")
	}
	got, err := p.o.Ask.CodeArtifact(ctx, p.service(where, where.region("d.codeartifact"), "codeartifact", c), name[:at], name[at+1:])
	if err != nil {
		return Derived{}, err
	}
	if got.Token == nil || got.Expires == nil {
		return Derived{}, incomplete("CodeArtifact")
	}
	return Derived{"aws", token.NewSecret(*got.Token), p.lifetime(*got.Expires, got.Answer)}, nil
}

// notLinked is for the small worker: nobody gives it such a job.
func notLinked(service string) error {
	return &token.Error{Kind: token.Failure, Message: "this program cannot ask " + service}
}

// signatureLife is how long AWS takes a signature.
const signatureLife = 15 * time.Minute

// codeCommit signs what git will ask a repository for (git-codecommit.REGION.amazonaws.com/v1/repos/NAME), as the AWS CLI's
// credential helper does: the user name is the key id and the session token, the password a date and a signature. Nobody is
// asked.
func (p *Provider) codeCommit(_ context.Context, where wantedPlace, c token.AWSCredentials) (Derived, error) {
	if where.path == "" {
		return Derived{}, badProfile("git did not say which repository of "+where.host+" it wants, and CodeCommit's password is for one", "", "git config --global credential.https://"+where.host+".useHttpPath true")
	}
	now := p.o.Now()
	date := now.Wall.UTC().Format("20060102T150405")
	region := where.region("git-codecommit")
	if strings.Contains(where.host, "git-codecommit-fips.") {
		region = where.region("git-codecommit-fips")
	}
	canonical := sha256.Sum256([]byte("GIT\n/" + where.path + "\n\nhost:" + where.host + "\n\nhost\n"))
	scope := []string{date[:8], region, "codecommit", "aws4_request"}
	key := []byte("AWS4" + c.SecretAccessKey.Reveal())
	for _, part := range append(scope, "AWS4-HMAC-SHA256\n"+date+"\n"+strings.Join(scope, "/")+"\n"+hex.EncodeToString(canonical[:])) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	life := min(signatureLife, c.Lifetime.Left(now))
	return Derived{
		c.AccessKeyID + "%" + c.SessionToken.Reveal(), token.NewSecret(date + "Z" + hex.EncodeToString(key)),
		token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(life), Boot: now.Boot},
	}, nil
}

// What the API servers of EKS want of their token.
const (
	clusterHeader = "x-k8s-aws-id"
	tokenPrefix   = "k8s-aws-v1."
	eksLife       = 14 * time.Minute // a minute less than they take it for
	emptySum      = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// eks presigns the question to STS who we are, for the cluster that user= of the binding names; the API server sends it. Nobody is
// asked here. https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
func (p *Provider) eks(ctx context.Context, where wantedPlace, c token.AWSCredentials) (Derived, error) {
	if where.user == "" {
		return Derived{}, badProfile("the binding of "+where.host+" does not say which cluster it is", "", "write user=CLUSTER behind eks in cognito_hosts")
	}
	region := p.stsRegion(where.profile)
	if before, ok := strings.CutSuffix(where.host, ".eks.amazonaws.com"); ok {
		region = before[strings.LastIndexByte(before, '.')+1:]
	}
	base := "https://sts." + region + "." + suffix(region)
	if where.profile.STSEndpointURL != "" {
		base = where.profile.STSEndpointURL
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/?"+url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}, "X-Amz-Expires": {"60"}}.Encode(), nil)
	if err != nil {
		return Derived{}, err
	}
	r.Header.Set(clusterHeader, where.user)
	now := p.o.Now()
	keys, _ := static(c).Retrieve(ctx)
	link, _, err := v4.NewSigner().PresignHTTP(ctx, keys, r, emptySum, "sts", region, now.Wall)
	if err != nil {
		return Derived{}, err
	}
	life := min(eksLife, c.Lifetime.Left(now))
	return Derived{
		where.user, token.NewSecret(tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(link))),
		token.Lifetime{Issued: now.Wall, Expires: now.Wall.Add(life), Boot: now.Boot},
	}, nil
}

// static are AWS credentials for the SDK.
func static(c token.AWSCredentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.SessionToken.Reveal()}, nil
	})
}

// endpoint is where the profile's [services] section says that a service is; nil means AWS's own. What comes back is a secret:
// http is for this machine only.
func endpoint(where wantedPlace, service string) *string {
	at := where.profile.Services[service]
	u, err := url.Parse(at)
	if at == "" || err != nil || u.Scheme != "https" && !loopback(u.Hostname()) {
		return nil
	}
	return aws.String(at)
}

// derivedFailure gives an error of a service its kind and its sentence.
func (p *Provider) derivedFailure(kind string, where wantedPlace, err error) error {
	var known *token.Error
	if errors.As(err, &known) {
		return err
	}
	r := refusal{operation: "GetAuthorizationToken", ahead: p.ahead(err)}
	var api smithy.APIError
	if errors.As(err, &api) {
		r.code, r.said = api.ErrorCode(), safetext.Line(tokenLike().ReplaceAllLiteralString(api.ErrorMessage(), "[redacted]"), shown)
	}
	lower := strings.ToLower(r.said)
	switch r.code {
	case "AccessDeniedException", "AccessDenied":
		return &token.Error{Kind: token.Refused, Message: kind + " does not let the profile's role have a token (" + r.said + ")", Next: "ask an administrator of the AWS account to allow it"}
	case "ExpiredTokenException", "RequestExpired":
		return r.expired(kind)
	case "InvalidSignatureException", "SignatureDoesNotMatch":
		if strings.Contains(lower, "expired") || strings.Contains(lower, "not yet current") {
			return r.expired(kind) // a signature has a date, and this machine's clock gave it
		}
	case "ResourceNotFoundException":
		return badProfile(kind+" knows nothing of "+where.host, r.said, "check the host in cognito_hosts")
	}
	return r.unavailable(kind, err)
}
