package userpool

import (
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type initiateAuthInput struct {
	AuthFlow       string
	ClientID       string `json:"ClientId"`
	AuthParameters map[string]string
	ClientMetadata map[string]string
	Session        string
	requestContext
}

// authFlows are all values of AuthFlowType, in the order in which AWS lists them.
var authFlows = []string{"USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "CUSTOM_AUTH", "ADMIN_NO_SRP_AUTH",
	"USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_AUTH"}

// start is one sign-in at its beginning.
type start struct {
	call   wire.Call
	client *Client
	in     initiateAuthInput
}

func (s start) parameter(name string) (string, error) {
	return required(s.in.AuthParameters, name)
}

func required(parameters map[string]string, name string) (string, error) {
	v := parameters[name]
	if v == "" {
		return "", errInvalidParameter("Missing required parameter %s", name)
	}
	return v, nil
}

// flows is the table from AuthFlow to what begins it.
func (p *Pool) flows() map[string]func(start) (any, error) {
	return map[string]func(start) (any, error){
		"USER_SRP_AUTH":      p.startSRP,
		"USER_PASSWORD_AUTH": p.startPassword,
		"CUSTOM_AUTH":        p.startCustom,
		"USER_AUTH":          p.startChoice,
		"REFRESH_TOKEN_AUTH": p.startRefresh,
		"REFRESH_TOKEN":      p.startRefresh,
	}
}

func (p *Pool) initiateAuth(call wire.Call, in initiateAuthInput) (any, error) {
	client, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	p.note("InitiateAuth", in.requestContext)
	return p.beginFlow(p.flows(), start{call: call, client: client, in: in})
}

// beginFlow begins one of the flows that an operation has.
func (p *Pool) beginFlow(flows map[string]func(start) (any, error), s start) (any, error) {
	if begin, ok := flows[s.in.AuthFlow]; ok {
		return begin(s)
	}
	for _, known := range authFlows {
		if s.in.AuthFlow == known {
			return nil, errInvalidParameter("Initiate Auth method not supported.")
		}
	}
	return nil, badEnum("authFlow", s.in.AuthFlow, authFlows)
}

func badEnum(member, value string, allowed []string) error {
	return errInvalidParameter("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
		value, member, strings.Join(allowed, ", "))
}

// who reads and checks the name and the secret hash of a sign-in. The user is nil when there is none by that name.
// Call with the lock held.
func (p *Pool) who(s start) (typed string, u *user, err error) {
	if typed, err = s.parameter("USERNAME"); err != nil {
		return "", nil, err
	}
	if err := s.client.checkSecretHash(s.in.AuthParameters["SECRET_HASH"], typed, s.client.hashMismatch()); err != nil {
		return "", nil, err
	}
	u = p.resolve(typed)
	if u == nil && s.client.ShowUnknownUsers {
		return "", nil, wire.Errorf("UserNotFoundException", "User does not exist.")
	}
	return typed, u, nil
}

// startPassword is USER_PASSWORD_AUTH.
func (p *Pool) startPassword(s start) (any, error) {
	if !s.client.allows("USER_PASSWORD_AUTH") {
		return nil, errInvalidParameter("USER_PASSWORD_AUTH flow not enabled for this client")
	}
	return p.startWithPassword(s)
}

func (p *Pool) startWithPassword(s start) (any, error) {
	password, err := s.parameter("PASSWORD")
	if err != nil {
		return nil, err
	}
	if len(password) > 256 {
		return nil, errInvalidParameter("%s", "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 256")
	}
	return p.started(s, func(in *signIn) (outcome, error) { return p.tryPassword(in, password) })
}

// started begins a sign-in and takes its first step, with the lock held.
func (p *Pool) started(s start, step func(*signIn) (outcome, error)) (any, error) {
	p.mu.Lock()
	next, err := func() (outcome, error) {
		in, err := p.begin(s)
		if err != nil {
			return outcome{}, err
		}
		return step(in)
	}()
	p.mu.Unlock()
	return p.finish(s.call, next, err)
}
