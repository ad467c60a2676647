package containercredentials

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"go/types"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// fake is a source with one answer; it keeps what it was asked.
type fake struct {
	credentials token.AWSCredentials
	err         error
	asked       protocol.Request
}

func (f *fake) AWSCredentials(_ context.Context, r protocol.Request) (token.AWSCredentials, error) {
	f.asked = r
	return f.credentials, f.err
}

var ends = time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.FixedZone("", 3600))

func good() *fake {
	return &fake{credentials: token.AWSCredentials{
		AccessKeyID: "ASIA1", SecretAccessKey: token.NewSecret(`s"1`), SessionToken: token.NewSecret("t/1"), AccountID: "123456789012",
		Lifetime: token.Lifetime{Issued: ends.Add(-time.Hour), Expires: ends},
	}}
}

var wanted = protocol.Request{Profile: profiles.Selection{Name: "dev", Named: true}, Use: token.UseID, RenewFirst: true}

func start(t *testing.T, s *fake) *Endpoint {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	e, err := Start(ctx, Options{Source: s, Request: wanted, HeaderWait: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	cancel() // whoever started it may be interrupted; it serves on
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// ask sends one request, changed by change, and gives status, headers, and body.
func ask(t *testing.T, e *Endpoint, change func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", e.Token().Reveal())
	change(r)
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

func TestAnswer(t *testing.T) {
	source := good()
	e := start(t, source)
	status, header, body := ask(t, e, func(*http.Request) {})
	want := `{"AccessKeyId":"ASIA1","SecretAccessKey":"s\"1","Token":"t/1","Expiration":"2026-03-01T11:00:00Z","AccountId":"123456789012"}` + "\n"
	if status != 200 || body != want || header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, headers %v, body %s", status, header, body)
	}
	if source.asked != wanted {
		t.Errorf("asked for %+v", source.asked)
	}
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("a web page is let in: %s", name)
		}
	}
}

func TestURLAndToken(t *testing.T) {
	a, b := start(t, good()), start(t, good())
	u, err := url.Parse(a.URL())
	if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" || u.Port() == "" || u.Path != "/credentials" {
		t.Errorf("URL %s", a.URL())
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(a.Token().Reveal()) || a.Token().Equal(b.Token()) || a.URL() == b.URL() {
		t.Error("token or port is not random")
	}
}

// Who may not ask learns nothing, and the source is not asked.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *http.Request)
		status int
		code   string
	}{
		{"DNS rebinding", func(r *http.Request) { r.Host = "evil.example:" + r.URL.Port() }, 403, "Forbidden"},
		{"localhost is another name", func(r *http.Request) { r.Host = "localhost:" + r.URL.Port() }, 403, "Forbidden"},
		{"another port", func(r *http.Request) { r.Host = "127.0.0.1:1" }, 403, "Forbidden"},
		{"no port", func(r *http.Request) { r.Host = "127.0.0.1" }, 403, "Forbidden"},
		{"a web page", func(r *http.Request) { r.Header.Set("Origin", "http://"+r.URL.Host) }, 403, "Forbidden"},
		{"a web page that asks first", func(r *http.Request) { r.Method = "OPTIONS"; r.Header.Set("Origin", "null") }, 403, "Forbidden"},
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, 401, "Unauthorized"},
		{"wrong token", func(r *http.Request) { r.Header.Set("Authorization", strings.Repeat("0", 64)) }, 401, "Unauthorized"},
		{"part of the token", func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")[:63]) }, 401, "Unauthorized"},
		{"token as Bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+r.Header.Get("Authorization")) }, 401, "Unauthorized"},
		{"two tokens", func(r *http.Request) { r.Header.Add("Authorization", "x") }, 401, "Unauthorized"},
		{"POST", func(r *http.Request) { r.Method = "POST" }, 405, "MethodNotAllowed"},
		{"HEAD", func(r *http.Request) { r.Method = "HEAD" }, 405, ""},
		{"another path", func(r *http.Request) { r.URL.Path = "/credentials/x" }, 404, "NotFound"},
		{"the root", func(r *http.Request) { r.URL.Path = "/" }, 404, "NotFound"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := good()
			e := start(t, source)
			status, _, body := ask(t, e, c.change)
			var said struct{ Code, Message string }
			if c.code != "" && (json.Unmarshal([]byte(body), &said) != nil || said.Message == "") || status != c.status || said.Code != c.code {
				t.Errorf("status %d: %s", status, body)
			}
			if source.asked != (protocol.Request{}) || strings.Contains(body, "ASIA1") {
				t.Error("the source was asked")
			}
		})
	}
}

