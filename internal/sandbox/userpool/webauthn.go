package userpool

import (
	"encoding/base64"
	"encoding/json"
	"slices"
)

// askPasskey asks for an assertion (Web Authentication Level 3, §5.1.8).
func (p *Pool) askPasskey(in *signIn) (outcome, error) {
	next, _ := p.challenge(in, webAuthn, p.passkeyOptions(in))
	next.challenge.AvailableChallenges = []string{webAuthn}
	return next, nil
}

// passkeyOptions are PublicKeyCredentialRequestOptionsJSON with a fresh challenge, which the sign-in remembers.
func (p *Pool) passkeyOptions(in *signIn) map[string]string {
	in.passkey = opaque(32)
	type descriptor struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	allowed := []descriptor{}
	for _, id := range in.user.passkeys {
		allowed = append(allowed, descriptor{"public-key", id})
	}
	options, _ := json.Marshal(map[string]any{ // strings only: it cannot fail
		"challenge": in.passkey, "timeout": 180000, "rpId": p.config.RelyingParty, "allowCredentials": allowed, "userVerification": "required",
	})
	return map[string]string{"CREDENTIAL_REQUEST_OPTIONS": string(options)}
}

func (p *Pool) answerPasskey(r reply, s *challengeSession) (outcome, error) {
	credential, err := r.response("CREDENTIAL")
	if err != nil {
		return outcome{}, err
	}
	s.used = true
	return p.usePasskey(&s.signIn, credential)
}

// usePasskey checks an AuthenticationResponseJSON as far as the sandbox can: the passkey is the user's, and the client data
// has this sign-in's challenge. Assumed: the sentence of a wrong one is that of every failed proof.
func (p *Pool) usePasskey(in *signIn, credential string) (outcome, error) {
	var c struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Response struct {
			ClientDataJSON string `json:"clientDataJSON"`
		} `json:"response"`
	}
	if err := json.Unmarshal([]byte(credential), &c); err != nil {
		return outcome{}, errInvalidParameter("CREDENTIAL is not valid JSON.") // assumed
	}
	var data struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	text, err := base64.RawURLEncoding.DecodeString(c.Response.ClientDataJSON)
	if err != nil || json.Unmarshal(text, &data) != nil {
		return outcome{}, errInvalidParameter("CREDENTIAL has no valid clientDataJSON.") // assumed
	}
	if in.user == nil || c.Type != "public-key" || data.Type != "webauthn.get" || data.Challenge == "" || !same(data.Challenge, in.passkey) ||
		!slices.Contains(in.user.passkeys, c.ID) {
		return outcome{}, errWrongPassword()
	}
	return p.complete(in)
}
