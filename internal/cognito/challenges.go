package cognito

import "context"

// responder finds the ChallengeResponses to a challenge, USERNAME, DEVICE_KEY, and SECRET_HASH aside. It may replace the
// challengeSession, where calls of its own gave a newer one.
type responder func(context.Context, *login, *step) (map[string]string, error)

// challenges are those that are built. Source: RespondToAuthChallenge in the API reference.
var challenges = map[string]responder{
	"PASSWORD_VERIFIER":    respondPasswordVerifier,
	factorPassword:         respondPassword,
	factorSRP:              respondPasswordSRP,
	selectChallenge:        respondSelectChallenge,
	selectMFA:              respondSelectMFA,
	mfaSetup:               respondMFASetup,
	customChallenge:        respondCustom,
	webAuthn:               respondWebAuthn,
	deviceSRP:              respondDeviceSRP,
	devicePasswordVerifier: respondDeviceVerifier,
	newPasswordRequired:    respondNewPassword,
	"SOFTWARE_TOKEN_MFA":   respondCode("code from the authenticator app"),
	"SMS_MFA":              respondCode("code from the text message"),
	"SMS_OTP":              respondCode("code from the text message"),
	"EMAIL_OTP":            respondCode("code from the e-mail"),
}
