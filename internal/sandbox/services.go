package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// Services of AWS that give something of their own for AWS credentials. Each checks the signature; none has anything behind it.

// registryTarget is the operation of ECR in X-Amz-Target.
const registryTarget = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"

// registryLife is how long a password of ECR lives.
const registryLife = 12 * time.Hour

// registryToken is ECR's GetAuthorizationToken: a password for docker.
func (s *Server) registryToken(c wire.Call) (any, error) {
	if _, err := s.sts.Caller(c.HTTP, c.Body, "ecr"); err != nil {
		return nil, err
	}
	pair := base64.StdEncoding.EncodeToString([]byte("AWS:" + wire.NewRequestID()))
	return map[string]any{"authorizationData": []any{map[string]any{
		"authorizationToken": pair, "expiresAt": s.clock.Now().Add(registryLife).Unix(), "proxyEndpoint": "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
	}}}, nil
}

// artifactToken is CodeArtifact's GetAuthorizationToken, a REST operation. Without a length of its own the token lives as long as
// the caller's keys.
func (s *Server) artifactToken(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		wire.WriteError(w, wire.Errorf("ValidationException", "the request cannot be read"))
		return
	}
	s.withFaults(w, r, "GetAuthorizationToken", func() answer {
		who, err := s.sts.Caller(r, body, "codeartifact")
		if err != nil {
			return jsonError(asWireError(err))
		}
		q := r.URL.Query()
		if q.Get("domain") == "" || len(q.Get("domain-owner")) != 12 {
			return jsonError(wire.Errorf("ValidationException", "domain and domain-owner are needed"))
		}
		expires := who.Expiration
		if n, err := strconv.Atoi(q.Get("duration")); err == nil && n > 0 {
			expires = s.clock.Now().Add(time.Duration(n) * time.Second)
		}
		text, err := json.Marshal(map[string]any{"authorizationToken": "artifact-" + wire.NewRequestID(), "expiration": expires.Unix()})
		if err != nil {
			return jsonError(asWireError(err))
		}
		return answer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, text}
	}, jsonError)
}

// repository is the first answer of a git server, for a repository of CodeCommit that is empty. The password is a signature.
func (s *Server) repository(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	path := strings.TrimSuffix(r.URL.Path, "/info/refs")
	s.withFaults(w, r, "GitUploadPack", func() answer {
		if err := s.sts.GitPassword(user, password, r.Host, path); err != nil {
			return answer{http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Basic realm="sandbox"`}, "Content-Type": {"text/plain"}}, []byte(err.Error() + "\n")}
		}
		text := pktLine("# service=git-upload-pack\n") + "0000" + pktLine(strings.Repeat("0", 40)+" capabilities^{}\x00\n") + "0000"
		return answer{http.StatusOK, http.Header{"Content-Type": {"application/x-git-upload-pack-advertisement"}}, []byte(text)}
	}, func(e *wire.Error) answer { return answer{e.HTTPStatus(), nil, []byte(e.Message)} })
}

// pktLine is a line of git's protocol: its length in hexadecimal, and the text.
func pktLine(text string) string {
	const digits = "0123456789abcdef"
	n := len(text) + 4
	return string([]byte{digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]}) + text
}
