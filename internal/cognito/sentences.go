package cognito

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
)

// Operations, as errors name them.
const (
	opInitiate = "InitiateAuth"
	opRespond  = "RespondToAuthChallenge"
	opRefresh  = "GetTokensFromRefreshToken"
	opRevoke   = "RevokeToken"
	opSignOut  = "GlobalSignOut"

	opAdminInitiate  = "AdminInitiateAuth"
	opForgotPassword = "ForgotPassword"
	opConfirmForgot  = "ConfirmForgotPassword"
	opChangePassword = "ChangePassword"
	opConfirmSignUp  = "ConfirmSignUp"
	opResend         = "ResendConfirmationCode"
	opGetUser        = "GetUser"
	opGetFactors     = "GetUserAuthFactors"
	opAssociate      = "AssociateSoftwareToken"
	opVerify         = "VerifySoftwareToken"
	opSetMFA         = "SetUserMFAPreference"
	opListDevices    = "ListDevices"
	opForgetDevice   = "ForgetDevice"
	opConfirmDevice  = "ConfirmDevice"
	opUpdateDevice   = "UpdateDeviceStatus"
)

// sentence is what a person reads about an answer of Cognito's. In message and next, {text} stands for the server's text,
// {client} and {pool} for what the profile names, {login} for the command that signs in, {confirm} and {reset} for
// those that mend first, {in} for "in profile X".
type sentence struct {
	code    string // without "Exception"
	says    string // words of the server's text, lower case; "" fits any
	kind    token.Kind
	message string
	next    string
}

const (
	askAdministrator = "ask an administrator of the user pool"
	checkPool        = "check cognito_user_pool_id, cognito_client_id, and cognito_region {in}"
)

