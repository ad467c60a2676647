package worker

import (
	"net/http"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// noted carries the requests of the SDK's other services and tells history about each. The user-pool client tells by itself.
type noted struct {
	awscreds.HTTPClient
	now  func() token.Instant
	note func(cognito.Call)
}

// Do sends one request. What is noted comes from headers and from what the SDK says of its request: no parameter is read.
func (n noted) Do(r *http.Request) (*http.Response, error) {
	call := cognito.Call{At: n.now().Wall, Operation: awsmiddleware.GetOperationName(r.Context()), Region: awsmiddleware.GetRegion(r.Context())}
	began := time.Now()
	res, err := n.HTTPClient.Do(r)
	call.Took = time.Since(began)
	if err == nil {
		call.Status, call.RequestID = res.StatusCode, res.Header.Get("X-Amzn-Requestid")
		call.Code, _, _ = strings.Cut(res.Header.Get("X-Amzn-Errortype"), ":")
	}
	n.note(call)
	return res, err
}
