package userpool

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// triggers are the Lambda triggers that the sandbox runs: it records what each would be given, and does nothing else.
var triggers = []string{"PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "PreTokenGeneration",
	"DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse", "CustomMessage"}

// TriggerEvent is one run of a Lambda trigger: the part of its event that a client decides. ClientMetadata of a first
// request reaches some triggers as validationData, as the user pools guide says.
type TriggerEvent struct {
	Trigger        string            `json:"trigger"`
	UserName       string            `json:"userName"`
	ClientID       string            `json:"clientId"`
	ValidationData map[string]string `json:"validationData,omitempty"`
	ClientMetadata map[string]string `json:"clientMetadata,omitempty"`
}

// RequestContext is what came along with a request for analytics and threat protection.
type RequestContext struct {
	Operation           string `json:"operation"`
	AnalyticsEndpointID string `json:"analyticsEndpointId,omitempty"`
	EncodedData         string `json:"encodedData,omitempty"`
	IPAddress           string `json:"ipAddress,omitempty"`
}

// maxEvents is how many events are kept, the newest ones.
const maxEvents = 1000

// fire runs a trigger: its event is recorded, and it refuses when it was told to. Call with the lock held.
func (p *Pool) fire(trigger string, in *signIn) error {
	e := TriggerEvent{Trigger: trigger, UserName: in.username, ClientID: in.client.ID}
	if trigger == "PreAuthentication" || trigger == "PreSignUp" {
		e.ValidationData = in.metadata
	} else {
		e.ClientMetadata = in.metadata
	}
	p.events = keep(p.events, e)
	if text := p.triggerErrors[trigger]; text != "" {
		return wire.Errorf("UserLambdaValidationException", "%s failed with error %s.", trigger, text)
	}
	return nil
}

func keep[T any](list []T, next T) []T {
	list = append(list, next)
	return list[max(0, len(list)-maxEvents):]
}

// requestContext is the part of several inputs that goes to analytics and threat protection.
type requestContext struct {
	AnalyticsMetadata struct {
		AnalyticsEndpointID string `json:"AnalyticsEndpointId"`
	}
	UserContextData struct {
		EncodedData string
		IPAddress   string `json:"IpAddress"`
	}
}

// note records what came along, if anything did.
func (p *Pool) note(operation string, c requestContext) {
	r := RequestContext{AnalyticsEndpointID: c.AnalyticsMetadata.AnalyticsEndpointID,
		EncodedData: c.UserContextData.EncodedData, IPAddress: c.UserContextData.IPAddress}
	if r == (RequestContext{}) {
		return
	}
	r.Operation = operation
	p.mu.Lock()
	defer p.mu.Unlock()
	p.contexts = keep(p.contexts, r)
}

// TriggerEvents are the latest runs of triggers, oldest first.
func (p *Pool) TriggerEvents() []TriggerEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]TriggerEvent{}, p.events...)
}

// RequestContexts are the latest requests that brought AnalyticsMetadata or UserContextData, oldest first.
func (p *Pool) RequestContexts() []RequestContext {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]RequestContext{}, p.contexts...)
}

// ForgetEvents empties both lists, and lets every trigger work again.
func (p *Pool) ForgetEvents() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events, p.contexts = nil, nil
	clear(p.triggerErrors)
}

// SetTriggerErrors makes triggers fail with a text, and "" makes them work again. An unknown trigger is an error.
func (p *Pool) SetTriggerErrors(errors map[string]string) error {
	if err := checkTriggers(errors); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.triggerErrors, errors)
	return nil
}

func checkTriggers(errors map[string]string) error {
	for name := range errors {
		if !slices.Contains(triggers, name) {
			return fmt.Errorf("%q is no trigger of the sandbox; there are %s", name, strings.Join(triggers, ", "))
		}
	}
	return nil
}
