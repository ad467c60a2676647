package plugin

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// grpcCodes is what clients see that look at gRPC's own code only.
var grpcCodes = map[Code]codes.Code{
	CodeUnknown: codes.Unknown, CodeInvalidRequest: codes.InvalidArgument, CodeLoginRequired: codes.Unauthenticated, CodeRefused: codes.PermissionDenied,
	CodeUnavailable: codes.Unavailable, CodeBadProfile: codes.FailedPrecondition, CodeCanceled: codes.Canceled, CodeNotBound: codes.NotFound,
	CodeUnsupported: codes.Unimplemented, CodePluginEnded: codes.Unavailable, CodeFailure: codes.Internal,
}

// maxSentence bounds what an error may say, in bytes: gRPC carries it in a header.
const maxSentence = 2048

// cut keeps a sentence within the bound, and valid UTF-8, without which a message could not be sent at all.
func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxSentence)], "?")
}

func errorToWire(e *Error) *pb.Error {
	if e == nil {
		return nil
	}
	return &pb.Error{Code: pb.Code(e.Code.known()), Message: cut(e.Error()), Hint: cut(e.Hint), RetryAfter: durationToWire(max(0, e.RetryAfter))}
}

// errorFromWire never gives nil for an error that is there.
func errorFromWire(w *pb.Error) *Error {
	if w == nil {
		return nil
	}
	return &Error{Code: Code(w.GetCode()).known(), Message: w.GetMessage(), Hint: w.GetHint(), RetryAfter: max(0, durationFromWire(w.GetRetryAfter()))}
}

// toStatus is an error of ours as a status, with an Error in its details. nil stays nil.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	w := errorToWire(asError(err))
	s := status.New(grpcCodes[Code(w.Code)], w.Message)
	if detailed, err := s.WithDetails(w); err == nil {
		s = detailed
	}
	return s.Err()
}

// fromStatus is what a call ended with, as an Error; nil stays nil. What has no Error in its details was made by gRPC
// itself, here or there.
func fromStatus(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	for _, d := range s.Details() {
		if w, ok := d.(*pb.Error); ok {
			e := errorFromWire(w)
			if e.Code == CodeCanceled && ctx.Err() != nil {
				e.Err = ctx.Err()
			}
			return e
		}
	}
	e := &Error{Message: cut(s.Message())}
	switch s.Code() {
	case codes.Canceled:
		e.Code, e.Message, e.Err = CodeCanceled, "the call was canceled", context.Canceled
	case codes.DeadlineExceeded:
		e.Code, e.Message, e.Err = CodeUnavailable, "the plugin did not answer in time", context.DeadlineExceeded
	case codes.Unimplemented:
		e.Code, e.Message, e.Hint = CodeUnsupported, "the plugin has no such operation", "use a newer version of the plugin"
	case codes.ResourceExhausted:
		e.Code, e.Message = CodeInvalidRequest, "a message is larger than 1 MiB"
	case codes.Unavailable:
		e.Code, e.Message, e.Err = CodePluginEnded, "the plugin cannot be reached", err
	}
	return e
}

// unsupported is the answer for an operation that an implementation does not have.
func unsupported(operation string) error {
	return &Error{Code: CodeUnsupported, Message: "this plugin does not have " + operation}
}
