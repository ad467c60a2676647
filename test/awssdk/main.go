// Command awssdk is a Go program as anybody would write it: it takes the AWS SDK's default configuration, asks STS who it
// is, and prints the answer as one line of JSON. With AWS_PROFILE naming a profile whose credential_process is ours, it
// proves that the SDK for Go gets its credentials from us. With the argument "renewed" it goes on until its first credentials
// have ended, asks STS once more, and says whether it has others then.
//
// It has a go.mod of its own, so that what it needs never weighs on the product. It knows nothing of the product.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// limit is for the whole run: a helper that hangs must not hang a build.
const limit = 30 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if len(os.Args) > 1 && os.Args[1] == "version" {
		fmt.Println(aws.SDKVersion)
		return
	}
	again := len(os.Args) > 1 && os.Args[1] == "renewed"
	if err := run(ctx, os.Stdout, again); err != nil {
		fmt.Fprintln(os.Stderr, "awssdk:", err)
		os.Exit(1)
	}
}

// identity is the answer, with the names that the AWS CLI prints, and where the credentials came from.
type identity struct {
	UserID  string `json:"UserId"`
	Account string `json:"Account"`
	ARN     string `json:"Arn"`
	Source  string `json:"Source"` // the SDK's name for its provider: "ProcessProvider"
	Expires bool   `json:"CanExpire"`
	Renewed bool   `json:",omitempty"` // the first credentials ended, and others came
}

func run(ctx context.Context, out io.Writer, again bool) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("loading the configuration: %w", err)
	}
	creds, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("getting credentials: %w", err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return fmt.Errorf("asking STS who I am: %w", err)
	}
	answer := identity{
		UserID: aws.ToString(who.UserId), Account: aws.ToString(who.Account), ARN: aws.ToString(who.Arn),
		Source: creds.Source, Expires: creds.CanExpire,
	}
	if again {
		if answer.Renewed, err = renewed(ctx, cfg, creds); err != nil {
			return err
		}
	}
	return json.NewEncoder(out).Encode(answer)
}

// renewed goes on until the SDK has other credentials than creds, and asks STS with them.
func renewed(ctx context.Context, cfg aws.Config, creds aws.Credentials) (bool, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		other, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return false, fmt.Errorf("getting credentials again: %w", err)
		}
		if other.AccessKeyID != creds.AccessKeyID {
			break
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
	if _, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); err != nil {
		return false, fmt.Errorf("asking STS once more: %w", err)
	}
	return true, nil
}
