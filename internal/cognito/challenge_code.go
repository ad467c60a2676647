package cognito

import (
	"context"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
)

// respondCode is for every challenge X whose one response is X_CODE.
func respondCode(label string) responder {
	return func(ctx context.Context, l *login, at *step) (map[string]string, error) {
		q := challenge.Question{Challenge: at.name, Name: at.name + codeSuffix, Label: label}
		if to := at.parameters["CODE_DELIVERY_DESTINATION"]; to != "" {
			q.Label += " sent to " + safetext.Line(to, 60)
			q.Destination, q.Medium = to, at.parameters["CODE_DELIVERY_DELIVERY_MEDIUM"]
		}
		code, err := l.question(ctx, q)
		if err != nil {
			return nil, err
		}
		return map[string]string{q.Name: code}, nil
	}
}
