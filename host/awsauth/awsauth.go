// Package awsauth gives a plugin's AWS credentials to the AWS SDK for Go v2.
//
// It keeps nothing: wrap a Provider in aws.NewCredentialsCache, which asks again before they end. It never asks a person.
package awsauth

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Provider is an aws.CredentialsProvider. Safe for concurrent use.
type Provider struct {
	from      plugin.AWSCredentialsProvider
	selection plugin.Selection
}

var _ aws.CredentialsProvider = (*Provider)(nil)

// New gives the credentials of a session; from is a *host.Client, or any other provider.
func New(from plugin.AWSCredentialsProvider, s plugin.Selection) *Provider { return &Provider{from, s} }

// Retrieve asks the plugin. Errors are *plugin.Error.
func (p *Provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := p.from.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{Selection: p.selection})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{
		AccessKeyID: got.AccessKeyID, SecretAccessKey: got.SecretAccessKey.Reveal(), SessionToken: got.SessionToken.Reveal(), AccountID: got.AccountID,
		Source: "cognito-credhelper", CanExpire: true, Expires: got.Expires,
	}, nil
}
