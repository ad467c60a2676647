package worker

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

type fakeHTTP func(*http.Request) (*http.Response, error)

func (f fakeHTTP) Do(r *http.Request) (*http.Response, error) { return f(r) }

// asTheSDK is the context that the SDK sends a request of GetId with.
func asTheSDK(t *testing.T) (sent context.Context) {
	t.Helper()
	say := awsmiddleware.RegisterServiceMetadata{ServiceID: "Cognito Identity", Region: "eu-central-1", OperationName: "GetId"}
	_, _, err := say.HandleInitialize(t.Context(), middleware.InitializeInput{}, middleware.InitializeHandlerFunc(
		func(ctx context.Context, _ middleware.InitializeInput) (out middleware.InitializeOutput, m middleware.Metadata, err error) {
			sent = ctx
			return out, m, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func TestNoted(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	refused := http.Header{"X-Amzn-Requestid": {"r-1"}, "X-Amzn-Errortype": {"NotAuthorizedException:"}}
	for _, c := range []struct {
		name string
		do   fakeHTTP
		want cognito.Call
	}{
		{"an answer", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"X-Amzn-Requestid": {"r-0"}}}, nil
		}, cognito.Call{Status: 200, RequestID: "r-0"}},
		{"a refusal", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 400, Header: refused}, nil
		}, cognito.Call{Status: 400, RequestID: "r-1", Code: "NotAuthorizedException"}},
		{"no answer", func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }, cognito.Call{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []cognito.Call
			n := noted{c.do, func() token.Instant { return token.Instant{Wall: at} }, func(call cognito.Call) { got = append(got, call) }}
			r, err := http.NewRequestWithContext(asTheSDK(t), "POST", "http://127.0.0.1/", strings.NewReader(`{"secret":1}`))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = n.Do(r)
			c.want.At, c.want.Operation, c.want.Region = at, "GetId", "eu-central-1"
			if len(got) != 1 {
				t.Fatalf("noted %v", got)
			}
			got[0].Took = 0
			if got[0] != c.want {
				t.Errorf("noted %+v, want %+v", got[0], c.want)
			}
		})
	}
}
