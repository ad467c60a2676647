package sandbox

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/control"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/sts"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// maxBody is more than any request that AWS takes here.
const maxBody = 1 << 20

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(control.Prefix+"/", control.New(s))
	mux.HandleFunc("GET /"+s.pool.ID()+"/.well-known/{document}", s.wellKnown)
	mux.HandleFunc("POST /v1/authorization-token", s.artifactToken)
	mux.HandleFunc("GET /v1/repos/{name}/info/refs", s.repository)
	mux.HandleFunc("/{$}", s.service)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-amzn-RequestId", wire.NewRequestID())
		if d := s.clock.Visible(); d != 0 {
			setDate(w, d)
		}
		mux.ServeHTTP(w, r)
	})
}

func setDate(w http.ResponseWriter, ahead time.Duration) {
	w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
}

// endpoint is the sandbox's URL as clients know it.
func (s *Server) endpoint(r *http.Request) string {
	if url := s.URL(); url != "" {
		return url
	}
	return "http://" + r.Host
}

func (s *Server) wellKnown(w http.ResponseWriter, r *http.Request) {
	var v any
	switch r.PathValue("document") {
	case "jwks.json":
		v = s.pool.JWKS()
	case "openid-configuration":
		v = s.pool.Discovery(s.endpoint(r))
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// service answers POST / and GET /: the JSON services by X-Amz-Target, and STS by Action.
func (s *Server) service(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		wire.WriteError(w, &wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException", Message: "the request is too large"})
		return
	}
	if q, ok := sts.Parse(s.endpoint(r), r, body); ok && r.Header.Get("X-Amz-Target") == "" {
		s.withFaults(w, r, q.Action(), func() answer { return xmlAnswer(s.sts.Do(q)) }, xmlError)
		return
	}
	target := r.Header.Get("X-Amz-Target")
	op, ok := s.operations[target]
	if r.Method != http.MethodPost || !ok {
		wire.WriteError(w, wire.Errorf("UnknownOperationException", "the sandbox has no operation %q", target))
		return
	}
	_, name, _ := strings.Cut(target, ".")
	s.withFaults(w, r, name, func() answer { return jsonAnswer(op(wire.Call{Endpoint: s.endpoint(r), Body: body, HTTP: r})) }, jsonError)
}

// answer is a whole response, so that faults can change it or lose it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	w.Write(a.body)
}

func jsonAnswer(v any, err error) answer {
	if err != nil {
		return jsonError(asWireError(err))
	}
	body, err := json.Marshal(v)
	if err != nil {
		return jsonError(asWireError(err))
	}
	return answer{http.StatusOK, http.Header{"Content-Type": {wire.JSON11}}, body}
}

func jsonError(e *wire.Error) answer {
	r := recorder{header: http.Header{}}
	wire.WriteError(&r, e)
	return answer(r)
}

func xmlAnswer(v any, err error) answer {
	if err != nil {
		return xmlError(asWireError(err))
	}
	body, err := xml.Marshal(v)
	if err != nil {
		return xmlError(asWireError(err))
	}
	return answer{http.StatusOK, http.Header{"Content-Type": {"text/xml"}}, append(body, '\n')}
}

func xmlError(e *wire.Error) answer {
	status, body := sts.ErrorXML(e)
	return answer{status, http.Header{"Content-Type": {"text/xml"}}, body}
}

// recorder is an http.ResponseWriter that keeps what it gets.
type recorder answer

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { r.body = append(r.body, p...); return len(p), nil }

// asWireError keeps AWS errors and makes anything else the sandbox's own failure.
func asWireError(err error) *wire.Error {
	var e *wire.Error
	if errors.As(err, &e) {
		return e
	}
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalErrorException", Message: err.Error()}
}
