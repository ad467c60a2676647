package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func (c *testClient) mustRefresh(token string) answerOf {
	c.t.Helper()
	a := c.refresh(token)
	if a.AuthenticationResult.AccessToken == "" {
		c.t.Fatalf("refresh: %s", a)
	}
	return a
}

func TestRotationAndForks(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	reuse := func(token string) {
		t.Helper()
		c.refresh(token).refused(t, "RefreshTokenReuseException", "Refresh token reuse detected")
	}
	first := c.tokens().AuthenticationResult.RefreshToken
	if len(first) < 1000 || strings.Count(first, ".") != 4 {
		t.Fatalf("refresh token of %d characters", len(first))
	}
	left := c.mustRefresh(first).AuthenticationResult.RefreshToken
	s.Advance(59 * time.Second)
	right := c.mustRefresh(first).AuthenticationResult.RefreshToken // replay inside the grace forks
	reuse(left)                                                     // only the newest child goes on
	s.Advance(time.Second)
	reuse(first) // outside the grace, which began with the first use
	next := c.mustRefresh(right).AuthenticationResult.RefreshToken
	c.mustRefresh(next) // reuse didn't end the family
}

// A branch that a replay abandoned is reuse as a whole, also where its tokens are inside their own grace.
func TestAbandonedBranch(t *testing.T) {
	c := newClient(t, newServer(t, DefaultConfig()), 0)
	first := c.tokens().AuthenticationResult.RefreshToken
	used := c.mustRefresh(first).AuthenticationResult.RefreshToken
	leaf := c.mustRefresh(used).AuthenticationResult.RefreshToken
	fork := c.mustRefresh(first).AuthenticationResult.RefreshToken
	for _, abandoned := range []string{used, leaf} {
		c.refresh(abandoned).refused(t, "RefreshTokenReuseException", "Refresh token reuse detected")
	}
	c.mustRefresh(fork)
}

func TestGraceZero(t *testing.T) {
	c := newClient(t, newServer(t, DefaultConfig()), 3)
	first := c.tokens().AuthenticationResult.RefreshToken
	second := c.mustRefresh(first).AuthenticationResult.RefreshToken
	c.refresh(first).refused(t, "RefreshTokenReuseException", "Refresh token reuse detected")
	c.mustRefresh(second)
}

// Of 50 refreshes of one token at once with grace 0 exactly one may succeed.
func TestFiftyRefreshesAtOnce(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 3)
	token := c.tokens().AuthenticationResult.RefreshToken
	for round := range 3 {
		s.ResetRequests()
		answers := make([]answerOf, 50)
		errs := make([]error, 50)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				answers[i], errs[i] = c.post("AWSCognitoIdentityProviderService.GetTokensFromRefreshToken", c.refreshInput(token))
			})
		}
		wg.Wait()
		good := 0
		for i, a := range answers {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			if a.Status == 200 {
				good++
				token = a.AuthenticationResult.RefreshToken
			} else if a.Type != "RefreshTokenReuseException" {
				t.Errorf("round %d: %s", round, a)
			}
		}
		if n := s.Requests()["GetTokensFromRefreshToken"]; good != 1 || n != 50 {
			t.Fatalf("round %d: %d succeeded, %d counted", round, good, n)
		}
	}
}

func TestWithoutRotation(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 1)
	first := c.tokens().AuthenticationResult
	for range 2 {
		if a := c.mustRefresh(first.RefreshToken); a.AuthenticationResult.RefreshToken != "" {
			t.Fatal("a refresh without rotation gave a refresh token")
		}
	}
	a := c.do("InitiateAuth", m{"AuthFlow": "REFRESH_TOKEN", "ClientId": c.client, "AuthParameters": params{"REFRESH_TOKEN": first.RefreshToken}})
	if a.AuthenticationResult.IdToken == "" || a.AuthenticationResult.RefreshToken != "" {
		t.Fatalf("REFRESH_TOKEN: %s", a)
	}
	newClient(t, s, 0).refresh(first.RefreshToken).refused(t, "NotAuthorizedException", "Invalid Refresh Token.")
	c.refresh("").refused(t, "InvalidParameterException", "Missing required parameter REFRESH_TOKEN")
}

func TestRefreshWithSecret(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[2].Rotation = false
	config.UserPool.Clients[2].GraceSeconds = 0
	c := newClient(t, newServer(t, config), 2)
	token := c.tokens().AuthenticationResult.RefreshToken
	c.mustRefresh(token)
	wrong := *c
	wrong.secret = "another"
	wrong.refresh(token).refused(t, "NotAuthorizedException", "Unable to verify secret hash for client "+c.client)
	auth := func(name string) answerOf {
		return c.do("InitiateAuth", m{"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": c.client,
			"AuthParameters": params{"REFRESH_TOKEN": token, "SECRET_HASH": c.hash(name)}})
	}
	if a := auth("bob"); a.AuthenticationResult.IdToken == "" {
		t.Fatal(a)
	}
	auth("bob@example.com").refused(t, "NotAuthorizedException", "SecretHash does not match for the client: "+c.client)
}

