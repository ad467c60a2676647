package sandbox

import (
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// authenticator is the code that an app shows for a SecretCode at the sandbox's time.
func authenticator(t *testing.T, s *Server, a answerOf) string {
	t.Helper()
	secret, _ := a.Raw["SecretCode"].(string)
	key, err := userpool.DecodeTOTPSecret(secret)
	if err != nil {
		t.Fatalf("%v: %v", a.Raw, err)
	}
	return userpool.TOTP(key, s.clock.Now())
}

func TestSetupDuringSignIn(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.MFA = "ON"
	s := newServer(t, config)
	c := newClient(t, s, 0)
	a := c.signIn("bob", bobsPassword).asks(t, "MFA_SETUP")
	if a.ChallengeParameters["MFAS_CAN_SETUP"] != `["SOFTWARE_TOKEN_MFA"]` {
		t.Fatal(a.ChallengeParameters)
	}
	given := c.do("AssociateSoftwareToken", m{"Session": a.Session})
	c.do("AssociateSoftwareToken", m{"Session": a.Session}).
		refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	c.respond("MFA_SETUP", given.Session, params{"USERNAME": "bob"}).
		refused(t, "SoftwareTokenMFANotFoundException", "Software Token MFA has not been verified")
	c.do("VerifySoftwareToken", m{"Session": given.Session, "UserCode": "000"}).
		refused(t, "EnableSoftwareTokenMFAException", "Code mismatch")
	code := authenticator(t, s, given)
	if s.Codes("bob")["MFA_SETUP"] != code {
		t.Errorf("the control path shows %v", s.Codes("bob"))
	}
	done := c.do("VerifySoftwareToken", m{"Session": given.Session, "UserCode": code, "FriendlyDeviceName": "phone"})
	if done.Raw["Status"] != "SUCCESS" || done.Session == "" || done.Session == given.Session {
		t.Fatal(done.Raw)
	}
	c.respond("MFA_SETUP", done.Session, params{"USERNAME": "bob"}).grants(t)

	a = c.signIn("bob", bobsPassword).asks(t, "SOFTWARE_TOKEN_MFA")
	if a.ChallengeParameters["FRIENDLY_DEVICE_NAME"] != "phone" {
		t.Error(a.ChallengeParameters)
	}
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, params{"USERNAME": "bob", "SOFTWARE_TOKEN_MFA_CODE": code}).
		refused(t, "ExpiredCodeException", "Your software token has already been used once.")
	s.Advance(30 * time.Second)
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, params{"USERNAME": "bob", "SOFTWARE_TOKEN_MFA_CODE": s.TOTP("bob")}).grants(t)
	for _, operation := range []string{"AssociateSoftwareToken", "VerifySoftwareToken"} {
		c.do(operation, m{"Session": "none"}).refused(t, "NotAuthorizedException", "Invalid session for the user.")
		c.do(operation, m{}).refused(t, "InvalidParameterException", "Missing required parameter Session")
	}
}

func TestFactorsOfTheSignedIn(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	access := c.tokens().AuthenticationResult.AccessToken
	prefer := func(settings m) answerOf {
		settings["AccessToken"] = access
		return c.do("SetUserMFAPreference", settings)
	}
	on, preferred := m{"Enabled": true}, m{"Enabled": true, "PreferredMfa": true}
	prefer(m{"SoftwareTokenMfaSettings": on}).refused(t, "InvalidParameterException", "User has not verified software token mfa")
	c.do("VerifySoftwareToken", m{"AccessToken": access, "UserCode": "1"}).refused(t, "InvalidParameterException", "Software token has not been associated.")
	given := c.do("AssociateSoftwareToken", m{"AccessToken": access})
	c.do("VerifySoftwareToken", m{"AccessToken": access, "UserCode": "1"}).refused(t, "EnableSoftwareTokenMFAException", "Code mismatch")
	if done := c.do("VerifySoftwareToken", m{"AccessToken": access, "UserCode": authenticator(t, s, given)}); done.Raw["Status"] != "SUCCESS" {
		t.Fatal(done)
	}
	c.tokens() // registered, but not turned on
	if a := prefer(m{"SoftwareTokenMfaSettings": on, "EmailMfaSettings": on, "SMSMfaSettings": on}); a.Status != 200 {
		t.Fatal(a)
	}
	a := c.signIn("bob", bobsPassword).asks(t, "SELECT_MFA_TYPE")
	if a.ChallengeParameters["MFAS_CAN_CHOOSE"] != `["SMS_MFA","SOFTWARE_TOKEN_MFA","EMAIL_OTP"]` {
		t.Fatal(a.ChallengeParameters)
	}
	b := c.respond("SELECT_MFA_TYPE", a.Session, params{"USERNAME": "bob", "ANSWER": "EMAIL_OTP"}).asks(t, "EMAIL_OTP")
	c.respond("EMAIL_OTP", b.Session, params{"USERNAME": "bob", "EMAIL_OTP_CODE": "x"}).refused(t, "CodeMismatchException", "Invalid code received for user")
	c.respond("EMAIL_OTP", b.Session, params{"USERNAME": "bob", "EMAIL_OTP_CODE": s.Codes("bob")["EMAIL_OTP"]}).grants(t)
	prefer(m{"EmailMfaSettings": preferred})
	c.signIn("bob", bobsPassword).asks(t, "EMAIL_OTP")
	f := c.do("GetUserAuthFactors", m{"AccessToken": access})
	if f.Raw["PreferredMfaSetting"] != "EMAIL_OTP" || len(f.Raw["UserMFASettingList"].([]any)) != 3 || f.Raw["ConfiguredUserAuthFactors"].([]any)[0] != "PASSWORD" {
		t.Error(f.Raw)
	}
	prefer(m{"EmailMfaSettings": preferred, "SMSMfaSettings": preferred}).refused(t, "InvalidParameterException", "Only one MFA method can be set as preferred")
	prefer(m{"SMSMfaSettings": m{"PreferredMfa": true}}).refused(t, "InvalidParameterException", "Invalid MFA setting. SMS_MFA cannot be preferred without being enabled")
	off := m{"Enabled": false}
	prefer(m{"SoftwareTokenMfaSettings": off, "EmailMfaSettings": off, "SMSMfaSettings": off})
	c.tokens()
	if f = c.do("GetUserAuthFactors", m{"AccessToken": access}); f.Raw["PreferredMfaSetting"] != nil {
		t.Error(f.Raw)
	}
	c.do("GetUserAuthFactors", m{"AccessToken": "x"}).refused(t, "NotAuthorizedException", "Invalid Access Token")
}
