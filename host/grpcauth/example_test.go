package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc"

	"github.com/cognito-credhelper/cognito-credhelper/host/grpcauth"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

func Example() {
	client := plugintest.SignedIn() // in a program: host.Open(ctx, host.Options{})
	perRPC := grpcauth.New(client, plugin.Selection{})
	_ = grpc.WithPerRPCCredentials(perRPC) // for grpc.NewClient, with TLS
	metadata, err := perRPC.GetRequestMetadata(context.Background(), "https://api.example.com/v1.Service")
	fmt.Println(metadata["authorization"], perRPC.RequireTransportSecurity(), err)
	// Output: Bearer access-0 true <nil>
}

func TestBoundHostsOnly(t *testing.T) {
	perRPC := grpcauth.New(plugintest.SignedIn(), plugin.Selection{})
	if got, err := perRPC.GetRequestMetadata(t.Context(), "https://evil.example.com/v1.Service"); !errors.Is(err, plugin.ErrNotBound) || len(got) > 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := perRPC.GetRequestMetadata(t.Context()); err == nil {
		t.Errorf("no host gave %v", got)
	}
}
