package plugin

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// What host and plugin agree on before they speak. None of it is a secret: the cookie only keeps a program that is run by
// hand from taking itself for a plugin.
const (
	// Name is the one plugin of the set, as go-plugin's Dispense takes it.
	Name = "credentials"
	// Version is the version of the wire. A host that knows several offers all; both sides then speak the newest that both
	// know.
	Version = 1
	// CookieKey and CookieValue are the magic cookie of go-plugin: a variable of the plugin's environment.
	CookieKey   = "COGNITO_CREDHELPER_PLUGIN"
	CookieValue = "d0c1f1b0a6f34c2e9f7a6b8e5d43219c70e8b7a1c2f94d5ea3b60f9184c7de52"
	// Argument is the program's first argument, which makes it a plugin. The cookie alone does not: it stays in the
	// environment of whatever a plugin starts.
	Argument = "plugin"
	// MaxMessage bounds every message, in bytes.
	MaxMessage = 1 << 20
)

// Handshake is the handshake of go-plugin.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: Version, MagicCookieKey: CookieKey, MagicCookieValue: CookieValue}
}

// Plugins is the versioned set of go-plugin: by gRPC only, net/rpc is refused. impl is what is served; a host gives nil.
func Plugins(impl TokenProvider) map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{Version: {Name: &wire{impl: impl}}}
}

// wire joins both ends to go-plugin.
type wire struct {
	goplugin.NetRPCUnsupportedPlugin
	impl TokenProvider
}

var _ goplugin.GRPCPlugin = (*wire)(nil)

// GRPCServer registers the implementation.
func (w *wire) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterCredentialHelperServer(s, &server{impl: w.impl, limits: standing})
	return nil
}

// GRPCClient gives a Provider.
func (w *wire) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn), nil
}
