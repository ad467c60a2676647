package host

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Client asks a plugin. A plugin that has died is started again, once: one that dies again before it has answered anything is
// not. Safe for concurrent use.
type Client struct {
	o Options

	mu       sync.Mutex
	now      *running // nil before the first start
	closed   bool
	answered bool // the plugin that runs has answered a call
	restarts int  // without an answer in between
}

var _ plugin.Provider = (*Client)(nil)

// Close ends the plugin, gracefully where that can be had within two seconds, and removes its socket. Calls in flight fail with
// CodePluginEnded. It may be called again, and does nothing then.
func (c *Client) Close() error {
	c.mu.Lock()
	now := c.now
	c.closed, c.now = true, nil
	c.mu.Unlock()
	if now != nil {
		now.end()
	}
	return nil
}

// Pid is the plugin's process; 0 where none runs.
func (c *Client) Pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		return 0
	}
	return c.now.pid()
}

// use gives the plugin that runs, started where none does. dead is one that the caller found dead. Whoever comes while one is
// started waits for that start.
func (c *Client) use(ctx context.Context, dead *running) (*running, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, &plugin.Error{Code: plugin.CodePluginEnded, Message: "the plugin was closed"}
	case c.now != nil && c.now != dead && !c.now.exited():
		return c.now, nil
	}
	if c.now != nil {
		c.now.end()
		if c.answered {
			c.restarts = 0
		}
		if c.restarts++; c.restarts > 1 {
			return nil, &plugin.Error{Code: plugin.CodePluginEnded, Message: "the plugin ended again before it answered anything", Hint: "look at its log: Options.Log, and LogLevel trace"}
		}
	}
	fresh, err := start(ctx, c.o)
	if err != nil {
		return nil, err
	}
	c.now, c.answered = fresh, false
	return fresh, nil
}

// heard notes that a plugin answers.
func (c *Client) heard(from *running) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == from {
		c.answered = true
	}
}

// call asks the plugin. again says that the question may be put a second time, to a new plugin, when the first died over it.
func call[R, A any](ctx context.Context, c *Client, limit time.Duration, again bool, r R, ask func(plugin.Provider, context.Context, R) (A, error)) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var none A
	at, err := c.use(ctx, nil)
	if err != nil {
		return none, err
	}
	got, err := ask(at.provider, ctx, r)
	if again && err != nil && ctx.Err() == nil && lost(at, err) {
		if at, err = c.use(ctx, at); err != nil {
			return none, err
		}
		got, err = ask(at.provider, ctx, r)
	}
	if !errors.Is(err, plugin.ErrPluginEnded) && !errors.Is(err, context.DeadlineExceeded) {
		c.heard(at)
	}
	return got, err
}

// lost reports whether the call met a plugin that was dead, or that another caller had found dead and took away under it.
func lost(at *running, err error) bool {
	return errors.Is(err, plugin.ErrPluginEnded) || plugin.CodeOf(err) == plugin.CodeCanceled && at.ending.Load()
}

func (c *Client) limit() time.Duration { return cmp.Or(c.o.CallTimeout, callTimeout) }

// GetTokens implements plugin.TokenProvider.
func (c *Client) GetTokens(ctx context.Context, r plugin.GetTokensRequest) (plugin.GetTokensResponse, error) {
	return call(ctx, c, c.limit(), true, r, plugin.Provider.GetTokens)
}

// GetAWSCredentials implements plugin.AWSCredentialsProvider.
func (c *Client) GetAWSCredentials(ctx context.Context, r plugin.GetAWSCredentialsRequest) (plugin.GetAWSCredentialsResponse, error) {
	return call(ctx, c, c.limit(), true, r, plugin.Provider.GetAWSCredentials)
}

// GetCredentialForHost implements plugin.HostCredentialProvider.
func (c *Client) GetCredentialForHost(ctx context.Context, r plugin.GetCredentialForHostRequest) (plugin.GetCredentialForHostResponse, error) {
	return call(ctx, c, c.limit(), true, r, plugin.Provider.GetCredentialForHost)
}

// Status implements plugin.StatusProvider.
func (c *Client) Status(ctx context.Context, r plugin.StatusRequest) (plugin.StatusResponse, error) {
	return call(ctx, c, c.limit(), true, r, plugin.Provider.Status)
}

// ListProfiles implements plugin.ProfileLister.
func (c *Client) ListProfiles(ctx context.Context, r plugin.ListProfilesRequest) (plugin.ListProfilesResponse, error) {
	return call(ctx, c, c.limit(), true, r, plugin.Provider.ListProfiles)
}

// Login implements plugin.LoginProvider. A plugin that dies during a login is not asked again: the person is.
func (c *Client) Login(ctx context.Context, r plugin.LoginRequest, ask plugin.Asker) (plugin.LoginResponse, error) {
	return call(ctx, c, loginTimeout, false, r, func(p plugin.Provider, ctx context.Context, r plugin.LoginRequest) (plugin.LoginResponse, error) {
		return p.Login(ctx, r, ask)
	})
}

// Logout implements plugin.LogoutProvider.
func (c *Client) Logout(ctx context.Context, r plugin.LogoutRequest) (plugin.LogoutResponse, error) {
	return call(ctx, c, c.limit(), false, r, plugin.Provider.Logout)
}

// InitiateAuth implements plugin.UserPoolProvider.
func (c *Client) InitiateAuth(ctx context.Context, r plugin.InitiateAuthRequest) (plugin.AuthResponse, error) {
	return call(ctx, c, c.limit(), false, r, plugin.Provider.InitiateAuth)
}

// RespondToAuthChallenge implements plugin.UserPoolProvider.
func (c *Client) RespondToAuthChallenge(ctx context.Context, r plugin.RespondToAuthChallengeRequest) (plugin.AuthResponse, error) {
	return call(ctx, c, c.limit(), false, r, plugin.Provider.RespondToAuthChallenge)
}