// What a person must mend is 4xx with a sentence; what may be good again is not.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err     error
		status  int
		code    string
		message string
	}{
		{&token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in", Next: "cognito-credhelper login"}, 403, "LoginNeeded", "nobody is signed in; hint: cognito-credhelper login"},
		{&token.Error{Kind: token.Refused, Message: "no"}, 403, "Refused", "no"},
		{&token.Error{Kind: token.BadProfile, Message: "no role", Err: errors.New("detail")}, 400, "BadProfile", "no role"},
		{fmt.Errorf("profile x: %w", &token.Error{Kind: token.Unavailable, Message: "busy\x1b[2J"}), 503, "Unavailable", "profile x: busy"},
		{errors.New("odd"), 500, "Failure", "odd"},
	} {
		e := start(t, &fake{err: c.err})
		status, _, body := ask(t, e, func(*http.Request) {})
		var said struct{ Code, Message string }
		if err := json.Unmarshal([]byte(body), &said); err != nil || status != c.status || said.Code != c.code || !strings.HasPrefix(said.Message, c.message) || strings.Contains(body, "\x1b") || strings.Contains(body, "detail") {
			t.Errorf("%v: status %d, %s", c.err, status, body)
		}
	}
	incomplete := good()
	incomplete.credentials.SessionToken = token.Secret{}
	if status, _, body := ask(t, start(t, incomplete), func(*http.Request) {}); status != 500 || strings.Contains(body, "ASIA1") {
		t.Errorf("status %d, %s", status, body)
	}
}

// A caller that never ends its request is cut off, and hinders no other meanwhile.
func TestSlowCaller(t *testing.T) {
	e := start(t, good())
	var slow []net.Conn
	for range 50 {
		conn, err := net.Dial("tcp", e.host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /credentials HTTP/1.1\r\nHost: "+e.host+"\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil { // whoever is let hang fails then
			t.Fatal(err)
		}
		slow = append(slow, conn)
	}
	if status, _, _ := ask(t, e, func(*http.Request) {}); status != 200 {
		t.Errorf("status %d", status)
	}
	for _, conn := range slow {
		left, err := io.ReadAll(conn)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("it was not cut off")
		}
		if bytes.Contains(left, []byte("ASIA1")) {
			t.Errorf("half a request was answered: %s", left)
		}
	}
}

// The token is compared by crypto/subtle and by nothing else: a comparison that stops at the first difference would tell how much
// of it is right.
func TestComparedInConstantTime(t *testing.T) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), "containercredentials.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	comparisons := map[string]int{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "knows" {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				comparisons[types.ExprString(n.Fun)]++
			case *ast.BinaryExpr:
				comparisons[types.ExprString(n)]++
			}
			return true
		})
	}
	want := map[string]int{
		"len": 1, "len(sent) != 1": 1, "sha256.Sum256": 1, "[]byte": 1, "subtle.ConstantTimeCompare": 1,
		"subtle.ConstantTimeCompare(digest[:], e.digest[:]) == 1": 1,
	}
	if !maps.Equal(comparisons, want) {
		t.Errorf("it compares by %v", comparisons)
	}
}

// A head that never ends is refused by its size.
func TestEndlessHead(t *testing.T) {
	e := start(t, good())
	conn, err := net.Dial("tcp", e.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /credentials HTTP/1.1\r\nHost: %s\r\nX: %s\r\n\r\n", e.host, strings.Repeat("x", 64<<10))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		res.Body.Close()
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d", res.StatusCode)
		}
	}
}
