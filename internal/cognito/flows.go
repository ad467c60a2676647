package cognito

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// DefaultFlow is the flow of a profile that names none.
const DefaultFlow = "USER_SRP_AUTH"

// Names of Cognito's that stand in several places.
const (
	factorPassword = "PASSWORD"
	factorSRP      = "PASSWORD_SRP"
	srpFirst       = "SRP_A" // CHALLENGE_NAME of CUSTOM_AUTH
)

// beginning asks what a flow needs and gives InitiateAuth's AuthParameters, USERNAME, DEVICE_KEY, and SECRET_HASH aside.
type beginning func(context.Context, *login) (map[string]string, error)

// flows are those that are built; nil stands for one that is known and is not. Source: InitiateAuth in the API reference.
var flows = map[string]beginning{
	DefaultFlow:          beginSRP,
	"USER_PASSWORD_AUTH": beginPassword,
	"USER_AUTH":          beginChoice,
	"CUSTOM_AUTH":        beginCustom,
	"browser":            nil,
}

// flow refuses what InitiateAuth does not take (ADMIN_NO_SRP_AUTH, and every unknown value) before the network.
func (c *Client) flow(name string) (beginning, error) {
	if name == "" {
		name = DefaultFlow
	}
	begin, known := flows[name]
	if begin != nil {
		return begin, nil
	}
	valid := strings.Join(builtFlows(), ", ")
	e := &token.Error{
		Kind:    token.BadProfile,
		Message: "there is no flow " + quoted(name) + ": valid are " + valid,
		Next:    "set cognito_auth_flow" + in(c.o.Profile) + " to one of: " + valid,
	}
	if known {
		e.Message = "signing in with a browser is not built yet"
	}
	return nil, e
}

func builtFlows() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(flows)) {
		if flows[name] != nil {
			out = append(out, name)
		}
	}
	return out
}

func (l *login) flowName() string {
	if l.how.Flow == "" {
		return DefaultFlow
	}
	return l.how.Flow
}

// beginSRP computes A while the password is being typed. The password is asked first, although only the challenge needs it:
// a challenge lives for minutes, and nobody knows how long a person takes.
func beginSRP(ctx context.Context, l *login) (map[string]string, error) {
	l.handshake = startHandshake()
	if err := l.askCredentials(ctx); err != nil {
		return nil, err
	}
	h, err := l.handshake()
	if err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "the sign-in cannot be prepared", Err: err}
	}
	return map[string]string{"SRP_A": h.A()}, nil
}

// beginPassword sends the password itself, which the user pool's migration trigger may need.
func beginPassword(ctx context.Context, l *login) (map[string]string, error) {
	if err := l.askCredentials(ctx); err != nil {
		return nil, err
	}
	return map[string]string{"PASSWORD": l.typed[challenge.Password].Reveal()}, nil
}

// beginChoice is USER_AUTH: the preferred factor goes along with what it needs, so that Cognito need not ask for it. Without
// one, or where the user does not have it, Cognito answers SELECT_CHALLENGE.
func beginChoice(ctx context.Context, l *login) (map[string]string, error) {
	if l.how.Preferred == "" {
		return map[string]string{}, l.askUser(ctx)
	}
	parameters, err := l.beginFactor(ctx, l.how.Preferred)
	if err != nil {
		return nil, err
	}
	parameters["PREFERRED_CHALLENGE"] = l.how.Preferred
	return parameters, nil
}

// beginFactor gives what a first factor can be completed with at once.
func (l *login) beginFactor(ctx context.Context, factor string) (map[string]string, error) {
	switch factor {
	case factorPassword:
		return beginPassword(ctx, l)
	case factorSRP:
		return beginSRP(ctx, l)
	default:
		return map[string]string{}, l.askUser(ctx)
	}
}

// beginCustom is CUSTOM_AUTH. With SRP first, the user pool's triggers see a proved password before their own challenges.
// The API reference prints the parameter as "ChallengeName"; what Cognito takes is CHALLENGE_NAME.
func beginCustom(ctx context.Context, l *login) (map[string]string, error) {
	if l.how.Preferred != srpFirst {
		return map[string]string{}, l.askUser(ctx)
	}
	parameters, err := beginSRP(ctx, l)
	if err != nil {
		return nil, err
	}
	parameters["CHALLENGE_NAME"] = srpFirst
	return parameters, nil
}

// startHandshake works in the background; the function that it gives waits for the outcome and may be called again.
func startHandshake() func() (*srp.Handshake, error) {
	var h *srp.Handshake
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		h, err = srp.Start(rand.Reader)
	}()
	return func() (*srp.Handshake, error) {
		<-done
		return h, err
	}
}

// askUser asks for the user name, where none was given. Within a sign-in, it is known.
func (l *login) askUser(ctx context.Context) error {
	user, err := l.question(ctx, challenge.Question{Name: challenge.Username, Label: "user name"})
	if err == nil && l.user == "" {
		l.user = user
	}
	return err
}

// askCredentials asks for the user name, where none was given, and the password.
func (l *login) askCredentials(ctx context.Context) error {
	if err := l.askUser(ctx); err != nil {
		return err
	}
	user := l.typed[challenge.Username].Reveal()
	_, err := l.question(ctx, challenge.Question{Name: challenge.Password, Label: "password for " + user, Secret: true})
	return err
}