// sentences are searched from the top; the first that fits is used. Source: the API reference of each operation, and the
// messages that Cognito is known to send.
var sentences = []sentence{
	{"NotAuthorized", "incorrect username or password", token.Refused, "user name or password is wrong", "{login}"},
	{"NotAuthorized", "user is disabled", token.Refused, "the user is disabled", askAdministrator + " to enable the user"},
	{"NotAuthorized", "attempts exceeded", token.Unavailable, "too many wrong passwords: Cognito locked the user for some minutes", "wait, then: {login}"},
	{"NotAuthorized", "temporary password", token.Refused, "the temporary password has expired", askAdministrator + " for a new one"},
	{"NotAuthorized", "secret was not received", token.BadProfile, "the app client {client} has a secret, and none is configured", "set cognito_client_secret {in}"},
	{"NotAuthorized", "not configured for secret", token.BadProfile, "the app client {client} has no secret, and one is configured", "remove cognito_client_secret {in}"},
	{"NotAuthorized", "secret", token.BadProfile, "Cognito does not accept the secret of the app client {client}", "check cognito_client_secret {in}"},
	{"NotAuthorized", "hash", token.BadProfile, "Cognito does not accept the secret of the app client {client}", "check cognito_client_secret {in}"},
	{"NotAuthorized", "revoked", token.LoginNeeded, "the session was revoked", "{login}"},
	{"NotAuthorized", "invalid refresh token", token.Refused, "Cognito does not know this session: it may be of another app client or region, or the user pool tracks devices and does not know this one", "{login}"},
	{"NotAuthorized", "invalid session", token.Refused, "the sign-in took too long: Cognito closed it", "{login}"},
	{"NotAuthorized", "session is expired", token.Refused, "the sign-in took too long: Cognito closed it", "{login}"},
	{"NotAuthorized", "expired", token.LoginNeeded, "the session has expired", "{login}"},
	{"NotAuthorized", "", token.Refused, "Cognito refused: {text}", "{login}"},
	{"RefreshTokenReuse", "", token.LoginNeeded, "the session has ended: its refresh token was replaced by a newer one that is not here", "{login}"},
	{"UserNotFound", "", token.Refused, "the user pool {pool} has no such user", "check the user name, then: {login}"},
	{"UserNotConfirmed", "", token.Refused, "the user is not confirmed yet", "{confirm}"},
	{"PasswordResetRequired", "", token.Refused, "the password must be reset before the user can sign in", "{reset}"},
	{"CodeMismatch", "", token.Refused, "the code was wrong", "{login}"},
	{"EnableSoftwareTokenMFA", "", token.Refused, "the code was wrong", "{login}"},
	{"ExpiredCode", "already been used", token.Refused, "the code was used before", "wait for the next code, then: {login}"},
	{"ExpiredCode", "", token.Refused, "the code has expired", "{login}"},
	{"InvalidPassword", "", token.Refused, "the new password does not fit the user pool's policy: {text}", "{login}"},
	{"PasswordHistoryPolicyViolation", "", token.Refused, "the new password was used before, which the user pool does not allow", "{login}"},
	{"AliasExists", "", token.Refused, "another user has this e-mail address or phone number already", askAdministrator},
	{"MFAMethodNotFound", "", token.Refused, "the user has no MFA method that the user pool accepts", askAdministrator + " to set one up"},
	{"SoftwareTokenMFANotFound", "", token.Refused, "the user has no authenticator app set up", askAdministrator + " to reset the user's MFA"},
	{"LimitExceeded", "", token.Unavailable, "too many attempts: Cognito refuses more for a while", "wait some minutes, then: {login}"},
	{"InvalidParameter", "not enabled", token.BadProfile, "the app client {client} does not allow this flow: {text}", "choose another cognito_auth_flow {in}, or " + askAdministrator + " to allow it"},
	{"InvalidParameter", "", token.BadProfile, "Cognito does not accept a parameter: {text}", checkPool},
	{"ResourceNotFound", "client", token.BadProfile, "the app client {client} does not exist in the user pool's region", "check cognito_client_id and cognito_region {in}"},
	{"ResourceNotFound", "device", token.BadProfile, "Cognito does not know this device any more", "{login}"},
	{"ResourceNotFound", "pool", token.BadProfile, "the user pool {pool} does not exist", "check cognito_user_pool_id and cognito_region {in}"},
	{"ResourceNotFound", "", token.BadProfile, "Cognito does not find what the profile names: {text}", checkPool},
	{"UserLambdaValidation", "", token.Refused, "the user pool's own check refused: {text}", askAdministrator},
	{"UnexpectedLambda", "", token.BadProfile, "a trigger of the user pool failed: {text}", askAdministrator},
	{"InvalidLambdaResponse", "", token.BadProfile, "a trigger of the user pool gave an unusable answer: {text}", askAdministrator},
	{"InvalidUserPoolConfiguration", "", token.BadProfile, "the user pool is not configured for this: {text}", askAdministrator},
	{"InvalidSmsRoleAccessPolicy", "", token.BadProfile, "the user pool may not send text messages", askAdministrator},
	{"InvalidSmsRoleTrustRelationship", "", token.BadProfile, "the user pool may not send text messages", askAdministrator},
	{"InvalidEmailRoleAccessPolicy", "", token.BadProfile, "the user pool may not send e-mail", askAdministrator},
	{"CodeDeliveryFailure", "", token.Unavailable, "Cognito could not deliver the code", "{login}"},
	{"Forbidden", "", token.BadProfile, "a firewall in front of the user pool refused the request", askAdministrator + " about its AWS WAF rules"},
	{"UnsupportedTokenType", "", token.Refused, "Cognito does not revoke this kind of token", ""},
	{"Unauthorized", "secret", token.BadProfile, "Cognito does not accept the secret of the app client {client}", "check cognito_client_secret {in}"},
	{"Unauthorized", "", token.Refused, "Cognito refused: {text}", checkPool},
	{"UnsupportedOperation", "", token.BadProfile, "the app client {client} does not allow this: {text}", askAdministrator},
	{"OperationNotEnabled", "", token.BadProfile, "the app client {client} does not allow this: {text}", askAdministrator},
	{"InternalError", "", token.Unavailable, "Cognito had an internal error", ""},
}

// explain puts a sentence before an answer of Cognito's. For a refresh, the class decides about the kind, so that the exit
// code and what becomes of the session never disagree.
func (c *Client) explain(e *Error) error {
	s := c.sentence(e)
	e.told = strings.Contains(s.message, "{text}")
	out := &token.Error{Kind: s.kind, Message: c.fill(s.message, e), Next: c.fill(s.next, e), Err: e}
	if e.Operation == opRefresh {
		out.Kind = ClassOf(e).kind()
	}
	return out
}

