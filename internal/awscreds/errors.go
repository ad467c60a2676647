package awscreds

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const shown = 300 // runes of server text in a sentence

// tokenLike finds what may be a token: messages about a parameter repeat its value, and Logins has the ID token. The
// sentence is printed, and kept in the session's record of attempts.
var tokenLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9._+/=-]{64,}`) })

// refusal is what a service said no with.
type refusal struct {
	operation string
	code      string
	said      string        // its words, safe to print
	ahead     time.Duration // how far this machine's clock is ahead of the service's; 0 when that is unknown
}

// failure gives an error of an exchange its kind and its sentence.
func (p *Provider) failure(profile profiles.Profile, err error) error {
	var known *token.Error
	if errors.As(err, &known) {
		return err
	}
	r := refusal{operation: "the exchange", ahead: p.ahead(err)}
	service := ""
	var asked *smithy.OperationError
	if errors.As(err, &asked) {
		service, r.operation = asked.Service(), asked.Operation()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		r.code = api.ErrorCode()
		r.said = safetext.Line(tokenLike().ReplaceAllLiteralString(api.ErrorMessage(), "[redacted]"), shown)
	}
	if service == "STS" {
		return r.ofSTS(profile, err)
	}
	return r.ofIdentityPool(profile, err)
}

// ahead compares the clocks by the answer that an error came with.
func (p *Provider) ahead(err error) time.Duration {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil {
		return 0
	}
	date, wrong := smithyhttp.ParseTime(answer.Response.Header.Get("Date"))
	if wrong != nil {
		return 0
	}
	return p.o.Now().Wall.Sub(date)
}

// ofIdentityPool sorts what Cognito's identity pools answer.
func (r refusal) ofIdentityPool(profile profiles.Profile, err error) error {
	switch r.code {
	case "NotAuthorizedException":
		return r.notAuthorized(profile)
	case "ResourceNotFoundException":
		return badProfile("the identity pool does not exist", r.said, "check cognito_identity_pool_id")
	case "InvalidIdentityPoolConfigurationException":
		return badProfile("the identity pool's role does not let it in", r.said, "ask an administrator to let the role trust identity pool "+profile.IdentityPoolID)
	case "InvalidParameterException", "ResourceConflictException":
		if strings.Contains(strings.ToLower(r.said), "classic) flow is not enabled") {
			return badProfile("the identity pool does not allow the basic flow", r.said, "set cognito_identity_flow = enhanced, or ask an administrator to allow the basic (classic) flow")
		}
		return badProfile("the identity pool refused the request", r.said, "check cognito_identity_pool_id, cognito_logins_key, and the roles of the identity pool")
	case "LimitExceededException":
		return &token.Error{Kind: token.Refused, Message: "the identity pool has reached a limit (" + r.said + ")", Next: "ask an administrator of the identity pool"}
	}
	return r.unavailable("the identity pool", err)
}

// notAuthorized sorts the identity pool's NotAuthorizedException, which only its message tells apart.
func (r refusal) notAuthorized(profile profiles.Profile) error {
	lower := strings.ToLower(r.said)
	switch {
	case strings.Contains(lower, "token expired"):
		return r.expired("the identity pool")
	case strings.Contains(lower, "supported provider"):
		return badProfile("the identity pool does not take this user pool's tokens", r.said, "add the user pool and app client to the identity pool, or set cognito_logins_key")
	case profile.RoleARN != "" && strings.Contains(lower, "role"):
		return &token.Error{Kind: token.Refused, Message: "the identity pool does not let this user take " + profile.RoleARN + " (" + r.said + ")", Next: "ask an administrator for that role, or correct cognito_role_arn"}
	}
	return &token.Error{Kind: token.Refused, Message: "the identity pool gave no credentials (" + r.said + ")", Next: "ask an administrator of the identity pool about its roles and rules"}
}

// ofSTS sorts what AWS STS answers to AssumeRoleWithWebIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
func (r refusal) ofSTS(profile profiles.Profile, err error) error {
	switch r.code {
	case "ExpiredTokenException", "ExpiredToken":
		return r.expired("STS")
	case "AccessDenied", "AccessDeniedException":
		return &token.Error{Kind: token.Refused, Message: "STS does not let this user take " + profile.RoleARN + " (" + r.said + ")", Next: "ask an administrator to let that role trust " + trusted(profile) + ", or correct cognito_role_arn"}
	case "InvalidIdentityToken", "InvalidIdentityTokenException":
		return badProfile("STS does not take this user pool's tokens", r.said, "ask an administrator to add the user pool as an OpenID Connect provider to IAM, with audience "+profile.ClientID)
	case "IDPRejectedClaim", "IDPRejectedClaimException":
		return &token.Error{Kind: token.Refused, Message: "STS rejected what the token says (" + r.said + ")", Next: "ask an administrator of the role"}
	case "ValidationError":
		return r.invalid(profile)
	case "RegionDisabledException":
		return badProfile("STS is not active in this region", r.said, "set region in the profile to one where it is")
	case "PackedPolicyTooLarge", "PackedPolicyTooLargeException", "MalformedPolicyDocument":
		return &token.Error{Kind: token.Refused, Message: "STS refused what goes along with the token (" + r.said + ")", Next: "ask an administrator of the role"}
	}
	return r.unavailable("STS", err)
}

// invalid blames the key of the profile that STS complains about.
func (r refusal) invalid(profile profiles.Profile) error {
	lower := strings.ToLower(r.said)
	switch {
	case strings.Contains(lower, "durationseconds"):
		return badProfile("STS does not give this role for "+span(profile.SessionDuration), r.said, "lower or remove cognito_session_duration")
	case strings.Contains(lower, "rolesessionname"):
		return badProfile("STS does not take the role session's name", r.said, "set cognito_role_session_name to 2 to 64 letters and digits")
	}
	return badProfile("STS refused the request", r.said, "check cognito_role_arn and cognito_session_duration")
}

// trusted is what a role must trust, for a person who can change that.
func trusted(p profiles.Profile) string {
	if p.IdentityFlow == basic {
		return "identity pool " + p.IdentityPoolID
	}
	return "app client " + p.ClientID
}

// muchAhead is how far a clock may be off without being to blame.
const muchAhead = 2 * time.Minute

// expired is for an ID token that was good by this machine's clock.
func (r refusal) expired(who string) error {
	next := "try again; if that does not help, check this machine's clock"
	switch {
	case r.ahead > muchAhead:
		next = "set this machine's clock, which is " + span(r.ahead) + " ahead, then try again"
	case r.ahead < -muchAhead:
		next = "set this machine's clock, which is " + span(-r.ahead) + " behind, then try again"
	}
	return expiredToken{&token.Error{Kind: token.Unavailable, Message: who + " says that the token has expired (" + r.said + ")", Next: next}}
}

// span writes a length of time to the minute, without units that are zero: 2h, not 2h0m0s.
func span(d time.Duration) string {
	s := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// expiredToken tells this refusal from the others: a new ID token may mend it.
type expiredToken struct{ sentence *token.Error }

// Error gives the sentence.
func (e expiredToken) Error() string { return e.sentence.Error() }

// Unwrap gives the sentence with its kind and hint.
func (e expiredToken) Unwrap() error { return e.sentence }

func badProfile(message, said, next string) error {
	if said != "" {
		message += " (" + said + ")"
	}
	return &token.Error{Kind: token.BadProfile, Message: message, Next: next}
}

// unavailable is for whatever may be otherwise the next time.
func (r refusal) unavailable(who string, err error) error {
	if errors.Is(err, context.Canceled) {
		return &token.Error{Kind: token.Interrupted, Message: "interrupted"}
	}
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 { // the SDK has an empty answer for a connection that broke
		return &token.Error{Kind: token.Unavailable, Message: who + " cannot be reached (" + safetext.Line(r.operation, shown) + ")", Next: "check the network, then try again"}
	}
	status, code := answer.HTTPStatusCode(), safetext.Line(r.code, shown)
	switch {
	case status == http.StatusForbidden && r.said == "":
		return &token.Error{Kind: token.BadProfile, Message: r.operation + " was forbidden on the way to " + who + " (HTTP 403)", Next: "check proxies and web access rules"}
	case status == http.StatusForbidden:
		return &token.Error{Kind: token.Refused, Message: who + " refused " + r.operation + " (" + code + ": " + r.said + ")", Next: "ask an administrator of the AWS account"}
	case status == http.StatusTooManyRequests, slices.Contains(throttles, r.code):
		return &token.Error{Kind: token.Unavailable, Message: who + " is busy (too many requests)", Next: "try again"}
	case status < 500:
		return &token.Error{Kind: token.Unavailable, Message: who + " refused " + r.operation + " (" + code + ": " + r.said + ")", Next: "try again"}
	}
	return &token.Error{Kind: token.Unavailable, Message: who + " has a fault (HTTP " + strconv.Itoa(status) + ")", Next: "try again"}
}

// throttles are the codes by which AWS's services say that they get too many requests.
var throttles = []string{"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded"}
