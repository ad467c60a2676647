//go:build unix

package prompt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// programMode makes the test binary the program of --mfa-process.
const programMode = "PROMPT_TEST_PROGRAM"

func program(mode string) int {
	question, _ := io.ReadAll(os.Stdin)
	switch mode {
	case "echo": // gives the question back
		fmt.Print(string(question))
	case "code":
		fmt.Print("\n123456\r\nmore\n")
	case "silent":
	case "fail":
		fmt.Fprint(os.Stderr, "no key\x1b[2J\u202e\n\n"+strings.Repeat("x", 9000))
		return 7
	case "flood":
		fmt.Print(strings.Repeat("1", maxAnswer+1))
	case "environment":
		fmt.Print(strings.Join(os.Environ(), " "))
	case "passkey":
		fmt.Print("{\n  \"id\": \"x\"\n}\n")
	case "hang":
		fmt.Fprintln(os.Stderr, "here")
		select {}
	}
	return 0
}

// asking gives an answerer whose program is this test in a mode, and what it said.
func asking(t *testing.T, mode string, environ ...string) (*Process, *[]string) {
	t.Helper()
	var said []string
	p, err := NewProcess("'"+os.Args[0]+"'", append(environ, programMode+"="+mode), func(line string) { said = append(said, line) })
	if err != nil {
		t.Fatal(err)
	}
	return p, &said
}

var aCode = challenge.Question{Challenge: "SOFTWARE_TOKEN_MFA", Name: "SOFTWARE_TOKEN_MFA_CODE", Label: "code", Attempt: 2}

