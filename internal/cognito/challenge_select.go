package cognito

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	selectChallenge = "SELECT_CHALLENGE"
	selectMFA       = "SELECT_MFA_TYPE"
	answerName      = "ANSWER"
	maxChoices      = 20 // far more than there are factors
)

// respondSelectChallenge chooses the first factor, and completes a password's step at once. AvailableChallenges come with
// InitiateAuth's answer only; without them Cognito itself says no to what the user does not have.
func respondSelectChallenge(ctx context.Context, l *login, at *step) (map[string]string, error) {
	offered := at.available
	if len(offered) == 0 {
		offered = []string{factorSRP, factorPassword, "EMAIL_OTP", "SMS_OTP", webAuthn}
	}
	factor, err := l.choose(ctx, at.name, "way to sign in", offered, l.how.Preferred)
	if err != nil {
		return nil, err
	}
	responses, err := l.beginFactor(ctx, factor)
	if err != nil {
		return nil, err
	}
	responses[answerName] = factor
	return responses, nil
}

// respondSelectMFA chooses the second factor. The answer is the very string that Cognito listed: the API reference has names
// that are not on the wire.
func respondSelectMFA(ctx context.Context, l *login, at *step) (map[string]string, error) {
	offered, err := listed("MFAS_CAN_CHOOSE", at.parameters["MFAS_CAN_CHOOSE"])
	if err != nil {
		return nil, err
	}
	l.choices = offered
	wanted := l.how.MFA
	if !slices.Contains(offered, wanted) {
		wanted = strings.Replace(wanted, "EMAIL_OTP", "EMAIL_MFA", 1) // two names of one factor
	}
	factor, err := l.choose(ctx, at.name, "second factor", offered, wanted)
	if err != nil {
		return nil, err
	}
	return map[string]string{answerName: factor}, nil
}

// choose takes what was wanted beforehand, else the only one there is, else asks.
func (l *login) choose(ctx context.Context, name, label string, offered []string, wanted string) (string, error) {
	switch {
	case len(offered) == 0:
		return "", &token.Error{Kind: token.Refused, Message: "the user has no " + label + " that Cognito offers", Next: askAdministrator + " to set one up"}
	case slices.Contains(offered, wanted):
		return wanted, nil
	case len(offered) == 1:
		return offered[0], nil
	}
	return l.question(ctx, challenge.Question{Challenge: name, Name: answerName, Label: label, Choices: offered[:min(len(offered), maxChoices)]})
}

// listed reads a JSON array of names.
func listed(parameter, text string) ([]string, error) {
	var names []string
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "the sign-in was stopped: " + parameter + " is not usable (" + safetext.Line(text, 60) + ")", Err: err}
	}
	return names, nil
}
