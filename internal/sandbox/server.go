// Package sandbox is a local Amazon Cognito: a user pool, an identity pool, and STS behind one HTTP server on loopback, for
// the demo, for tests, and for people without an AWS account.
//
// It guarantees the server's side for real: SRP proofs, one-time codes, signatures, and expiries are checked, and refusals
// carry AWS's names and sentences. Everything lives in memory and ends with the process. It never listens
// anywhere but on loopback, never talks to AWS, and shares no code with the client that it tests.
//
// Its clock can be moved (Advance), its requests are counted, and faults can be set for the next requests of an operation,
// from Go or over HTTP (package control).
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/control"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/identitypool"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/sts"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// Server is one sandbox. Safe for concurrent use.
type Server struct {
	config     Config
	clock      clock.Clock
	pool       *userpool.Pool
	sts        *sts.Service
	operations map[string]wire.Operation // by X-Amz-Target
	faults     control.Faults
	handler    http.Handler
	closing    context.Context
	cancel     context.CancelFunc

	mu   sync.Mutex
	url  string
	http *http.Server
}

// New makes a sandbox that doesn't listen yet.
func New(c Config) (*Server, error) {
	keys, err := signingKeys()
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, operations: map[string]wire.Operation{}}
	s.closing, s.cancel = context.WithCancel(context.Background())
	if err := s.build(keys); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// signingKeys makes a process's keys once: they cost most of a second, and no test gains by fresh ones.
var signingKeys = sync.OnceValues(func() ([3]*jwt.Key, error) {
	var keys [3]*jwt.Key
	var errs [3]error
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() { keys[i], errs[i] = jwt.NewKey() })
	}
	wg.Wait()
	return keys, errors.Join(errs[:]...)
})

func (s *Server) build(keys [3]*jwt.Key) error {
	pool, err := userpool.New(s.config.UserPool, &s.clock, keys[0], keys[1])
	if err != nil {
		return err
	}
	s.pool = pool
	for name, op := range pool.Operations() {
		s.operations[userpool.TargetPrefix+name] = op
	}
	if err := s.buildAWS(keys[2]); err != nil {
		return err
	}
	for _, f := range s.config.Faults {
		if err := s.SetFault(f); err != nil {
			return err
		}
	}
	s.handler = s.routes()
	return nil
}

// buildAWS adds the identity pool, when there is one, and STS.
func (s *Server) buildAWS(key *jwt.Key) error {
	issued := sts.NewKeys(&s.clock)
	for _, k := range s.config.AWSKeys {
		if k.AccessKeyID == "" || k.SecretAccessKey == "" {
			return errors.New("aws_keys need access_key_id and secret_access_key")
		}
		issued.Add(k)
	}
	trust := []sts.Provider{s.pool}
	if c := s.config.IdentityPool; c.ID != "" {
		pool, err := identitypool.New(c, &s.clock, s.pool, issued, s.config.Roles, key)
		if err != nil {
			return err
		}
		for name, op := range pool.Operations() {
			s.operations[identitypool.TargetPrefix+name] = op
		}
		trust = append(trust, pool)
	}
	s.sts = sts.New(issued, s.config.Roles, trust...)
	s.operations[registryTarget] = s.registryToken
	for name, op := range s.pool.SignedOperations() {
		s.operations[userpool.TargetPrefix+name] = s.signed(name, op)
	}
	return nil
}

// signed lets only an administrator's requests through to op.
func (s *Server) signed(name string, op wire.Operation) wire.Operation {
	return func(c wire.Call) (any, error) {
		if err := s.sts.Authorize(c.HTTP, c.Body, "cognito-idp", name); err != nil {
			return nil, err
		}
		return op(c)
	}
}

// Start listens on addr, which must be a literal loopback address or localhost, and serves until Close.
func (s *Server) Start(addr string) error {
	if err := CheckLoopback(addr); err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return s.closing },
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil || s.closing.Err() != nil {
		l.Close()
		return errors.New("the sandbox was started already")
	}
	s.url, s.http = "http://"+l.Addr().String(), srv
	go srv.Serve(l)
	return nil
}

// CheckLoopback refuses an address that other machines could reach.
func CheckLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not an address of the form host:port", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q is not a loopback address; the sandbox listens on loopback only", addr)
	}
	return nil
}

// URL is the endpoint without a trailing slash; "" before Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Handler serves the sandbox inside another server. Issuers then follow the request's Host.
func (s *Server) Handler() http.Handler { return s.handler }

// Close ends all requests and stops listening. It may be called more than once.
func (s *Server) Close() error {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}
