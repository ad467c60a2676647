// Package grpcauth gives bound hosts their credential with each call of gRPC.
//
// It guarantees that a credential goes to a host only that a profile binds (cognito_hosts), and over TLS only: a call to
// any other host fails. It keeps nothing and never asks a person.
package grpcauth

import (
	"context"

	"google.golang.org/grpc/credentials"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// perRPC is the credentials.PerRPCCredentials.
type perRPC struct {
	from      plugin.HostCredentialProvider
	selection plugin.Selection
}

var _ credentials.PerRPCCredentials = (*perRPC)(nil)

// New gives what the binding of the host that is called promises, as a bearer token; give it to grpc.WithPerRPCCredentials.
// An empty Selection.Profile lets every profile answer. from is a *host.Client, or any other provider. Safe for concurrent
// use.
func New(from plugin.HostCredentialProvider, s plugin.Selection) credentials.PerRPCCredentials {
	return &perRPC{from, s}
}

// GetRequestMetadata asks the plugin. uri is https://host/service. Errors are *plugin.Error.
func (p *perRPC) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	if len(uri) != 1 {
		return nil, &plugin.Error{Code: plugin.CodeInvalidRequest, Message: "gRPC does not say which host is called"}
	}
	got, err := p.from.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{Selection: p.selection, URL: uri[0]})
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + got.Secret.Reveal()}, nil
}

// RequireTransportSecurity is always so.
func (p *perRPC) RequireTransportSecurity() bool { return true }
