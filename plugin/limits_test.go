package plugin

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// hanging answers when its context ends.
type hanging struct{ TokenProvider }

func (hanging) GetTokens(ctx context.Context, _ GetTokensRequest) (GetTokensResponse, error) {
	<-ctx.Done()
	return GetTokensResponse{}, ctx.Err()
}

func (hanging) Login(ctx context.Context, _ LoginRequest, ask Asker) (LoginResponse, error) {
	_, err := ask.Ask(ctx, Question{Name: "CODE", Label: "code", Attempt: 1})
	return LoginResponse{}, err
}

// A host that sets no deadline and a person who never answers keep no call going: the plugin ends each by itself.
func TestCallsEndByThemselves(t *testing.T) {
	const short = 20 * time.Millisecond
	for name, c := range map[string]struct {
		limits limits
		ask    func(context.Context, Provider) error
	}{
		"call": {limits{call: short, login: time.Hour}, func(ctx context.Context, p Provider) error {
			_, err := p.GetTokens(ctx, GetTokensRequest{})
			return err
		}},
		"login": {limits{call: time.Hour, login: short}, func(ctx context.Context, p Provider) error {
			_, err := p.Login(ctx, LoginRequest{}, AskerFunc(func(ctx context.Context, _ Question) (Secret, error) {
				<-ctx.Done()
				return Secret{}, ctx.Err()
			}))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := inMemory(t, &server{impl: hanging{}, limits: c.limits})
			if err := c.ask(context.Background(), p); err == nil || CodeOf(err) != CodeUnavailable {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// inMemory serves in memory, without what Serve adds.
func inMemory(t *testing.T, s *server) Provider {
	t.Helper()
	listener, served := bufconn.Listen(1<<16), grpc.NewServer()
	pb.RegisterCredentialHelperServer(served, s)
	ended := make(chan error, 1)
	go func() { ended <- served.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		served.Stop()
		<-ended
	})
	return NewClient(conn)
}
