package plugin

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/status"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// Login implements LoginProvider: the plugin's questions go to asker.
func (c *client) Login(ctx context.Context, r LoginRequest, asker Asker) (LoginResponse, error) {
	if err := r.Validate(); err != nil {
		return LoginResponse{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream, and with it the goroutine below
	stream, err := c.wire.Login(ctx)
	if err != nil {
		return LoginResponse{}, fromStatus(ctx, err)
	}
	start := loginRequestToWire(r, asker != nil)
	if err := send(stream, &pb.LoginRequest{Message: &pb.LoginRequest_Start{Start: start}}); err != nil {
		return LoginResponse{}, fromStatus(ctx, err)
	}
	l := &loginClient{stream: stream, asker: asker, heard: make(chan heard)}
	go l.listen(ctx)
	return l.converse(ctx)
}

// send is for the first message, before anybody listens. It gives the plugin's own error where that has ended the stream.
func send(stream pb.CredentialHelper_LoginClient, m *pb.LoginRequest) error {
	err := stream.Send(m)
	if errors.Is(err, io.EOF) {
		_, err = stream.Recv()
	}
	return err
}

// heard is one message of the plugin, or the stream's end.
type heard struct {
	out *pb.LoginResponse
	err error
}

type loginClient struct {
	stream pb.CredentialHelper_LoginClient
	asker  Asker
	heard  chan heard
}

func (l *loginClient) listen(ctx context.Context) {
	defer close(l.heard)
	for {
		out, err := l.stream.Recv()
		select {
		case l.heard <- heard{out, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// next is what the plugin says next, or why it says nothing more.
func (l *loginClient) next(ctx context.Context) heard {
	h, open := <-l.heard
	if !open {
		h.err = status.FromContextError(ctx.Err()).Err()
	}
	return h
}

// converse answers questions until the plugin is done.
func (l *loginClient) converse(ctx context.Context) (LoginResponse, error) {
	next := l.next(ctx)
	for {
		switch m := next.out.GetMessage().(type) {
		case *pb.LoginResponse_Question:
			var err error
			if next, err = l.question(ctx, m.Question); err != nil {
				return LoginResponse{}, err
			}
		case *pb.LoginResponse_Done:
			return loginResponseFromWire(m.Done), nil
		default:
			if next.err != nil {
				return LoginResponse{}, fromStatus(ctx, next.err)
			}
			return LoginResponse{}, &Error{Code: CodeUnknown, Message: "the plugin said something that this version does not know", Hint: "use a newer version of this program"}
		}
	}
}

// question has the person asked, sends the answer, and gives what the plugin says next. A plugin that says something while
// the person thinks, or ends, takes the question back.
func (l *loginClient) question(ctx context.Context, w *pb.Question) (heard, error) {
	if l.asker == nil {
		return heard{}, &Error{Code: CodeFailure, Message: "the plugin asks, although it was told that nobody can answer"}
	}
	q := questionFromWire(w)
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	if !q.Deadline.IsZero() {
		asking, cancel = context.WithDeadline(ctx, q.Deadline)
		defer cancel()
	}
	type reply struct {
		answer Secret
		err    error
	}
	replied := make(chan reply, 1)
	go func() {
		answer, err := l.asker.Ask(asking, q)
		replied <- reply{answer, err}
	}()
	select {
	case next, open := <-l.heard:
		cancel()
		<-replied // the asker is the host's, which must not be asked twice at once
		if !open {
			return l.next(ctx), nil
		}
		return next, nil
	case r := <-replied:
		// io.EOF says that the plugin has ended the stream: listen hears why.
		if err := l.stream.Send(replyToWire(w.GetNumber(), r.answer, r.err)); err != nil && !errors.Is(err, io.EOF) {
			return heard{}, fromStatus(ctx, err)
		}
		return l.next(ctx), nil
	}
}

func replyToWire(number uint32, answer Secret, err error) *pb.LoginRequest {
	if err == nil {
		return &pb.LoginRequest{Message: &pb.LoginRequest_Answer{Answer: &pb.LoginAnswer{Question: number, Value: answer.Reveal()}}}
	}
	reason := asError(err)
	if errors.Is(err, ErrNoAnswer) {
		reason = &Error{Code: CodeLoginRequired, Message: "the host cannot answer that question"}
	}
	return &pb.LoginRequest{Message: &pb.LoginRequest_Cancel{Cancel: &pb.LoginCancel{Question: number, Reason: errorToWire(reason)}}}
}
