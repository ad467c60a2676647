// Package control is the sandbox's control path, by which tests and demos look at it and disturb it.
//
// It guarantees deterministic faults ("the next N requests of operation X"), and counts each request exactly once. It
// refuses requests that come from a web page (an Origin header). It never touches the services' wire.
//
//	GET    /_sandbox/requests          {"InitiateAuth": 2, …} since the last reset
//	POST   /_sandbox/requests/reset
//	GET    /_sandbox/faults            faults that have not happened yet
//	POST   /_sandbox/faults            one Fault, or a list of them
//	DELETE /_sandbox/faults
//	GET    /_sandbox/totp?user=NAME    {"code": "123456"}
//	GET    /_sandbox/sms?user=NAME     {"code": "123456"}
//	GET    /_sandbox/codes?user=NAME   every code that the user could type now, by kind; with &kind=KIND {"code": "123456"}
//	GET    /_sandbox/triggers          runs of Lambda triggers, with validationData and clientMetadata as they came
//	POST   /_sandbox/triggers          {"PreAuthentication": "text"} makes one fail with text, "" lets it work again
//	DELETE /_sandbox/triggers          forgets the runs and the contexts, and lets everything work again
//	GET    /_sandbox/contexts          AnalyticsMetadata and UserContextData as they came
//	POST   /_sandbox/clients/ID        {"secret", "secret_next"}: the app client's live secrets from now on
//	POST   /_sandbox/advance           {"seconds": 3600, "date": false}
//	POST   /_sandbox/users             a user, as in the configuration
//	POST   /_sandbox/users/NAME        {"password", "status", "disabled", "attributes", "groups", "revoke_all", "forget_devices", "delete"}
//
// A KIND is the challenge that asks for the code (SMS_MFA, SMS_OTP, EMAIL_OTP, SOFTWARE_TOKEN_MFA; MFA_SETUP for the secret given
// out last), or SIGN_UP, or FORGOT_PASSWORD.
package control

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// Prefix is where the control path begins.
const Prefix = "/_sandbox"

// Sandbox is what the control path works on.
type Sandbox interface {
	Requests() map[string]int
	ResetRequests()
	SetFault(Fault) error
	Faults() []Fault
	ClearFaults()
	CurrentTOTP(user string) (string, bool)
	LastSMS(user string) (string, bool)
	Codes(user string) map[string]string
	TriggerEvents() []userpool.TriggerEvent
	SetTriggerErrors(map[string]string) error
	ForgetEvents()
	RequestContexts() []userpool.RequestContext
	SetSecrets(client, secret, next string) error
	AddUser(userpool.User) error
	EditUser(name string, e userpool.Edit) error
	Advance(d time.Duration)
	AdvanceWithDate(d time.Duration)
}

// New makes the handler for everything below Prefix.
func New(s Sandbox) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(w, r, h) })
	}
	handle("GET /_sandbox/requests", func(*http.Request) (any, error) { return s.Requests(), nil })
	handle("POST /_sandbox/requests/reset", func(*http.Request) (any, error) { s.ResetRequests(); return ok, nil })
	handle("GET /_sandbox/faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	handle("POST /_sandbox/faults", func(r *http.Request) (any, error) { return ok, setFaults(s, r) })
	handle("DELETE /_sandbox/faults", func(*http.Request) (any, error) { s.ClearFaults(); return ok, nil })
	handle("GET /_sandbox/totp", func(r *http.Request) (any, error) { return code(s.CurrentTOTP, r) })
	handle("GET /_sandbox/sms", func(r *http.Request) (any, error) { return code(s.LastSMS, r) })
	handle("GET /_sandbox/codes", func(r *http.Request) (any, error) { return codes(s, r) })
	handle("GET /_sandbox/triggers", func(*http.Request) (any, error) { return s.TriggerEvents(), nil })
	handle("POST /_sandbox/triggers", func(r *http.Request) (any, error) { return ok, setTriggers(s, r) })
	handle("DELETE /_sandbox/triggers", func(*http.Request) (any, error) { s.ForgetEvents(); return ok, nil })
	handle("GET /_sandbox/contexts", func(*http.Request) (any, error) { return s.RequestContexts(), nil })
	handle("POST /_sandbox/clients/{id}", func(r *http.Request) (any, error) { return ok, setSecrets(s, r) })
	handle("POST /_sandbox/advance", func(r *http.Request) (any, error) { return ok, advance(s, r) })
	handle("POST /_sandbox/users", func(r *http.Request) (any, error) { return ok, addUser(s, r) })
	handle("POST /_sandbox/users/{name}", func(r *http.Request) (any, error) { return ok, editUser(s, r) })
	return mux
}

// ok is the answer of everything that has nothing to tell.
var ok = struct{}{}

// refusal is an error with its HTTP status.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func answer(w http.ResponseWriter, r *http.Request, h func(*http.Request) (any, error)) {
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Origin") != "" {
		reply(w, http.StatusForbidden, map[string]string{"error": "the control path is not for web pages"})
		return
	}
	v, err := h(r)
	if err == nil {
		reply(w, http.StatusOK, v)
		return
	}
	status := http.StatusBadRequest
	if x, ok := err.(*refusal); ok {
		status = x.status
	}
	reply(w, status, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // what was recorded shows as it came
	e.Encode(v)
}

// decode refuses unknown members: a misspelt fault that does nothing would make a test pass for nothing.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func read(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	return decode(data, into)
}

func setFaults(s Sandbox, r *http.Request) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	var list []Fault
	if t := bytes.TrimSpace(data); len(t) > 0 && t[0] == '[' {
		err = decode(t, &list)
	} else {
		list = make([]Fault, 1)
		err = decode(t, &list[0])
	}
	for _, f := range list {
		if err == nil {
			err = s.SetFault(f)
		}
	}
	return err
}

func code(find func(string) (string, bool), r *http.Request) (any, error) {
	c, ok := find(r.FormValue("user"))
	if !ok {
		return nil, &refusal{http.StatusNotFound, "there is no code for user " + r.FormValue("user")}
	}
	return map[string]string{"code": c}, nil
}

func codes(s Sandbox, r *http.Request) (any, error) {
	kind := r.FormValue("kind")
	if kind == "" {
		return s.Codes(r.FormValue("user")), nil
	}
	return code(func(user string) (string, bool) { c, ok := s.Codes(user)[kind]; return c, ok }, r)
}

func setTriggers(s Sandbox, r *http.Request) error {
	var errors map[string]string
	if err := read(r, &errors); err != nil {
		return err
	}
	return s.SetTriggerErrors(errors)
}

func setSecrets(s Sandbox, r *http.Request) error {
	var in struct {
		Secret     string `json:"secret"`
		SecretNext string `json:"secret_next"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	return s.SetSecrets(r.PathValue("id"), in.Secret, in.SecretNext)
}

func advance(s Sandbox, r *http.Request) error {
	var in struct {
		Seconds int  `json:"seconds"`
		Date    bool `json:"date"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	d := time.Duration(in.Seconds) * time.Second
	if in.Date {
		s.AdvanceWithDate(d)
	} else {
		s.Advance(d)
	}
	return nil
}

func addUser(s Sandbox, r *http.Request) error {
	var u userpool.User
	if err := read(r, &u); err != nil {
		return err
	}
	return s.AddUser(u)
}

func editUser(s Sandbox, r *http.Request) error {
	var e userpool.Edit
	if err := read(r, &e); err != nil {
		return err
	}
	return s.EditUser(r.PathValue("name"), e)
}
