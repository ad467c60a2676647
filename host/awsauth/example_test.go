package awsauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cognito-credhelper/cognito-credhelper/host/awsauth"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

func Example() {
	client := plugintest.SignedIn() // in a program: host.Open(ctx, host.Options{})
	config := aws.Config{
		Region:      "eu-central-1",
		Credentials: aws.NewCredentialsCache(awsauth.New(client, plugin.Selection{Profile: "dev"})),
	}
	keys, err := config.Credentials.Retrieve(context.Background())
	fmt.Println(keys.AccessKeyID, keys.AccountID, err)
	// Output: ASIAFAKE 123456789012 <nil>
}

func TestErrorsKeepTheirCode(t *testing.T) {
	_, err := aws.NewCredentialsCache(awsauth.New(&plugintest.Fake{}, plugin.Selection{})).Retrieve(t.Context())
	if !errors.Is(err, plugin.ErrLoginRequired) {
		t.Errorf("signed out: %v", err)
	}
}

func TestAllFields(t *testing.T) {
	got, err := awsauth.New(plugintest.SignedIn(), plugin.Selection{}).Retrieve(t.Context())
	if err != nil || !got.HasKeys() || got.SessionToken == "" || !got.CanExpire || got.Expires.IsZero() || got.Expired() {
		t.Errorf("got %v, %v", got.AccessKeyID, err)
	}
}
