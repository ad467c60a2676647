package plugin_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// go-plugin never ends its readers of the standard streams that it replaces: its process ends instead.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"))
}

// onlyTokens has one operation.
type onlyTokens struct {
	do func(ctx context.Context, r plugin.GetTokensRequest) (plugin.GetTokensResponse, error)
}

func (o onlyTokens) GetTokens(ctx context.Context, r plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
	return o.do(ctx, r)
}

func TestOperationsThatAreNotThereAreUnsupported(t *testing.T) {
	p, _ := plugintest.Served(t, onlyTokens{func(context.Context, plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
		return plugin.GetTokensResponse{Access: plugin.Token{Value: plugin.NewSecret("t")}}, nil
	}})
	ctx := t.Context()
	if got, err := p.GetTokens(ctx, plugin.GetTokensRequest{}); err != nil || got.Access.Value.Reveal() != "t" {
		t.Errorf("GetTokens = %v, %v", got, err)
	}
	_, aws := p.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{})
	_, host := p.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{URL: "https://example.com"})
	_, login := p.Login(ctx, plugin.LoginRequest{}, nil)
	_, logout := p.Logout(ctx, plugin.LogoutRequest{})
	_, stat := p.Status(ctx, plugin.StatusRequest{})
	_, list := p.ListProfiles(ctx, plugin.ListProfilesRequest{})
	_, initiate := p.InitiateAuth(ctx, plugin.InitiateAuthRequest{AuthFlow: "X"})
	_, respond := p.RespondToAuthChallenge(ctx, plugin.RespondToAuthChallengeRequest{ChallengeName: "X"})
	for i, err := range []error{aws, host, login, logout, stat, list, initiate, respond} {
		if err == nil || plugin.CodeOf(err) != plugin.CodeUnsupported {
			t.Errorf("operation %d: %v", i, err)
		}
	}
}

// A panic ends its call only, and its text is in no answer.
func TestPanicEndsItsCallOnly(t *testing.T) {
	calls := 0
	p, _ := plugintest.Served(t, onlyTokens{func(context.Context, plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
		if calls++; calls == 1 {
			panic("hidden-text")
		}
		return plugin.GetTokensResponse{}, nil
	}})
	_, err := p.GetTokens(t.Context(), plugin.GetTokensRequest{})
	if err == nil || plugin.CodeOf(err) != plugin.CodeFailure || strings.Contains(err.Error(), "hidden") {
		t.Errorf("after the panic: %v", err)
	}
	if _, err := p.GetTokens(t.Context(), plugin.GetTokensRequest{}); err != nil {
		t.Errorf("the call after it: %v", err)
	}
}

