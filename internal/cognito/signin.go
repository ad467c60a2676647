package cognito

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const maxRounds = 12 // answers to challenges in one sign-in, wrong ones and those of a fresh start included

// SignIn says how to sign in. The zero value means USER_SRP_AUTH.
type SignIn struct {
	Flow     string
	Username string // "" asks the Answerer for challenge.Username
	Metadata map[string]string
	// Preferred is PREFERRED_CHALLENGE of USER_AUTH, and the choice in SELECT_CHALLENGE; with CUSTOM_AUTH, SRP_A here proves the
	// password first, which is Cognito's CHALLENGE_NAME. MFA is the choice in SELECT_MFA_TYPE.
	Preferred, MFA string
	// Device is this machine as Cognito remembers it; nil when it does not. It goes along only for a user who goes by one of
	// DeviceUsers, as typed; without any, for everybody.
	Device      *Device
	DeviceUsers []string
}

// SignIn runs the flow and answers every challenge through a. Errors are *token.Error; where Cognito answered, an *Error is
// inside. A failed sign-in has no effect but that a new password, once Cognito took it, stays.
func (c *Client) SignIn(ctx context.Context, s SignIn, a challenge.Answerer) (Result, error) {
	l, err := c.signIn(s, a)
	if err != nil {
		return Result{}, err
	}
	at, err := l.run(ctx)
	if err != nil {
		return Result{}, err
	}
	got, err := c.result(opRespond, at.tokens, at.x)
	if err != nil {
		return got, err
	}
	got.ForgetDevice = l.forgotten
	err = c.newDevice(ctx, a, at.tokens.NewDeviceMetadata, &got)
	return got, err
}

func (c *Client) signIn(s SignIn, a challenge.Answerer) (*login, error) {
	begin, err := c.flow(s.Flow)
	if err != nil {
		return nil, err
	}
	l := &login{c: c, how: s, context: CallContext{Metadata: s.Metadata}, ask: a, begin: begin, device: s.Device, typed: map[string]token.Secret{}, wrong: map[string]int{}}
	if s.Username != "" {
		l.typed[challenge.Username] = token.NewSecret(s.Username)
	}
	return l, nil
}

// login is one sign-in under way.
type login struct {
	c     *Client
	how   SignIn
	ask   challenge.Answerer
	begin beginning

	context   CallContext
	given     Initiate // what the caller of Complete gave
	user      string   // USERNAME of the next request: as typed, then USER_ID_FOR_SRP
	handshake func() (*srp.Handshake, error)
	device    *Device                 // what goes along; nil when there is none, or none of this user
	forgotten bool                    // Cognito does not know the device that it was given
	proof     *srp.Handshake          // of the device, from DEVICE_SRP_AUTH on
	choices   []string                // MFAS_CAN_CHOOSE: an unknown challenge of these is a code's
	setup     *setup                  // MFA_SETUP under way
	said      []token.Secret          // see secrets
	typed     map[string]token.Secret // by the question's name; what was wrong is taken out
	wrong     map[string]int          // wrong answers by challenge
	last      error                   // of the last wrong answer, until its challenge is passed
	lastAt    string                  // the challenge of last
	note      string                  // why the next question is asked again
	restarts  int
	rounds    int
	custom    int // rounds of CUSTOM_CHALLENGE since the last start
}

// step is what Cognito wants next, or the tokens.
type step struct {
	name       string
	parameters map[string]string
	session    *string // the challengeSession; goes back exactly as it came, which may be not at all
	tokens     *types.AuthenticationResultType
	available  []string // AvailableChallenges
	x          *exchange
}

// run is the loop over challenges, up to the tokens. Any challenge may follow any other.
func (l *login) run(ctx context.Context) (step, error) {
	at, err := l.start(ctx)
	for err == nil && at.tokens == nil {
		var next step
		if next, err = l.answer(ctx, at); err != nil {
			next, err = l.recover(ctx, at, err)
		}
		at = next
	}
	return at, err
}

// start sends InitiateAuth.
func (l *login) start(ctx context.Context) (step, error) {
	l.user, l.handshake, l.proof, l.setup, l.choices, l.custom = "", nil, nil, nil, nil, 0 // of a sign-in that is over
	parameters, err := l.begin(ctx, l)
	if err != nil {
		return step{}, err
	}
	if l.device != nil && !l.usersDevice() {
		l.device = nil
	}
	l.addUser(parameters)
	in := Initiate{Flow: l.flowName(), Parameters: maps.Clone(l.given.Parameters), Session: l.given.Session, Context: l.context}
	if in.Parameters == nil {
		in.Parameters = map[string]token.Secret{}
	}
	maps.Copy(in.Parameters, hidden(parameters))
	at, err := l.c.initiate(ctx, in, l.secrets(), l.c.retried)
	if err != nil {
		return step{}, err
	}
	return l.next(opInitiate, at)
}

