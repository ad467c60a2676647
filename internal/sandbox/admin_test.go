package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// admin sends AdminInitiateAuth, signed with the SDK's signer; no keys, no signature.
func (c *testClient) admin(k aws.Credentials, service string, in m) answerOf {
	c.t.Helper()
	body, _ := json.Marshal(in)
	r, _ := http.NewRequest("POST", c.s.URL()+"/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.AdminInitiateAuth")
	if k.AccessKeyID != "" {
		sum := sha256.Sum256(body)
		if err := v4.NewSigner().SignHTTP(context.Background(), k, r, hex.EncodeToString(sum[:]), service, "eu-central-1", time.Now()); err != nil {
			c.t.Fatal(err)
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	out := answerOf{}
	json.Unmarshal(data, &out)
	out.Status, out.Header = res.StatusCode, res.Header
	return out
}

func TestAdminInitiateAuth(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[1].Flows = []string{"ALLOW_USER_SRP_AUTH"}
	s := newServer(t, config)
	c := newClient(t, s, 0)
	k := aws.Credentials{AccessKeyID: config.AWSKeys[0].AccessKeyID, SecretAccessKey: config.AWSKeys[0].SecretAccessKey}
	in := func(change m) m {
		in := m{"UserPoolId": c.pool, "ClientId": c.client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
			"AuthParameters": params{"USERNAME": "bob", "PASSWORD": bobsPassword}, "ContextData": m{"IpAddress": "192.0.2.1"}}
		for k, v := range change {
			in[k] = v
		}
		return in
	}
	c.admin(k, "cognito-idp", in(nil)).grants(t)
	c.admin(k, "cognito-idp", in(m{"AuthFlow": "ADMIN_NO_SRP_AUTH"})).grants(t)
	a := c.admin(k, "cognito-idp", in(m{"AuthParameters": params{"USERNAME": "alice", "PASSWORD": alicesPassword}})).asks(t, "SOFTWARE_TOKEN_MFA")
	c.respond("SOFTWARE_TOKEN_MFA", a.Session, params{"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": s.TOTP("alice")}).grants(t)
	if x := s.RequestContexts(); len(x) != 3 || x[0].Operation != "AdminInitiateAuth" || x[0].IPAddress != "192.0.2.1" {
		t.Errorf("%+v", x)
	}
	role := c.keys(c.tokens().AuthenticationResult.IdToken)
	for _, x := range []struct {
		name    string
		keys    aws.Credentials
		service string
		in      m
		code    string
	}{
		{"no signature", aws.Credentials{}, "", in(nil), "MissingAuthenticationTokenException"},
		{"unknown key", aws.Credentials{AccessKeyID: "AKIA0", SecretAccessKey: "x"}, "cognito-idp", in(nil), "UnrecognizedClientException"},
		{"wrong secret", aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: "x"}, "cognito-idp", in(nil), "InvalidSignatureException"},
		{"other service", k, "sts", in(nil), "InvalidSignatureException"},
		{"a role without the permission", role, "cognito-idp", in(nil), "AccessDeniedException"},
		{"other pool", k, "cognito-idp", in(m{"UserPoolId": "eu-central-1_Other"}), "ResourceNotFoundException"},
		{"flow of InitiateAuth", k, "cognito-idp", in(m{"AuthFlow": "USER_PASSWORD_AUTH"}), "InvalidParameterException"},
		{"flow off", k, "cognito-idp", in(m{"ClientId": config.UserPool.Clients[1].ID}), "InvalidParameterException"},
		{"wrong password", k, "cognito-idp", in(m{"AuthParameters": params{"USERNAME": "bob", "PASSWORD": "x"}}), "NotAuthorizedException"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if a := c.admin(x.keys, x.service, x.in); a.Status != 400 || a.Type != x.code {
				t.Errorf("%s", a)
			}
		})
	}
	if a := c.callerIdentity(k, time.Now(), "sts", func(*http.Request) {}); a.Result.Arn != "arn:aws:iam::123456789012:user/sandbox" {
		t.Errorf("%+v", a)
	}
	if _, err := ParseConfig([]byte(`{"aws_keys":[{"access_key_id":"x","secret":"y"}]}`)); err == nil {
		t.Error("a misspelt key was accepted")
	}
}