func TestProcessReadsTheQuestion(t *testing.T) {
	p, _ := asking(t, "echo")
	q := aCode
	q.Parameters, q.URI, q.Note = map[string]string{"a": "b"}, token.NewSecret("otpauth://totp/x?secret=S&issuer=y"), "wrong"
	got, err := p.Answer(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"challenge":"SOFTWARE_TOKEN_MFA","name":"SOFTWARE_TOKEN_MFA_CODE","label":"code","note":"wrong",` +
		`"parameters":{"a":"b"},"uri":"otpauth://totp/x?secret=S&issuer=y","attempt":2}`
	if got.Reveal() != want {
		t.Errorf("the program read\n%s\nwant\n%s", got.Reveal(), want)
	}
}

func TestProcessAnswers(t *testing.T) {
	passkeyQuestion := challenge.Question{Challenge: "WEB_AUTHN", Name: "CREDENTIAL"}
	tests := []struct {
		mode string
		q    challenge.Question
		want string
		kind token.Kind // where want is ""
		none bool       // ErrNoAnswer
	}{
		{"code", aCode, "123456", 0, false},
		{"code", challenge.Question{Challenge: "CUSTOM_CHALLENGE", Name: "ANSWER"}, "123456", 0, false},
		{"code", challenge.Question{Name: "CONFIRMATION_CODE"}, "123456", 0, false},
		{"code", challenge.Question{Name: "PASSWORD", Secret: true}, "", 0, true},
		{"code", challenge.Question{Challenge: "NEW_PASSWORD_REQUIRED", Name: "userAttributes.POST_CODE"}, "", 0, true},
		{"code", challenge.Question{Challenge: "SELECT_MFA_TYPE", Name: "ANSWER", Choices: []string{"a"}}, "", 0, true},
		{"silent", aCode, "", 0, true},
		{"silent", passkeyQuestion, "", 0, true},
		{"passkey", passkeyQuestion, `{"id":"x"}`, 0, false},
		{"code", passkeyQuestion, "", token.Failure, false},
		{"fail", aCode, "", token.Failure, false},
		{"flood", aCode, "", token.Failure, false},
	}
	for _, tt := range tests {
		p, _ := asking(t, tt.mode)
		got, err := p.Answer(t.Context(), tt.q)
		switch {
		case tt.want != "":
			if err != nil || got.Reveal() != tt.want {
				t.Errorf("%s for %s: %q, %v; want %q", tt.mode, tt.q.Name, got.Reveal(), err, tt.want)
			}
		case errors.Is(err, challenge.ErrNoAnswer) != tt.none || !tt.none && token.KindOf(err) != tt.kind || err == nil:
			t.Errorf("%s for %s: error %v", tt.mode, tt.q.Name, err)
		}
	}
}

func TestProcessThatCannotBeStarted(t *testing.T) {
	p, err := NewProcess("/nowhere/at/all", nil, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Answer(t.Context(), aCode); token.KindOf(err) != token.Failure || errors.Is(err, challenge.ErrNoAnswer) {
		t.Errorf("error %v, want one of kind Failure", err)
	}
}

func TestWhatAProgramSaysIsFitToPrint(t *testing.T) {
	p, said := asking(t, "fail")
	_, err := p.Answer(t.Context(), aCode)
	if err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("error %v, want the exit code", err)
	}
	if len(*said) != 2 || (*said)[0] != "no key?[2J?" || len((*said)[1]) > valueLimit+3 {
		t.Errorf("it said %q", *said)
	}
}

func TestAProgramDoesNotGetOurVariables(t *testing.T) {
	p, _ := asking(t, "environment", "COGNITO_CREDHELPER_KEY=sesame", "cognito_credhelper_home=/x", "FOO=bar")
	got, err := p.Answer(t.Context(), aCode)
	if words := strings.Fields(got.Reveal()); err != nil || !slices.Contains(words, "FOO=bar") || strings.Contains(strings.ToUpper(got.Reveal()), "COGNITO_CREDHELPER") {
		t.Errorf("the program's environment was %v, %v", words, err)
	}
}

func TestAnInterruptEndsTheProgram(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, _ := asking(t, "hang")
	p.said = func(string) { cancel() }
	if _, err := p.Answer(ctx, aCode); token.KindOf(err) != token.Interrupted {
		t.Errorf("error %v, want one of kind Interrupted", err)
	}
}

// A real TOTP program of another project, beside those that the transcripts run.
func TestProcessWithOathtool(t *testing.T) {
	out, err := exec.Command("oathtool", "--version").Output()
	if err != nil {
		skips.Missing(t, "oathtool", "it is not on PATH")
	}
	version, _, _ := strings.Cut(string(out), "\n")
	skips.Ran(t, "oathtool", version)
	// The date and the secret of RFC 6238, appendix B, cut to six digits.
	p, err := NewProcess(`oathtool --totp --base32 --now "2005-03-18 01:58:29 UTC" GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ`, os.Environ(), func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Answer(t.Context(), aCode); err != nil || got.Reveal() != "081804" {
		t.Errorf("code %q, %v", got.Reveal(), err)
	}
}

func TestSplitWords(t *testing.T) {
	tests := []struct {
		line string
		want []string // nil: refused
	}{
		{"a b  c\td", []string{"a", "b", "c", "d"}},
		{`a 'b c' "d e"f`, []string{"a", "b c", "d ef"}},
		{`a '' ""`, []string{"a", "", ""}},
		{`a '$x|y' "p;q"`, []string{"a", "$x|y", "p;q"}},
		{`a\ b \'`, []string{"a b", "'"}},
		{`a "b\"c\\d\e"`, []string{"a", `b"c\d\e`}},
		{`a 'b\c'`, []string{"a", `b\c`}},
		{"", nil},
		{"  ", nil},
		{"'' a", nil},
		{"a 'b", nil},
		{"a | b", nil},
		{"a $HOME", nil},
		{"a `b`", nil},
		{"a > b", nil},
		{"a\nb", nil},
	}
	for _, tt := range tests {
		got, err := splitWords(tt.line)
		if tt.want == nil && token.KindOf(err) != token.Usage || tt.want != nil && !slices.Equal(got, tt.want) {
			t.Errorf("splitWords(%q) = %q, %v; want %q", tt.line, got, err, tt.want)
		}
	}
}

// Property: words in single quotes come back as they were, whatever is in them.
func FuzzSplitWords(f *testing.F) {
	f.Add("a", "b c")
	f.Add(`\`, `"'$`)
	f.Fuzz(func(t *testing.T, a, b string) {
		quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
		if a == "" || strings.ContainsAny(a+b, "\n\r\x00") {
			return
		}
		got, err := splitWords(quote(a) + " " + quote(b))
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q and %q became %q, %v", a, b, got, err)
		}
	})
}

func TestQuestionsHaveNamedMembers(t *testing.T) {
	var members map[string]any
	text, err := json.Marshal(processQuestion{})
	if err != nil || json.Unmarshal(text, &members) != nil || len(members) != 4 {
		t.Errorf("a question without anything is %s, %v", text, err)
	}
}
