// Package wire is what the sandbox's services share on the wire: the AWS JSON 1.1 envelope, its errors, and request ids.
//
// It guarantees that an error leaves as Amazon Cognito sends it (HTTP status, __type, x-amzn-ErrorType,
// x-amzn-ErrorMessage, x-amzn-RequestId). It never knows an operation.
package wire

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// JSON11 is the content type of the AWS JSON 1.1 protocol.
const JSON11 = "application/x-amz-json-1.1"

// Error is a refusal in AWS's words. Status is an HTTP status; 0 means 400.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// HTTPStatus is the status to answer with.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf makes an Error with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Call is one request to a JSON operation.
type Call struct {
	// Endpoint is the sandbox's own URL without a trailing slash, for issuers.
	Endpoint string
	Body     []byte
	// HTTP is the request itself, for operations that want a signature. Its body has been read.
	HTTP *http.Request
}

// Operation answers one call with a value to encode as JSON, or with an *Error.
type Operation func(Call) (any, error)

// Decoded makes an Operation from a function with a typed input. A body that doesn't fit In is a SerializationException,
// as AWS answers; unknown members are ignored, as AWS does.
func Decoded[In any](handle func(Call, In) (any, error)) Operation {
	return func(c Call) (any, error) {
		var in In
		if err := json.Unmarshal(c.Body, &in); err != nil {
			return nil, Errorf("SerializationException", "the request body is not what this operation takes")
		}
		return handle(c, in)
	}
}

// NewRequestID returns a random UUID (RFC 9562, version 4).
func NewRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// WriteJSON sends body, which is JSON already, with the headers of AWS JSON 1.1.
func WriteJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", JSON11)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// headerText leaves out what no HTTP header can carry, and a client would refuse the whole answer for.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// WriteError sends e in the AWS JSON 1.1 form.
func WriteError(w http.ResponseWriter, e *Error) {
	w.Header().Set("x-amzn-ErrorType", headerText(e.Code)+":")
	w.Header().Set("x-amzn-ErrorMessage", headerText(e.Message))
	body, _ := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message})
	WriteJSON(w, e.HTTPStatus(), body)
}
