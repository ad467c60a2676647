// Package registries asks the services that give a token for AWS credentials, by their SDKs. They are a package of their own
// because of their weight: each start of a program that links them pays for their tables, and only the complete program does.
//
// It decides nothing: where to ask, with what, and what an answer means is awscreds' business.
package registries

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
)

// All are the registries that this program knows.
func All() awscreds.Registries {
	return awscreds.Registries{ECR: askECR, CodeArtifact: askCodeArtifact}
}

// askECR asks for the password of a private registry, as base64 of user:password.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
func askECR(ctx context.Context, s awscreds.ServiceOptions) (got awscreds.Given, err error) {
	o := ecr.Options{Region: s.Region, Credentials: s.Credentials, HTTPClient: s.HTTP, Retryer: s.Retryer, BaseEndpoint: s.Endpoint}
	if s.FIPS {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	out, err := ecr.New(o).GetAuthorizationToken(ctx, nil)
	if err != nil {
		return got, err
	}
	got.Answer = out.ResultMetadata
	if len(out.AuthorizationData) > 0 {
		got.Token, got.Expires = out.AuthorizationData[0].AuthorizationToken, out.AuthorizationData[0].ExpiresAt
	}
	return got, nil
}

// askCodeArtifact asks for a token of a domain that lives as long as the AWS credentials.
// https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetAuthorizationToken.html
func askCodeArtifact(ctx context.Context, s awscreds.ServiceOptions, domain, owner string) (got awscreds.Given, err error) {
	out, err := codeartifact.New(codeartifact.Options{
		Region: s.Region, Credentials: s.Credentials, HTTPClient: s.HTTP, Retryer: s.Retryer, BaseEndpoint: s.Endpoint,
	}).GetAuthorizationToken(ctx, &codeartifact.GetAuthorizationTokenInput{
		Domain: aws.String(domain), DomainOwner: aws.String(owner), DurationSeconds: aws.Int64(0),
	})
	if err != nil {
		return got, err
	}
	return awscreds.Given{Token: out.AuthorizationToken, Expires: out.Expiration, Answer: out.ResultMetadata}, nil
}
