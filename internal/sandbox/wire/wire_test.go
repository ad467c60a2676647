package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An error with control characters in its text, as a trigger may give it, arrives whole in the body and never in a header,
// where it would be a broken connection.
func TestErrorTextThatNoHeaderMayHave(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		WriteError(w, &Error{Code: "Odd\x1bException", Message: "no\x1b[2J\r\nway\x7f"})
	}))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("x-amzn-ErrorMessage"); got != "no[2Jway" {
		t.Errorf("header %q", got)
	}
	if got := res.Header.Get("x-amzn-ErrorType"); got != "OddException:" {
		t.Errorf("header %q", got)
	}
	if !strings.Contains(string(body), `no\u001b[2J\r\nway`) {
		t.Errorf("body %s", body)
	}
}
