package gitcredential

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// request is what git says, as far as it matters here. Unknown keys are left out.
type request struct {
	protocol, host, path, username string

	secret   token.Secret // what git sent to the host, in erase
	authtype bool         // git takes a credential for any authentication scheme (2.46)
	state    bool         // git gives state back, and asks again where the host refuses (2.46)
	wwwauth  []string     // the challenges of the host (2.41)
	// rejected is the token that the host refused just now: git asks a second time, with the state of our first answer.
	rejected protocol.Fingerprint
}

// The reasons to refuse a request.
var (
	errControl = errors.New("a line has a control character")
	errLine    = errors.New("a line is not key=value")
	errTwice   = errors.New("a key is given twice")
	errURL     = errors.New("it has a url beside protocol and host, which may say something else")
)

// ends reports whether b has a whole request: git ends it with an empty line, or by closing the pipe.
func ends(b []byte) bool {
	return len(b) > 0 && b[0] == '\n' || bytes.Contains(b, []byte("\n\n"))
}

// read reads one request and refuses what could be read in two ways (CVE-2020-5260, CVE-2024-52006).
func read(in io.Reader) (request, error) {
	text, err := protocol.ReadRequest(in, ends)
	if err != nil {
		return request{}, err
	}
	var r request
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			break // what comes behind the request is none of ours
		}
		key, value, ok := strings.Cut(line, "=")
		switch {
		case hasControl(key) || hasControl(value):
			return request{}, protocol.BadRequest(errControl)
		case !ok:
			return request{}, protocol.BadRequest(errLine)
		case key == "url":
			return request{}, protocol.BadRequest(errURL)
		case seen[key]:
			return request{}, protocol.BadRequest(errTwice)
		}
		seen[key] = !strings.HasSuffix(key, "[]")
		r.take(key, value)
	}
	return r, nil
}

func (r *request) take(key, value string) {
	switch key {
	case "protocol":
		r.protocol = value
	case "host":
		r.host = value
	case "path":
		r.path = value
	case "username":
		r.username = value
	case "password", "credential":
		r.secret = token.NewSecret(value)
	case "capability[]":
		r.authtype = r.authtype || value == "authtype"
		r.state = r.state || value == "state"
	case "wwwauth[]":
		if value == "" { // which forgets those before it
			r.wwwauth = nil
			return
		}
		r.wwwauth = append(r.wwwauth, value)
	case "state[]":
		if f, ok := readState(value); ok {
			r.rejected = f
		}
	}
}

// hasControl allows a tab, which header fields may have.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// foreign reports whether the request is about no web server, as of git send-email or a client certificate.
func (r request) foreign() bool {
	scheme := strings.ToLower(r.protocol)
	return scheme != "" && scheme != "https" && scheme != "http"
}

func (r request) place() (profiles.Host, error) {
	path := r.path
	if path != "" {
		path = "/" + path // git leaves out the first slash of a URL's path
	}
	h, err := profiles.NewHost(r.protocol, r.host, path)
	if err != nil {
		return h, protocol.BadRequest(err)
	}
	return h, nil
}

// answer is what git gets, in the newest form that it says it takes.
func (r request) answer(c protocol.HostCredential) []byte {
	value := c.Token.Value.Reveal()
	b := make([]byte, 0, len(value)+256)
	line := func(key, value string) {
		b = append(append(append(append(b, key...), '='), value...), '\n')
	}
	bearer := r.authtype && r.offersBearer()
	if bearer {
		line("capability[]", "authtype")
	}
	if r.state {
		line("capability[]", "state")
	}
	if bearer {
		line("authtype", "Bearer")
		line("credential", value)
		line("ephemeral", "1") // no other helper may keep it
	} else {
		line("username", r.name(c))
		line("password", value)
	}
	if end := c.Token.Lifetime.Expires; !end.IsZero() {
		line("password_expiry_utc", strconv.FormatInt(end.Unix(), 10))
	}
	if r.state {
		line("state[]", writeState(c.Token.Value))
		if r.rejected == (protocol.Fingerprint{}) {
			line("continue", "1") // if the host refuses this one, ask again: once
		}
	}
	return b
}

// offersBearer reports whether the host says that it takes a bearer token, or says nothing.
func (r request) offersBearer() bool {
	for _, challenge := range r.wwwauth {
		if scheme, _, _ := strings.Cut(challenge, " "); strings.EqualFold(scheme, "bearer") {
			return true
		}
	}
	return len(r.wwwauth) == 0
}

func (r request) name(c protocol.HostCredential) string {
	if c.Username == "" && r.username != "" {
		return r.username // nobody is named, so any name is right
	}
	return c.Name()
}

// statePrefix begins our state among that of other helpers. What follows is the fingerprint of the token that we gave: git
// gives the state back and not the token.
const statePrefix = "cognito-credhelper:1:"

func writeState(t token.Secret) string {
	const digits = "0123456789abcdef"
	b := []byte(statePrefix)
	for _, c := range protocol.FingerprintOf(t) {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return string(b)
}

func readState(s string) (f protocol.Fingerprint, ok bool) {
	digits, ours := strings.CutPrefix(s, statePrefix)
	if !ours || len(digits) != 2*len(f) {
		return f, false
	}
	for i := range f {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			return protocol.Fingerprint{}, false
		}
		f[i] = byte(n)
	}
	return f, true
}
