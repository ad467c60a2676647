package containercredentials

import (
	"io"
	"log"
	"net/http"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// encode writes the document that SDKs read. What credential_process calls SessionToken is Token here.
func encode(c token.AWSCredentials) ([]byte, error) {
	if c.AccessKeyID == "" || c.SecretAccessKey.Empty() || c.SessionToken.Empty() || c.Lifetime.Expires.IsZero() {
		return nil, &token.Error{Kind: token.Failure, Message: "the AWS credentials are incomplete"}
	}
	b := make([]byte, 0, 2048)
	b = jsonstring.Append(append(b, `{"AccessKeyId":`...), c.AccessKeyID)
	b = jsonstring.Append(append(b, `,"SecretAccessKey":`...), c.SecretAccessKey.Reveal())
	b = jsonstring.Append(append(b, `,"Token":`...), c.SessionToken.Reveal())
	b = jsonstring.Append(append(b, `,"Expiration":`...), c.Lifetime.Expires.UTC().Format(time.RFC3339))
	if c.AccountID != "" {
		b = jsonstring.Append(append(b, `,"AccountId":`...), c.AccountID)
	}
	return append(b, "}\n"...), nil
}

const shown = 1000 // runes of a message

func (r *refusal) send(w http.ResponseWriter) {
	if r.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	w.WriteHeader(r.status)
	b := jsonstring.Append([]byte(`{"code":`), r.code)
	b = jsonstring.Append(append(b, `,"message":`...), safetext.Line(r.message, shown))
	_, _ = w.Write(append(b, "}\n"...))
}

// silent drops what net/http would write to standard error about callers that misbehave.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
