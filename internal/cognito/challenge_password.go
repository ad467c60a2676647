package cognito

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	newPasswordRequired = "NEW_PASSWORD_REQUIRED"
	newPasswordName     = "NEW_PASSWORD"
	attributePrefix     = "userAttributes."
	maxAttributes       = 100 // far more than a user pool can require
)

// respondPasswordVerifier proves the password with the handshake that the flow began.
func respondPasswordVerifier(_ context.Context, l *login, at *step) (map[string]string, error) {
	if l.handshake == nil {
		return nil, unknownChallenge(*at) // the flow sent no A to which this could be the answer
	}
	h, err := l.handshake()
	if err != nil {
		return nil, err
	}
	id := srp.Identity{Group: srp.PoolName(l.c.o.UserPoolID), Name: l.user}
	return l.prove(h, id, l.typed[challenge.Password], at)
}

// prove signs a challenge's values, a user's or a device's.
func (l *login) prove(h *srp.Handshake, id srp.Identity, password token.Secret, at *step) (map[string]string, error) {
	claim, err := h.Prove(id, password.Reveal(), srp.Challenge{
		Salt:        at.parameters["SALT"],
		B:           at.parameters["SRP_B"],
		SecretBlock: at.parameters["SECRET_BLOCK"],
	}, l.c.ServiceTime())
	if err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "the sign-in was stopped: what the endpoint sent is not usable", Err: err}
	}
	return map[string]string{
		"PASSWORD_CLAIM_SIGNATURE":    claim.Signature,
		"PASSWORD_CLAIM_SECRET_BLOCK": claim.SecretBlock,
		"TIMESTAMP":                   claim.Timestamp,
	}, nil
}

// respondPassword sends the password itself, as a choice of USER_AUTH.
func respondPassword(ctx context.Context, l *login, _ *step) (map[string]string, error) {
	return beginPassword(ctx, l)
}

// respondPasswordSRP begins to prove the password, as a choice of USER_AUTH; PASSWORD_VERIFIER follows.
func respondPasswordSRP(ctx context.Context, l *login, _ *step) (map[string]string, error) {
	return beginSRP(ctx, l)
}

// respondNewPassword sets the password of a user who has a temporary one, and the attributes that the user pool requires.
// Attributes that the user has already do not go back: immutable ones would be refused.
func respondNewPassword(ctx context.Context, l *login, at *step) (map[string]string, error) {
	required, err := requiredAttributes(at.parameters["requiredAttributes"])
	if err != nil {
		return nil, err
	}
	password, err := l.question(ctx, challenge.Question{Challenge: at.name, Name: newPasswordName, Label: "new password", Secret: true, Twice: true})
	if err != nil {
		return nil, err
	}
	responses := map[string]string{newPasswordName: password}
	for _, name := range required {
		label := "attribute " + safetext.Line(strings.TrimPrefix(name, attributePrefix), 60)
		if responses[name], err = l.question(ctx, challenge.Question{Challenge: at.name, Name: name, Label: label}); err != nil {
			return nil, err
		}
	}
	return responses, nil
}

// requiredAttributes reads a JSON array such as ["userAttributes.email"]. A name without the prefix gets it: it decides
// under which name the answer goes back, and must not become another response.
func requiredAttributes(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil || len(names) > maxAttributes {
		return nil, &token.Error{Kind: token.Failure, Message: "the sign-in was stopped: the required attributes are not usable", Err: err}
	}
	for i, n := range names {
		names[i] = attributePrefix + strings.TrimPrefix(n, attributePrefix)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
