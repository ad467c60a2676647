// Command echoplugin is the least that a go-plugin program can be: one operation by gRPC, which gives back what it got. It is
// what the plugin's bench measures against.
package main

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type echo struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (echo) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.StringValue{}
			return in, decode(in)
		}}},
	}, struct{}{})
	return nil
}

func (echo) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func main() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "ECHO_PLUGIN", MagicCookieValue: "echo"},
		VersionedPlugins: map[int]goplugin.PluginSet{1: {"echo": echo{}}},
		GRPCServer:       goplugin.DefaultGRPCServer,
	})
}