func TestLifetimes(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[0].RefreshTokenSeconds = 100
	config.UserPool.Clients[0].AccessTokenSeconds = 5
	config.UserPool.Clients[0].IDTokenSeconds = 7
	s := newServer(t, config)
	c := newClient(t, s, 0)
	a := c.tokens().AuthenticationResult
	if id := claims(t, a.IdToken); a.ExpiresIn != 5 || id["exp"].(float64)-id["iat"].(float64) != 7 {
		t.Fatalf("ExpiresIn %d, ID token %v", a.ExpiresIn, id)
	}
	s.Advance(5 * time.Second)
	c.do("GetUser", m{"AccessToken": a.AccessToken}).refused(t, "NotAuthorizedException", "Access Token has expired")
	s.Advance(90 * time.Second)
	b := c.mustRefresh(a.RefreshToken).AuthenticationResult
	s.Advance(5 * time.Second) // 100 s after the sign-in, 5 s after the rotation
	c.refresh(b.RefreshToken).refused(t, "NotAuthorizedException", "Refresh Token has expired")
}

func TestClaims(t *testing.T) {
	config := DefaultConfig()
	bob := &config.UserPool.Users[1]
	bob.Groups, bob.Roles = []string{"g1", "g2"}, []string{"arn:aws:iam::123456789012:role/R"}
	s := newServer(t, config)
	c := newClient(t, s, 0)
	first := c.tokens().AuthenticationResult
	s.Advance(10 * time.Second)
	second := c.mustRefresh(first.RefreshToken).AuthenticationResult
	id, access := claims(t, first.IdToken), claims(t, first.AccessToken)
	newID := claims(t, second.IdToken)
	for name, want := range (m{"token_use": "id", "aud": c.client, "cognito:username": "bob", "email": "bob@example.com", "email_verified": true,
		"iss": s.URL() + "/" + c.pool, "cognito:preferred_role": "arn:aws:iam::123456789012:role/R"}) {
		if id[name] != want {
			t.Errorf("ID token: %s is %v, want %v", name, id[name], want)
		}
	}
	for name, want := range (m{"token_use": "access", "client_id": c.client, "username": "bob", "scope": "aws.cognito.signin.user.admin", "sub": id["sub"], "aud": nil, "origin_jti": id["origin_jti"]}) {
		if access[name] != want {
			t.Errorf("access token: %s is %v, want %v", name, access[name], want)
		}
	}
	for _, name := range []string{"sub", "jti", "event_id", "auth_time", "cognito:groups", "cognito:roles"} {
		if id[name] == nil {
			t.Errorf("ID token lacks %s", name)
		}
	}
	for name, kept := range map[string]bool{"auth_time": true, "origin_jti": true, "sub": true, "iat": false, "exp": false, "jti": false} {
		if (id[name] == newID[name]) != kept {
			t.Errorf("refresh: %s was %v, is %v", name, id[name], newID[name])
		}
	}
}

func TestKeysAreInTheJWKS(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	a := c.tokens().AuthenticationResult
	get := func(url string, into any) {
		t.Helper()
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != 200 {
			t.Fatal(url, res.Status, err)
		}
	}
	var discovery struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	issuer := claims(t, a.IdToken)["iss"].(string)
	get(issuer+"/.well-known/openid-configuration", &discovery)
	var set struct {
		Keys []struct{ Kid, N, E, Alg, Kty, Use string }
	}
	get(discovery.JWKSURI, &set)
	if discovery.Issuer != issuer || len(set.Keys) != 2 {
		t.Fatalf("%+v %+v", discovery, set)
	}
	kids := map[string]bool{}
	for _, token := range []string{a.IdToken, a.AccessToken} {
		parts := strings.Split(token, ".")
		var header struct{ Kid, Alg string }
		b, _ := base64.RawURLEncoding.DecodeString(parts[0])
		json.Unmarshal(b, &header)
		for _, k := range set.Keys {
			if k.Kid != header.Kid {
				continue
			}
			kids[k.Kid] = true
			n, _ := base64.RawURLEncoding.DecodeString(k.N)
			e, _ := base64.RawURLEncoding.DecodeString(k.E)
			public := rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
			sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
			if err := rsa.VerifyPKCS1v15(&public, crypto.SHA256, sum[:], sig); err != nil {
				t.Error(err)
			}
		}
	}
	if len(kids) != 2 {
		t.Errorf("ID and access token were signed by %d of the two keys", len(kids))
	}
}

