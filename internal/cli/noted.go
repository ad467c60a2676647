package cli

import (
	"net/http"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// noted carries the identity pool's requests and tells history about each. The user-pool client tells by itself.
type noted struct {
	awscreds.HTTPClient
	region string
	now    func() token.Instant
	note   func(cognito.Call)
}

// Do sends one request. What is noted stands in headers only: no parameter is read.
func (n noted) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call := cognito.Call{At: n.now().Wall, Operation: operation, Region: n.region}
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