func (c *Client) sentence(e *Error) sentence {
	if e.throttled() {
		return sentence{kind: token.Unavailable, message: "Cognito is busy: too many requests", next: "wait a moment"}
	}
	for _, s := range sentences {
		if e.is(s.code) && e.says(s.says) {
			return s
		}
	}
	if e.Status >= 500 {
		return sentence{kind: token.Unavailable, message: "Cognito had an internal error"}
	}
	return sentence{kind: token.Refused, message: "Cognito refused: {text}", next: "{login}"}
}

func (c *Client) fill(template string, e *Error) string {
	text := e.Message
	if text == "" {
		text = e.Code
	}
	return strings.NewReplacer(
		"{text}", strings.TrimRight(text, ". "), "{client}", c.o.ClientID, "{pool}", c.o.UserPoolID,
		"{login}", c.loginCommand(), "{confirm}", c.instead("confirm --resend"), "{reset}", c.instead("password reset"), " {in}", in(c.o.Profile),
	).Replace(template)
}

// unreachable is for a request without an answer.
func (c *Client) unreachable(ctx context.Context, e *Error, host string) error {
	out := &token.Error{Kind: token.Unavailable, Err: e, Next: "check the network"}
	var timeout net.Error
	built := host != "" // the SDK got as far as a request
	if host = safetext.Line(host, 100); !built {
		host = "Cognito"
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		out.Kind, out.Message, out.Next = token.Interrupted, "interrupted", ""
	case errors.As(e.Err, new(*transport.BundleError)):
		out.Kind, out.Message, out.Next = token.BadProfile, "the CA bundle cannot be used", "check ca_bundle"+in(c.o.Profile)
	case errors.Is(e.Err, transport.ErrTooLarge):
		out.Message = host + " answered with something that is not Cognito (more than 1 MiB)"
	case errors.Is(e.Err, context.DeadlineExceeded), errors.As(e.Err, &timeout) && timeout.Timeout():
		out.Message = host + " did not answer in time"
	case !built:
		out.Kind, out.Message, out.Next = token.Failure, "the request could not be made", ""
	case e.Sent:
		out.Message = "the connection to " + host + " broke before the answer came"
	default:
		out.Message = "cannot reach " + host
	}
	return out
}

// notCognito is for an answer that no user pool gives: a proxy's page, a captive portal, a firewall's.
func (c *Client) notCognito(e *Error) error {
	next := "check the network and any proxy"
	if c.o.Endpoint != "" {
		next = "check cognito_endpoint_url" + in(c.o.Profile) + ", the network, and any proxy"
	}
	return &token.Error{
		Kind:    token.Unavailable,
		Message: "the endpoint answered with something that is not Cognito (HTTP " + strconv.Itoa(e.Status) + ")",
		Next:    next,
		Err:     e,
	}
}

// loginCommand is the command that signs in.
func (c *Client) loginCommand() string {
	profile := c.o.Profile
	if c.o.Login != "" {
		return c.o.Login
	}
	if profile == "" || profile == "default" {
		return "cognito-credhelper login"
	}
	return "cognito-credhelper login --profile " + shellWord(profile)
}

// instead is another command for the same session as loginCommand. Where that is a raw operation's own line, which would
// only fail again, its flags need not fit: then it is the command's help.
func (c *Client) instead(verb string) string {
	flags, ok := strings.CutPrefix(c.loginCommand(), "cognito-credhelper login")
	if !ok {
		flags = " --help"
	}
	return "cognito-credhelper " + verb + flags
}

// in says where a key stands.
func in(profile string) string {
	if profile == "" {
		return ""
	}
	return " in profile " + safetext.Line(profile, 80)
}

// shellWord writes s so that pasting it into a shell gives s again, and nothing else.
func shellWord(s string) string {
	s = safetext.Line(s, 200)
	plain := !strings.HasPrefix(s, "-") && strings.IndexFunc(s, func(r rune) bool {
		return !tokenRune(r) && r != '@' && r != ':'
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
