package sandbox

import (
	"encoding/base64"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// machine is what a client keeps of a remembered device.
type machine struct{ key, group, password string }

func deviceServer(t *testing.T, devices string) (*Server, *testClient) {
	t.Helper()
	config := DefaultConfig()
	config.UserPool.Devices = devices
	config.UserPool.CustomAuth.Rounds = []userpool.Round{{Answer: "blue"}}
	s := newServer(t, config)
	return s, newClient(t, s, 2)
}

// verifierOf is the client's side of ConfirmDevice.
func (d machine) verifierOf() m {
	n := newSRP().n
	salt := new(big.Int).SetBytes([]byte{0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) // the top bit is set
	x := new(big.Int).SetBytes(sum(javaBytes(salt), sum([]byte(d.group+d.key+":"+d.password))))
	return m{"Salt": base64.StdEncoding.EncodeToString(javaBytes(salt)),
		"PasswordVerifier": base64.StdEncoding.EncodeToString(javaBytes(new(big.Int).Exp(big.NewInt(2), x, n)))}
}

// confirm makes the new device of a sign-in usable.
func (c *testClient) confirm(a answerOf) machine {
	c.t.Helper()
	meta := a.AuthenticationResult.NewDeviceMetadata
	if meta == nil || meta.DeviceKey == "" || meta.DeviceGroupKey == "" {
		c.t.Fatalf("no device: %v", a.Raw)
	}
	d := machine{meta.DeviceKey, meta.DeviceGroupKey, "device password"}
	b := c.do("ConfirmDevice", m{"AccessToken": a.AuthenticationResult.AccessToken, "DeviceKey": d.key, "DeviceName": "laptop",
		"DeviceSecretVerifierConfig": d.verifierOf()})
	if b.Status != 200 {
		c.t.Fatal(b)
	}
	return d
}

// signInFrom proves alice's password from a device.
func (c *testClient) signInFrom(d machine) answerOf {
	c.t.Helper()
	x, a := c.startSRP("alice")
	claim := c.claim(x, alicesPassword, now(), a.ChallengeParameters)
	claim["DEVICE_KEY"] = d.key
	return c.respond("PASSWORD_VERIFIER", a.Session, claim)
}

// prove answers DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER.
func (c *testClient) prove(username, session string, d machine) answerOf {
	c.t.Helper()
	x := newSRP()
	a := c.respond("DEVICE_SRP_AUTH", session, c.withHash(params{"USERNAME": username, "DEVICE_KEY": d.key, "SRP_A": x.bigA.Text(16)}, username)).
		asks(c.t, "DEVICE_PASSWORD_VERIFIER")
	stamp := now()
	p := a.ChallengeParameters
	return c.respond("DEVICE_PASSWORD_VERIFIER", a.Session, c.withHash(params{"USERNAME": username, "DEVICE_KEY": d.key, "TIMESTAMP": stamp,
		"PASSWORD_CLAIM_SECRET_BLOCK": p["SECRET_BLOCK"], "PASSWORD_CLAIM_SIGNATURE": x.signAs(d.group, d.key, d.password, stamp, p)}, username))
}

// firstSignIn goes through MFA on a new machine.
func firstSignIn(t *testing.T, s *Server, c *testClient) (machine, answerOf) {
	t.Helper()
	a := c.signIn("alice", alicesPassword).asks(t, "SOFTWARE_TOKEN_MFA")
	a = c.respond("SOFTWARE_TOKEN_MFA", a.Session, c.withHash(params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": s.TOTP("alice")}, "alice")).grants(t)
	return c.confirm(a), a
}

func TestRememberedDevice(t *testing.T) {
	s, c := deviceServer(t, "ALWAYS")
	d, first := firstSignIn(t, s, c)
	if claims(t, first.AuthenticationResult.AccessToken)["device_key"] != d.key {
		t.Error("the access token doesn't name the device")
	}
	a := c.signInFrom(d).asks(t, "DEVICE_SRP_AUTH")
	a = c.prove("alice", a.Session, d).grants(t)
	if a.AuthenticationResult.NewDeviceMetadata != nil {
		t.Error("a known device got a new name")
	}
	wrong := d
	wrong.password = "another"
	a = c.signInFrom(d).asks(t, "DEVICE_SRP_AUTH")
	c.prove("alice", a.Session, wrong).refused(t, "NotAuthorizedException", "Incorrect username or password.")

	a = c.initiate("CUSTOM_AUTH", params{"USERNAME": "alice"}).asks(t, "CUSTOM_CHALLENGE")
	a = c.respond("CUSTOM_CHALLENGE", a.Session, c.withHash(params{"USERNAME": "alice", "ANSWER": "blue", "DEVICE_KEY": d.key}, "alice")).asks(t, "DEVICE_SRP_AUTH")
	c.prove("alice", a.Session, d).grants(t)
	a = c.initiate("USER_PASSWORD_AUTH", params{"USERNAME": "alice", "PASSWORD": alicesPassword, "DEVICE_KEY": d.key}).asks(t, "DEVICE_SRP_AUTH")
	c.prove("alice", a.Session, d).grants(t)
}

// The JavaScript clients answer "Device does not exist." by sending the same proof again without the device.
func TestForgottenDevice(t *testing.T) {
	s, c := deviceServer(t, "ALWAYS")
	d, first := firstSignIn(t, s, c)
	if err := s.EditUser("alice", userpool.Edit{ForgetDevices: true}); err != nil {
		t.Fatal(err)
	}
	x, a := c.startSRP("alice")
	claim := c.claim(x, alicesPassword, now(), a.ChallengeParameters)
	claim["DEVICE_KEY"] = d.key
	c.respond("PASSWORD_VERIFIER", "", claim).refused(t, "ResourceNotFoundException", "Device does not exist.")
	delete(claim, "DEVICE_KEY")
	c.respond("PASSWORD_VERIFIER", "", claim).asks(t, "SOFTWARE_TOKEN_MFA")
	c.initiate("USER_PASSWORD_AUTH", params{"USERNAME": "alice", "PASSWORD": alicesPassword, "DEVICE_KEY": d.key}).
		refused(t, "ResourceNotFoundException", "Device does not exist.")
	a = c.signIn("alice", alicesPassword).asks(t, "SOFTWARE_TOKEN_MFA")
	s.Advance(30 * time.Second)
	code := c.withHash(params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": s.TOTP("alice"), "DEVICE_KEY": d.key}, "alice")
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, code).refused(t, "ResourceNotFoundException", "Device does not exist.")
	delete(code, "DEVICE_KEY")
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, code).grants(t) // neither the code nor the session was used up
	in := c.refreshInput(first.AuthenticationResult.RefreshToken)
	in["DeviceKey"] = d.key
	c.do("GetTokensFromRefreshToken", in).refused(t, "NotAuthorizedException", "Invalid Refresh Token.")
}

func TestRefreshIsBoundToTheDevice(t *testing.T) {
	s, c := deviceServer(t, "ALWAYS")
	a := c.tokens()
	refresh := func(key string) answerOf {
		in := c.refreshInput(a.AuthenticationResult.RefreshToken)
		in["DeviceKey"] = key
		return c.do("GetTokensFromRefreshToken", in)
	}
	key := a.AuthenticationResult.NewDeviceMetadata.DeviceKey
	refresh(key).refused(t, "NotAuthorizedException", "Invalid Refresh Token.") // not confirmed yet
	c.confirm(a)
	refresh("").refused(t, "NotAuthorizedException", "Invalid Refresh Token.")
	refresh("eu-central-1_other").refused(t, "NotAuthorizedException", "Invalid Refresh Token.")
	refresh(key).grants(t)
	plain := newClient(t, s, 1)
	a = plain.tokens()
	d := plain.confirm(a)
	token := a.AuthenticationResult.RefreshToken
	plain.initiate("REFRESH_TOKEN_AUTH", params{"REFRESH_TOKEN": token}).refused(t, "NotAuthorizedException", "Invalid Refresh Token.")
	if b := plain.initiate("REFRESH_TOKEN", params{"REFRESH_TOKEN": token, "DEVICE_KEY": d.key}); b.AuthenticationResult.AccessToken == "" {
		t.Error(b)
	}
}

func TestDeviceOperations(t *testing.T) {
	s, c := deviceServer(t, "OPT_IN")
	d, a := firstSignIn(t, s, c)
	access := a.AuthenticationResult.AccessToken
	about := func(operation string, more m) answerOf {
		in := m{"AccessToken": access, "DeviceKey": d.key}
		for k, v := range more {
			in[k] = v
		}
		return c.do(operation, in)
	}
	about("ConfirmDevice", m{"DeviceSecretVerifierConfig": d.verifierOf()}).refused(t, "DeviceKeyExistsException", "Device key already exists.")
	c.signInFrom(d).asks(t, "SOFTWARE_TOKEN_MFA") // not remembered yet
	if b := about("UpdateDeviceStatus", m{"DeviceRememberedStatus": "perhaps"}); b.Type != "InvalidParameterException" {
		t.Error(b)
	}
	if b := about("UpdateDeviceStatus", m{"DeviceRememberedStatus": "remembered"}); b.Status != 200 {
		t.Fatal(b)
	}
	c.signInFrom(d).asks(t, "DEVICE_SRP_AUTH")
	got := about("GetDevice", nil).Raw["Device"].(m)
	status := slices.ContainsFunc(got["DeviceAttributes"].([]any), func(x any) bool {
		return x.(m)["Name"] == "dev:device_remembered_status" && x.(m)["Value"] == "remembered"
	})
	if got["DeviceKey"] != d.key || got["DeviceCreateDate"].(float64) < 1e9 || !status {
		t.Error(got)
	}
	second := c.confirm(c.tokensOf("alice", s))
	list := c.do("ListDevices", m{"AccessToken": access, "Limit": 1})
	if n := len(list.Raw["Devices"].([]any)); n != 1 || list.Raw["PaginationToken"] == nil {
		t.Fatal(list.Raw)
	}
	list = c.do("ListDevices", m{"AccessToken": access, "Limit": 1, "PaginationToken": list.Raw["PaginationToken"]})
	if x := list.Raw["Devices"].([]any); len(x) != 1 || x[0].(m)["DeviceKey"] != second.key || list.Raw["PaginationToken"] != nil {
		t.Fatal(list.Raw)
	}
	if b := about("ForgetDevice", nil); b.Status != 200 {
		t.Fatal(b)
	}
	for _, operation := range []string{"ForgetDevice", "GetDevice", "ConfirmDevice", "UpdateDeviceStatus"} {
		about(operation, nil).refused(t, "ResourceNotFoundException", "Device does not exist.")
	}
	about("ForgetDevice", m{"DeviceKey": ""}).refused(t, "InvalidParameterException", "Missing required parameter DeviceKey")
	if b := c.do("ListDevices", m{"AccessToken": access, "Limit": 61}); b.Type != "InvalidParameterException" {
		t.Error(b)
	}
}

// tokensOf signs alice in with the next code of hers.
func (c *testClient) tokensOf(username string, s *Server) answerOf {
	c.t.Helper()
	s.Advance(30 * time.Second)
	a := c.signIn(username, alicesPassword).asks(c.t, "SOFTWARE_TOKEN_MFA")
	return c.respond("SOFTWARE_TOKEN_MFA", a.Session, c.withHash(params{"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": s.TOTP(username)}, username)).grants(c.t)
}

func TestVerifiersThatAreNone(t *testing.T) {
	_, c := deviceServer(t, "ALWAYS")
	a := c.tokens()
	good := machine{password: "x"}.verifierOf()
	for name, change := range map[string]m{
		"no base64":   {"Salt": "!"},
		"empty":       {"PasswordVerifier": ""},
		"negative":    {"PasswordVerifier": "gA=="},
		"zero padded": {"Salt": "AAE="},
		"beyond N":    {"PasswordVerifier": base64.StdEncoding.EncodeToString(javaBytes(new(big.Int).Lsh(newSRP().n, 1)))},
	} {
		t.Run(name, func(t *testing.T) {
			verifier := m{"Salt": good["Salt"], "PasswordVerifier": good["PasswordVerifier"]}
			for k, v := range change {
				verifier[k] = v
			}
			c.do("ConfirmDevice", m{"AccessToken": a.AuthenticationResult.AccessToken, "DeviceKey": a.AuthenticationResult.NewDeviceMetadata.DeviceKey,
				"DeviceSecretVerifierConfig": verifier}).refused(t, "InvalidParameterException", "Invalid device secret verifier.")
		})
	}
}
