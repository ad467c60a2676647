package cognito

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Result is what Cognito gave for a sign-in or a refresh.
type Result struct {
	Tokens  token.Set
	Refresh token.Secret // empty after a refresh means: keep the old one
	User    User
	Date    time.Time // the server's Date header; zero when there was none
	// Device is what Cognito remembers this machine by from now on, confirmed; nil when nothing changed. ForgetDevice says that
	// the device given to SignIn is not known any more.
	Device       *Device
	ForgetDevice bool
	// DeviceErr is why Device could not be confirmed or remembered. The sign-in holds all the same, but may not be renewed.
	DeviceErr error
	// SecretNext says that Cognito took the client's second secret and refused the first.
	SecretNext bool
}

// User is who signed in, from the ID token.
type User struct {
	Name    string // cognito:username
	Subject string // sub
}

// result reads the tokens of an answer. With an error comes a Result that has the new refresh token, if there was one:
// the old one may be of no use any more.
func (c *Client) result(operation string, r *types.AuthenticationResultType, x *exchange) (Result, error) {
	at := c.o.Now()
	if r == nil {
		return Result{}, c.notCognito(&Error{Operation: operation, Status: x.status, Sent: true, Err: errors.New("no tokens in the answer")})
	}
	out := Result{Refresh: token.NewSecret(aws.ToString(r.RefreshToken)), Date: x.date, SecretNext: c.usesNext()}
	id, idErr := readPayload(aws.ToString(r.IdToken))
	access, accessErr := readPayload(aws.ToString(r.AccessToken))
	err := errors.Join(named("ID token", idErr), named("access token", accessErr))
	if err == nil {
		err = errors.Join(named("ID token", c.verify(id, token.UseID)), named("access token", c.verify(access, token.UseAccess)))
	}
	if err != nil {
		return Result{Refresh: out.Refresh, Date: out.Date, SecretNext: out.SecretNext}, c.unusable(operation, x, err)
	}
	spare := time.Duration(max(r.ExpiresIn, 0)) * time.Second
	var skew time.Duration
	if !x.date.IsZero() {
		skew = x.date.Sub(at.Wall)
	}
	out.Tokens = token.Set{
		ID:     issued(aws.ToString(r.IdToken), id, spare, at, skew),
		Access: issued(aws.ToString(r.AccessToken), access, spare, at, skew),
	}
	if out.Tokens.ID.Lifetime.Total() <= 0 || out.Tokens.Access.Lifetime.Total() <= 0 {
		return Result{Refresh: out.Refresh, Date: out.Date, SecretNext: out.SecretNext}, c.unusable(operation, x, errors.New("the tokens do not say how long they are valid"))
	}
	out.User = User{Name: id.username, Subject: id.subject}
	return out, nil
}

// issued dates a token by the local clock, so that a wrong one does not shorten its life.
func issued(jwt string, p payload, spare time.Duration, at token.Instant, skew time.Duration) token.Token {
	life := p.lifetime
	if life <= 0 {
		life = min(spare, maxLifetime)
	}
	return token.Token{
		Value:    token.NewSecret(jwt),
		Lifetime: token.Lifetime{Issued: at.Wall, Expires: at.Wall.Add(life), Boot: at.Boot, Skew: skew},
	}
}

// verify compares a token's claims with what was asked for.
func (c *Client) verify(p payload, use token.Use) error {
	switch {
	case p.use != string(use):
		return errors.New("has the token_use " + quoted(p.use))
	case !slices.Contains(p.audience, c.o.ClientID):
		return errors.New("is for another app client: " + quoted(strings.Join(p.audience, " ")))
	case !c.issues(p.issuer):
		return errors.New("is of another user pool: " + quoted(p.issuer))
	case p.subject == "":
		return errors.New("names no user")
	}
	return nil
}

// partitionSuffixes are the domains of AWS's partitions.
var partitionSuffixes = []string{"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov"}

// issues reports whether the user pool's tokens have this issuer. There are two forms, depending on the pool's settings; a
// replicated pool names either of its regions; and what stands behind an endpoint override may name that.
func (c *Client) issues(issuer string) bool {
	if c.o.Endpoint != "" && issuer == strings.TrimRight(c.o.Endpoint, "/")+"/"+c.o.UserPoolID {
		return true
	}
	host, found := strings.CutPrefix(issuer, "https://")
	host, matches := strings.CutSuffix(host, "/"+c.o.UserPoolID)
	if !found || !matches {
		return false
	}
	host, found = strings.CutPrefix(strings.TrimPrefix(host, "issuer-"), "cognito-idp.")
	region, suffix, _ := strings.Cut(host, ".")
	home := strings.TrimSuffix(c.o.UserPoolID, "_"+srp.PoolName(c.o.UserPoolID))
	return found && (region == c.o.Region || region == home) && slices.Contains(partitionSuffixes, suffix)
}

func (c *Client) unusable(operation string, x *exchange, err error) error {
	kind := token.BadProfile
	if operation == opRefresh {
		kind = Transient.kind() // no reason to give the session up
	}
	return &token.Error{
		Kind:    kind,
		Message: "the endpoint's tokens are not those of the app client " + c.o.ClientID,
		Next:    strings.ReplaceAll(checkPool, " {in}", in(c.o.Profile)),
		Err:     &Error{Operation: operation, Status: x.status, Sent: true, Err: err},
	}
}

// named says which token an error is about, in text that is fit to print.
func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return errors.New(what + ": " + safetext.Line(err.Error(), maxText))
}
