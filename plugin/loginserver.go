package plugin

import (
	"context"
	"errors"
	"io"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// Login implements the wire: the host's asker at the other end of the stream.
func (s *server) Login(stream pb.CredentialHelper_LoginServer) error {
	p, ok := s.impl.(LoginProvider)
	if !ok {
		return toStatus(unsupported("Login"))
	}
	ctx, cancel := context.WithTimeout(stream.Context(), s.limits.login)
	defer cancel()
	in, err := receive(ctx, stream)
	if err != nil {
		return toStatus(err)
	}
	start := in.GetStart()
	if start == nil {
		return toStatus(invalid("a login begins with start"))
	}
	r := loginRequestFromWire(start)
	if err := r.Validate(); err != nil {
		return toStatus(err)
	}
	var ask Asker
	if start.GetCanAsk() {
		ask = &remoteAsker{stream: stream}
	}
	done, err := p.Login(ctx, r, ask)
	if err != nil {
		return toStatus(err)
	}
	return stream.Send(&pb.LoginResponse{Message: &pb.LoginResponse_Done{Done: loginResponseToWire(done)}})
}

// remoteAsker asks over the stream. Not safe for concurrent use: one question at a time.
type remoteAsker struct {
	stream pb.CredentialHelper_LoginServer
	number uint32
}

var _ Asker = (*remoteAsker)(nil)

// Ask sends the question and waits for its answer, until the question's deadline.
func (a *remoteAsker) Ask(ctx context.Context, q Question) (Secret, error) {
	if !q.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, q.Deadline)
		defer cancel()
	}
	a.number++
	if err := a.stream.Send(&pb.LoginResponse{Message: &pb.LoginResponse_Question{Question: questionToWire(a.number, q)}}); err != nil {
		return Secret{}, hostGone(err)
	}
	in, err := receive(ctx, a.stream)
	if err != nil {
		return Secret{}, err
	}
	switch m := in.GetMessage().(type) {
	case *pb.LoginRequest_Answer:
		if m.Answer.GetQuestion() != a.number {
			return Secret{}, invalid("that is no answer to the question that is open")
		}
		return NewSecret(m.Answer.GetValue()), bounded("the answer", m.Answer.GetValue())
	case *pb.LoginRequest_Cancel:
		return Secret{}, canceled(m.Cancel.GetReason())
	default:
		return Secret{}, invalid("a question must be answered or canceled before anything else")
	}
}

// canceled is why a host does not answer; a host that says nothing gave up.
func canceled(reason *pb.Error) error {
	if reason == nil {
		return &Error{Code: CodeCanceled, Message: "the question was not answered"}
	}
	return errorFromWire(reason)
}

// receive waits for the host's next message, or for ctx. The wait itself ends with the stream, which the end of the handler
// ends.
func receive(ctx context.Context, stream pb.CredentialHelper_LoginServer) (*pb.LoginRequest, error) {
	type message struct {
		in  *pb.LoginRequest
		err error
	}
	got := make(chan message, 1)
	go func() {
		in, err := stream.Recv()
		got <- message{in, err}
	}()
	select {
	case m := <-got:
		if m.err != nil {
			return nil, hostGone(m.err)
		}
		return m.in, nil
	case <-ctx.Done():
		if stream.Context().Err() != nil {
			return nil, hostGone(ctx.Err())
		}
		return nil, &Error{Code: CodeUnavailable, Message: "nobody answered in time", Err: ctx.Err()}
	}
}

// hostGone is the error of a stream that the host has left.
func hostGone(err error) error {
	if !errors.Is(err, io.EOF) {
		if e := fromStatus(context.Background(), err); CodeOf(e) == CodeInvalidRequest {
			return e // a message that is too large
		}
	}
	return &Error{Code: CodeCanceled, Message: "the host ended the login", Err: context.Canceled}
}
