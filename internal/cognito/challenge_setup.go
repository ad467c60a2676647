package cognito

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	mfaSetup = "MFA_SETUP"
	totp     = "SOFTWARE_TOKEN_MFA"
)

// setup is an authenticator app that is being set up. It outlives a wrong code, so that a person scans one code once.
type setup struct {
	secret  token.Secret
	session *string
	done    bool // the app's first code was right
}

// respondMFASetup sets up an authenticator app within the sign-in. An e-mail address or a phone number cannot be: those are
// attributes of the user.
func respondMFASetup(ctx context.Context, l *login, at *step) (map[string]string, error) {
	offered, err := listed("MFAS_CAN_SETUP", at.parameters["MFAS_CAN_SETUP"])
	if err != nil {
		return nil, err
	}
	if len(offered) > 0 && !slices.Contains(offered, totp) {
		return nil, &token.Error{
			Kind:    token.Refused,
			Message: "the user must set up MFA by " + plain(strings.Join(offered, " or ")) + ", which cannot be done while signing in",
			Next:    askAdministrator + " to set the user's e-mail address or phone number",
		}
	}
	if l.setup == nil {
		secret, session, err := l.c.associate(ctx, &cip.AssociateSoftwareTokenInput{Session: at.session})
		if err != nil {
			return nil, err
		}
		l.setup = &setup{secret: secret, session: session}
	}
	if err := l.verifySetup(ctx, at.name); err != nil {
		return nil, err
	}
	at.session = l.setup.session
	return map[string]string{}, nil
}

func (l *login) verifySetup(ctx context.Context, name string) error {
	if l.setup.done {
		return nil
	}
	code, err := l.question(ctx, challenge.Question{
		Challenge: name, Name: totp + codeSuffix, Label: "code from the authenticator app, once it has the new secret",
		URI: TOTPURI(l.c.issuerName(), l.typed[challenge.Username].Reveal(), l.setup.secret),
	})
	if err != nil {
		return err
	}
	session, err := l.c.verifyTOTP(ctx, &cip.VerifySoftwareTokenInput{Session: l.setup.session, UserCode: aws.String(code)})
	if err != nil {
		return err
	}
	l.setup.session, l.setup.done = session, true
	l.forgetOnce() // an app's code that was accepted is used up
	return nil
}

// issuerName is what an authenticator app shows above the code.
func (c *Client) issuerName() string {
	if c.o.Profile == "" {
		return c.o.UserPoolID
	}
	return c.o.Profile
}

// TOTPURI writes what an authenticator app takes as text or as a QR code. It holds the secret.
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func TOTPURI(issuer, user string, secret token.Secret) token.Secret {
	// The label's one colon parts issuer and account.
	issuer = strings.ReplaceAll(issuer, ":", " ")
	return token.NewSecret("otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(user) +
		"?secret=" + url.QueryEscape(strings.TrimRight(secret.Reveal(), "=")) + "&issuer=" + strings.ReplaceAll(url.QueryEscape(issuer), "+", "%20"))
}
