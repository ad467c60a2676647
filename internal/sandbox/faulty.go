package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/control"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// withFaults counts the request, and answers it as the fault that hits it says; refuse is how this protocol sends an error.
func (s *Server) withFaults(w http.ResponseWriter, r *http.Request, operation string, work func() answer, refuse func(*wire.Error) answer) {
	f, hit := s.faults.Next(operation)
	if !hit {
		work().send(w)
		return
	}
	if a, ok := instead(f, refuse); ok {
		a.send(w)
		return
	}
	if f.Kind == control.Unanswered {
		work()
		refuse(internal()).send(w)
		return
	}
	s.disturbed(r.Context(), w, f, work).send(w)
}

func internal() *wire.Error {
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalErrorException", Message: "Something went wrong"}
}

// instead is the answer of a fault that does no work.
func instead(f Fault, refuse func(*wire.Error) answer) (answer, bool) {
	switch f.Kind {
	case control.Internal:
		return refuse(internal()), true
	case control.Throttle:
		return refuse(wire.Errorf("TooManyRequestsException", "Rate exceeded")), true
	case control.Refuse:
		return refuse(&wire.Error{Status: f.Status, Code: f.Code, Message: f.Message}), true
	case control.Reply:
		return answer{http.StatusOK, http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, f.Body}, true
	case control.HTML502:
		page := "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
		return answer{http.StatusBadGateway, http.Header{"Content-Type": {"text/html"}}, []byte(page)}, true
	}
	return answer{}, false
}

// disturbed does the work with the fault's disturbance. Where the fault loses the connection it doesn't return.
func (s *Server) disturbed(ctx context.Context, w http.ResponseWriter, f Fault, work func() answer) answer {
	switch f.Kind {
	case control.Hang:
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	case control.DropBefore:
		panic(http.ErrAbortHandler)
	case control.DropAfter:
		work()
		panic(http.ErrAbortHandler)
	case control.Slow:
		pause(ctx, f.Delay())
		return work()
	case control.SlowAnswer:
		a := work()
		pause(ctx, f.Delay())
		return a
	case control.SkewDate:
		setDate(w, s.clock.Visible()+time.Duration(f.SkewSeconds)*time.Second)
		return work()
	}
	return withoutExpiresIn(work()) // NoExpiresIn
}

// pause waits for d; a client that has gone, or a sandbox that closes, ends the request.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

func withoutExpiresIn(a answer) answer {
	var body map[string]map[string]any
	if json.Unmarshal(a.body, &body) != nil || body["AuthenticationResult"] == nil {
		return a
	}
	delete(body["AuthenticationResult"], "ExpiresIn")
	if b, err := json.Marshal(body); err == nil {
		a.body = b
	}
	return a
}