// Inside another server the issuer follows the request's host.
func TestHandlerWithoutStart(t *testing.T) {
	s, err := New(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	body := strings.NewReader(`{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"` + s.Ready().ClientID + `","AuthParameters":{"USERNAME":"bob","PASSWORD":"Tr0ub4dor&3"}}`)
	r := httptest.NewRequest("POST", "http://sandbox.test/", body)
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	var a answerOf
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.AuthenticationResult.IdToken == "" {
		t.Fatalf("%v %s", err, w.Body)
	}
	if iss := claims(t, a.AuthenticationResult.IdToken)["iss"]; iss != "http://sandbox.test/"+s.Ready().UserPoolID {
		t.Errorf("iss is %v", iss)
	}
}

func TestTooLarge(t *testing.T) {
	c := newClient(t, newServer(t, DefaultConfig()), 0)
	if a := c.do("GetUser", m{"AccessToken": strings.Repeat("x", 2<<20)}); a.Status != 413 {
		t.Error(a)
	}
}

func TestRevocation(t *testing.T) {
	config := DefaultConfig()
	config.UserPool.Clients[1].RevocationOff = true
	s := newServer(t, config)
	c := newClient(t, s, 0)
	revoke := func(c *testClient, token string) answerOf {
		in := m{"ClientId": c.client, "Token": token}
		if c.secret != "" {
			in["ClientSecret"] = c.secret
		}
		return c.do("RevokeToken", in)
	}
	ok := func(a answerOf) {
		t.Helper()
		if a.Status != 200 {
			t.Fatal(a)
		}
	}
	revoked := func(token string) {
		t.Helper()
		c.refresh(token).refused(t, "NotAuthorizedException", "Refresh Token has been revoked")
	}
	chain := func() (access string, tokens [3]string) {
		a := c.tokens().AuthenticationResult
		tokens[0] = a.RefreshToken
		tokens[1] = c.mustRefresh(tokens[0]).AuthenticationResult.RefreshToken
		tokens[2] = c.mustRefresh(tokens[1]).AuthenticationResult.RefreshToken
		return a.AccessToken, tokens
	}
	access, live := chain()
	ok(revoke(c, live[2]))
	ok(revoke(c, live[2]))
	revoked(live[2])
	c.do("GetUser", m{"AccessToken": access}).refused(t, "NotAuthorizedException", "Access Token has been revoked")
	_, original := chain()
	ok(revoke(c, original[0]))
	revoked(original[2])
	_, middle := chain()
	ok(revoke(c, middle[1]))
	revoked(middle[1])
	c.mustRefresh(middle[2])
	ok(revoke(c, "unknown"))
	revoke(c, access).refused(t, "UnsupportedTokenTypeException", "Only refresh tokens can be revoked.")
	revoke(newClient(t, s, 1), "x").refused(t, "UnsupportedOperationException", "Token revocation is not enabled for this client.")
	revoke(newClient(t, s, 3), middle[2]).refused(t, "UnauthorizedException", "The token was issued to another client.")
	bare := newClient(t, s, 2)
	bare.secret = ""
	revoke(bare, "x").refused(t, "UnauthorizedException", "Client "+bare.client+" is configured for secret but secret was not received")
}

func TestGlobalSignOutAndGetUser(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 0)
	one, two := c.tokens().AuthenticationResult, c.tokens().AuthenticationResult
	u := c.do("GetUser", m{"AccessToken": one.AccessToken})
	if u.Raw["Username"] != "bob" || !strings.Contains(string(must(json.Marshal(u.Raw["UserAttributes"]))), `{"Name":"email","Value":"bob@example.com"}`) {
		t.Fatal(u.Raw)
	}
	c.do("GetUser", m{"AccessToken": one.IdToken}).refused(t, "NotAuthorizedException", "Invalid Access Token")
	c.do("GetUser", m{"AccessToken": one.AccessToken + "x"}).refused(t, "NotAuthorizedException", "Invalid Access Token")
	if a := c.do("GlobalSignOut", m{"AccessToken": one.AccessToken}); a.Status != 200 {
		t.Fatal(a)
	}
	c.refresh(two.RefreshToken).refused(t, "NotAuthorizedException", "Refresh Token has been revoked")
	c.do("GetUser", m{"AccessToken": two.AccessToken}).refused(t, "NotAuthorizedException", "Access Token has been revoked")
	three := c.tokens().AuthenticationResult
	s.RevokeAll("bob")
	c.refresh(three.RefreshToken).refused(t, "NotAuthorizedException", "Refresh Token has been revoked")
}

func TestRefreshFollowsTheUsersState(t *testing.T) {
	s := newServer(t, DefaultConfig())
	c := newClient(t, s, 1)
	token := c.tokens().AuthenticationResult.RefreshToken
	s.Disable("bob")
	c.refresh(token).refused(t, "NotAuthorizedException", "User is disabled.")
	s.Enable("bob")
	s.SetStatus("bob", "RESET_REQUIRED")
	c.refresh(token).refused(t, "PasswordResetRequiredException", "Password reset required for the user")
	s.SetStatus("bob", "UNCONFIRMED")
	c.refresh(token).refused(t, "UserNotConfirmedException", "User is not confirmed.")
	s.DeleteUser("bob")
	c.refresh(token).refused(t, "UserNotFoundException", "User does not exist.")
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
