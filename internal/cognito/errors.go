package cognito

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
)

const (
	maxText   = 300            // characters of the server's text that a person is shown
	noMessage = "UnknownError" // what the SDK gives for a code or a text that is not there
)

// Error is an answer of Cognito's that is not success, or no answer at all. It comes wrapped in a *token.Error that
// carries sentence, kind, and hint.
type Error struct {
	Operation string
	Code      string // such as NotAuthorizedException; "" when there was no answer from Cognito
	Message   string // the server's text, made safe to print; never a token
	Status    int    // HTTP status; 0 when there was no answer
	RequestID string
	Sent      bool  // the request may have been carried out
	Err       error // what stopped the request; nil when Cognito answered

	told bool         // the sentence repeats Message, so Error does not
	raw  token.Secret // Message before anything was taken out of it: what sorts errors must see all words
}

// Error describes the failure in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation)
	switch {
	case e.Code != "":
		b.WriteString(": " + e.Code)
		if e.Message != "" && !e.told {
			b.WriteString(": " + e.Message)
		}
	case e.Err != nil:
		b.WriteString(": " + safetext.Line(e.Err.Error(), maxText))
	case e.Status != 0:
		b.WriteString(": HTTP " + strconv.Itoa(e.Status))
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap gives what stopped the request.
func (e *Error) Unwrap() error { return e.Err }

// says reports whether the server's text has the given words, whatever their case: AWS changes punctuation and puts
// triggers' names in front.
func (e *Error) says(words string) bool {
	text := e.raw.Reveal()
	if text == "" {
		text = e.Message
	}
	return strings.Contains(strings.ToLower(text), words)
}

// is reports whether the error has one of the codes, with or without "Exception" at the end.
func (e *Error) is(codes ...string) bool {
	code := strings.TrimSuffix(e.Code, "Exception")
	for _, c := range codes {
		if strings.EqualFold(code, c) {
			return true
		}
	}
	return false
}

// answered finds Cognito's answer in an error of ours.
func answered(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return &Error{}
}

// Class sorts the failures of a refresh by what becomes of the session (docs: sessions).
type Class uint8

// The classes.
const (
	Transient     Class = iota // network, 5xx, throttling, no JSON: keep, try again
	Blocked                    // keep, a person or an administrator must act
	Configuration              // keep, the profile or the app client is wrong
	Dead                       // the refresh token is of no use any more
)

// ClassOf sorts an error of Refresh. Only a definite answer of Cognito's is ever Dead; whatever is not known is Transient.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case !errors.As(err, &e):
		if token.KindOf(err) == token.BadProfile {
			return Configuration
		}
		return Transient
	case e.Code == "" && errors.As(e.Err, new(*transport.BundleError)):
		return Configuration
	case e.Status >= http.StatusInternalServerError:
		return Transient
	case e.is("NotAuthorized"):
		return classOfRefusal(e)
	case e.is("RefreshTokenReuse", "UserNotFound"):
		return Dead
	case e.is("PasswordResetRequired", "UserNotConfirmed"):
		return Blocked
	case e.is("ResourceNotFound", "InvalidParameter", "UnsupportedOperation", "OperationNotEnabled",
		"UserLambdaValidation", "UnexpectedLambda", "InvalidLambdaResponse", "InvalidUserPoolConfiguration", "Forbidden"):
		return Configuration
	default:
		return Transient
	}
}

// classOfRefusal looks at the text of NotAuthorizedException, which alone tells what was refused.
func classOfRefusal(e *Error) Class {
	switch {
	case e.says("secret"), e.says("hash"):
		return Configuration
	case e.says("expired"), e.says("revoked"):
		return Dead
	default:
		return Blocked
	}
}

// kind is the exit code's side of a class.
func (c Class) kind() token.Kind {
	switch c {
	case Dead:
		return token.LoginNeeded
	case Blocked:
		return token.Refused
	case Configuration:
		return token.BadProfile
	default:
		return token.Unavailable
	}
}

// failure makes of the SDK's error, and of what the wire saw, an error for people. The SDK's own error does not go along:
// it may repeat what the server sent.
func (c *Client) failure(ctx context.Context, operation string, err error, x *exchange, secrets []token.Secret) error {
	e := &Error{Operation: operation, Status: x.status, Sent: x.sent.Load()}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.RequestID = safetext.Line(scrub(response.ServiceRequestID(), secrets), 80)
	}
	var api smithy.APIError
	if x.json && errors.As(err, &api) && api.ErrorCode() != noMessage {
		text := api.ErrorMessage()
		if text == noMessage {
			text = ""
		}
		e.Code = safetext.Line(scrub(api.ErrorCode(), secrets), 80)
		e.raw = token.NewSecret(text)
		e.Message = safetext.Line(scrub(text, secrets), maxText)
		return c.explain(e)
	}
	if x.status == 0 || errors.Is(err, transport.ErrTooLarge) || isNetwork(err) {
		e.Err = cause(err)
		return c.unreachable(ctx, e, x.host)
	}
	return c.notCognito(e)
}

// cause is the innermost error that still says something: the SDK's wrappers repeat the operation, and net's the address.
func cause(err error) error {
	var bundle *transport.BundleError
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &bundle):
		return bundle
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &dns):
		return errors.New(dns.Err)
	case errors.As(err, &cert):
		return cert.Err
	case errors.As(err, &op):
		return op.Err
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	if err == nil {
		return errors.New("no answer")
	}
	return err
}

func isNetwork(err error) bool {
	var e net.Error
	return errors.As(err, &e) || errors.Is(err, context.Canceled)
}

// retryable decides whether InitiateAuth goes out once more. LimitExceededException means minutes to hours, not moments; a
// host that cannot be reached or proved will not be there in a second.
func retryable(err error) aws.Ternary {
	var api smithy.APIError
	var response *awshttp.ResponseError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &api) && (&Error{Code: api.ErrorCode()}).throttled():
		return aws.TrueTernary
	case errors.As(err, &response) && response.HTTPStatusCode() != 0:
		return aws.BoolTernary(response.HTTPStatusCode() >= http.StatusInternalServerError)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, transport.ErrTooLarge),
		errors.As(err, new(*transport.BundleError)), errors.As(err, &cert), errors.As(err, &record),
		errors.As(err, new(x509.UnknownAuthorityError)):
		return aws.FalseTernary
	case errors.As(err, &op) && op.Op == "dial":
		return aws.FalseTernary
	default:
		return aws.BoolTernary(sendFailed(err))
	}
}

// sendFailed reports whether the connection broke, as against a request that could not be built.
func sendFailed(err error) bool {
	var e interface{ ConnectionError() bool }
	return errors.As(err, &e) && e.ConnectionError()
}

func (e *Error) throttled() bool {
	return e.is("TooManyRequests", "Throttling", "Throttled", "RequestThrottled", "RequestLimitExceeded", "SlowDown")
}

// scrub takes out of the server's text what we sent and whatever looks like a token: validation messages repeat values.
func scrub(text string, secrets []token.Secret) string {
	const redacted = "[redacted]"
	for _, s := range secrets {
		if secret := s.Reveal(); len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return !tokenRune(r) })
	for _, w := range words {
		if len(w) >= 64 {
			text = strings.ReplaceAll(text, w, redacted)
		}
	}
	return text
}

func tokenRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+/=", r)
}
