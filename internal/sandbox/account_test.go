package sandbox

import (
	"testing"
	"time"
)

// about is the input of an operation on somebody's account.
func (c *testClient) about(username string, more m) m {
	in := m{"ClientId": c.client, "Username": username}
	if c.secret != "" {
		in["SecretHash"] = c.hash(username)
	}
	for k, v := range more {
		in[k] = v
	}
	return in
}

// done ends the test unless the answer is no error.
func (a answerOf) done(t *testing.T) answerOf {
	t.Helper()
	if a.Status != 200 {
		t.Fatalf("got %s", a)
	}
	return a
}

func TestSignUp(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 2)
	ruth := func(operation string, more m) answerOf { t.Helper(); return c.do(operation, c.about("ruth", more)) }
	email := []m{{"Name": "email", "Value": "ruth@example.com"}}
	ruth("SignUp", m{"Password": "short"}).refused(t, "InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	a := ruth("SignUp", m{"Password": "Ruth's own 1", "UserAttributes": email}).done(t)
	if to := a.Raw["CodeDeliveryDetails"].(m); a.Raw["UserConfirmed"] != false || len(a.Raw["UserSub"].(string)) != 36 || to["Destination"] != "r***@e***" {
		t.Fatal(a.Raw)
	}
	ruth("SignUp", m{"Password": "Ruth's own 1"}).refused(t, "UsernameExistsException", "User already exists")
	c.signIn("ruth", "Ruth's own 1").refused(t, "UserNotConfirmedException", "User is not confirmed.")
	before := s.Codes("ruth")["SIGN_UP"]
	to := ruth("ResendConfirmationCode", nil).done(t).Raw["CodeDeliveryDetails"].(m)
	code := s.Codes("ruth")["SIGN_UP"]
	if code == before || to["DeliveryMedium"] != "EMAIL" {
		t.Errorf("code %s, then %s to %v", before, code, to)
	}
	ruth("ConfirmSignUp", m{"ConfirmationCode": before}).refused(t, "CodeMismatchException", "Invalid verification code provided, please try again.")
	s.Advance(24 * time.Hour)
	ruth("ConfirmSignUp", m{"ConfirmationCode": code}).refused(t, "ExpiredCodeException", "Invalid code provided, please request a code again.")
	ruth("ResendConfirmationCode", nil).done(t)
	ok := ruth("ConfirmSignUp", m{"ConfirmationCode": s.Codes("ruth")["SIGN_UP"]}).done(t)
	ruth("ConfirmSignUp", m{"ConfirmationCode": code}).refused(t, "NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
	ruth("ResendConfirmationCode", nil).refused(t, "InvalidParameterException", "User is already confirmed.")

	at := func(username string) answerOf {
		return c.do("InitiateAuth", m{"AuthFlow": "USER_AUTH", "ClientId": c.client, "Session": ok.Session,
			"AuthParameters": c.withHash(params{"USERNAME": username}, username)})
	}
	at("bob").refused(t, "NotAuthorizedException", "Invalid session for the user.")
	at("ruth").grants(t)
	at("ruth").refused(t, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	c.signIn("ruth", "Ruth's own 1").grants(t)
	if err := s.SetTriggerErrors(params{"PreSignUp": "no more members"}); err != nil {
		t.Fatal(err)
	}
	c.do("SignUp", c.about("rose", m{"Password": "Rose's own 1"})).refused(t, "UserLambdaValidationException", "PreSignUp failed with error no more members.")
}

func TestSignUpWhereNamesAreAddresses(t *testing.T) {
	config := sample(t)
	config.UserPool.Triggers = nil
	s := newServer(t, config)
	c := newClient(t, s, 1)
	c.do("SignUp", c.about("ruth@example.com", m{"Password": "Ruth's own 1"})).done(t)
	c.do("ConfirmSignUp", c.about("ruth@example.com", m{"ConfirmationCode": s.Codes("ruth@example.com")["SIGN_UP"]})).done(t)
	c.signIn("ruth@example.com", "Ruth's own 1").grants(t)
}

func TestForgotPassword(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.CodeAttempts = 2
	s := newServer(t, config)
	c := newClient(t, s, 2)
	bob := func(operation string, more m) answerOf { t.Helper(); return c.do(operation, c.about("bob", more)) }
	if err := s.SetStatus("bob", "RESET_REQUIRED"); err != nil {
		t.Fatal(err)
	}
	c.signIn("bob", bobsPassword).refused(t, "PasswordResetRequiredException", "Password reset required for the user")
	if to := bob("ForgotPassword", nil).done(t).Raw["CodeDeliveryDetails"].(m); to["Destination"] != "b***@e***" || to["AttributeName"] != "email" {
		t.Error(to)
	}
	code := s.Codes("bob")["FORGOT_PASSWORD"]
	confirm := func(code, password string) answerOf {
		t.Helper()
		return bob("ConfirmForgotPassword", m{"ConfirmationCode": code, "Password": password})
	}
	confirm(code, "short").refused(t, "InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	confirm("x", "Something new 1").refused(t, "CodeMismatchException", "Invalid verification code provided, please try again.")
	confirm(code, "Something new 1").done(t)
	confirm(code, "Something new 2").refused(t, "ExpiredCodeException", "Invalid code provided, please request a code again.")
	c.signIn("bob", "Something new 1").grants(t)

	bob("ForgotPassword", nil).done(t)
	for range 2 {
		confirm("x", "Something new 1").refused(t, "CodeMismatchException", "Invalid verification code provided, please try again.")
	}
	confirm(s.Codes("bob")["FORGOT_PASSWORD"], "Something new 1").refused(t, "LimitExceededException", "Attempt limit exceeded, please try after some time.")
	bob("ForgotPassword", nil).done(t)
	s.Advance(time.Hour)
	confirm(s.Codes("bob")["FORGOT_PASSWORD"], "Something new 1").refused(t, "ExpiredCodeException", "Invalid code provided, please request a code again.")

	if err := s.SetStatus("bob", "FORCE_CHANGE_PASSWORD"); err != nil {
		t.Fatal(err)
	}
	bob("ForgotPassword", nil).refused(t, "NotAuthorizedException", "User password cannot be reset in the current state.")
	bob("ForgotPassword", m{"SecretHash": "x"}).refused(t, "NotAuthorizedException", "Unable to verify secret hash for client "+c.client)
	c.do("ForgotPassword", c.about("", nil)).refused(t, "InvalidParameterException", "Missing required parameter USERNAME")
}

// Operations on nobody's account look as they do for somebody, unless the client shows unknown users.
func TestAccountsOfNobody(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[1].ShowUnknownUsers = true
	s := newServer(t, config)
	c := newClient(t, s, 0)
	for _, operation := range []string{"ForgotPassword", "ResendConfirmationCode"} {
		if a := c.do(operation, c.about("nobody", nil)).done(t); a.Raw["CodeDeliveryDetails"] == nil {
			t.Error(a.Raw)
		}
	}
	c.do("ConfirmForgotPassword", c.about("nobody", m{"ConfirmationCode": "1", "Password": "Something 1"})).
		refused(t, "CodeMismatchException", "Invalid verification code provided, please try again.")
	c.do("ConfirmSignUp", c.about("nobody", m{"ConfirmationCode": "1"})).
		refused(t, "ExpiredCodeException", "Invalid code provided, please request a code again.")
	legacy := newClient(t, s, 1)
	for _, operation := range []string{"ForgotPassword", "ResendConfirmationCode", "ConfirmForgotPassword", "ConfirmSignUp"} {
		legacy.do(operation, legacy.about("nobody", nil)).refused(t, "UserNotFoundException", "Username/client id combination not found.")
	}
}

func TestChangePassword(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	a := c.tokens()
	change := func(before, after string) answerOf {
		return c.do("ChangePassword", m{"AccessToken": a.AuthenticationResult.AccessToken, "PreviousPassword": before, "ProposedPassword": after})
	}
	change("wrong", "Something new 1").refused(t, "NotAuthorizedException", "Incorrect username or password.")
	change(bobsPassword, "short").refused(t, "InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	change(bobsPassword, "Something new 1").done(t)
	c.signIn("bob", "Something new 1").grants(t)
	c.mustRefresh(a.AuthenticationResult.RefreshToken) // the sign-in stays
	c.do("ChangePassword", m{"AccessToken": "x"}).refused(t, "NotAuthorizedException", "Invalid Access Token")
}

func TestSecretsChange(t *testing.T) {
	s := newServer(t, DefaultConfig())
	old := newClient(t, s, 2)
	next := *old
	next.secret = "the second secret"
	if err := s.SetSecrets(old.client, old.secret, next.secret); err != nil {
		t.Fatal(err)
	}
	old.tokens()
	next.tokens()
	if err := s.SetSecrets(old.client, next.secret, ""); err != nil {
		t.Fatal(err)
	}
	next.tokens()
	_, a := old.startSRP("bob")
	a.refused(t, "NotAuthorizedException", "Unable to verify secret hash for client "+old.client)
	if s.SetSecrets("none", "x", "") == nil || s.SetSecrets(DefaultConfig().UserPool.Clients[0].ID, "x", "") == nil {
		t.Error("a public client, or none, got a secret")
	}
}