// answer finds the responses to a challenge and sends them.
func (l *login) answer(ctx context.Context, at step) (step, error) {
	if l.rounds++; l.rounds > maxRounds {
		return step{}, &token.Error{Kind: token.Refused, Message: "Cognito asked more than 12 questions in one sign-in", Next: l.c.loginCommand()}
	}
	respond, err := l.responder(at)
	if err != nil {
		return step{}, err
	}
	responses, err := respond(ctx, l, &at)
	if err != nil {
		return step{}, err
	}
	l.addUser(responses)
	next, err := l.c.respond(ctx, Respond{Challenge: at.name, Responses: hidden(responses), Context: l.context}, at.session, l.secrets())
	if err != nil {
		return step{}, err
	}
	l.accepted(at.name)
	return l.next(opRespond, next)
}

// next takes what a step tells about the user. USER_ID_FOR_SRP replaces an alias such as an e-mail address, in USERNAME and
// in SECRET_HASH, from the second request on.
func (l *login) next(operation string, s step) (step, error) {
	if s.tokens == nil && s.name == "" {
		return step{}, l.c.notCognito(&Error{Operation: operation, Status: s.x.status, Sent: true, Err: errors.New("neither tokens nor a challenge")})
	}
	if id := s.parameters["USER_ID_FOR_SRP"]; id != "" && s.name != devicePasswordVerifier {
		l.user = id
	}
	return s, nil
}

// responder finds who answers a challenge. An unknown name that SELECT_MFA_TYPE offered is one more kind of code.
func (l *login) responder(at step) (responder, error) {
	if respond, known := challenges[at.name]; known {
		return respond, nil
	}
	if slices.Contains(l.choices, at.name) {
		return respondCode("code for " + safetext.Line(at.name, 60)), nil
	}
	return nil, unknownChallenge(at)
}

// addUser adds what every request has: who signs in, and the device where there is one.
func (l *login) addUser(parameters map[string]string) {
	parameters["USERNAME"] = l.user
	if l.device != nil {
		parameters["DEVICE_KEY"] = l.device.Key
	}
}

// accepted forgets what must not be used a second time, now that a challenge is passed.
func (l *login) accepted(challengeName string) {
	maps.DeleteFunc(l.typed, func(key string, _ token.Secret) bool { return once(key) && isOf(key, challengeName) })
	if p, ok := l.typed[newPasswordName]; ok && challengeName == newPasswordRequired {
		l.typed[challenge.Password] = p // from here on a fresh start must use the new one
	}
	if challengeName == l.lastAt {
		l.last, l.lastAt = nil, ""
	}
}

// forgetOnce forgets the answers that are good for one use, and reports whether there were any.
func (l *login) forgetOnce() bool {
	before := len(l.typed)
	maps.DeleteFunc(l.typed, func(name string, _ token.Secret) bool { return once(name) })
	return len(l.typed) < before
}

// hidden makes secrets of what goes out.
func hidden(in map[string]string) map[string]token.Secret {
	out := make(map[string]token.Secret, len(in))
	for name, value := range in {
		out[name] = token.NewSecret(value)
	}
	return out
}

// secrets are what no error may repeat: everything that was typed since the sign-in began, also what was wrong or is
// replaced by now, but names and choices.
func (l *login) secrets() []token.Secret {
	out := slices.Clone(l.said)
	if p, given := l.given.Parameters[challenge.Password]; given {
		out = append(out, p)
	}
	return out
}

// heard remembers an answer for secrets.
func (l *login) heard(q challenge.Question, s token.Secret) {
	if q.Name != challenge.Username && len(q.Choices) == 0 && !strings.HasPrefix(q.Name, attributePrefix) {
		l.said = append(l.said, s)
	}
}

func unknownChallenge(at step) error {
	var pairs []string
	for k, v := range at.parameters {
		pairs = append(pairs, safetext.Line(k, 40)+"="+safetext.Line(v, 60))
	}
	sort.Strings(pairs)
	message := "Cognito asks for the challenge " + safetext.Line(at.name, 60) + ", which this version does not know"
	if len(pairs) > 0 {
		message += " (" + safetext.Line(strings.Join(pairs, ", "), maxText) + ")"
	}
	return &token.Error{Kind: token.Refused, Message: message, Next: askAdministrator + " for another way to sign in"}
}
