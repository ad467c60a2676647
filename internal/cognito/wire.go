package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
)

// wire carries the SDK's requests and notes what each operation saw. Safe for concurrent use.
type wire struct{ by *transport.Transport }

// exchange is what one operation saw on the wire; of several attempts, the last.
type exchange struct {
	sent      atomic.Bool // something was written: the request may have been carried out
	host      string
	status    int
	json      bool // the body was JSON, or an empty success
	date      time.Time
	requestID string
	length    int // of the body
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// Do sends one request.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{}
	}
	x.host, x.status, x.json, x.date = r.URL.Host, 0, false, time.Time{}
	x.requestID, x.length = "", 0
	resp, err := w.by.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		// Called before the end of the request, which may never be told when the context ends in between.
		WroteHeaders: func() { x.sent.Store(true) },
		// The error is of no help: some of the request, or all, may be out.
		WroteRequest: func(httptrace.WroteRequestInfo) { x.sent.Store(true) },
	})))
	if resp == nil || err != nil && !errors.Is(err, transport.ErrTooLarge) {
		return nil, err // half an answer is none
	}
	x.status = resp.StatusCode
	x.date, _ = http.ParseTime(resp.Header.Get("Date"))
	x.requestID = resp.Header.Get("X-Amzn-Requestid")
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	x.length = len(body)
	x.json = json.Valid(body) || len(body) == 0 && resp.StatusCode == http.StatusOK
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
