// Command awssdk is a Go program as anybody would write it: it takes the AWS SDK's default configuration, asks STS who it
// is, and prints the answer as one line of JSON. With AWS_PROFILE naming a profile whose credential_process is ours, it
// proves that the SDK for Go gets its credentials from us.
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
	if err := run(ctx, os.Stdout); err != nil {
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
}

func run(ctx context.Context, out io.Writer) error {
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
	return json.NewEncoder(out).Encode(identity{
		UserID: aws.ToString(who.UserId), Account: aws.ToString(who.Account), ARN: aws.ToString(who.Arn),
		Source: creds.Source, Expires: creds.CanExpire,
	})
}
