package cognito

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	customChallenge = "CUSTOM_CHALLENGE"
	webAuthn        = "WEB_AUTHN"
	passkeyOptions  = "CREDENTIAL_REQUEST_OPTIONS"
	credentialName  = "CREDENTIAL"

	maxParameters = 50
	maxParameter  = 64 << 10 // bytes of one, name or value
)

// respondCustom answers one round of what the user pool's own triggers ask. How many there are is theirs to say.
func respondCustom(ctx context.Context, l *login, at *step) (map[string]string, error) {
	l.custom++
	answer, err := l.question(ctx, challenge.Question{
		Challenge: at.name, Name: answerName, Label: "answer", Secret: true, Round: l.custom, Parameters: public(at.parameters),
	})
	if err != nil {
		return nil, err
	}
	return map[string]string{answerName: answer}, nil
}

// respondWebAuthn has a passkey's assertion made by whoever can: this program has no authenticator, and a passkey is bound
// to the user pool's domain.
func respondWebAuthn(ctx context.Context, l *login, at *step) (map[string]string, error) {
	options := at.parameters[passkeyOptions]
	if len(options) > maxParameter || !json.Valid([]byte(options)) {
		return nil, &token.Error{Kind: token.Failure, Message: "the sign-in was stopped: the passkey's options are not usable"}
	}
	credential, err := l.question(ctx, challenge.Question{
		Challenge: at.name, Name: credentialName, Label: "passkey's assertion", Secret: true,
		Parameters: map[string]string{passkeyOptions: options},
	})
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(credential)) {
		return nil, &token.Error{Kind: token.Failure, Message: "the passkey's assertion is not JSON", Next: "check the program of --mfa-process"}
	}
	return map[string]string{credentialName: credential}, nil
}

// public are the parameters that a trigger published, bounded: who signs in is not one of them, and a megabyte of text is
// nothing to show or to hand to a program.
func public(in map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if name == "USERNAME" || name == "USER_ID_FOR_SRP" || len(name) > maxParameter {
			continue
		}
		if len(out) == maxParameters {
			break
		}
		value := in[name]
		if len(value) > maxParameter {
			value = strings.ToValidUTF8(value[:maxParameter-len("...")], "") + "..."
		}
		out[name] = value
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