// A host's message of 100 MB is refused before it is kept in memory, and the plugin goes on.
func TestHugeMessageIsRefused(t *testing.T) {
	p, conn := plugintest.Served(t, &plugintest.Fake{})
	huge := strings.Repeat("x", 100<<20)
	_, err := pb.NewCredentialHelperClient(conn).GetTokens(t.Context(), &pb.GetTokensRequest{Selection: &pb.Selection{Profile: huge}})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("100 MB: %.200v", err)
	}
	stream, err := pb.NewCredentialHelperClient(conn).Login(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&pb.LoginRequest{Message: &pb.LoginRequest_Start{Start: &pb.LoginStart{Selection: &pb.Selection{Profile: huge}}}})
	if _, err := stream.Recv(); status.Code(err) != codes.InvalidArgument && status.Code(err) != codes.ResourceExhausted {
		t.Errorf("100 MB in a login: %.200v", err)
	}
	if _, err := p.Status(t.Context(), plugin.StatusRequest{}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// A host of a later version may send a value that this one does not know: it is told, and the next call goes on.
func TestUnknownEnumIsRefused(t *testing.T) {
	p, conn := plugintest.Served(t, &plugintest.Fake{})
	_, err := pb.NewCredentialHelperClient(conn).GetTokens(t.Context(), &pb.GetTokensRequest{Use: 99})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("use 99: %v", err)
	}
	if _, err := p.Status(t.Context(), plugin.StatusRequest{}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// An answer that is too large is an error with a sentence, not a hang.
func TestHugeAnswerIsAnError(t *testing.T) {
	p, _ := plugintest.Served(t, onlyTokens{func(context.Context, plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
		return plugin.GetTokensResponse{Access: plugin.Token{Value: plugin.NewSecret(strings.Repeat("x", 2<<20))}}, nil
	}})
	if _, err := p.GetTokens(t.Context(), plugin.GetTokensRequest{}); err == nil || plugin.CodeOf(err) != plugin.CodeInvalidRequest {
		t.Errorf("2 MiB: %.200v", err)
	}
}

// A stream that does not keep to the order is refused, each time in words.
func TestLoginOutOfOrder(t *testing.T) {
	_, conn := plugintest.Served(t, &plugintest.Fake{})
	start := &pb.LoginRequest{Message: &pb.LoginRequest_Start{Start: &pb.LoginStart{CanAsk: true}}}
	answer := func(n uint32) *pb.LoginRequest {
		return &pb.LoginRequest{Message: &pb.LoginRequest_Answer{Answer: &pb.LoginAnswer{Question: n, Value: "alice"}}}
	}
	for name, sent := range map[string][]*pb.LoginRequest{
		"nothing in it":        {{}},
		"answer first":         {answer(1)},
		"start twice":          {start, start},
		"answer to another":    {start, answer(2)},
		"answer to nothing":    {start, answer(0)},
		"empty in between":     {start, {}},
		"old answer once more": {start, answer(1), answer(1)},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := pb.NewCredentialHelperClient(conn).Login(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range sent {
				if stream.Send(m) != nil {
					break
				}
			}
			for err == nil {
				_, err = stream.Recv()
			}
			if status.Code(err) != codes.InvalidArgument {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// A host that closes its end of the stream, or cancels, ends the login; nothing goes on in the plugin.
func TestHostLeavesLogin(t *testing.T) {
	ended := make(chan error, 2)
	p := &leaving{Fake: &plugintest.Fake{}, ended: ended}
	_, conn := plugintest.Served(t, p)
	for name, leave := range map[string]func(grpc.BidiStreamingClient[pb.LoginRequest, pb.LoginResponse], context.CancelFunc){
		"closes": func(s grpc.BidiStreamingClient[pb.LoginRequest, pb.LoginResponse], _ context.CancelFunc) {
			s.CloseSend()
		},
		"cancels": func(_ grpc.BidiStreamingClient[pb.LoginRequest, pb.LoginResponse], cancel context.CancelFunc) {
			cancel()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream, err := pb.NewCredentialHelperClient(conn).Login(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Send(&pb.LoginRequest{Message: &pb.LoginRequest_Start{Start: &pb.LoginStart{CanAsk: true}}}); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
			leave(stream, cancel)
			select {
			case err := <-ended:
				if plugin.CodeOf(err) != plugin.CodeCanceled {
					t.Errorf("the login ended with %v", err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("the login goes on without its host")
			}
		})
	}
}

type leaving struct {
	*plugintest.Fake
	ended chan error
}

func (l *leaving) Login(ctx context.Context, r plugin.LoginRequest, ask plugin.Asker) (plugin.LoginResponse, error) {
	done, err := l.Fake.Login(ctx, r, ask)
	l.ended <- err
	return done, err
}

// A question that nobody answers is given up at its deadline, on both sides.
func TestQuestionHasItsDeadline(t *testing.T) {
	p, _ := plugintest.Served(t, deadline{&plugintest.Fake{}})
	_, err := p.Login(t.Context(), plugin.LoginRequest{}, plugin.AskerFunc(func(ctx context.Context, _ plugin.Question) (plugin.Secret, error) {
		<-ctx.Done()
		return plugin.Secret{}, ctx.Err()
	}))
	if err == nil || plugin.CodeOf(err) != plugin.CodeUnavailable {
		t.Errorf("the login ended with %v", err)
	}
}

type deadline struct{ *plugintest.Fake }

func (deadline) Login(ctx context.Context, _ plugin.LoginRequest, ask plugin.Asker) (plugin.LoginResponse, error) {
	_, err := ask.Ask(ctx, plugin.Question{Name: "CODE", Label: "code", Attempt: 1, Deadline: time.Now().Add(50 * time.Millisecond)})
	return plugin.LoginResponse{}, err
}

// Each call has its limit on the plugin's side, for hosts that set none: a minute, and a quarter of an hour for a login.
func TestEveryCallHasItsLimit(t *testing.T) {
	limited := &limited{deadlines: make(chan time.Time, 1)}
	p, _ := plugintest.Served(t, limited)
	ctx := context.Background() // without a deadline of its own
	for name, c := range map[string]struct {
		want time.Duration
		do   func() error
	}{
		"GetTokens":         {time.Minute, func() error { _, err := p.GetTokens(ctx, plugin.GetTokensRequest{}); return err }},
		"GetAWSCredentials": {time.Minute, func() error { _, err := p.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{}); return err }},
		"GetCredentialForHost": {time.Minute, func() error {
			_, err := p.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{URL: "https://example.com"})
			return err
		}},
		"Login":        {15 * time.Minute, func() error { _, err := p.Login(ctx, plugin.LoginRequest{}, nil); return err }},
		"Logout":       {time.Minute, func() error { _, err := p.Logout(ctx, plugin.LogoutRequest{}); return err }},
		"Status":       {time.Minute, func() error { _, err := p.Status(ctx, plugin.StatusRequest{}); return err }},
		"ListProfiles": {time.Minute, func() error { _, err := p.ListProfiles(ctx, plugin.ListProfilesRequest{}); return err }},
		"InitiateAuth": {time.Minute, func() error { _, err := p.InitiateAuth(ctx, plugin.InitiateAuthRequest{AuthFlow: "X"}); return err }},
		"RespondToAuthChallenge": {time.Minute, func() error {
			_, err := p.RespondToAuthChallenge(ctx, plugin.RespondToAuthChallengeRequest{ChallengeName: "X"})
			return err
		}},
	} {
		before := time.Now()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		after, got := time.Now(), <-limited.deadlines
		if got.Before(before.Add(c.want)) || got.After(after.Add(c.want)) {
			t.Errorf("%s: limited to %v, want %v", name, got.Sub(before), c.want)
		}
	}
}

// limited tells how long each call may take.
type limited struct{ deadlines chan time.Time }

func (l *limited) tell(ctx context.Context) error {
	end, _ := ctx.Deadline()
	l.deadlines <- end
	return nil
}

func (l *limited) GetTokens(ctx context.Context, _ plugin.GetTokensRequest) (r plugin.GetTokensResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) GetAWSCredentials(ctx context.Context, _ plugin.GetAWSCredentialsRequest) (r plugin.GetAWSCredentialsResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) GetCredentialForHost(ctx context.Context, _ plugin.GetCredentialForHostRequest) (r plugin.GetCredentialForHostResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) Login(ctx context.Context, _ plugin.LoginRequest, _ plugin.Asker) (r plugin.LoginResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) Logout(ctx context.Context, _ plugin.LogoutRequest) (r plugin.LogoutResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) Status(ctx context.Context, _ plugin.StatusRequest) (r plugin.StatusResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) ListProfiles(ctx context.Context, _ plugin.ListProfilesRequest) (r plugin.ListProfilesResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) InitiateAuth(ctx context.Context, _ plugin.InitiateAuthRequest) (r plugin.AuthResponse, err error) {
	return r, l.tell(ctx)
}

func (l *limited) RespondToAuthChallenge(ctx context.Context, _ plugin.RespondToAuthChallengeRequest) (r plugin.AuthResponse, err error) {
	return r, l.tell(ctx)
}

func TestServeByHandExplainsItself(t *testing.T) {
	t.Setenv(plugin.CookieKey, "")
	err := plugin.Serve(t.Context(), &plugintest.Fake{}, plugin.ServeOptions{})
	var e *plugin.Error
	if !errors.As(err, &e) || e.Code != plugin.CodeInvalidRequest || !strings.Contains(e.Message, "a host application starts it") || e.Hint == "" {
		t.Errorf("by hand: %v", err)
	}
	t.Setenv(plugin.CookieKey, "something else")
	if plugin.Started() {
		t.Error("another value was taken for the cookie")
	}
}

// A folder that others can enter is not where the socket goes.
func TestSocketNeverInASharedFolder(t *testing.T) {
	shared, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(shared)
	if err := os.Chmod(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLUGIN_UNIX_SOCKET_DIR", shared)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	printed := make(writes, 1)
	done := make(chan error, 1)
	go func() {
		done <- plugin.Serve(ctx, &plugintest.Fake{}, plugin.ServeOptions{Debug: printed, Level: "off"})
	}()
	line := <-printed
	inside, err := filepath.Glob(filepath.Join(shared, "*", "*"))
	if err != nil || len(inside) != 1 || !strings.Contains(line, inside[0]) {
		t.Errorf("sockets: %v, %v; printed %s", inside, err, line)
	}
	if info, err := os.Stat(filepath.Dir(inside[0])); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its folder: %v, %v", info, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(shared); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

type writes chan string

func (w writes) Write(b []byte) (int, error) { w <- string(b); return len(b), nil }
