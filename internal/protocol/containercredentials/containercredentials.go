// Package containercredentials answers the AWS SDKs' requests for container credentials over HTTP on a loopback address
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html), for programs that run for long and
// renew what they have.
//
// It guarantees that nobody is answered who does not name this very endpoint (against DNS rebinding) and send its token,
// compared in constant time; that a web page is never answered; and that a slow caller hinders no other. It never listens
// anywhere but on 127.0.0.1, and the token lives as long as the endpoint.
package containercredentials

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// path is what is asked for; there is nothing else here.
const path = "/credentials"

const (
	headerWait = 5 * time.Second  // for a request's head; SDKs send it at once
	answerWait = 40 * time.Second // for a whole exchange: a renewal may take 25 s
	maxHeader  = 16 << 10         // Go adds 4 KiB to it
)

// source gives the credentials; every protocol.Source is one.
type source interface {
	AWSCredentials(ctx context.Context, r protocol.Request) (token.AWSCredentials, error)
}

var _ source = protocol.Source(nil)

// Options builds an Endpoint. Source and Request are required.
type Options struct {
	Source  source
	Request protocol.Request
	// HeaderWait is how long a caller may take to send the head of its request; 0 means 5 seconds.
	HeaderWait time.Duration
}

// Endpoint serves the credentials of one profile. Safe for concurrent use.
type Endpoint struct {
	o      Options
	host   string
	token  token.Secret
	digest [sha256.Size]byte // of the token
	server *http.Server
	done   chan struct{}
}

// Start listens on a random port of 127.0.0.1 and serves until Close. ctx gives its values to each request; its end ends
// nothing.
func Start(ctx context.Context, o Options) (*Endpoint, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "no loopback port can be opened", Err: err}
	}
	if o.HeaderWait == 0 {
		o.HeaderWait = headerWait
	}
	var random [32]byte
	rand.Read(random[:]) // never fails
	secret := hex.EncodeToString(random[:])
	e := &Endpoint{
		o: o, host: listener.Addr().String(), token: token.NewSecret(secret), digest: sha256.Sum256([]byte(secret)), done: make(chan struct{}),
	}
	base := context.WithoutCancel(ctx)
	e.server = &http.Server{
		Handler:           e,
		ReadHeaderTimeout: o.HeaderWait,
		ReadTimeout:       o.HeaderWait,
		WriteTimeout:      answerWait,
		IdleTimeout:       answerWait,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          silent(),
	}
	go func() {
		defer close(e.done)
		_ = e.server.Serve(listener) // ends with Close
	}()
	return e, nil
}

// URL is the value of AWS_CONTAINER_CREDENTIALS_FULL_URI.
func (e *Endpoint) URL() string { return "http://" + e.host + path }

// Token is the value of AWS_CONTAINER_AUTHORIZATION_TOKEN: 256 random bits in hexadecimal.
func (e *Endpoint) Token() token.Secret { return e.token }

// Close ends every request and stops listening.
func (e *Endpoint) Close() error {
	err := e.server.Close()
	<-e.done
	return err
}

// ServeHTTP answers one request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if no := e.check(r); no != nil {
		no.send(w)
		return
	}
	c, err := e.o.Source.AWSCredentials(r.Context(), e.o.Request)
	if err != nil {
		failed(err).send(w)
		return
	}
	answer, err := encode(c)
	if err != nil {
		failed(err).send(w)
		return
	}
	_, _ = w.Write(answer)
}

// check says why a request gets no answer; nil when it does. Who does not know where the endpoint is learns nothing else.
func (e *Endpoint) check(r *http.Request) *refusal {
	switch {
	case !fromHere(r.RemoteAddr), r.Host != e.host, r.Header.Get("Origin") != "":
		return &refusal{http.StatusForbidden, "Forbidden", "this endpoint is for AWS SDKs on this machine"}
	case !e.knows(r.Header.Values("Authorization")):
		return &refusal{http.StatusUnauthorized, "Unauthorized", "the Authorization header is not this endpoint's token; an SDK that does not read AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE needs --token-variable"}
	case r.Method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered"}
	case r.URL.Path != path:
		return &refusal{http.StatusNotFound, "NotFound", "only " + path + " is answered"}
	}
	return nil
}

// fromHere reports whether a peer is on this machine: a kernel may be told to route 127.0.0.0/8.
func fromHere(peer string) bool {
	host, _, err := net.SplitHostPort(peer)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// knows compares digests, so that neither content nor length shows in time.
func (e *Endpoint) knows(sent []string) bool {
	if len(sent) != 1 {
		return false
	}
	digest := sha256.Sum256([]byte(sent[0]))
	return subtle.ConstantTimeCompare(digest[:], e.digest[:]) == 1
}

// refusal is an answer without credentials. SDKs show code and message.
type refusal struct {
	status        int
	code, message string
}

// failed sorts what a source says. What only a person mends is 4xx: the Go SDK repeats a 5xx for half a minute.
func failed(err error) *refusal {
	message := err.Error()
	var e *token.Error
	if errors.As(err, &e) && e.Err != nil {
		message = e.Message
	}
	var hint interface {
		error
		Hint() string
	}
	if errors.As(err, &hint) && hint.Hint() != "" {
		message += "; hint: " + hint.Hint()
	}
	switch token.KindOf(err) {
	case token.LoginNeeded:
		return &refusal{http.StatusForbidden, "LoginNeeded", message}
	case token.Refused:
		return &refusal{http.StatusForbidden, "Refused", message}
	case token.BadProfile:
		return &refusal{http.StatusBadRequest, "BadProfile", message}
	case token.Unavailable:
		return &refusal{http.StatusServiceUnavailable, "Unavailable", message}
	default:
		return &refusal{http.StatusInternalServerError, "Failure", message}
	}
}
